/** Saving what was edited, whoever else has saved meanwhile. */
import { codeOf } from "./client.ts";
import { merge } from "./merge.ts";

export interface Place<T> {
  /** What is there now; undefined when it is gone. */
  read(): Promise<{ value: T | undefined; version: number }>;
  /** @throws ApiError VERSION_MISMATCH when it is not this version any more */
  write(value: T, version: number): Promise<unknown>;
}

/** Somebody must decide. `value` has mine where it is disputed. */
export interface Dispute<T> {
  how: "disputed";
  value: T;
  theirs: T;
  version: number;
  disputed: (keyof T & string)[];
}

export type Saved<T> = { how: "saved"; merged: boolean } | Dispute<T> | { how: "gone" };

const tries = 5;

/** @param base what was there when the editing began; undefined for something new @throws ApiError */
export async function save<T extends object>(
  place: Place<T>,
  base: T | undefined,
  mine: T,
  version: number,
): Promise<Saved<T>> {
  let [value, at, merged] = [mine, version, false];
  for (let left = tries; ; left--) {
    try {
      await place.write(value, at);
      return { how: "saved", merged };
    } catch (error) {
      if (codeOf(error) !== "VERSION_MISMATCH" || left === 0) throw error;
    }
    const now = await place.read();
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
