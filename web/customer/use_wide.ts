import { useEffect, useState } from "preact/hooks";

const query = "(min-width: 900px)";

/** Whether there is room for the cart beside the menu. */
export function useWide(): boolean {
  const [wide, setWide] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const hear = () => setWide(list.matches);
    list.addEventListener("change", hear);
    return () => list.removeEventListener("change", hear);
  }, []);
  return wide;
}
