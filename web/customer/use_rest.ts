/** The rest of the page, once it is loaded: at once where it is wanted, else when the menu has had its turn. */
import { useEffect, useState } from "preact/hooks";

export type Rest = typeof import("./rest.ts");

let rest: Rest | undefined;
const laterMs = 300;
const pauseMs = 2_000;

export function useRest(wanted: boolean): Rest | undefined {
  const [, show] = useState(rest);
  useEffect(() => {
    if (rest !== undefined) return;
    let timer: ReturnType<typeof setTimeout>;
    const load = (): Promise<void> =>
      import("./rest.ts").then(
        (loaded) => {
          rest = loaded;
          show(rest);
        },
        () => {
          timer = setTimeout(load, pauseMs);
        },
      );
    timer = setTimeout(load, wanted ? 0 : laterMs);
    return () => clearTimeout(timer);
  }, [wanted]);
  return rest;
}
