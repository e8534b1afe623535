/** Switch to the other language, labelled in that language for users who cannot read this one. */
import { chooseLanguage, currentLanguage } from "./language.ts";

export function LanguageSwitch() {
  const other = currentLanguage() === "zh" ? "en" : "zh";
  return (
    <button
      type="button"
      class="button plain language"
      lang={other === "zh" ? "zh-CN" : "en"}
      aria-label={other === "zh" ? "切换到中文" : "Switch to English"}
      onClick={() => chooseLanguage(other)}
    >
      {other === "zh" ? "中文" : "EN"}
    </button>
  );
}
