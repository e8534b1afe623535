/** Loads the rest of the page: at once where it is needed, else after the menu is shown. */
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
      // It is being loaded already: not requested again.
      loading ??= loadPart(() => import("./rest.ts"));
      rest = await loading;
      show(rest);
    };
    const timer = setTimeout(load, wanted ? 0 : laterMs);
    return () => clearTimeout(timer);
  }, [wanted]);
  return rest;
}
