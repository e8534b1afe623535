/** Uploads that were begun, in the platform's store: the next one of the same file goes on with what is there. */
import { parse } from "../api.ts";
import type { Platform } from "../platform.ts";

/** A place that was begun. */
export interface Begun {
  id: string;
  partBytes: number;
}

interface Line extends Begun {
  key: string;
  at: number;
}

const item = "orderbell.uploads";
/** The server removes an unfinished upload after a day. */
const keptMs = 24 * 3_600_000;

export interface Records {
  _find(key: string): Begun | undefined;
  _put(key: string, begun: Begun): void;
  _remove(key: string): void;
}

export function recordsIn({ store, now }: Pick<Platform, "store" | "now">): Records {
  const read = (): Line[] => {
    const lines = parse(store.get(item));
    return Array.isArray(lines) ? lines.filter(({ at }) => now() - at < keptMs) : [];
  };
  const write = (lines: Line[]) => (lines.length ? store.set(item, JSON.stringify(lines)) : store.remove(item));
  const without = (key: string) => read().filter((line) => line.key !== key);
  return {
    _find: (key) => read().find((line) => line.key === key),
    _put: (key, { id, partBytes }) => write([...without(key), { key, id, partBytes, at: now() }].slice(-most)),
    _remove: (key) => write(without(key)),
  };
}

const most = 20;
