/** Saving of an edited value, merged with what others saved meanwhile. */
import { codeOf } from "./client.ts";
import { merge } from "./merge.ts";

/** The value on the server. */
export interface Remote<T> {
  /** The current value; undefined when it was removed. */
  read(): Promise<{ value: T | undefined; version: number }>;
  /** @throws ApiError VERSION_MISMATCH when the server has another version */
  write(value: T, version: number): Promise<unknown>;
}

/** Both sides changed the same fields: the user must decide. `value` has mine in these. */
export interface Conflict<T> {
  how: "disputed";
  value: T;
  theirs: T;
  version: number;
  disputed: (keyof T & string)[];
}

export type Saved<T> = { how: "saved"; merged: boolean } | Conflict<T> | { how: "gone" };

const tries = 5;

/** @param base the value when editing began; undefined for a new one @throws ApiError */
export async function save<T extends object>(
  remote: Remote<T>,
  base: T | undefined,
  mine: T,
  version: number,
): Promise<Saved<T>> {
  let [value, at, merged] = [mine, version, false];
  for (let left = tries; ; left--) {
    try {
      await remote.write(value, at);
      return { how: "saved", merged };
    } catch (error) {
      if (codeOf(error) !== "VERSION_MISMATCH" || left === 0) throw error;
    }
    const now = await remote.read();
    at = now.version;
    if (base === undefined) continue;
    if (now.value === undefined) return { how: "gone" };
    const both = merge(base, value, now.value);
    if (both.disputed.length > 0)
      return { how: "disputed", value: both.value, theirs: now.value, version: at, disputed: both.disputed };
    [value, base] = [both.value, now.value];
    merged ||= both.theirs;
  }
}
