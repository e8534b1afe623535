import { useEffect, useState } from "preact/hooks";

const query = "(min-width: 900px)";

/** @returns whether the page is wide enough for the cart beside the menu */
export function useWide(): boolean {
  const [wide, setWide] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const listener = () => setWide(list.matches);
    list.addEventListener("change", listener);
    return () => list.removeEventListener("change", listener);
  }, []);
  return wide;
}
