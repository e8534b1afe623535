/**
 * Guard against taps on elements that move. An element that has just moved, or appeared where another one was, takes no tap
 * for a moment; and an element that has left keeps its place empty for a while, so that the next one does not get its tap.
 *
 * It watches elements with `data-slot`.
 */
import { useEffect, useRef, useState } from "preact/hooks";

/** The time for which a place stays empty. */
const emptyMs = 600;
/** The time for which a moved element takes no tap. */
const settleMs = 400;
const movedPx = 8;
const settling = "data-settling";

type Place = Pick<DOMRect, "left" | "top" | "right" | "bottom">;

/** Watches the page. Scrolling and rotating the device are done by the user, and block no taps. */
export function guardTaps(): void {
  let places = new Map<Element, Place>();
  const timers = new Map<Element, ReturnType<typeof setTimeout>>();
  const read = () =>
    new Map([...document.querySelectorAll("[data-slot]")].map((slot) => [slot, slot.getBoundingClientRect()]));

  let pressed: Element | null = null;

  function freeze(slot: Element): void {
    if (slot === pressed) return;
    clearTimeout(timers.get(slot));
    slot.setAttribute(settling, "");
    timers.set(
      slot,
      setTimeout(() => {
        timers.delete(slot);
        slot.removeAttribute(settling);
      }, settleMs),
    );
  }

  const compare = () => {
    const before = places;
    places = read();
    for (const [slot, place] of places) {
      const old = before.get(slot);
      // A new element in an empty place, such as the newest order, takes taps at once.
      if (old === undefined ? [...before.values()].some((other) => overlaps(place, other)) : moved(place, old))
        freeze(slot);
    }
  };
  new MutationObserver(compare).observe(document.body, {
    childList: true,
    subtree: true,
    characterData: true,
    // Places in packed columns.
    attributeFilter: ["style"],
  });
  const forgive = () => {
    places = read();
  };
  addEventListener("scroll", forgive, { capture: true, passive: true });
  addEventListener("resize", forgive);
  // Printing changes the layout, and changes it back. Before version 14 Safari has no addEventListener here.
  matchMedia("print").addEventListener?.("change", forgive);
  // A tap ends on the element where it began: pressing may itself add or remove a line.
  addEventListener("pointerdown", ({ target }) => (pressed = (target as Element).closest("[data-slot]")), true);
  for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => (pressed = null), true);
  forgive();
}

const moved = (place: Place, old: Place) =>
  old.right > old.left && Math.abs(place.left - old.left) + Math.abs(place.top - old.top) > movedPx;

const overlaps = (one: Place, other: Place) =>
  Math.min(one.right, other.right) - Math.max(one.left, other.left) > movedPx &&
  Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > movedPx;

export interface Slot<T> {
  readonly item: T;
  /** The time when it left; it is drawn as an empty place of its size. */
  readonly goneAt: number | undefined;
}

/**
 * The items, and the empty places of those that have just left.
 * @param view identifies the list: when it changes, no places are kept
 */
export function useSlots<T extends { readonly id: string }>(items: readonly T[], view?: string): readonly Slot<T>[] {
  const held = useRef<{ slots: readonly Slot<T>[]; view: string | undefined }>({ slots: [], view });
  const [, redraw] = useState(0);
  const slots = withEmptySlots(held.current.view === view ? held.current.slots : [], items, performance.now());
  held.current = { slots, view };
  const oldest = Math.min(...slots.map(({ goneAt }) => goneAt ?? Number.POSITIVE_INFINITY));
  useEffect(() => {
    if (oldest === Number.POSITIVE_INFINITY) return;
    const timer = setTimeout(() => redraw((times) => times + 1), Math.max(0, oldest + emptyMs - performance.now()) + 1);
    return () => clearTimeout(timer);
  }, [oldest]);
  return slots;
}

/** Merges the items and the empty places. Pure. An empty place stays after the item that was before it. */
export function withEmptySlots<T extends { readonly id: string }>(
  before: readonly Slot<T>[],
  items: readonly T[],
  now: number,
): Slot<T>[] {
  const here = new Set(items.map(({ id }) => id));
  const after: Slot<T>[] = items.map((item) => ({ item, goneAt: undefined }));
  let previous: string | undefined;
  for (const { item, goneAt = now } of before) {
    const gone = !here.has(item.id);
    if (gone && now - goneAt < emptyMs)
      after.splice(after.findIndex((slot) => slot.item.id === previous) + 1, 0, { item, goneAt });
    if (!gone || now - goneAt < emptyMs) previous = item.id;
  }
  return after;
}
