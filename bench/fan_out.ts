/** Workload: one room, 1,000 and 10,000 readers; messages singly and in queues, against a bare `ws` loop. See README.md. */
import { once } from "node:events";
import { WebSocket } from "ws";
import { monotonicMs } from "./_clock.ts";
import { type Running, ticketFor } from "./_contender.ts";
import { processorMs } from "./_processor.ts";
import { type Ledger, openFilesLimit, Sockets } from "./_sockets.ts";
import { ascending, at } from "./_statistics.ts";
import { type Bench, type Measured, VoidRound, type Workload } from "./_workload.ts";

const contenders = ["orderbell", "ws", "ws framed"] as const;
type Contender = (typeof contenders)[number];

interface Case {
  readonly name: string;
  readonly readers: number;
  /** Messages due at the same moment, and how many such moments there are. */
  readonly queue: number;
  readonly times: number;
  /** Milliseconds between two of these moments. */
  readonly everyMs: number;
  readonly contenders: readonly Contender[];
  readonly rounds: number;
}

const thousand = { readers: 1_000, contenders, rounds: 2 };
const tenThousand = { readers: 10_000, contenders: ["orderbell", "ws"], rounds: 1 } as const;

const cases = (full: boolean): readonly Case[] => [
  { ...thousand, name: "1000 singly", queue: 1, times: full ? 100 : 40, everyMs: 50 },
  { ...thousand, name: "1000 queued", queue: 50, times: full ? 5 : 3, everyMs: 1_500 },
  ...(full
    ? [
        {
          ...thousand,
          name: "1000 at 120/s",
          queue: 1,
          times: 360,
          everyMs: 1_000 / 120,
          contenders: contenders.slice(0, 1),
        },
        { ...tenThousand, name: "10000 singly", queue: 1, times: 10, everyMs: 500 },
        { ...tenThousand, name: "10000 queued", queue: 20, times: 3, everyMs: 4_000 },
      ]
    : []),
];

const writers = 10;
const connectionsPerSession = 100;
/** Bytes of a message beside what stands around it. */
const text = "x".repeat(100);
/** Of the moments, by so much: there are few of them, and what the generator was late is part of their time. */
const mostLate = 0.1;
const lateMs = 5;

interface Room extends Running {
  readonly readers: readonly string[];
  readonly writers: readonly string[];
  readonly stream: string;
  readonly grant: string;
}

/** Someone who writes; `say` sends one message. */
interface Writer {
  readonly socket: WebSocket;
  say(due: string): void;
}

interface Scene {
  readonly server: Running;
  readonly sockets: Sockets;
  readonly writers: readonly Writer[];
  readonly errors: string[];
}

const dataOf = (due: string) => `${text} due ${due}`;

async function orderbell(bench: Bench, readers: number, sockets: Sockets): Promise<Scene> {
  const sessions = Math.ceil(readers / connectionsPerSession);
  const room = await bench.start<Room>("_rooms", { engine: bench.engine, args: [sessions, writers] });
  const { stream, grant, port } = room;
  const clients = Array.from({ length: readers }, (_, nth) => ({
    token: room.readers[Math.floor(nth / connectionsPerSession)] as string,
    streams: [{ stream, grant }],
  }));
  await openAll(bench, sockets, port, clients);
  const errors: string[] = [];
  const all = room.writers.map(async (token, nth): Promise<Writer> => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/pgws`, await ticketFor(token, port), {
      perMessageDeflate: false,
    });
    await once(socket, "open");
    socket.on("message", (data) => {
      if (data.toString().includes('"type":"error"')) errors.push(data.toString());
    });
    let n = 0;
    const say = (due: string) => {
      n += 1;
      const id = `m${nth}-${String(n).padStart(9, "0")}`;
      socket.send(JSON.stringify({ type: "publish", n, stream, grant, id, data: dataOf(due) }));
    };
    return { socket, say };
  });
  return { server: room, sockets, writers: await Promise.all(all), errors };
}

async function bare(bench: Bench, readers: number, sockets: Sockets, how: "plain" | "framed"): Promise<Scene> {
  const server = await bench.start<object>("peers/ws_loop", { needsDatabase: false, args: [how] });
  await openAll(
    bench,
    sockets,
    server.port,
    Array.from({ length: readers }, () => ({ hello: "resume" })),
  );
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/pgws`, { perMessageDeflate: false });
  await once(socket, "open");
  return { server, sockets, writers: [{ socket, say: (due) => socket.send(JSON.stringify(dataOf(due))) }], errors: [] };
}

async function openAll(
  bench: Bench,
  sockets: Sockets,
  port: number,
  clients: Parameters<Sockets["open"]>[0]["clients"],
): Promise<void> {
  const { failed, errors } = await sockets.open({ port, clients, sources: 50 });
  if (failed > 0) bench.fail(`fan_out: ${failed} readers could not be opened: ${errors[0]}`);
}

/** Messages due together leave together. @returns at how many moments the generator was late */
async function write({ writers }: Scene, { queue, times, everyMs }: Case): Promise<number> {
  const begun = monotonicMs() + 50;
  let [late, said] = [0, 0];
  for (let time = 0; time < times; time++) {
    const due = begun + time * everyMs;
    while (monotonicMs() < due)
      await new Promise((resolve) => (due - monotonicMs() > 2 ? setTimeout(resolve, 1) : setImmediate(resolve)));
    if (monotonicMs() - due > lateMs) late += 1;
    const stamp = due.toFixed(3).padStart(14, "0");
    for (let nth = 0; nth < queue; nth++) writers[said++ % writers.length]?.say(stamp);
  }
  return late;
}

/** Of each moment: from its due time until the last reader had its last message. */
function lastMsOf({ messages }: Ledger, { queue }: Case): number[] {
  const byDue = new Map<number, number>();
  for (const { due, lastAt } of messages) byDue.set(due, Math.max(byDue.get(due) ?? 0, lastAt - due));
  const whole = messages.length % queue === 0;
  return whole ? ascending([...byDue.values()]) : [];
}

async function measure(bench: Bench, scene: Scene, own: Case): Promise<Measured> {
  const { sockets, server, errors } = scene;
  await sockets.begin();
  const cpuMs = processorMs(server.pid);
  const late = await write(scene, own);
  const expected = own.queue * own.times * own.readers;
  const arrived = await sockets.until(expected, 30_000);
  const cpuUs = (processorMs(server.pid) - cpuMs) * 1_000;
  const ledger = await sockets.ledger();
  const problems = [
    ...(arrived && ledger.frames === expected ? [] : [`${ledger.frames} of ${expected} frames came`]),
    ...(ledger.gaps === 0 ? [] : [`${ledger.gaps} gaps`]),
    ...(ledger.doubles === 0 ? [] : [`${ledger.doubles} doubles`]),
    ...(ledger.closed === 0 ? [] : [`${ledger.closed} sockets closed: ${ledger.errors[0]}`]),
    ...(errors.length === 0 ? [] : [`${errors.length} refused: ${errors[0]}`]),
  ];
  for (const problem of problems) bench.fail(`fan_out, ${own.name}: ${problem}`);
  if (late > own.times * mostLate) throw new VoidRound(`the generator was late at ${late} of ${own.times} moments`);
  const last = lastMsOf(ledger, own);
  return {
    "last p50": [at(last, 0.5), "ms"],
    "last p99": [at(last, 0.99), "ms"],
    "frames/s": [(own.queue * own.readers * 1_000) / at(last, 0.5), "/s"],
    "CPU per frame": [cpuUs / expected, "µs"],
    gaps: [ledger.gaps, "count"],
    doubles: [ledger.doubles, "count"],
  };
}

async function play(bench: Bench, own: Case, contender: Contender): Promise<Measured> {
  const sockets = new Sockets();
  let scene: Scene | undefined;
  try {
    scene =
      contender === "orderbell"
        ? await orderbell(bench, own.readers, sockets)
        : await bare(bench, own.readers, sockets, contender === "ws" ? "plain" : "framed");
    // The compilers warm up on the way that is measured.
    const before = { ...own, times: Math.max(2, Math.ceil(own.times / 5)) };
    await sockets.begin();
    await write(scene, before);
    await sockets.until(before.times * before.queue * before.readers, 30_000);
    return await measure(bench, scene, own);
  } finally {
    for (const { socket } of scene?.writers ?? []) socket.terminate();
    await sockets.close();
    await scene?.server.stop();
  }
}

export const fanOut: Workload = {
  name: "fan_out",
  says: "From due until the last of all readers of a room has the message; a queue is 50 (20) messages due at once.",
  seconds: { short: 60, full: 180 },
  async run(bench) {
    const limit = await openFilesLimit();
    for (const own of cases(bench.profile === "full")) {
      if (own.readers + 100 > limit) {
        bench.note(`${own.name}: not measured, this process may open ${limit} files only`);
        continue;
      }
      const chosen = bench.list("contenders", contenders).filter((one) => own.contenders.includes(one));
      const rounds = bench.number("rounds", { short: 1, full: own.rounds });
      await bench.play({
        case: own.name,
        contenders: chosen,
        rounds,
        play: (one) => play(bench, own, one as Contender),
      });
    }
  },
};
