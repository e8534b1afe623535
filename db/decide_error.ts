/** Marks an error of `decide`, so that a driver does not take it for one of its connection. */
export class DecideFailed extends Error {}

export function runDecide<T>(decide: () => T): T {
  try {
    return decide();
  } catch (cause) {
    throw new DecideFailed("refused", { cause });
  }
}
