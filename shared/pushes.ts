/**
 * Pushes of this process, in the order of each stream's numbers. For each stream a chain leads from the last event pushed to
 * the head. A commit of this process that continues the chain is pushed as it is. In any other case (another process
 * committed, two commits returned in the wrong order, the database was restored) one read fetches the events, for all
 * commits that arrived meanwhile.
 */
import type { Database, Row } from "../db/database.ts";
import { type EventRow, eventOf, type Head, headOf, readBacklog, readHeads } from "../db/streams.ts";
import { eventFrame, frameOf } from "./frame.ts";
import type { Gateway, Published } from "./gateway.ts";
import type { Log } from "./log.ts";

/** An event with the epoch of its stream. */
export interface NumberedEvent extends EventRow {
  readonly epoch: string;
  /** The order it is about. */
  readonly about?: string | undefined;
}

/** Who follows streams in this process beside the sockets' subscriptions: watches of collections. */
export interface WatchReceiver {
  /** Streams that it follows. */
  streams(): readonly string[];
  isRead(stream: string): boolean;
  /** Events in their order; some may have been told before. A rejection: they are told again. */
  publish(stream: string, events: readonly NumberedEvent[]): Promise<void>;
  /** The stream has another history than what was told, or events of it are gone: only its head is known. */
  restart(stream: string, head: Head): Promise<void>;
}

interface Burst {
  readonly events: readonly NumberedEvent[];
  readonly subscribers: readonly Row[][];
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

interface Chain {
  /** The last event pushed; undefined before the first. */
  at: Head | undefined;
  /** Events after this number were pushed. */
  since: number;
  /** A subscriber's position before `since`: the next read begins there. */
  backTo: Head | undefined;
  /** Number → tag of the latest pushes: tells a repeated event from another history. */
  readonly pushed: Map<number, string>;
  readonly bursts: Burst[];
  /** A head was read that does not fit the last push. */
  mustRead: boolean;
  running: Promise<void> | undefined;
}

/** Tags remembered per stream. */
const maxTags = 500;
/** Bounds of one read. A subscriber that lacks more asks for it. */
const maxRead = { events: 200, bytes: 512 * 1_024 };
const maxBehind = 1_000;

/** Pushes the events of a commit of this process. Resolves when they were pushed. */
export type Push = (stream: string, events: readonly NumberedEvent[], subscribers: readonly Row[][]) => Promise<void>;

export interface PushesOptions {
  readonly db: Database;
  readonly gateway: Gateway;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Whether a socket of this process reads the stream. */
  readonly isRead: (stream: string) => boolean;
  readonly watches?: WatchReceiver | undefined;
  /** Wraps `push`. */
  readonly around?: (push: Push) => Push;
}

export class Pushes {
  readonly push: Push;
  readonly #db: Database;
  readonly #gateway: Gateway;
  readonly #log: PushLog;
  readonly #isRead: (stream: string) => boolean;
  readonly #watches: WatchReceiver | undefined;
  readonly #chains = new Map<string, Chain>();

  constructor({ db, gateway, log, now, isRead, watches, around = (push) => push }: PushesOptions) {
    this.push = around((stream, events, subscribers) => this.#push(stream, events, subscribers));
    this.#isRead = (stream) => isRead(stream) || watches?.isRead(stream) === true;
    this.#watches = watches;
    this.#db = db;
    this.#gateway = gateway;
    this.#log = { log, now };
  }

  #push(stream: string, events: readonly NumberedEvent[], subscribers: readonly Row[][]): Promise<void> {
    // A subscriber that comes from now on finds the events in its backlog.
    if (!this.#isRead(stream)) {
      logPushes(this.#log, stream, events, noPush);
      return Promise.resolve();
    }
    return new Promise((done, failed) => {
      this.#chainOf(stream).bursts.push({ events, subscribers, done, failed });
      this.#wake(stream);
    });
  }

  /**
   * Starts a chain at the head that a new subscriber has read: later events are pushed. Without it the first comparison would
   * have to push the head, not knowing what subscribers have. Resolves when all events after this head are pushed or will be.
   */
  async start(stream: string, head: Head): Promise<void> {
    const chain = this.#chainOf(stream);
    if (chain.at === undefined) return startAt(chain, head);
    const isSame = chain.at.epoch === head.epoch || isUnwritten(head);
    if (!isSame || head.seq >= chain.since) return;
    // Two began at once, and the one that read the higher head was first: the other one lacks events that nobody pushed.
    await new Promise<void>((done, failed) => {
      if (chain.backTo === undefined || head.seq < chain.backTo.seq) chain.backTo = head;
      chain.mustRead = true;
      chain.bursts.push({ events: [], subscribers: [], done, failed });
      void this.#wake(stream);
    });
  }

  /** The number of the last push, to be kept while the stream's head is read. */
  lastOf(stream: string): number | undefined {
    return this.#chains.get(stream)?.at?.seq;
  }

  /**
   * Whether nothing is missing up to a head.
   * @param before what `lastOf` was before the head was read: a head below it is of a database that was restored
   */
  has(stream: string, head: Head, before: number | undefined): boolean {
    const chain = this.#chains.get(stream);
    const { at, pushed } = chain ?? {};
    if (at?.epoch !== head.epoch) return false;
    if (at.seq === head.seq) return at.tag === head.tag;
    // Pushed while the head was read, with later events.
    return before !== undefined && head.seq >= before && pushed?.get(head.seq) === head.tag;
  }

  /** Pushes missing events up to a head. */
  async compare(stream: string, head: Head, before?: number): Promise<void> {
    if (this.has(stream, head, before)) return;
    this.#chainOf(stream).mustRead = true;
    await this.#wake(stream);
  }

  /** Drops the chains of all other streams: a new subscriber starts a new one. */
  retain(streams: ReadonlySet<string>): void {
    for (const [stream, { running }] of this.#chains)
      if (running === undefined && !streams.has(stream)) this.#chains.delete(stream);
  }

  /** Resolves when no push is running. */
  async idle(): Promise<void> {
    await Promise.all([...this.#chains.values()].map(({ running }) => running));
  }

  #chainOf(stream: string): Chain {
    const known = this.#chains.get(stream);
    if (known !== undefined) return known;
    const chain: Chain = {
      at: undefined,
      since: 0,
      backTo: undefined,
      pushed: new Map(),
      bursts: [],
      mustRead: false,
      running: undefined,
    };
    this.#chains.set(stream, chain);
    return chain;
  }

  #wake(stream: string): Promise<void> {
    const chain = this.#chainOf(stream);
    chain.running ??= this.#run(stream, chain);
    return chain.running;
  }

  async #run(stream: string, chain: Chain): Promise<void> {
    // Commits of the same turn of the event loop go together.
    await undefined;
    while (chain.bursts.length > 0 || chain.mustRead) {
      const bursts = chain.bursts.splice(0);
      try {
        await this.#pushBursts(stream, chain, bursts);
        for (const { done } of bursts) done();
      } catch (error) {
        // The next comparison with the head finds the missing events.
        chain.mustRead = false;
        for (const { failed } of bursts) failed(error);
        if (bursts.length === 0) this.#log.log.error("push", { stream }, error);
      }
    }
    // In the same turn in which nothing was left: a burst that comes next starts the next run.
    chain.running = undefined;
  }

  async #pushBursts(stream: string, chain: Chain, bursts: readonly Burst[]): Promise<void> {
    for (const burst of joinBursts(bursts)) {
      const rest = await this.#join(stream, chain, burst);
      if (rest.length === 0 && !chain.mustRead) continue;
      chain.mustRead = false;
      await this.#read(stream, chain);
    }
    if (chain.mustRead) {
      chain.mustRead = false;
      await this.#read(stream, chain);
    }
  }

  /** Pushes the events that continue the chain. @returns those that do not */
  async #join(
    stream: string,
    chain: Chain,
    { events, subscribers }: Pick<Burst, "events" | "subscribers">,
  ): Promise<NumberedEvent[]> {
    const sorted = events.toSorted((a, b) => a.seq - b.seq);
    const first = sorted[0];
    if (first === undefined) return [];
    if (chain.at === undefined) {
      chain.at = { epoch: first.epoch, seq: first.seq - 1, tag: first.prev };
      chain.since = chain.at.seq;
    }
    const joined: NumberedEvent[] = [];
    const rest: NumberedEvent[] = [];
    let { epoch, seq, tag } = chain.at;
    for (const event of sorted) {
      if (event.epoch === epoch && chain.pushed.get(event.seq) === event.tag) continue;
      const isSame = event.epoch === epoch || (epoch === "" && seq === 0);
      if (isSame && event.seq === seq + 1 && event.prev === tag) {
        joined.push(event);
        ({ epoch, seq, tag } = event);
      } else rest.push(event);
    }
    await this.#publish(stream, chain, joined, subscribers);
    return rest;
  }

  async #publish(
    stream: string,
    chain: Chain,
    events: readonly NumberedEvent[],
    subscribers: readonly Row[][],
  ): Promise<void> {
    const last = events.at(-1);
    if (last === undefined) return;
    const numbering = { first: (events[0] as NumberedEvent).seq };
    const published = await this.#gateway.publish(stream, events.map(eventFrame), subscribers, numbering);
    logPushes(this.#log, stream, events, published);
    if (this.#watches?.isRead(stream) === true) await this.#watches.publish(stream, events);
    // Recorded after success only: the next comparison finds a failed push.
    for (const { seq, tag } of events) {
      chain.pushed.delete(seq);
      chain.pushed.set(seq, tag);
    }
    for (const seq of chain.pushed.keys()) {
      if (chain.pushed.size <= maxTags) break;
      chain.pushed.delete(seq);
    }
    chain.at = { epoch: last.epoch, seq: last.seq, tag: last.tag };
  }

  /** Pushes from the last push to the head, with subscribers' rights of the same snapshot. */
  async #read(stream: string, chain: Chain): Promise<void> {
    const { backTo } = chain;
    chain.backTo = undefined;
    if (backTo !== undefined && backTo.seq < chain.since) startAt(chain, backTo);
    for (;;) {
      // No push yet: only the head is pushed.
      const after = chain.at?.seq ?? Number.MAX_SAFE_INTEGER;
      const [heads, rows, ...subscribers] = await this.#db.read([
        readHeads([stream]),
        readBacklog(stream, after, maxRead),
        ...this.#gateway.subscribers([stream]),
      ]);
      const head = headOf(heads[0]);
      const events = rows.map((row) => ({ ...eventOf(row), epoch: head.epoch }));
      if (!continues(chain.at, head, events)) return this.#restart(stream, chain, head, subscribers);
      await this.#publish(stream, chain, events, subscribers);
      if ((events.at(-1)?.seq ?? head.seq) === head.seq) return;
    }
  }

  /** Pushes the head: a subscriber that is not there resumes, and learns whether its history is still valid. */
  async #restart(stream: string, chain: Chain, head: Head, subscribers: readonly Row[][]): Promise<void> {
    const isNew = chain.at === undefined && head.seq === 0;
    if (!isNew) {
      const frame = frameOf({ type: "head", stream, ...head });
      // Before its first push a chain knows no other history.
      const numbering = chain.at === undefined ? undefined : "anew";
      const published = await this.#gateway.publish(stream, [frame], subscribers, numbering);
      logPushes(this.#log, stream, [{ seq: head.seq, type: "head" }], published);
    }
    if (this.#watches?.isRead(stream) === true) await this.#watches.restart(stream, head);
    startAt(chain, head);
  }
}

function startAt(chain: Chain, head: Head): void {
  chain.pushed.clear();
  chain.pushed.set(head.seq, head.tag);
  chain.at = head;
  chain.since = head.seq;
}

/** A stream has its epoch from its first event on. */
const isUnwritten = (head: Head) => head.epoch === "" && head.seq === 0;

const noPush: Published = { readers: 0, sent: 0, gone: 0 };

/** Where pushes are logged, and the clock that their events have their time from. */
export interface PushLog {
  readonly log: Log;
  readonly now: () => number;
}

/**
 * Logs pushes, with how many subscribers they reached. `readers` counts sockets that this process pushes to; `lagMs` is from the event's
 * time, which its transaction took before the commit, until its frames were handed to the sockets.
 */
export function logPushes(
  { log, now }: PushLog,
  stream: string,
  events: readonly Logged[],
  { readers, sent, gone }: Published,
): void {
  // Messages of rooms and changes of documents are many: at `info` they would hide the kitchen's events.
  const level = /^(room|presence|collection):/.test(stream) ? "debug" : "info";
  const pushedAt = now();
  for (const event of events) {
    const { seq, type, at } = event;
    const lagMs = at === undefined || sent === 0 ? undefined : Math.max(0, pushedAt - at);
    log[level]("push", { stream, seq, type, about: orderOf(stream, event), readers, sent, gone, lagMs });
  }
}

type Logged = Pick<NumberedEvent, "seq" | "type" | "about"> & { readonly data?: string; readonly at?: number };

/** Events of another process were read from the table, so the order's id is taken from their data. */
function orderOf(stream: string, { about, data }: Logged): string | undefined {
  if (about !== undefined || data === undefined || !/^(shop|user):/.test(stream)) return about;
  const { order }: { order?: { id?: string } } = JSON.parse(data) ?? {};
  return order?.id;
}

/** Whether these events continue the chain towards the head. */
function continues(at: Head | undefined, head: Head, events: readonly NumberedEvent[]): boolean {
  if (at === undefined || head.seq - at.seq > maxBehind) return false;
  if (at.epoch !== head.epoch && !isUnwritten(at)) return false;
  let last: Pick<Head, "seq" | "tag"> = at;
  for (const event of events) {
    if (event.seq !== last.seq + 1 || event.prev !== last.tag) return false;
    last = event;
  }
  return last.seq < head.seq ? events.length > 0 : last.seq === head.seq && last.tag === head.tag;
}

/**
 * All commits that wait go in one push: a reader gets one write. Rights were read behind each commit; those behind the last are valid
 * for all.
 */
function joinBursts(bursts: readonly Burst[]): Pick<Burst, "events" | "subscribers">[] {
  const lastOf = ({ events }: Burst) => events.at(-1)?.seq ?? 0;
  const sorted = bursts.toSorted((a, b) => lastOf(a) - lastOf(b));
  const last = sorted.at(-1);
  return last === undefined ? [] : [{ events: sorted.flatMap(({ events }) => events), subscribers: last.subscribers }];
}
