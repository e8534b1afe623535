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
  type Queue = { readonly add: (entry: { given: unknown; item: unknown }) => Promise<unknown>; pending: number };
  const kinds = new Map<unknown, Map<string, Queue>>();
  return {
    async add<Given, Item, Outcome>(
      run: Run<Given, Item, Outcome>,
      given: Given,
      item: Item,
      key = "",
    ): Promise<Outcome> {
      const all = (entries: readonly { given: Given; item: Item }[]) =>
        run(
          (entries[0] as { given: Given }).given,
          entries.map((entry) => entry.item),
        );
      const queues = kinds.get(run) ?? new Map<string, Queue>();
      kinds.set(run, queues);
      const queue = queues.get(key) ?? { add: inBatches(all, max) as Queue["add"], pending: 0 };
      queues.set(key, queue);
      queue.pending += 1;
      try {
        return (await queue.add({ given, item })) as Outcome;
      } finally {
        queue.pending -= 1;
        // There may be as many keys as shops.
        if (queue.pending === 0) queues.delete(key);
      }
    },
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
