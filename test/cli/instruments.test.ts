/** What measures a server changes nothing of it: batches with different keys stay apart. */
import { openMetrics } from "../../cli/metrics.ts";
import { openTraces } from "../../cli/traces.ts";
import { fulfilled, makeBatches } from "../../shared/batch.ts";

const opened = [
  ["nothing", async () => ({ instrument: {}, close: async () => {} })],
  ["metrics", async () => ({ instrument: openMetrics(undefined).instrument, close: async () => {} })],
  ["traces", openTraces],
] as const;

it.each(opened)("with %s, a batch has items of one key", async (_, open) => {
  const { instrument, close } = await open();
  const made = makeBatches(10);
  const batches = ("batches" in instrument && instrument.batches?.(made, "orders")) || made;
  const ran: string[][] = [];
  const run = async (_given: undefined, items: readonly string[]) => {
    ran.push([...items]);
    return items.map(fulfilled);
  };
  const items = ["a1", "a2", "b1", "a3", "b2"];
  expect(await Promise.all(items.map((item) => batches.add(run, undefined, item, item[0])))).toEqual(items);
  expect(ran.toSorted()).toEqual([["a1"], ["a2", "a3"], ["b1"], ["b2"]]);
  await close();
});
