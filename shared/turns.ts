/** Work under the same name runs one after the other, in the order in which it came; other names do not wait. */

export interface Turns {
  run<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Names under which something was lost, so that what comes behind it is not done either. */
  readonly broken: Set<string>;
}

export function makeTurns(): Turns {
  const last = new Map<string, Promise<unknown>>();
  return {
    broken: new Set(),
    run(name, work) {
      const before = last.get(name) ?? Promise.resolve();
      const own = before.then(work, work);
      last.set(name, own);
      const forget = () => {
        if (last.get(name) === own) last.delete(name);
      };
      own.then(forget, forget);
      return own;
    },
  };
}
