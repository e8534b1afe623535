/** One query's list as CloudBase's client keeps it: the same states and rules, and its defects. See _ledger_page.ts. */
import type { Json } from "../../shared/live/wire_value.ts";

export interface Timers {
  /** From the last frame of a watch to its next question whether that was the last event. */
  readonly checkMs: number;
  /** From an answer that says there is more to the question for it. */
  readonly graceMs: number;
  /** From a failed connection to the next try. */
  readonly retryMs: number;
  /** How long an answer is waited for. */
  readonly answerMs: number;
  /** The silence after which the socket is given up. */
  readonly silenceMs: number;
}

export interface Spec {
  readonly collection: string;
  readonly query: object;
  readonly orderBy?: Readonly<Record<string, "asc" | "desc">>;
  readonly limit?: number;
}

/** A document as a watch receives it. */
export type Row = Readonly<Record<string, Json>> & { readonly _id: string };

export interface Event {
  readonly ID: number;
  readonly DataType: string;
  readonly QueueType: string;
  readonly DocID: string;
  readonly Doc?: string;
}

export interface Frame {
  readonly watchId?: string;
  readonly requestId?: string;
  readonly msgType: string;
  readonly msgData: {
    readonly queryID?: string;
    readonly currEvent: number;
    readonly events: readonly Event[];
    readonly code?: string;
    readonly message?: string;
  };
}

/** What a watch needs of its page's socket. */
export interface Link {
  readonly timers: Timers;
  /** What a server must not do. */
  readonly wrong: string[];
  isOpen(): boolean;
  send(frame: object): void;
  /** @throws when no answer comes */
  ask(msgType: string, msgData: object, watchId?: string): Promise<Frame>;
  login(): Promise<void>;
  forget(watch: Watch): void;
}

let made = 0;
export const nextId = (what: string) => {
  made += 1;
  return `${what}_${made}`;
};

/** A query's list. */
export class Watch {
  readonly id = nextId("watch");
  readonly spec: Spec;
  readonly #client: Link;
  readonly #onChange: (rows: readonly Row[], watch: Watch) => void;
  #state: "asking" | "active" | "paused" | "ended" = "paused";
  #queryId: string | undefined;
  #eventId = 0;
  #rows: readonly Row[] = [];
  #check: NodeJS.Timeout | undefined;
  #expecting: NodeJS.Timeout | undefined;
  #expected = 0;
  /** Why it ended by itself. */
  error: string | undefined;
  /** What came, for the message of a test that fails. */
  readonly history: string[] = [];
  rebuilt = 0;

  constructor(client: Link, spec: Spec, onChange: (rows: readonly Row[], watch: Watch) => void) {
    this.#client = client;
    this.spec = spec;
    this.#onChange = onChange;
  }

  get rows(): readonly Row[] {
    return this.#rows;
  }

  get state(): string {
    return this.#state;
  }

  /** Begins, or goes on after its last event. One question at a time; two more tries when an answer does not come. */
  async begin(tries = 3): Promise<void> {
    if (this.#state === "asking" || this.#state === "ended") return;
    this.#state = "asking";
    const { collection: collName, query, orderBy = {}, limit } = this.spec;
    try {
      await this.#client.login();
      const rebuilds = this.#queryId !== undefined;
      const answer = rebuilds
        ? await this.#client.ask("REBUILD_WATCH", { collName, queryID: this.#queryId, eventID: this.#eventId }, this.id)
        : await this.#client.ask("INIT_WATCH", { collName, query: JSON.stringify(query), orderBy, limit }, this.id);
      if (this.#state !== "asking") return;
      const { msgType, msgData } = answer;
      if (msgType === "ERROR") return this.#end(`${msgData.code} ${msgData.message}`);
      if (msgType !== (rebuilds ? "NEXT_EVENT" : "INIT_EVENT")) this.#blame(`an answer is ${msgType}`);
      if (rebuilds) this.rebuilt += 1;
      else {
        this.#queryId = msgData.queryID;
        this.#eventId = msgData.currEvent - 1;
        if (msgData.events.length === 0) this.#show(msgData.currEvent, []);
      }
      this.#take(rebuilds ? msgData.events : msgData.events.map((event) => ({ ...event, ID: msgData.currEvent })));
      if (this.#state === "asking") this.#state = "active";
    } catch (error) {
      if (this.#state !== "asking") return;
      this.#state = "paused";
      if (!this.#client.isOpen()) return;
      if (tries > 1) setTimeout(() => this.#client.isOpen() && void this.begin(tries - 1), 100);
      else this.#end(String(error));
    }
  }

  pause(): void {
    clearTimeout(this.#check);
    clearTimeout(this.#expecting);
    this.#expecting = undefined;
    if (this.#state !== "ended") this.#state = "paused";
  }

  close(): void {
    if (this.#state === "active")
      this.#client.send({
        watchId: this.id,
        requestId: nextId("request"),
        msgType: "CLOSE_WATCH",
        msgData: null,
      });
    this.pause();
    this.#state = "ended";
    this.#client.forget(this);
  }

  /** A frame that nobody asked for. It is thrown away while an answer is waited for. */
  hear({ msgType, msgData }: Frame): void {
    if (msgType === "ERROR") this.#end(`${msgData.code} ${msgData.message}`);
    if (this.#state !== "active") return;
    this.#schedule();
    if (msgType === "NEXT_EVENT") this.#take(msgData.events);
    else if (msgType === "CHECK_EVENT" && msgData.currEvent > this.#eventId) {
      this.#expected = msgData.currEvent;
      clearTimeout(this.#expecting);
      this.#expecting = setTimeout(() => this.#rebuild(), this.#client.timers.graceMs);
    }
  }

  #rebuild(): void {
    if (this.#state !== "active") return;
    this.#state = "paused";
    void this.begin();
  }

  #end(why: string): void {
    this.pause();
    this.#state = "ended";
    this.error = why;
    this.#client.forget(this);
  }

  #blame(why: string): void {
    this.#client.wrong.push(`${JSON.stringify(this.spec)}: ${why}; ${this.history.slice(-6).join(" | ")}`);
  }

  #schedule(): void {
    clearTimeout(this.#check);
    this.#check = setTimeout(() => {
      this.#schedule();
      // Its defect: while something announced has not come, it never asks again.
      if (this.#expecting !== undefined || this.#state !== "active") return;
      const msgData = { queryID: this.#queryId, eventID: this.#eventId };
      this.#client.send({ watchId: this.id, requestId: nextId("request"), msgType: "CHECK_LAST", msgData });
    }, this.#client.timers.checkMs);
  }

  #take(events: readonly Event[]): void {
    this.#schedule();
    this.history.push(
      `${this.#state} at ${this.#eventId}: ${events.slice(0, 5).map((event) => `${event.ID} ${event.DataType}/${event.QueueType} ${event.DocID}`)}`,
    );
    let rows = [...this.#rows];
    let replaced = false;
    for (const [at, event] of events.entries()) {
      if (event.ID <= this.#eventId) continue;
      if (event.ID !== this.#eventId + 1) {
        // An answer with a gap would not be asked for again.
        if (this.#state === "asking") this.#blame(`a gap in an answer, at ${event.ID}`);
        this.#rebuild();
        return;
      }
      const row = this.#rowOf(event, rows);
      const found = rows.findIndex(({ _id }) => _id === event.DocID);
      if (event.QueueType === "init") {
        rows = replaced ? [...rows, row] : [row];
        replaced = true;
      } else if (event.QueueType === "enqueue") rows.push(row);
      else if (found < 0) this.#blame(`${event.QueueType} of ${event.DocID}, which the list does not have`);
      else if (event.QueueType === "dequeue") rows.splice(found, 1);
      else if (event.QueueType === "update") rows[found] = row;
      else this.#blame(`queue type ${event.QueueType}`);
      if (events[at + 1]?.ID !== event.ID) this.#show(event.ID, rows);
    }
    if (this.#expecting !== undefined && this.#eventId >= this.#expected) {
      clearTimeout(this.#expecting);
      this.#expecting = undefined;
    }
  }

  #rowOf({ DataType, QueueType, DocID, Doc }: Event, rows: readonly Row[]): Row {
    if (Doc !== undefined && Doc !== "" && Doc !== "{}") {
      const row = JSON.parse(Doc) as Row;
      if (row._id !== DocID) this.#blame(`the document of ${DocID} is ${row._id}`);
      return row;
    }
    if (QueueType !== "dequeue") this.#blame(`${DataType}/${QueueType} without its document`);
    return rows.find(({ _id }) => _id === DocID) ?? { _id: DocID };
  }

  #show(eventId: number, rows: readonly Row[]): void {
    this.#eventId = eventId;
    this.#rows = [...rows];
    if (new Set(rows.map(({ _id }) => _id)).size !== rows.length) this.#blame("a document stands twice in the list");
    this.#onChange(this.#rows, this);
  }
}
