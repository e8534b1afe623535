/** Toasts: short messages that disappear. A message that needs an answer is a banner or a dialog instead. */
import { useEffect, useState } from "preact/hooks";

const shownMs = 3_500;
let show: (text: string) => void = () => {};

/** Shows it, also to a screen reader. The page has one `<Toasts />`. */
export const toast = (text: string): void => show(text);

export function Toasts() {
  const [texts, setTexts] = useState<{ id: number; text: string }[]>([]);
  useEffect(() => {
    let id = 0;
    show = (text) => {
      const mine = ++id;
      setTexts((now) => [...now.filter((other) => other.text !== text).slice(-2), { id: mine, text }]);
      setTimeout(() => setTexts((now) => now.filter((other) => other.id !== mine)), shownMs);
    };
    return () => {
      show = () => {};
    };
  }, []);
  return (
    <div class="toasts" role="status">
      {texts.map(({ id, text }) => (
        <p key={id}>{text}</p>
      ))}
    </div>
  );
}
