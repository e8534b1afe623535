/** The rest of the page, once it is loaded: at once where it is wanted, else when the menu has had its turn. */
import { useEffect, useState } from "preact/hooks";
import { loadPart } from "../shared/load_part.ts";

export type Rest = typeof import("./rest.ts");

let rest: Rest | undefined;
let loading: Promise<Rest> | undefined;
const laterMs = 300;

export function useRest(wanted: boolean): Rest | undefined {
  const [, show] = useState(rest);
  useEffect(() => {
    if (rest !== undefined) return;
    const load = async () => {
      // Wanted while it is on its way, it is not asked for again.
      loading ??= loadPart(() => import("./rest.ts"));
      rest = await loading;
      show(rest);
    };
    const timer = setTimeout(load, wanted ? 0 : laterMs);
    return () => clearTimeout(timer);
  }, [wanted]);
  return rest;
}
