/**
 * Transactions over several requests, optimistic and at most 30 seconds long. What was read is remembered with its version, what is
 * to be written waits; the commit compares under the locks and writes all at once, as one commit of each collection.
 */
import { GuardFailed } from "../../db/database.ts";
import {
  countTransactions,
  endTransaction,
  insertTransaction,
  moveTransaction,
  readDocumentsById,
  readTransaction,
} from "../../db/documents.ts";
import type { App } from "../app.ts";
import { Overloaded, SessionMissing, TransactionUnknown } from "../errors.ts";
import { type Caller, newOwner } from "./caller.ts";
import { commit, type Write } from "./commit.ts";
import { collectionOf } from "./declared.ts";
import { transactionMs } from "./limits.ts";
import { Lookups } from "./lookups.ts";
import { Transaction } from "./transaction.ts";
import { byIdOf } from "./write_now.ts";

/** Open transactions of one session; and of all visitors with one key. */
const maxOpen = { session: 20, key: 200 };
/** Requests of one transaction that run at once are stored one after the other. */
const maxTries = 10;

const holderOf = ({ session, key }: Caller): string => {
  const holder = session?.id ?? key?.id;
  if (holder === undefined) throw new SessionMissing();
  return holder;
};

/** @returns its id @throws SessionMissing, Overloaded */
export async function startTransaction(app: App, caller: Caller): Promise<string> {
  const holder = holderOf(caller);
  const now = app.clock.now();
  const [open] = await app.db.read([countTransactions(holder, now)]);
  if (Number(open[0]?.transactions) >= maxOpen[caller.session === undefined ? "key" : "session"])
    throw new Overloaded();
  const id = app.random.id();
  const row = { id, holder, version: 0, state: new Transaction(app, caller).text, expires_at: now + transactionMs };
  await app.db.flight({ statements: [insertTransaction(row)] });
  return id;
}

/** @throws TransactionUnknown */
async function load(app: App, caller: Caller, id: string): Promise<{ version: number; state: string }> {
  const [rows] = /^[0-9A-Z]{26}$/.test(id) ? await app.db.read([readTransaction(id)]) : [[]];
  const row = rows[0];
  const isOpen = row !== undefined && row.holder === holderOf(caller) && Number(row.expires_at) > app.clock.now();
  if (!isOpen) throw new TransactionUnknown();
  return { version: Number(row.version), state: String(row.state) };
}

/** Runs one request of a transaction and keeps what it has read and is to write. @throws TransactionUnknown, TransactionConflict */
export async function inTransaction<T>(
  app: App,
  caller: Caller,
  id: string,
  work: (own: Transaction) => Promise<T>,
): Promise<T> {
  for (let tries = 0; tries < maxTries; tries++) {
    const { version, state } = await load(app, caller, id);
    const own = new Transaction(app, caller, state);
    const result = await work(own);
    if (own.text === state) return result;
    try {
      await app.db.flight({ statements: [moveTransaction(id, version, own.text)] });
      return result;
    } catch (error) {
      if (!(error instanceof GuardFailed)) throw error;
    }
  }
  throw new Overloaded();
}

/** @throws TransactionConflict when another commit has changed what was read; TransactionUnknown; CollectionFull */
export async function commitTransaction(app: App, caller: Caller, id: string): Promise<void> {
  const own = new Transaction(app, caller, (await load(app, caller, id)).state);
  const collections = own.collections.map((name) => collectionOf(app, name));
  const ids = collections.map(({ name }) => own.idsOf(name));
  try {
    await commit(app, collections, new Lookups(), {
      owner: newOwner(caller),
      reads: collections.map(({ name }, at) => readDocumentsById(name, ids[at] ?? [])),
      decide(read, locked) {
        const writes = new Map<string, Write[]>();
        for (const [at, { name }] of collections.entries()) {
          const rows = read[at] ?? [];
          own.compare(
            name,
            new Map(rows.map((row) => [String(row.doc_id), Number(row.version)])),
            locked.get(name)?.head,
          );
          const now = byIdOf(rows);
          writes.set(
            name,
            own.writesOf(name).map(([doc, after]) => ({ before: now.get(doc), after })),
          );
        }
        return { writes, more: [endTransaction(id)], result: undefined };
      },
    });
  } catch (error) {
    if (error instanceof GuardFailed) throw new TransactionUnknown();
    throw error;
  }
}

/** @throws TransactionUnknown */
export async function abortTransaction(app: App, caller: Caller, id: string): Promise<void> {
  await load(app, caller, id);
  try {
    await app.db.flight({ statements: [endTransaction(id)] });
  } catch (error) {
    if (error instanceof GuardFailed) throw new TransactionUnknown();
    throw error;
  }
}
