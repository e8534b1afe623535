/**
 * Generator of orders, an open loop: the k-th is due when the schedule says, however slow the server is, and its times are counted
 * from then. Kitchens' sockets are the generator's too, so that both ends of a time are read from one clock.
 */

import { monotonicMs as now } from "../_clock.ts";
import { ascending, type Quantiles, quantiles } from "../_statistics.ts";
import { HttpSockets } from "./http_sockets.ts";
import { Ledger } from "./ledger.ts";
import { Metronome } from "./metronome.ts";
import { PushSocket, type SocketKind } from "./push_socket.ts";

export interface Shop {
  readonly id: string;
  /** Of the kitchen's socket. */
  readonly path: string;
  readonly protocols: readonly string[];
  readonly hello?: string;
  /** For the kitchen's steps. */
  readonly token?: string;
}

export interface Scene {
  readonly port: number;
  readonly socketPort: number;
  /** Where orders are posted. */
  readonly path: string;
  readonly kind: SocketKind;
  /** Text of the message after which a kitchen gets pushes. */
  readonly ready: string;
  /** Pushes carry `seq`, without gaps in each shop. */
  readonly numbered: boolean;
  readonly shops: readonly Shop[];
  /** They order in turns, each in the shop at this place of the list. */
  readonly customers: readonly { readonly token: string; readonly shop: number }[];
}

export interface Load {
  /** Orders a second. */
  readonly rate: number;
  readonly seconds: number;
  /** `rush`: as many in all, most of them at once: after a quarter of the time half of them were due. Default: even. */
  readonly arrivals?: "even" | "rush";
  /** Each order is taken through all its steps by the kitchen, a quarter of a second apart. */
  readonly steps?: boolean;
  /** How long the last ones are waited for. */
  readonly drainMs?: number;
}

export interface Report {
  readonly sent: number;
  /** Sent more than 5 ms after they were due, by the generator's own fault. */
  readonly generatorLate: number;
  readonly answered: number;
  /** Answers that are not 2xx, by status; 0: the connection broke. */
  readonly refused: Readonly<Record<string, number>>;
  readonly pushed: number;
  /** Acknowledged and never pushed. */
  readonly lost: number;
  /** Not pushed at all, or more than a second after they were due. */
  readonly lateOrLost: number;
  readonly push: Quantiles;
  readonly answer: Quantiles;
  readonly answersPerSec: number;
  /** Of steps: due → the kitchen's socket. */
  readonly step?: Quantiles;
  readonly stepsRefused?: number;
  /** What the ledger found. */
  readonly problems: readonly string[];
}

const lateMs = 1_000;
const generatorLateMs = 5;
const patienceMs = 5_000;
const leftoverMs = 15_000;

const lastPushMs = 2_000;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(is: () => boolean, mostMs: number): Promise<void> {
  for (const end = now() + mostMs; !is() && now() < end; ) await pause(20);
}

/** As many as a reverse proxy would hold. */
const mostSockets = 256;

export const steps = ["accept", "cook", "ready", "complete"] as const;
const stepPauseMs = 250;

const marks = {
  order: Buffer.from('"note":"due:'),
  seq: Buffer.from('"seq":'),
  placed: Buffer.from('"order.placed"'),
  action: Buffer.from('"action":"'),
  id: Buffer.from('"order":{'),
  head: Buffer.from('"type":"head"'),
};
const width = 8;

function numberAt(data: Buffer, at: number): number {
  let value = 0;
  for (let digit = data[at] ?? 0; digit >= 48 && digit <= 57; digit = data[++at] ?? 0) value = value * 10 + digit - 48;
  return value;
}

/** The dues in milliseconds from the start. */
export function duesOf({ rate, seconds, arrivals = "even" }: Load): Float64Array {
  const total = Math.round(rate * seconds);
  const even = (k: number) => (k * 1_000) / rate;
  const rush = (k: number) => 1_000 * seconds * (k / total) ** 2;
  return Float64Array.from({ length: total }, (_, k) => (arrivals === "even" ? even(k) : rush(k)));
}

/** A request with places for the order's number. */
class Template {
  readonly #bytes: Buffer;
  readonly #places: readonly number[];

  constructor(scene: Scene, { token, shop }: Scene["customers"][number]) {
    const blank = "#".repeat(width);
    const body = JSON.stringify({
      shop: scene.shops[shop]?.id,
      lines: [
        { dish: "beef", quantity: 1 },
        { dish: "pork", quantity: 2 },
      ],
      service: "pickup",
      note: `due:${blank}`,
    });
    const text = `POST ${scene.path} HTTP/1.1\r\nHost: 127.0.0.1:${scene.port}\r\nContent-Type: application/json\r\nAuthorization: Bearer ${token}\r\nIdempotency-Key: bench-${blank}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    this.#bytes = Buffer.from(text);
    this.#places = [text.indexOf(blank), text.lastIndexOf(blank)];
  }

  order(k: number): Buffer {
    const bytes = Buffer.from(this.#bytes);
    for (const place of this.#places)
      for (let at = place + width - 1, rest = k; at >= place; at--, rest = Math.floor(rest / 10))
        bytes[at] = 48 + (rest % 10);
    return bytes;
  }
}

/** Times and ledger of one load. */
class Measurement {
  readonly first: number;
  readonly dues: Float64Array;
  readonly ledger: Ledger;
  readonly pushMs: number[] = [];
  readonly answerMs: number[] = [];
  readonly stepMs: number[] = [];
  readonly refused: Record<string, number> = {};
  stepsRefused = 0;
  stepsDue = 0;
  generatorLate = 0;
  open = 0;
  lastAnswerAt = 0;

  constructor(first: number, dues: Float64Array) {
    this.first = first;
    this.dues = dues;
    this.ledger = new Ledger(dues.length);
  }

  answered(k: number, status: number): void {
    this.open -= 1;
    this.lastAnswerAt = now();
    if (status >= 200 && status < 300) {
      this.answerMs.push(this.lastAnswerAt - (this.dues[k] as number));
      this.ledger.acknowledge(k);
      return;
    }
    this.refused[status] = (this.refused[status] ?? 0) + 1;
    if (status !== 0) this.ledger.refuse(k);
  }

  get isSettled(): boolean {
    return this.open === 0 && this.pushMs.length >= this.answerMs.length && this.stepMs.length >= this.stepsDue;
  }

  report(withSteps: boolean): Report {
    const { dues, pushMs, answerMs } = this;
    const push = ascending(pushMs);
    const inTime = push.findLastIndex((ms) => ms <= lateMs) + 1;
    return {
      sent: dues.length,
      generatorLate: this.generatorLate,
      answered: answerMs.length,
      refused: this.refused,
      pushed: push.length,
      lost: this.ledger.lost,
      lateOrLost: dues.length - inTime,
      push: quantiles(push),
      answer: quantiles(ascending(answerMs)),
      answersPerSec: (answerMs.length * 1_000) / (this.lastAnswerAt - (dues[0] ?? 0)),
      ...(withSteps ? { step: quantiles(ascending(this.stepMs)), stepsRefused: this.stepsRefused } : {}),
      problems: this.ledger.problems(),
    };
  }
}

export class Generator {
  readonly #scene: Scene;
  readonly #http: HttpSockets;
  readonly #templates: readonly Template[];
  #kitchens: PushSocket[] = [];
  #gone = 0;
  #next = 0;
  #measurement = new Measurement(0, new Float64Array());
  #steps: StepRun | undefined;

  constructor(scene: Scene) {
    this.#scene = scene;
    this.#http = new HttpSockets(scene.port, mostSockets);
    this.#templates = scene.customers.map((customer) => new Template(scene, customer));
  }

  /** Opens the kitchens. */
  async open(): Promise<void> {
    const { socketPort: port, kind, ready, shops } = this.#scene;
    this.#kitchens = await Promise.all(
      shops.map(({ path, protocols, hello }, at) =>
        PushSocket.open({
          port,
          path,
          kind,
          protocols,
          hello,
          ready,
          push: (data, start, end) => this.#push(at, data, start, end),
          gone: () => {
            this.#gone += 1;
          },
        }),
      ),
    );
  }

  #push(shop: number, data: Buffer, start: number, end: number): void {
    const at = now();
    const measurement = this.#measurement;
    // It names the last number once more, each minute.
    const head = data.indexOf(marks.head, start);
    if (head >= 0 && head < end) return;
    if (this.#scene.numbered) {
      const seq = data.indexOf(marks.seq, start);
      if (seq >= 0 && seq < end) measurement.ledger.number(shop, numberAt(data, seq + marks.seq.length));
    }
    const mark = data.indexOf(marks.order, start);
    if (mark < 0 || mark >= end) return;
    const k = numberAt(data, mark + marks.order.length) - measurement.first;
    // Of an earlier load, which is over.
    if (k < 0) return;
    if (this.#steps !== undefined) {
      const placed = data.indexOf(marks.placed, start);
      const isPlaced = placed >= 0 && placed < end;
      if (isPlaced) this.#steps.placed(k, data, start);
      else this.#steps.pushed(k, data, start, at);
      if (!isPlaced) return;
    }
    if (measurement.ledger.push(k)) measurement.pushMs.push(at - (measurement.dues[k] as number));
  }

  async run(load: Load): Promise<Report> {
    const dues = duesOf(load);
    const measurement = new Measurement(this.#next, dues);
    const stepRun = load.steps ? new StepRun(this.#scene, this.#http, measurement) : undefined;
    const clock = await Metronome.make(dues.length, (k, due) => this.#order(measurement, k, due));
    const stepClock = await Metronome.make(measurement.stepsDue, (nth) => stepRun?.due(nth));
    this.#measurement = measurement;
    this.#steps = stepRun;
    this.#next += dues.length;
    const startAt = now() + 20;
    for (let k = 0; k < dues.length; k++) dues[k] = startAt + (dues[k] as number);
    clock.start(dues);
    const stepDues = stepRun?.dues() ?? new Float64Array();
    stepClock.start(stepDues);
    const last = Math.max(dues.at(-1) ?? 0, stepDues.at(-1) ?? 0);
    const { drainMs = patienceMs } = load;
    while (now() < last + drainMs && !(now() > last && measurement.isSettled)) {
      await pause(20);
      clock.pump();
      stepClock.pump();
    }
    clock.stop();
    stepClock.stop();
    // What is still in the server's queues must not be part of the next load, and is acknowledged and pushed late, not lost.
    await until(() => measurement.open === 0, leftoverMs);
    await until(() => measurement.isSettled, Math.min(drainMs, lastPushMs));
    // A double would come behind the first.
    await pause(100);
    const report = measurement.report(stepRun !== undefined);
    const gone = this.#gone === 0 ? [] : [`${this.#gone} kitchens' sockets were closed`];
    return { ...report, problems: [...report.problems, ...gone] };
  }

  #order(measurement: Measurement, k: number, due: number): void {
    const { first } = measurement;
    const template = this.#templates[(first + k) % this.#templates.length] as Template;
    measurement.open += 1;
    if (now() - due > generatorLateMs) measurement.generatorLate += 1;
    this.#http.send(template.order(first + k), (status) => measurement.answered(k, status));
  }

  close(): void {
    for (const kitchen of this.#kitchens) kitchen.close();
    this.#http.close();
  }
}

/** Steps are numbered by order and place among its steps. */
const orderOf = (step: number) => Math.floor(step / steps.length);

/**
 * Takes each order through its steps, one after the other. A step that is due before the kitchen has the order, or before the answer to
 * the step before, waits for that, and its waiting time counts.
 */
class StepRun {
  readonly #scene: Scene;
  readonly #http: HttpSockets;
  readonly #measurement: Measurement;
  readonly #ids = new Map<number, string>();
  /** Those of an order that are due and not sent. */
  readonly #waiting = new Map<number, number[]>();
  readonly #busy = new Set<number>();
  /** The steps as they become due. */
  #order = new Uint32Array();
  #dueOf = new Float64Array();

  constructor(scene: Scene, http: HttpSockets, measurement: Measurement) {
    this.#scene = scene;
    this.#http = http;
    this.#measurement = measurement;
    measurement.stepsDue = measurement.dues.length * steps.length;
  }

  /** @returns when each is due, ascending */
  dues(): Float64Array {
    const { dues } = this.#measurement;
    const dueOf = (step: number) => (dues[orderOf(step)] as number) + ((step % steps.length) + 1) * stepPauseMs;
    this.#dueOf = Float64Array.from({ length: dues.length * steps.length }, (_, step) => dueOf(step));
    this.#order = Uint32Array.from(this.#dueOf.keys()).sort((a, b) => dueOf(a) - dueOf(b));
    return Float64Array.from(this.#order, dueOf);
  }

  due(at: number): void {
    const step = this.#order[at] as number;
    const order = orderOf(step);
    this.#waiting.set(order, [...(this.#waiting.get(order) ?? []), step]);
    this.#next(order);
  }

  /** The kitchen has the order. */
  placed(order: number, data: Buffer, start: number): void {
    const from = data.indexOf('"id":"', data.indexOf(marks.id, start)) + 6;
    this.#ids.set(order, data.toString("latin1", from, data.indexOf('"', from)));
    this.#next(order);
  }

  /** The kitchen has a change of the order. */
  pushed(order: number, data: Buffer, start: number, at: number): void {
    const from = data.indexOf(marks.action, start) + marks.action.length;
    const action = data.toString("latin1", from, data.indexOf('"', from));
    const step = steps.indexOf(action as (typeof steps)[number]);
    if (step >= 0) this.#measurement.stepMs.push(at - (this.#dueOf[order * steps.length + step] as number));
  }

  #next(order: number): void {
    const id = this.#ids.get(order);
    const step = this.#waiting.get(order)?.[0];
    if (id === undefined || step === undefined || this.#busy.has(order)) return;
    this.#waiting.get(order)?.shift();
    this.#busy.add(order);
    const measurement = this.#measurement;
    measurement.open += 1;
    this.#http.send(this.#request(order, step, id), (status) => {
      measurement.open -= 1;
      if (status < 200 || status > 299) measurement.stepsRefused += 1;
      this.#busy.delete(order);
      this.#next(order);
    });
  }

  #request(order: number, step: number, id: string): Buffer {
    const { port, shops, customers } = this.#scene;
    const shop = customers[(this.#measurement.first + order) % customers.length]?.shop ?? 0;
    return Buffer.from(
      `POST /orders/${id}/${steps[step % steps.length]} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\nAuthorization: Bearer ${shops[shop]?.token}\r\nContent-Length: 2\r\n\r\n{}`,
    );
  }
}
