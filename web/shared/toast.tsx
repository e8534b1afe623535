/** Toasts: short messages that disappear. A message that needs an answer is a banner or a dialog instead. */
import { useEffect, useState } from "preact/hooks";

interface Shown {
  id: number;
  text: string;
}

const shownMs = 3_500;
let change: (to: (now: Shown[]) => Shown[]) => void = () => {};
let lastId = 0;

/** Shows it, also to a screen reader. The page has one `<Toasts />`. */
export function toast(text: string): void {
  const id = ++lastId;
  change((now) => [...now.filter((other) => other.text !== text).slice(-2), { id, text }]);
  setTimeout(() => change((now) => now.filter((other) => other.id !== id)), shownMs);
}

/** Removes all: they belong to the page that was left. */
export const clearToasts = (): void => change(() => []);

export function Toasts() {
  const [texts, setTexts] = useState<Shown[]>([]);
  useEffect(() => {
    change = setTexts;
    return () => {
      change = () => {};
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
