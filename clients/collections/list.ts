/**
 * The list of one watch: whole, in its order, whatever the network does. Pure.
 * Events have consecutive ids, those of one commit the same one. The next id is applied, repeats are dropped, early ones are held.
 */
import { compareKeys, keysOf, type OrderField } from "./order.ts";
import type { ListChange } from "./types.ts";
import { revive } from "./wire.ts";

export interface ListEvent {
  ID: number;
  DataType: string;
  QueueType: string;
  DocID: string;
  /** The whole document as JSON; empty where it leaves the list. */
  Doc?: string;
}

/** The data of INIT_EVENT and NEXT_EVENT. */
export interface ListMessage {
  currEvent: number;
  events: readonly ListEvent[];
  /** More parts of this list follow. */
  more?: boolean;
}

export interface List<T> {
  /** The id of the last event; undefined while there is no list to continue. */
  _at(): number | undefined;
  _documents(): readonly T[];
  /** Keeps what is shown, and waits for a whole list. */
  _restart(): void;
  /** @returns false when it cannot be applied, and never will be */
  _take(message: ListMessage, isInit: boolean): boolean;
  /** The list has not come, or a part of it has not. */
  _isPart(): boolean;
  /** An event before one that came, or before this one, has not come. */
  _lacks(upTo: number): boolean;
  /** It was shown at least once. */
  _isShown(): boolean;
}

interface Entry<T> {
  text: string;
  document: T;
  /** What it is sorted by. */
  keys: readonly unknown[];
}

/** The bound of early commits that are held; what is dropped is fetched again. */
const maxHeld = 100;

export function makeList<T extends object>(
  order: readonly OrderField[],
  onChange: (documents: readonly T[], change: ListChange<T>) => void,
): List<T> {
  let at: number | undefined;
  let isPart = false;
  /** By id. */
  let entries = new Map<string, Entry<T>>();
  let shown = new Map<string, Entry<T>>();
  let documents: readonly T[] = [];
  let isFirst = true;
  let snapshot = true;
  const held = new Map<number, { events: readonly ListEvent[]; more: boolean | undefined }>();

  function put(id: string, text: string): void {
    const known = shown.get(id);
    if (known?.text === text) entries.set(id, known);
    else {
      const document = JSON.parse(text, revive);
      entries.set(id, { text, document, keys: keysOf(document, order) });
    }
  }

  function apply(events: readonly ListEvent[]): boolean {
    let whole = true;
    let replaced = false;
    for (const { DataType, QueueType, DocID, Doc } of events) {
      if (DataType === "init" && !replaced) {
        entries = new Map();
        replaced = true;
      }
      if (QueueType === "dequeue" || QueueType === "enqueue") entries.delete(DocID);
      if (QueueType === "dequeue") continue;
      if (Doc && Doc !== "{}") put(DocID, Doc);
      else whole = false;
    }
    return whole;
  }

  function show(): void {
    entries = new Map(
      [...entries].sort(([a, { keys }], [b, other]) => compareKeys(keys, other.keys, order) || (a < b ? -1 : 1)),
    );
    const added: T[] = [];
    const changed: T[] = [];
    for (const [id, entry] of entries) {
      const before = shown.get(id);
      if (!before) added.push(entry.document);
      else if (before !== entry) changed.push(entry.document);
    }
    const removed = [...shown].filter(([id]) => !entries.has(id)).map(([, { document }]) => document);
    const change = { added, changed, removed, snapshot };
    const differs = isFirst || added.length || changed.length || removed.length;
    isFirst = snapshot = false;
    shown = new Map(entries);
    if (!differs) return;
    documents = [...entries.values()].map(({ document }) => document);
    onChange(documents, change);
  }

  return {
    _at: () => at,
    _documents: () => documents,
    _restart() {
      at = undefined;
      isPart = false;
      held.clear();
    },
    _isPart: () => at === undefined || isPart,
    _lacks: (upTo) => at !== undefined && (held.size > 0 || at < upTo),
    _isShown: () => !isFirst,
    _take({ currEvent, events, more }, isInit) {
      let whole = true;
      const commits = new Map<number, ListEvent[]>();
      if (isInit) {
        // Its events have no ids of their own.
        at = currEvent - 1;
        entries = new Map();
        snapshot = true;
        commits.set(currEvent, [...events]);
      } else for (const event of events) commits.set(event.ID, [...(commits.get(event.ID) ?? []), event]);
      for (const [id, some] of commits) {
        if (id <= (at ?? 0)) continue;
        if (id === (at ?? 0) + 1 || held.size < maxHeld) held.set(id, { events: some, more });
        else whole = false;
      }
      for (;;) {
        const next = at === undefined ? undefined : held.get(at + 1);
        if (at === undefined || !next) break;
        held.delete(++at);
        whole = apply(next.events) && whole;
        isPart = !!next.more;
        if (!isPart && whole) show();
      }
      return whole;
    },
  };
}
