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
  /** @returns the list with its time limits, and a function that picks the answers of its own statements */
  limited(list: readonly Encoded[]): { readonly list: readonly Encoded[]; own<T>(answers: readonly T[]): readonly T[] };
}

const snapshotText = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
export const direct: Transactions = {
  begin: plain("BEGIN"),
  snapshot: plain(snapshotText),
  limited: (list) => ({ list, own: (answers) => answers }),
};
/** Sets per transaction, in the message that begins it, what a direct connection sets once per session. */
export function pooledWith(settings: readonly string[]): Transactions {
  const reading = plain("BEGIN READ ONLY", ...settings);
  return {
    begin: plain("BEGIN", ...settings),
    snapshot: plain(snapshotText, ...settings),
    limited: (list) =>
      list.length === 0
        ? { list, own: (answers) => answers }
        : { list: [reading, ...list, commit], own: (answers) => answers.slice(1, -1) },
  };
}
