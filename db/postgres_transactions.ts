/** Begins and ends PostgreSQL's transactions, on direct connections and through a pooler. */
import type { Encoded } from "./sql.ts";

/**
 * Never prepared: behind a pooler a prepared name can fail, and what follows a failed BEGIN is stored statement by statement.
 */
const control = new WeakSet<Encoded>();
export const isControl = (statement: Encoded): boolean => control.has(statement);

function plain(...texts: readonly string[]): Encoded {
  const statement = { text: texts.join("; "), values: [], guard: undefined };
  control.add(statement);
  return statement;
}
export const commit = plain("COMMIT");
export const rollback = plain("ROLLBACK");

/** The statements that begin a transaction, and those that a read outside of one needs. */
export interface Transactions {
  readonly begin: Encoded;
  readonly snapshot: Encoded;
  /** @returns the list as one transaction, and a function that picks the answers of its own statements */
  whole(list: readonly Encoded[]): { readonly list: readonly Encoded[]; own<T>(answers: readonly T[]): readonly T[] };
  /** @returns the list with its time limits, and a function that picks the answers of its own statements */
  limited(list: readonly Encoded[]): { readonly list: readonly Encoded[]; own<T>(answers: readonly T[]): readonly T[] };
}

const between = (begin: Encoded, list: readonly Encoded[]) => ({
  list: [begin, ...list, commit],
  own: <T>(answers: readonly T[]) => answers.slice(1, -1),
});
const alone = (list: readonly Encoded[]) => ({ list, own: <T>(answers: readonly T[]) => answers });

const snapshotText = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
const begin = plain("BEGIN");
export const direct: Transactions = {
  begin,
  snapshot: plain(snapshotText),
  // One statement is a transaction by itself.
  whole: (list) => (list.length === 1 ? alone(list) : between(begin, list)),
  limited: alone,
};
/** Sets per transaction, in the message that begins it, what a direct connection sets once per session. */
export function pooledWith(settings: readonly string[]): Transactions {
  const reading = plain("BEGIN READ ONLY", ...settings);
  const begin = plain("BEGIN", ...settings);
  return {
    begin,
    snapshot: plain(snapshotText, ...settings),
    whole: (list) => between(begin, list),
    limited: (list) => (list.length === 0 ? alone(list) : between(reading, list)),
  };
}
