/**
 * A ledger of answers and screens, compared with the database. It shares no code with orderbell and only adds up. Pure, so
 * that a test can plant each kind of error.
 */

export type Wrong =
  /** Answered with 2xx, but not stored. */
  | "lost"
  /** Stored, but never requested. */
  | "phantom"
  /** One key made two orders, or a reader was shown an event twice. */
  | "doubled"
  /** A reader was shown an event before its predecessor, or without it. */
  | "gaps"
  /** A reader holds an event of a lost history. */
  | "foreign"
  /** A price, a stock, a number, a step that is not what was asked for. */
  | "effects"
  /** A screen that stayed wrong after the repair. */
  | "screens"
  /** A forbidden answer, such as INTERNAL. */
  | "surprises";

export interface Finding {
  readonly wrong: Wrong;
  readonly what: string;
}

export interface OrderAnswer {
  readonly order: string;
  readonly totalFen: number;
  readonly atMs: number;
}

/** A bill under one key, and every answer that it got. */
export interface Submitted {
  readonly key: string;
  readonly user: string;
  readonly wantedFen: number;
  readonly answers: OrderAnswer[];
}

export interface Stepped {
  readonly order: string;
  readonly version: number;
  readonly status: string;
  readonly atMs: number;
}

export interface Said {
  readonly room: string;
  readonly sender: string;
  readonly id: string;
  readonly atMs: number;
}

export type Shown = { readonly restart: number } | { readonly seq: number; readonly tag: string };

/** What one reader of one stream was shown, from its first snapshot on. */
export interface Reading {
  readonly reader: string;
  readonly stream: string;
  readonly shown: Shown[];
}

/** The database, as rows. */
export interface Truth {
  readonly orders: readonly {
    readonly id: string;
    readonly user: string;
    readonly number: string;
    readonly day: string;
    readonly totalFen: number;
    readonly version: number;
  }[];
  readonly history: readonly { readonly order: string; readonly version: number; readonly to: string }[];
  readonly keys: readonly { readonly user: string; readonly key: string; readonly order: string }[];
  readonly events: readonly { readonly stream: string; readonly seq: number; readonly tag: string }[];
  readonly messages: readonly { readonly room: string; readonly sender: string; readonly id: string }[];
  readonly dishes: readonly { readonly dish: string; readonly stock: number | null; readonly sold: number }[];
  /** Portions of dishes that are counted, in orders that were not given back. */
  readonly portions: readonly { readonly dish: string; readonly quantity: number }[];
}

export class Ledger {
  readonly submitted: Submitted[] = [];
  readonly steps: Stepped[] = [];
  readonly said: Said[] = [];
  readonly readings: Reading[] = [];
  readonly findings: Finding[] = [];
  /** Times in which an answer may be lost: the database went back behind them. */
  readonly #excused: { readonly fromMs: number; readonly toMs: number }[] = [];

  excuse(fromMs: number, toMs: number): void {
    this.#excused.push({ fromMs, toMs });
  }

  /** Whether what was answered then must still be there. */
  counts({ atMs }: { readonly atMs: number }): boolean {
    return !this.#excused.some(({ fromMs, toMs }) => atMs >= fromMs && atMs <= toMs);
  }

  reading(reader: string, stream: string): Reading {
    const reading: Reading = { reader, stream, shown: [] };
    this.readings.push(reading);
    return reading;
  }

  found(wrong: Wrong, what: string): void {
    this.findings.push({ wrong, what });
  }

  /** Every error, by the answers and screens until now. */
  judge(truth: Truth): Finding[] {
    return [
      ...this.findings,
      ...this.#orders(truth),
      ...this.#steps(truth),
      ...this.#rooms(truth),
      ...this.#readings(truth),
      ...stockOf(truth),
      ...numbersOf(truth),
    ];
  }

  *#orders({ orders, keys }: Truth): Generator<Finding> {
    const stored = new Map(orders.map((order) => [order.id, order]));
    const asked = new Map(this.submitted.map((one) => [`${one.user} ${one.key}`, one]));
    for (const { key, answers, wantedFen } of this.submitted) {
      const kept = answers.filter((answer) => this.counts(answer));
      if (new Set(kept.map(({ order }) => order)).size > 1)
        yield { wrong: "doubled", what: `key ${key} has two orders` };
      for (const { order, totalFen } of kept) {
        const row = stored.get(order);
        if (row === undefined) yield { wrong: "lost", what: `order ${order} of key ${key}` };
        if (totalFen !== wantedFen || (row !== undefined && row.totalFen !== wantedFen))
          yield { wrong: "effects", what: `order ${order} costs ${totalFen} fen instead of ${wantedFen}` };
      }
    }
    const ofKey = new Map(keys.map(({ user, key, order }) => [order, `${user} ${key}`]));
    for (const { id } of orders) {
      const key = ofKey.get(id);
      if (key === undefined || !asked.has(key)) yield { wrong: "phantom", what: `order ${id}` };
    }
  }

  *#steps({ orders, history }: Truth): Generator<Finding> {
    const taken = new Map(history.map(({ order, version, to }) => [`${order} ${version}`, to]));
    for (const step of this.steps) {
      if (!this.counts(step)) continue;
      const to = taken.get(`${step.order} ${step.version}`);
      if (to === undefined) yield { wrong: "lost", what: `step ${step.version} of order ${step.order}` };
      else if (to !== step.status)
        yield {
          wrong: "effects",
          what: `step ${step.version} of order ${step.order} went to ${to}, not ${step.status}`,
        };
    }
    const steps = new Map<string, number>();
    for (const { order } of history) steps.set(order, (steps.get(order) ?? 0) + 1);
    for (const { id, version } of orders)
      if (steps.get(id) !== version)
        yield { wrong: "effects", what: `order ${id} has version ${version} and ${steps.get(id)} steps` };
  }

  *#rooms({ messages }: Truth): Generator<Finding> {
    const times = new Map<string, number>();
    for (const { room, sender, id } of messages) {
      const name = `${room} ${sender} ${id}`;
      times.set(name, (times.get(name) ?? 0) + 1);
    }
    for (const [name, n] of times) if (n > 1) yield { wrong: "doubled", what: `message ${name}` };
    for (const said of this.said)
      if (this.counts(said) && !times.has(`${said.room} ${said.sender} ${said.id}`))
        yield { wrong: "lost", what: `message ${said.room} ${said.id}` };
  }

  *#readings({ events }: Truth): Generator<Finding> {
    const tags = new Map(events.map(({ stream, seq, tag }) => [`${stream} ${seq}`, tag]));
    for (const { reader, stream, shown } of this.readings) {
      const begun = shown.findLastIndex((one) => "restart" in one);
      let last: number | undefined;
      for (const [at, one] of shown.entries()) {
        if ("restart" in one) {
          last = one.restart;
          continue;
        }
        if (last !== undefined && one.seq <= last) yield { wrong: "doubled", what: `${reader}: ${stream} ${one.seq}` };
        else if (last !== undefined && one.seq !== last + 1)
          yield { wrong: "gaps", what: `${reader}: ${stream} ${one.seq} after ${last}` };
        last = one.seq;
        if (at > begun && tags.get(`${stream} ${one.seq}`) !== one.tag)
          yield { wrong: "foreign", what: `${reader}: ${stream} ${one.seq}` };
      }
    }
  }
}

function* stockOf({ dishes, portions }: Truth): Generator<Finding> {
  const sold = new Map<string, number>();
  for (const { dish, quantity } of portions) sold.set(dish, (sold.get(dish) ?? 0) + quantity);
  for (const { dish, stock, sold: counted } of dishes) {
    if (stock !== null && counted > stock) yield { wrong: "effects", what: `${dish}: ${counted} of ${stock} sold` };
    if (counted !== (sold.get(dish) ?? 0))
      yield { wrong: "effects", what: `${dish}: ${counted} counted, ${sold.get(dish) ?? 0} in orders` };
  }
}

function* numbersOf({ orders }: Truth): Generator<Finding> {
  const seen = new Set<string>();
  for (const { day, number } of orders) {
    const name = `${day} ${number}`;
    if (seen.has(name)) yield { wrong: "doubled", what: `number ${name}` };
    seen.add(name);
  }
}

const kinds: readonly Wrong[] = ["lost", "phantom", "doubled", "gaps", "foreign", "effects", "screens", "surprises"];

/** The verdict in one line: every kind with its count. */
export function verdictOf(findings: readonly Finding[]): string {
  const counts = kinds.map((kind) => `${kind} ${findings.filter(({ wrong }) => wrong === kind).length}`);
  return `${findings.length === 0 ? "held" : "BROKEN"}: ${counts.join(", ")}`;
}
