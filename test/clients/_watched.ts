/**
 * The server's side of watched collections in the simulated world: documents, commits, and the frames of shared/facts/watch.md, with what a
 * server may do to them: parts, whole lists in the place of changes, errors that pass, a restart that forgets every watch.
 */
import type { Line, World } from "./_world.ts";

export interface Note {
  readonly _id: string;
  readonly n: number;
  readonly at: Date;
}

/** What the tests watch: notes with at least this `n`, in the order of `n` or of the ids, and at most so many. */
export interface Asked {
  readonly least: number;
  readonly ordered: boolean;
  readonly limit: number | undefined;
}

interface Row {
  readonly line: Line;
  readonly watchId: string;
  readonly asked: Asked;
  counter: number;
  /** The commit that its list is of. */
  at: number;
  list: readonly Note[];
}

interface Heard {
  readonly watchId: string;
  readonly requestId: string;
  readonly msgType: string;
  readonly msgData: { query: string; orderBy: object; limit?: number; eventID: number } | null;
}

interface Event {
  readonly ID: number;
  readonly DataType: string;
  readonly QueueType: string;
  readonly DocID: string;
  readonly Doc: string;
}

export class Watched {
  /** Every state that there was, by number of the commit. States that a restore took back stay here as well. */
  readonly states: (readonly Note[])[] = [[]];
  /** From 0 to 1: answers that are errors, and lists that come in parts. */
  trouble = 0;
  /** Lists that were asked for. */
  begun = 0;
  #notes = new Map<string, Note>();
  #rows = new Set<Row>();
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
    world.foreign = (line, frame) => this.#hear(line, frame as Heard);
  }

  /** One commit. */
  commit(change: (notes: Map<string, Note>) => void): void {
    change(this.#notes);
    this.states.push([...this.#notes.values()]);
    for (const row of [...this.#rows]) this.#advance(row);
  }

  /** The database goes back so many commits, which is a commit for its watches. */
  restore(back: number): void {
    const state = this.states[Math.max(0, this.states.length - 1 - back)] ?? [];
    this.commit((notes) => {
      notes.clear();
      for (const note of state) notes.set(note._id, note);
    });
  }

  /** All watches are forgotten, whether their sockets live or not. */
  forget(): void {
    this.#rows.clear();
  }

  /** What a client should show. */
  present = (asked: Asked): readonly Note[] => answer(this.states.at(-1) ?? [], asked);

  get watches(): number {
    return [...this.#rows].filter(({ line }) => line.alive).length;
  }

  #hear(line: Line, { watchId, requestId, msgType, msgData }: Heard): void {
    const known = [...this.#rows].find((row) => row.line === line && row.watchId === watchId);
    const say = (type: string, data: object, about: string | undefined = watchId) =>
      this.#world.say(line, { watchId: about, requestId, msgType: type, msgData: data });
    if (msgType === "CLOSE_WATCH") {
      if (known) this.#rows.delete(known);
    } else if (this.#world.random() < this.trouble) {
      say("ERROR", this.#error(), this.#world.random() < 0.5 ? watchId : undefined);
    } else if (msgType === "CHECK_LAST" && msgData) {
      const isCurrent = known?.counter === msgData.eventID && known.at === this.states.length - 1;
      say("CHECK_EVENT", { queryID: "", currEvent: msgData.eventID + (isCurrent ? 0 : 1) });
    } else if (msgType === "INIT_WATCH" && msgData) {
      if (known) this.#rows.delete(known);
      this.#begin(line, watchId, askedBy(msgData), say);
    }
  }

  /** Of the server, or of the session: both pass. */
  #error = () =>
    this.#world.random() < 0.7
      ? { code: "OVERLOADED", message: "", retry: true }
      : { code: "CHECK_LOGIN_FAILED", message: "" };

  #begin(line: Line, watchId: string, asked: Asked, say: (type: string, data: object) => void): void {
    this.begun += 1;
    const list = this.present(asked);
    const row: Row = { line, watchId, asked, counter: 1, at: this.states.length - 1, list };
    this.#rows.add(row);
    const inParts = list.length > 1 && this.#world.random() < 0.3;
    const first = inParts ? 1 : list.length;
    const events = list.slice(0, first).map((note) => eventOf(0, "init", "init", note));
    say("INIT_EVENT", { queryID: "q", currEvent: 1, events, more: inParts || undefined });
    for (const note of list.slice(first)) {
      row.counter += 1;
      const more = note !== list.at(-1) || undefined;
      const data = {
        queryID: "",
        currEvent: row.counter,
        events: [eventOf(row.counter, "add", "enqueue", note)],
        more,
      };
      this.#world.say(line, { watchId, requestId: "", msgType: "NEXT_EVENT", msgData: data });
    }
  }

  #advance(row: Row): void {
    row.at = this.states.length - 1;
    const list = this.present(row.asked);
    if (JSON.stringify(list) === JSON.stringify(row.list)) return;
    row.counter += 1;
    const events = eventsBetween(row, list, this.#world.random() < 0.2);
    row.list = list;
    const msgData = { queryID: "", currEvent: row.counter, events };
    this.#world.say(row.line, { watchId: row.watchId, requestId: "", msgType: "NEXT_EVENT", msgData });
  }
}

function askedBy({ query, orderBy, limit }: { query: string; orderBy: object; limit?: number }): Asked {
  const { n } = JSON.parse(query) as { n: { $gte: number } };
  return { least: n.$gte, ordered: "n" in orderBy, limit };
}

export const answer = (notes: readonly Note[], { least, ordered, limit }: Asked): readonly Note[] =>
  notes
    .filter(({ n }) => n >= least)
    .sort((a, b) => (ordered ? b.n - a.n || (a._id < b._id ? -1 : 1) : a._id < b._id ? 1 : -1))
    .slice(0, limit);

const eventOf = (id: number, dataType: string, queueType: string, note: Note): Event => ({
  ID: id,
  DataType: dataType,
  QueueType: queueType,
  DocID: note._id,
  Doc: queueType === "dequeue" ? "" : JSON.stringify({ ...note, at: { $date: +note.at } }),
});

const nobody: Note = { _id: "-", n: 0, at: new Date(0) };

/** Changes of one commit, in any order, since the client sorts; or the whole list. */
function eventsBetween({ counter, list: before }: Row, list: readonly Note[], whole: boolean): Event[] {
  const ids = new Set(list.map(({ _id }) => _id));
  const known = new Map(before.map((note) => [note._id, note]));
  const gone = before.filter(({ _id }) => !ids.has(_id)).map((note) => eventOf(counter, "remove", "dequeue", note));
  const come = list
    .filter((note) => known.get(note._id) !== note)
    .map((note) =>
      known.has(note._id) ? eventOf(counter, "update", "update", note) : eventOf(counter, "add", "enqueue", note),
    );
  if (!whole) return [...gone, ...come];
  if (list.length > 0) return list.map((note) => eventOf(counter, "init", "init", note));
  return [eventOf(counter, "init", "init", nobody), eventOf(counter, "remove", "dequeue", nobody)];
}
