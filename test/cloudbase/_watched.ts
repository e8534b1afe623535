/** Watches of CloudBase's own client in Node: what it told the app, kept for a test to look at. */
import { until } from "../_until.ts";

export type Doc = Readonly<Record<string, unknown>>;

export interface Change {
  readonly dataType: string;
  readonly queueType: string;
  readonly docId: string;
  readonly updatedFields?: Readonly<Record<string, unknown>>;
  readonly removedFields?: readonly string[];
}

/** What `onChange` receives. */
export interface Snapshot {
  readonly id: number;
  readonly docs: readonly Doc[];
  readonly docChanges: readonly Change[];
}

/** A query, or a document, of the client. */
export interface Watchable {
  watch(listener: { onChange(snapshot: Snapshot): void; onError(error: unknown): void }): { close(): void };
}

export interface Watched {
  readonly snapshots: readonly Snapshot[];
  readonly errors: readonly unknown[];
  /** The list of now. Undefined: none has come. */
  docs(): readonly Doc[] | undefined;
  /** Waits until its list is this: of each document its `name`, or its `n`. */
  shows(list: readonly string[]): Promise<void>;
  /** The same in any order: an unordered list shows its documents as they came. */
  holds(list: readonly string[]): Promise<void>;
  /** Waits for so many snapshots in all. */
  snapshot(nth: number): Promise<Snapshot>;
  failed(): Promise<unknown>;
  close(): void;
}

/** The client prints every step of a watch. */
export function prepareNode(): void {
  const { setTimeout } = globalThis;
  Object.assign(globalThis, {
    // A closed watch keeps its timer for ever, and Node would wait for it.
    setTimeout: (...given: Parameters<typeof setTimeout>) => setTimeout(...given).unref(),
  });
  Object.assign(console, { log() {}, warn() {}, error() {} });
}

const nameOf = ({ n, name }: Doc) => String(name ?? n);

const same = (a: readonly string[] | undefined, b: readonly string[]) => JSON.stringify(a) === JSON.stringify(b);

export function watchOf(query: Watchable): Watched {
  const snapshots: Snapshot[] = [];
  const errors: unknown[] = [];
  const docs = () => snapshots.at(-1)?.docs;
  const state = () => ({
    docs: docs(),
    changes: snapshots.map(({ id, docChanges }) => [
      id,
      ...docChanges.map((one) => `${one.dataType}/${one.queueType}`),
    ]),
    errors,
  });
  const listener = query.watch({
    // `docs` is copied when it is read first.
    onChange: ({ id, docs, docChanges }) => void snapshots.push({ id, docs, docChanges }),
    onError: (error) => void errors.push(error),
  });
  return {
    snapshots,
    errors,
    docs,
    shows: (list) => until(() => same(docs()?.map(nameOf), list), `the list ${list}`, state),
    holds: (list) => until(() => same(docs()?.map(nameOf).toSorted(), list.toSorted()), `the list of ${list}`, state),
    async snapshot(nth) {
      await until(() => snapshots.length >= nth, `${nth} snapshots`, state);
      return snapshots[nth - 1] as Snapshot;
    },
    async failed() {
      await until(() => errors.length > 0, "an error", state);
      return errors[0];
    },
    close: () => listener.close(),
  };
}

/** A snapshot's changes, short. */
export const changesOf = ({ docChanges }: Snapshot): string[] =>
  docChanges.map(({ dataType, queueType }) => `${dataType}/${queueType}`);
