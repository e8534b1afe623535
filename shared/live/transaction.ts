/** What one transaction has read and is to write. */
import { readDocumentsById } from "../../db/documents.ts";
import { type Head, noHead } from "../../db/streams.ts";
import type { App } from "../app.ts";
import type { Collection } from "../collection.ts";
import { TooManyDocuments, TransactionConflict } from "../errors.ts";
import type { Caller } from "./caller.ts";
import { maxInTransaction, maxSteadySteps, maxTransactionCharacters } from "./limits.ts";
import { Lookups, withLookups } from "./lookups.ts";
import { compileMatch } from "./match.ts";
import { narrow } from "./narrow.ts";
import type { Condition } from "./query.ts";
import { authorizeRead, permittedOf, readMatching } from "./read_matching.ts";
import { Steps } from "./steps.ts";
import { filterOf } from "./stored.ts";
import type { Document } from "./value.ts";
import { decodeStored, encode, type Json } from "./wire_value.ts";
import { byIdOf, type Targets } from "./write_now.ts";

interface State {
  /** Collection → id → the version that was read; null: there was no such document. */
  readonly read: Record<string, Record<string, number | null>>;
  /** Collection → the head, as `epoch:seq`, of which a query was answered. */
  readonly heads: Record<string, string>;
  /** Collection → id → the document as it is to be; null: removed. */
  readonly writes: Record<string, Record<string, Json>>;
}

/** Names from outside are the members of these, so they have no prototype. */
const empty = <T>(): Record<string, T> => Object.create(null) as Record<string, T>;
const opened = <T>(stored: Readonly<Record<string, T>> = {}): Record<string, T> => Object.assign(empty<T>(), stored);
const openedTwice = <T>(stored: Readonly<Record<string, Readonly<Record<string, T>>>> = {}) =>
  opened(Object.fromEntries(Object.entries(stored).map(([name, inner]) => [name, opened(inner)])));

const headText = ({ epoch, seq }: Head) => `${epoch}:${seq}`;

export class Transaction {
  readonly #app: App;
  readonly #caller: Caller;
  readonly #state: State;

  /** @param text as `text` gave it; undefined: a new one */
  constructor(app: App, caller: Caller, text = "{}") {
    this.#app = app;
    this.#caller = caller;
    const stored = JSON.parse(text) as Partial<State>;
    this.#state = {
      read: openedTwice(stored.read),
      heads: opened(stored.heads),
      writes: openedTwice(stored.writes),
    };
  }

  /** All of it. @throws TooManyDocuments when it has become too large */
  get text(): string {
    const { read, writes } = this.#state;
    const count = [read, writes]
      .flatMap((one) => Object.values(one))
      .reduce((sum, one) => sum + Object.keys(one).length, 0);
    const text = JSON.stringify(this.#state);
    if (count > 2 * maxInTransaction || text.length > maxTransactionCharacters)
      throw new TooManyDocuments(`a transaction reads and writes at most ${maxInTransaction} documents, 2 MB of them`);
    return text;
  }

  get collections(): string[] {
    const { read, heads, writes } = this.#state;
    return [...new Set([read, heads, writes].flatMap((one) => Object.keys(one)))];
  }

  /** Documents whose versions the commit compares or that it writes. */
  idsOf(collection: string): string[] {
    const { read, writes } = this.#state;
    return [...new Set([read, writes].flatMap((one) => Object.keys(one[collection] ?? {})))];
  }

  writesOf(collection: string): [string, Document | undefined][] {
    return Object.entries(this.#state.writes[collection] ?? {}).map(([id, after]) => [
      id,
      after === null ? undefined : decodeStored(after),
    ]);
  }

  /** @throws TransactionConflict when the versions or the head are others than those that were read */
  compare(collection: string, versions: ReadonlyMap<string, number>, head: Head = noHead): void {
    for (const [id, version] of Object.entries(this.#state.read[collection] ?? {}))
      if ((versions.get(id) ?? null) !== version) throw new TransactionConflict(collection);
    const known = this.#state.heads[collection];
    // A stream without events is made by the first lock.
    if (known !== undefined && known !== headText(head) && !(known === headText(noHead) && head.seq === 0))
      throw new TransactionConflict(collection);
  }

  /** The documents that match and that the caller may read, as this transaction sees them. */
  async read(collection: Collection, condition: Condition): Promise<Document[]> {
    const lookups = new Lookups();
    const permitted = await authorizeRead(this.#app, this.#caller, collection, condition, lookups);
    const found = await this.#matching(collection, permitted);
    const wrapped = found.map((document) => ({ document }));
    const chosen = await permittedOf(this.#app, this.#caller, collection, "read", wrapped, lookups);
    this.#noteLookups(lookups);
    return chosen.map(({ document }) => document);
  }

  /** Keeps a write until the commit. */
  async write<T>(collection: Collection, { condition, multi, ids, decide }: Targets<T>, lookups: Lookups): Promise<T> {
    const all = (await this.#matching(collection, condition)).toSorted((a, b) => (a._id < b._id ? -1 : 1));
    const matched = multi ? all : all.slice(0, 1);
    const byId = new Map((await this.#byId(collection, ids)).map((one) => [one._id, one]));
    const { writes, result } = await withLookups(this.#app, (lookup) => decide({ matched, byId }, lookup), lookups);
    this.#noteLookups(lookups);
    this.#state.writes[collection.name] ??= empty();
    const own = this.#state.writes[collection.name];
    for (const { before, after } of writes) {
      const id = (after ?? before)?._id;
      if (own !== undefined && id !== undefined) own[id] = after === undefined ? null : encode(after);
    }
    return result;
  }

  async #matching(collection: Collection, condition: Condition): Promise<Document[]> {
    const filter = filterOf(narrow(condition, []));
    if (filter === undefined) return [];
    const match = compileMatch(condition, new Steps(maxSteadySteps));
    if (filter.ids !== undefined) return (await this.#byId(collection, filter.ids)).filter(match);
    // Permissions are asked about each document afterwards.
    const everything = { auth: { uid: "", openid: null, loginType: "", isAdmin: true }, session: undefined };
    const { documents, head } = await readMatching(this.#app, everything, collection, condition, maxInTransaction);
    this.#noteHead(collection.name, head);
    const own = this.#state.writes[collection.name] ?? {};
    const written = this.writesOf(collection.name).flatMap(([, after]) => (after === undefined ? [] : [after]));
    return [...documents.filter(({ _id }) => own[_id] === undefined), ...written.filter(match)];
  }

  async #byId(collection: Collection, ids: readonly string[]): Promise<Document[]> {
    if (ids.length === 0) return [];
    const [rows] = await this.#app.db.read([readDocumentsById(collection.name, ids)]);
    const versions = new Map(rows.map((row) => [String(row.doc_id), Number(row.version)]));
    for (const id of ids) this.#note(collection.name, id, versions.get(id) ?? null);
    const found = byIdOf(rows);
    for (const [id, after] of this.writesOf(collection.name)) {
      if (!ids.includes(id)) continue;
      if (after === undefined) found.delete(id);
      else found.set(id, after);
    }
    return [...found.values()];
  }

  /** @throws TransactionConflict when it was read before with another version */
  #note(collection: string, id: string, version: number | null): void {
    this.#state.read[collection] ??= empty();
    const own = this.#state.read[collection];
    if (own === undefined) return;
    const before = own[id];
    if (before !== undefined && before !== version) throw new TransactionConflict(collection);
    own[id] = version;
  }

  #noteHead(collection: string, head: Head): void {
    const before = this.#state.heads[collection];
    if (before !== undefined && before !== headText(head)) throw new TransactionConflict(collection);
    this.#state.heads[collection] = headText(head);
  }

  /** What permissions depend on must not have changed either. */
  #noteLookups(lookups: Lookups): void {
    for (const { collection, id, version } of lookups.named)
      if (this.#app.config.collections.has(collection)) this.#note(collection, id, version);
  }
}
