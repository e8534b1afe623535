/** Keys of a bump bar: numbers and arrows choose a ticket, Enter is the button's own, letters do the rest. */
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { OpenDialog } from "./actions.ts";

export interface Keys {
  undo(): void;
  silence(): void;
  show(what: OpenDialog): void;
  /** A dialog is open and handles the keys. */
  off: boolean;
}

const goes = (): HTMLElement[] => [...document.querySelectorAll<HTMLElement>(".floor .button.go")];
const settleMs = 600;
const arrows: Record<string, readonly [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

export function useKeys(keys: Keys): void {
  const now = useRef(keys);
  now.current = keys;
  /** The time when the focus last moved by itself: Enter pressed at that moment was meant for the ticket before. */
  const wentOnAt = useRef(Number.NEGATIVE_INFINITY);
  /** The ticket that had the focus, as long as the keyboard is used. */
  const last = useRef<number>(undefined);

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const { target, key } = event;
      const early =
        performance.now() - wentOnAt.current < settleMs && goes().includes(document.activeElement as HTMLElement);
      if ((key === "Enter" || key === " ") && (early || event.repeat)) return event.preventDefault();
      if (now.current.off || event.ctrlKey || event.metaKey || event.altKey) return;
      if (target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement) return;
      const list = goes();
      const direction = arrows[key];
      if (/^[0-9]$/.test(key)) list[key === "0" ? 9 : Number(key) - 1]?.focus();
      else if (direction !== undefined) nearest(list, direction)?.focus();
      else if (key === "u" || key === "U") now.current.undo();
      else if (key === "s" || key === "S") now.current.silence();
      else if (key === "r" || key === "R") now.current.show({ kind: "recall" });
      else if (key === "t" || key === "T") now.current.show({ kind: "totals" });
      else return;
      event.preventDefault();
    };
    const onFocus = () => {
      const at = goes().indexOf(document.activeElement as HTMLElement);
      last.current = at < 0 ? undefined : at;
    };
    const onPointer = () => {
      last.current = undefined;
    };
    addEventListener("keydown", onKey);
    addEventListener("focusin", onFocus);
    addEventListener("pointerup", onPointer);
    return () => {
      removeEventListener("keydown", onKey);
      removeEventListener("focusin", onFocus);
      removeEventListener("pointerup", onPointer);
    };
  }, []);

  // The ticket with the focus has left: the next one takes the focus, as on a bump bar.
  useLayoutEffect(() => {
    if (last.current === undefined || keys.off || document.activeElement !== document.body) return;
    const list = goes();
    const next = list[Math.min(last.current, list.length - 1)];
    next?.focus();
    if (next !== undefined && document.activeElement === next) wentOnAt.current = performance.now();
  });
}

/** The next ticket in this direction; the first one when none has the focus. */
function nearest(list: readonly HTMLElement[], [x, y]: readonly [number, number]): HTMLElement | undefined {
  const from = document.activeElement as HTMLElement;
  const here = list.indexOf(from);
  if (here < 0) return list[0];
  if (y === 0) return list[here + x];
  const middle = (element: HTMLElement) => {
    const { left, width, top, height } = (element.closest("article") ?? element).getBoundingClientRect();
    return { x: left + width / 2, y: top + height / 2 };
  };
  const at = middle(from);
  const further = list.filter((one) => (middle(one).y - at.y) * y > 20);
  const far = (one: HTMLElement) => Math.abs(middle(one).y - at.y) * 3 + Math.abs(middle(one).x - at.x);
  return further.sort((a, b) => far(a) - far(b))[0];
}
