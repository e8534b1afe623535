/** Natural batching: items that arrive while a batch runs form the next one, without a timer. */

export interface Batches {
  /**
   * Puts the item into the next batch of this kind of work; `run` names the kind. Resolves when its batch has run.
   * @param key items with different keys are in different batches, which do not wait for each other
   */
  add<Given, Item, Outcome>(run: Run<Given, Item, Outcome>, given: Given, item: Item, key?: string): Promise<Outcome>;
}

/** @param given by the caller that added the first item */
export type Run<Given, Item, Outcome> = (
  given: Given,
  items: readonly Item[],
) => Promise<readonly PromiseSettledResult<Outcome>[]>;

/** What became of one item. */
export const fulfilled = <T>(value: T): PromiseFulfilledResult<T> => ({ status: "fulfilled", value });

/** @param max items of one batch */
export function makeBatches(max: number): Batches {
  type Entry = { given: unknown; item: unknown };
  const kinds = new Map<unknown, (key: string, entry: Entry) => Promise<unknown>>();
  return {
    add<Given, Item, Outcome>(run: Run<Given, Item, Outcome>, given: Given, item: Item, key = ""): Promise<Outcome> {
      const all = (_: string, entries: readonly { given: Given; item: Item }[]) =>
        run(
          (entries[0] as { given: Given }).given,
          entries.map((entry) => entry.item),
        );
      const add = kinds.get(run) ?? (inKeyedBatches(all, max) as (key: string, entry: Entry) => Promise<unknown>);
      kinds.set(run, add);
      return add(key, { given, item }) as Promise<Outcome>;
    },
  };
}

/** Batches the calls of `run` for each key by itself. What is kept for a key goes with its last item: there may be as many as shops or rooms. */
export function inKeyedBatches<I, O>(
  run: (key: string, items: readonly I[]) => Promise<readonly PromiseSettledResult<O>[]>,
  max: number,
): (key: string, item: I) => Promise<O> {
  const queues = new Map<string, { readonly add: (item: I) => Promise<O>; pending: number }>();
  return async (key, item) => {
    const queue = queues.get(key) ?? { add: inBatches((items: readonly I[]) => run(key, items), max), pending: 0 };
    queues.set(key, queue);
    queue.pending += 1;
    try {
      return await queue.add(item);
    } finally {
      queue.pending -= 1;
      if (queue.pending === 0) queues.delete(key);
    }
  };
}

/**
 * Batches the calls of `run`. An item that finds no batch running starts at once; in a cloud function every batch has one
 * item.
 */
export function inBatches<I, O>(
  run: (items: readonly I[]) => Promise<readonly PromiseSettledResult<O>[]>,
  max: number,
): (item: I) => Promise<O> {
  let waiting: { item: I; settle: (outcome: PromiseSettledResult<O>) => void }[] = [];
  let running = false;

  async function work(): Promise<void> {
    running = true;
    while (waiting.length > 0) {
      const batch = waiting.slice(0, max);
      waiting = waiting.slice(max);
      const outcomes = await run(batch.map(({ item }) => item)).catch((reason) =>
        batch.map((): PromiseSettledResult<O> => ({ status: "rejected", reason })),
      );
      for (const [at, { settle }] of batch.entries()) settle(outcomes[at] as PromiseSettledResult<O>);
    }
    running = false;
  }

  return (item) =>
    new Promise<O>((resolve, reject) => {
      waiting.push({
        item,
        settle: (outcome) => (outcome.status === "fulfilled" ? resolve(outcome.value) : reject(outcome.reason)),
      });
      if (!running) void work();
    });
}
