/** A batch that fails for an unforeseen reason is run again by halves, so that one bad item does not fail the others. */
import { ConnectionLost, FlightLost } from "../db/database.ts";

/** @param run its rejection fails all items, and has stored nothing */
export async function byHalves<I, O>(
  items: readonly I[],
  run: (items: readonly I[]) => Promise<PromiseSettledResult<O>[]>,
): Promise<PromiseSettledResult<O>[]> {
  try {
    return await run(items);
  } catch (reason) {
    const isOfAll = reason instanceof ConnectionLost || reason instanceof FlightLost;
    if (items.length === 1 || isOfAll) return items.map(() => ({ status: "rejected", reason }));
    const half = Math.ceil(items.length / 2);
    return [...(await byHalves(items.slice(0, half), run)), ...(await byHalves(items.slice(half), run))];
  }
}
