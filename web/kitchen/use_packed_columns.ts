/**
 * Packs a grid's items: each begins below the one above it, not below the tallest of its row. The grid has rows of one pixel, and each
 * item takes as many as it is tall; in the order of the list, so that the oldest are at the top.
 */
import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

/** @returns a ref for the grid */
export function usePackedColumns(): RefObject<HTMLDivElement | null> {
  const grid = useRef<HTMLDivElement>(null);
  const pack = () => {
    const items = [...(grid.current?.children ?? [])] as HTMLElement[];
    const heights = items.map((item) => item.offsetHeight);
    for (const [at, item] of items.entries()) {
      const span = `span ${(heights[at] ?? 0) + gapPx}`;
      if (item.style.gridRowEnd !== span) item.style.gridRowEnd = span;
    }
  };
  // With each rendering, before anybody sees it; and when an item changes its height by itself.
  useLayoutEffect(() => {
    pack();
    const observer = new ResizeObserver(pack);
    for (const item of grid.current?.children ?? []) observer.observe(item);
    return () => observer.disconnect();
  });
  return grid;
}

/** As in ticket.css. */
const gapPx = 12;
