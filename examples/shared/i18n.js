/** Two languages: the browser's, until the person chooses the other. */
const key = "examples.language";

/**
 * Shows the page in a language, and puts a switch into its header: `data-t` names an element's text, `data-t-label` its label.
 * @param words `{ title: ["标题", "Title"] }`, or `{ zh: { title: "标题" }, en: { title: "Title" } }`
 */
export function speak(words, draw = () => {}) {
  let language = store("getItem") ?? (navigator.language.startsWith("zh") ? "zh" : "en");
  const t = (name, values = {}) => text(name).replace(/\{(\w+)\}/g, (_, value) => String(values[value]));
  const text = (name) => String(words[language]?.[name] ?? words[name]?.[language === "zh" ? 0 : 1] ?? name);
  const other = Object.assign(document.createElement("button"), { className: "language" });
  function show() {
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
    document.title = t("title");
    for (const one of document.querySelectorAll("[data-t]")) one.textContent = t(one.dataset.t);
    for (const one of document.querySelectorAll("[data-t-label]"))
      one.ariaLabel = one.placeholder = t(one.dataset.tLabel);
    [other.textContent, other.lang] = language === "zh" ? ["English", "en"] : ["中文", "zh-CN"];
    draw();
  }
  other.onclick = () => {
    language = language === "zh" ? "en" : "zh";
    store("setItem", language);
    show();
  };
  document.querySelector("header").append(other);
  // After the caller has its `t`.
  queueMicrotask(show);
  return Object.assign(t, { language: () => language });
}

/** A browser without a store asks again next time. */
function store(what, ...values) {
  try {
    return localStorage[what](key, ...values);
  } catch {
    return null;
  }
}
