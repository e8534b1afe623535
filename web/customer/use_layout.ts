/** The layout of the menu: by the page's width, and by the size of its text. */
import { useEffect, useState } from "preact/hooks";

/** `wide`: the cart is beside the menu. `large`: the text is so large that there is no space for categories beside the dishes. */
export type Layout = "phone" | "wide" | "large";

const minRem = 20;

function layoutNow(): Layout {
  const remPx = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
  return innerWidth < minRem * remPx ? "large" : innerWidth < 900 ? "phone" : "wide";
}

export function useLayout(): Layout {
  const [layout, setLayout] = useState(layoutNow);
  useEffect(() => {
    // The body changes its size with the page's width, and with that of its text.
    const observer = new ResizeObserver(() => setLayout(layoutNow()));
    observer.observe(document.body);
    return () => observer.disconnect();
  }, []);
  return layout;
}
