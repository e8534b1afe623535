/** The lists of the ledger of watches: what each shows, and what it should. */
import { compileMatch } from "../../shared/live/match.ts";
import { parseQuery } from "../../shared/live/query.ts";
import { comparator, parseOrder } from "../../shared/live/sort.ts";
import type { Document } from "../../shared/live/value.ts";
import { decodeStored } from "../../shared/live/wire_value.ts";
import { pause } from "../faults/_people.ts";
import { WatchClient } from "./_ledger_page.ts";
import type { Row, Spec, Timers, Watch } from "./_ledger_watch.ts";
import { type Ask, fiftySpecs } from "./_ledger_writers.ts";

const timers: Timers = { checkMs: 2_000, graceMs: 200, retryMs: 150, answerMs: 60_000, silenceMs: 10_000 };
/** A list that is still wrong after so long a calm has failed. */
const timeLimitMs = 100_000;

export interface Figures {
  writes: number;
  changes: number;
  rebuilt: number;
  faults: number;
  restores: number;
  /** The longest time from the repair until every list was right. */
  rightAfterMs: number;
}

export interface Person {
  readonly user: string;
  readonly token: string;
}

/** One request of the action dialect. @returns its answer's body @throws when there was none, or an error */
export const asker =
  (url: string, { token }: Person): Ask =>
  async (action, parameters) => {
    const body = { action, dataVersion: "2020-01-10", env: "test", access_token: token, ...parameters };
    const response = await fetch(`${url}/web?env=test`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timers.answerMs),
    });
    const answer = (await response.json()) as { code?: string; message?: string; data?: unknown };
    if (answer.code !== undefined) throw new Error(`${answer.code}: ${answer.message}`);
    return answer.data;
  };

interface Page {
  readonly client: WatchClient;
  readonly url: string;
  readonly person: Person;
}

/** All lists of all pages, and what they should show. */
export class Lists {
  readonly #clients: readonly Page[];
  readonly #watches: { readonly watch: Watch; readonly url: string; readonly person: Person }[] = [];
  readonly #wrong: string[] = [];
  readonly #figures: Figures;

  /** Each query is watched by one person, every third by another too; where there are two processes, at both. */
  constructor(urls: readonly string[], people: readonly Person[], figures: Figures) {
    this.#figures = figures;
    this.#clients = people.map((person, at) => {
      const url = urls[at % urls.length] as string;
      return { client: new WatchClient(url, person.token, timers), url, person };
    });
    for (const [nth, spec] of fiftySpecs().entries())
      for (const at of nth % 3 === 0 ? [nth, nth + 1] : [nth]) {
        const { client, url, person } = this.#clients[at % people.length] as Page;
        this.#watches.push({ watch: client.watch(spec, (rows, watch) => this.#changed(watch, rows)), url, person });
      }
  }

  cut(page: number): void {
    this.#clients[page % this.#clients.length]?.client.cut();
  }

  /** What must hold of every list at every moment. */
  #changed(watch: Watch, rows: readonly Row[]): void {
    const { spec } = watch;
    this.#figures.changes += 1;
    const say = (why: string) => {
      const seen = rows.map(({ _id, n, value }) => `${_id} ${n ?? value}`);
      this.#wrong.push(`${JSON.stringify(spec)} ${why}: ${seen}; ${watch.history.slice(-3).join(" | ")}`);
    };
    if (spec.limit !== undefined && rows.length > spec.limit) say("is longer than its limit");
    const documents = rows.map(documentOf);
    const order = orderOf(spec);
    if (order !== undefined && documents.some((one, at) => at > 0 && order(documents[at - 1] as Document, one) > 0))
      say("is out of order");
    if (spec.collection === "pairs" && new Set(rows.map(({ value }) => value)).size > 1)
      say("shows a half of a commit");
  }

  /** @returns what was still wrong, and how long it took until nothing was, ms */
  async untilRight(): Promise<{ wrong: readonly string[]; tookMs: number }> {
    const begunAt = performance.now();
    for (;;) {
      const wrong = await this.#differences();
      const tookMs = Math.round(performance.now() - begunAt);
      if (wrong.length === 0 || tookMs > timeLimitMs) return { wrong, tookMs };
      await pause(300);
    }
  }

  async #differences(): Promise<string[]> {
    const wrong: string[] = [];
    const read = new Map<string, Promise<readonly Document[]>>();
    for (const { watch, url, person } of this.#watches) {
      const { spec } = watch;
      const key = `${url} ${person.user} ${spec.collection}`;
      const all = read.get(key) ?? allDocuments(asker(url, person), spec.collection);
      read.set(key, all);
      const shows = JSON.stringify(shown(spec, watch.rows.map(documentOf)));
      const truth = await all.then(
        (documents) => JSON.stringify(answerOf(spec, documents)),
        (error) => String(error),
      );
      if (watch.error !== undefined) wrong.push(`${JSON.stringify(spec)} has ended: ${watch.error}`);
      else if (shows !== truth)
        wrong.push(
          `${JSON.stringify(spec)} is ${watch.state} and shows ${shows}, true is ${truth}; ${watch.history.slice(-5).join(" | ")}`.slice(
            0,
            4_000,
          ),
        );
    }
    return wrong;
  }

  /** @returns what was wrong on the way */
  close(): readonly string[] {
    this.#figures.rebuilt = this.#watches.reduce((sum, { watch }) => sum + watch.rebuilt, 0);
    for (const { client } of this.#clients) client.close();
    return [...new Set([...this.#wrong, ...this.#clients.flatMap(({ client }) => client.wrong)])].slice(0, 10);
  }
}

/** Every document that this person may read. */
async function allDocuments(ask: Ask, collectionName: string): Promise<readonly Document[]> {
  const query = collectionName === "guarded" ? { open: true } : {};
  const answer = await ask("database.queryDocument", { collectionName, query, queryType: "WHERE", limit: 1_000 });
  const { list } = answer as { list: readonly Row[] };
  if (list.length >= 1_000) throw new Error("the test has made too many documents");
  return list.map(documentOf);
}

const documentOf = (row: Row): Document => decodeStored(row);

/** Without an order of its own and without a limit a list is in the order in which things came. */
function orderOf({ orderBy, limit }: Spec): ((a: Document, b: Document) => number) | undefined {
  if (orderBy !== undefined) return comparator(parseOrder(orderBy));
  return limit === undefined ? undefined : (a, b) => (a._id < b._id ? 1 : -1);
}

function answerOf(spec: Spec, documents: readonly Document[]): readonly unknown[] {
  const match = compileMatch(parseQuery(spec.query, { now: 0, owner: undefined }));
  const order = orderOf(spec);
  const matching = documents.filter((document) => match(document));
  return shown(spec, order === undefined ? matching : matching.toSorted(order).slice(0, spec.limit));
}

/** As text that can be compared: fields by name, documents by id where the order is free. */
const shown = (spec: Spec, documents: readonly Document[]): readonly unknown[] =>
  (orderOf(spec) === undefined ? documents.toSorted((a, b) => (a._id < b._id ? -1 : 1)) : documents).map((document) =>
    JSON.parse(JSON.stringify(document, sortedNames)),
  );

const sortedNames = (_: string, value: unknown): unknown =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    : value;
