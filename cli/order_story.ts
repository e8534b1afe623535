/** An order's story: what the database holds of it, joined with the lines of the log. */
import type { OrderFacts } from "../shared/ordering/order_facts.ts";
import type { LogLine } from "./read_log.ts";

export interface StoryEntry {
  readonly at: string;
  readonly source: "database" | "log";
  readonly what: string;
}

export interface Story {
  readonly entries: readonly StoryEntry[];
  /** What cannot be known, in sentences. */
  readonly unknown: readonly string[];
}

/** The lines of the log, and where they are from. */
export interface Logged {
  readonly lines: readonly LogLine[];
  /** When the oldest line was written; undefined when there is none. */
  readonly reachesBackTo: string | undefined;
  /** Such as `ORDERBELL_HOME .orderbell`. */
  readonly where: string;
}

/** The streams that carry the order. */
export const streamsOf = ({ order }: OrderFacts) => ({ shop: `shop:${order.shop}`, user: `user:${order.user}` });

/** Text that a line has to hold to be part of the story: it is looked for before the line is parsed. */
export const marksOf = (facts: OrderFacts): string[] => [
  facts.order.id,
  `"${streamsOf(facts).shop}"`,
  `"${streamsOf(facts).user}"`,
  '"event":"close"',
  '"event":"gone"',
  '"event":"slow"',
];

/** Screens go on for this long after the last step. */
const afterMs = 120_000;

/** A reader of one of the order's streams, as the log names it. */
interface Reader {
  readonly session: string;
  readonly stream: string;
  /** The last event that it said it has. */
  position: number;
}

const text = (value: unknown): string => (value === undefined || value === null ? "" : String(value));

export function tellStory(facts: OrderFacts, logged: Logged): Story {
  const story = new Telling(facts, logged);
  return { entries: story.entries(), unknown: story.unknown() };
}

class Telling {
  readonly #facts: OrderFacts;
  readonly #logged: Logged;
  readonly #entries: StoryEntry[] = [];
  /** Connection and stream → reader. */
  readonly #readers = new Map<string, Reader>();
  /** Session and stream → the last event that it said it has, on whatever connection. */
  readonly #positions = new Map<string, number>();
  readonly #pushed = new Set<string>();
  /** Sessions that events of the order were pushed to in the kitchen. */
  readonly #told = new Set<string>();
  readonly #end: string;

  constructor(facts: OrderFacts, logged: Logged) {
    this.#facts = facts;
    this.#logged = logged;
    const last = [facts.order.placedAt, ...facts.steps.map(({ at }) => at), ...facts.events.map(({ at }) => at)];
    const lastAt = last.reduce((a, b) => (a > b ? a : b));
    this.#end = new Date(Date.parse(lastAt) + afterMs).toISOString();
  }

  /** All entries, in the order of their times. */
  entries(): StoryEntry[] {
    for (const step of this.#facts.steps) this.#add(step.at, "database", this.#stepText(step));
    this.#addEvents();
    for (const line of this.#logged.lines) this.#hear(line);
    return this.#entries
      .map((entry, nth) => ({ entry, nth }))
      .sort((a, b) => (a.entry.at < b.entry.at ? -1 : a.entry.at > b.entry.at ? 1 : a.nth - b.nth))
      .map(({ entry }) => entry);
  }

  #add(at: string, source: StoryEntry["source"], what: string): void {
    this.#entries.push({ at, source, what });
  }

  // --- The database --------------------------------------------------------------------------------------------------

  #stepText({ action, from, to, actor, session }: OrderFacts["steps"][number]): string {
    const { number, service, day } = this.#facts.order;
    if (action === "place") return `stored as ${number} of ${day}, ${service}`;
    const by = actor === "system" ? "the system" : this.#who(session);
    return `${action} by ${by}: ${from === to || from === null ? to : `${from} → ${to}`}`;
  }

  /** Events of one commit have one time. */
  #addEvents(): void {
    const commits = new Map<string, OrderFacts["events"][number][]>();
    for (const event of this.#facts.events) commits.set(event.at, [...(commits.get(event.at) ?? []), event]);
    for (const [at, events] of commits) {
      const numbers = events.map(({ stream, seq }) => `${this.#kind(stream)} #${seq}`);
      this.#add(at, "database", `${events[0]?.type} is event ${numbers.join(", ")}`);
    }
  }

  #kind(stream: string): string {
    return stream === streamsOf(this.#facts).shop ? "kitchen" : "customer";
  }

  /** A device's name and role, or the customer. */
  #who(session: unknown): string {
    const id = text(session);
    const device = this.#facts.devices[id];
    if (device !== undefined) return `"${device.device}" (${device.role})`;
    if (id === this.#facts.order.session) return "the customer";
    return id === "" ? "somebody" : `session ${id}`;
  }

  // --- The log -------------------------------------------------------------------------------------------------------

  #hear(line: LogLine): void {
    const { at, event, fields } = line;
    // What was before it is only read to know who was there.
    const isDuring = at >= this.#begin() && at <= this.#end;
    const say = (what: string) => {
      if (isDuring) this.#add(at, "log", what);
    };
    switch (event) {
      case "request":
        this.#hearRequest(line, say);
        break;
      case "push":
        this.#hearPush(line, say);
        break;
      case "resume":
      case "gap":
        this.#hearReturn(line, say);
        break;
      case "acknowledged":
        this.#hearPosition(line, say);
        break;
      case "reset":
        if (this.#isOurs(fields.stream)) say(`${this.#who(fields.session)} had to begin anew: ${text(fields.reason)}`);
        break;
      case "close":
      case "gone":
      case "slow":
        this.#hearEnd(line, say);
        break;
      case "order.escalated":
      case "order.expired":
        break;
      default:
        if (fields.order === this.#facts.order.id)
          say(`${event}${fields.code === undefined ? "" : ` ${text(fields.code)}`}`);
    }
  }

  /** The request was there before the order was stored. */
  #begin(): string {
    return new Date(Date.parse(this.#facts.order.placedAt) - 1_000).toISOString();
  }

  #isOurs(stream: unknown): stream is string {
    const { shop, user } = streamsOf(this.#facts);
    return stream === shop || stream === user;
  }

  /** The order's events in this stream behind `after`, up to `upTo`. */
  #between(stream: string, after: number, upTo: number): number[] {
    return this.#facts.events
      .filter((event) => event.stream === stream && event.seq > after && event.seq <= upTo)
      .map(({ seq }) => seq);
  }

  #hearRequest({ fields }: LogLine, say: (what: string) => void): void {
    const { route, status, requestId, session, repeated, code, ms, stream, from, seq, events } = fields;
    if (this.#isOurs(stream) && route === "GET /events") {
      const brought = Number(events) > 0 ? this.#between(stream, Number(from ?? 0), Number(seq)) : [];
      if (from !== undefined) this.#acknowledge(stream, text(session), Number(from), say);
      if (brought.length > 0)
        say(`poll of ${this.#who(session)} brought ${this.#named(stream, brought)}; request ${text(requestId)}`);
      return;
    }
    if (fields.order !== this.#facts.order.id) return;
    const outcome = `${text(status)}${code === undefined ? "" : ` ${text(code)}`} after ${text(ms)} ms`;
    const again = repeated === true ? ", the same key again: nothing new was stored" : "";
    const name = text(route).replace("{action}", text(fields.action) || "{action}");
    say(`${name} by ${this.#who(session)}: ${outcome}${again}; request ${text(requestId)}`);
  }

  #named(stream: string, seqs: readonly number[]): string {
    return `${this.#kind(stream)} ${seqs.map((seq) => `#${seq}`).join(", ")}`;
  }

  #hearPush({ at, fields }: LogLine, say: (what: string) => void): void {
    const { stream, seq, readers, sent, gone } = fields;
    if (!this.#isOurs(stream) || this.#between(stream, Number(seq) - 1, Number(seq)).length === 0 || at < this.#begin())
      return;
    this.#pushed.add(`${stream} ${text(seq)}`);
    const names = [...this.#readers.values()].filter((one) => one.stream === stream).map(({ session }) => session);
    if (this.#kind(stream) === "kitchen") for (const session of names) this.#told.add(session);
    const whose = names.length === 0 ? "" : `: ${[...new Set(names)].map((one) => this.#who(one)).join(", ")}`;
    const lost = Number(gone) > 0 ? `, ${text(gone)} gone` : "";
    say(`pushed ${this.#named(stream, [Number(seq)])} to ${text(sent)} of ${text(readers)} readers${lost}${whose}`);
  }

  #hearReturn({ event, fields }: LogLine, say: (what: string) => void): void {
    const { connection, session, stream, from, seq, events } = fields;
    if (!this.#isOurs(stream)) return;
    const whose = this.#who(session);
    if (from !== undefined) this.#acknowledge(stream, text(session), Number(from), say);
    this.#readers.set(`${text(connection)} ${stream}`, {
      session: text(session),
      stream,
      position: Number(from ?? seq),
    });
    const brought = Number(events) > 0 ? this.#between(stream, Number(from ?? 0), Number(seq)) : [];
    if (brought.length > 0)
      say(`${event === "gap" ? "check" : "return"} of ${whose} brought ${this.#named(stream, brought)}`);
    else if (event === "resume" && this.#kind(stream) === "kitchen") say(`${whose} reads from #${text(seq)} on`);
  }

  #hearPosition({ fields }: LogLine, say: (what: string) => void): void {
    const { connection, session, stream, seq } = fields;
    if (!this.#isOurs(stream)) return;
    this.#readers.set(`${text(connection)} ${stream}`, { session: text(session), stream, position: Number(seq) });
    this.#acknowledge(stream, text(session), Number(seq), say);
  }

  #acknowledge(stream: string, session: string, seq: number, say: (what: string) => void): void {
    const reader = `${session} ${stream}`;
    const before = this.#positions.get(reader) ?? -1;
    if (seq <= before) return;
    this.#positions.set(reader, seq);
    const news = this.#between(stream, before, seq);
    if (news.length > 0) say(`acknowledged by ${this.#who(session)}: ${this.#named(stream, news)}`);
  }

  #hearEnd({ event, fields }: LogLine, say: (what: string) => void): void {
    const connection = text(fields.connection);
    for (const [key, { session, stream }] of this.#readers) {
      if (!key.startsWith(`${connection} `)) continue;
      this.#readers.delete(key);
      const why = {
        close: `its socket ended (${text(fields.status) || "no reason"})`,
        gone: "its socket is gone",
        slow: "it does not read",
      };
      say(
        `${this.#who(session)} is cut off from the ${this.#kind(stream)}'s stream: ${why[event as keyof typeof why]}`,
      );
    }
  }

  // --- What is not known -----------------------------------------------------------------------------------------------

  unknown(): string[] {
    const { order, events, eventsSince } = this.#facts;
    const { reachesBackTo, where } = this.#logged;
    const kitchen = streamsOf(this.#facts).shop;
    const said: string[] = [];
    if (events.length === 0 || order.placedAt < eventsSince)
      said.push(`events before ${eventsSince} are removed, and with them the order's numbers in its streams`);
    if (reachesBackTo === undefined)
      said.push(`no log is kept here (${where}): requests, pushes and acknowledgements are not known`);
    else if (reachesBackTo > order.placedAt)
      said.push(`the log (${where}) reaches back to ${reachesBackTo}: what was before it is not known`);
    const missing = events.filter(
      ({ stream, seq, at }) => (reachesBackTo ?? "~") <= at && !this.#pushed.has(`${stream} ${seq}`),
    );
    if (missing.length > 0)
      said.push(
        `no push of ${missing.map(({ stream, seq }) => `${this.#kind(stream)} #${seq}`).join(", ")} is in this log: another server made it, or LOG_LEVEL leaves it out`,
      );
    const first = events.find(({ stream }) => stream === kitchen);
    // A device that took a step of the order has it.
    const acted = new Set(this.#facts.steps.map(({ session }) => session));
    const silent = [...this.#told].filter(
      (one) => !acted.has(one) && (this.#positions.get(`${one} ${kitchen}`) ?? -1) < (first?.seq ?? 0),
    );
    if (silent.length > 0)
      said.push(`${silent.map((one) => this.#who(one)).join(", ")} never said that the order was received`);
    said.push("an acknowledgement says that a screen has the order; whether it rang aloud is not reported");
    return said;
  }
}
