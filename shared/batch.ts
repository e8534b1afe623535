/**
 * Natural batching: what arrives while a batch is on its way goes into the next one, without a timer.
 * Alone, an item goes at once; in a function of the cloud every batch has one.
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
