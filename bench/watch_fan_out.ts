/**
 * One changed document until every watch that it concerns has it, against the way of our own: a client's `publish` until every reader of
 * the room has it. Both begin and end at the generator and store what they carry. See README.md.
 */
import { once } from "node:events";
import { Agent, request } from "node:http";
import { WebSocket } from "ws";
import { type Running, ticketFor } from "./_contender.ts";
import { now, openLoop } from "./_open_loop.ts";
import { ascending, quantiles } from "./_statistics.ts";
import { type Bench, type Measured, VoidRound, type Workload } from "./_workload.ts";

interface Orderbell extends Running {
  readonly tokens: readonly string[];
  readonly maker: string;
  readonly stream: string;
  readonly grant: string;
}

/** What is measured: so many who see each change, and so many watches that it does not concern. */
interface Case {
  readonly name: string;
  readonly concerned: number;
  readonly others: number;
  readonly changes: number;
  /** A second. */
  readonly rate: number;
}

const cases: readonly Case[] = [
  { name: "1", concerned: 1, others: 0, changes: 100, rate: 20 },
  { name: "100", concerned: 100, others: 0, changes: 50, rate: 10 },
  { name: "10000", concerned: 10_000, others: 0, changes: 8, rate: 0.5 },
  { name: "others", concerned: 1, others: 10_000, changes: 100, rate: 20 },
];

interface Round {
  /** Milliseconds from due until the last one had it, of each change that all had. */
  readonly all: readonly number[];
  readonly late: number;
  readonly lost: number;
}

const connectionsPerSession = 100;
const watchesPerConnection = 100;
const options = { perMessageDeflate: false };

/** Sockets that open at once. */
const width = 32;

/** A session has only so many sockets, and opens a further one in place of its oldest. */
const sessionsFor = (sockets: number) => Math.ceil(sockets / connectionsPerSession);

async function openSockets(
  orderbell: Orderbell,
  count: number,
  greet: (socket: WebSocket, nth: number) => Promise<void>,
  firstSession = 0,
) {
  const sockets: WebSocket[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: Math.min(width, count) }, async () => {
      for (let nth = next++; nth < count; nth = next++) {
        const token = orderbell.tokens[firstSession + Math.floor(nth / connectionsPerSession)] as string;
        const socket = new WebSocket(
          `ws://127.0.0.1:${orderbell.port}/pgws`,
          await ticketFor(token, orderbell.port),
          options,
        );
        sockets.push(socket);
        await once(socket, "open");
        await greet(socket, nth);
      }
    }),
  );
  return sockets;
}

/** Says it and waits for as many answers as there are questions. */
async function greeted(socket: WebSocket, questions: readonly object[]): Promise<void> {
  let answers = 0;
  const all = new Promise<void>((resolve, reject) =>
    socket.on("message", function count(data) {
      if (data.toString().includes('"ERROR"')) reject(new Error(data.toString()));
      answers += 1;
      if (answers < questions.length) return;
      socket.off("message", count);
      resolve();
    }),
  );
  for (const one of questions) socket.send(JSON.stringify(one));
  await all;
}

const initWatch = (query: object, nth: number) => ({
  msgType: "INIT_WATCH",
  watchId: `w${nth}`,
  requestId: `r${nth}`,
  msgData: { collName: "notes", query: JSON.stringify(query), orderBy: {} },
});

const agent = new Agent({ keepAlive: true, maxSockets: 16 });

async function ask(orderbell: Orderbell, action: string, parameters: object): Promise<void> {
  const body = JSON.stringify({ action, access_token: orderbell.maker, collectionName: "notes", ...parameters });
  const headers = {
    "content-type": "application/json",
    authorization: `Bearer ${orderbell.maker}`,
    "content-length": Buffer.byteLength(body),
  };
  const call = request({ agent, host: "127.0.0.1", port: orderbell.port, method: "POST", path: "/web", headers });
  call.end(body);
  const [response] = await once(call, "response");
  let text = "";
  for await (const part of response.setEncoding("utf8")) text += part;
  if (JSON.parse(text).code !== undefined) throw new Error(text);
}

interface Scene {
  readonly sockets: readonly WebSocket[];
  /** Makes the change that is due now. */
  change(k: number, due: number): void;
}

async function watches(orderbell: Orderbell, { concerned, others }: Case): Promise<Scene> {
  await ask(orderbell, "database.addDocument", { _id: "one", data: { film: "a", at: "" } });
  const sockets = await openSockets(orderbell, concerned, (socket) => greeted(socket, [initWatch({ film: "a" }, 0)]));
  // Each looks at something else.
  const other = (socket: WebSocket, nth: number) => {
    const own = Array.from({ length: watchesPerConnection }, (_, at) => initWatch({ film: `b${nth}-${at}` }, at));
    return greeted(socket, own);
  };
  await openSockets(orderbell, Math.ceil(others / watchesPerConnection), other, sessionsFor(concerned));
  const change = (_: number, due: number) => {
    const data = { $set: { at: `due ${due.toFixed(3)}` } };
    ask(orderbell, "database.updateDocument", {
      query: { _id: "one" },
      queryType: "DOC",
      data,
      multi: false,
      merge: true,
      upsert: false,
    }).catch((error) => console.error(String(error)));
  };
  return { sockets, change };
}

async function readers(orderbell: Orderbell, { concerned }: Case): Promise<Scene> {
  const { stream, grant, port, maker } = orderbell;
  const resume = { type: "resume", n: 1, streams: [{ stream, grant }] };
  const sockets = await openSockets(orderbell, concerned, (socket) => greeted(socket, [resume]));
  const own = new WebSocket(`ws://127.0.0.1:${port}/pgws`, await ticketFor(maker, port), options);
  await once(own, "open");
  const change = (k: number, due: number) =>
    own.send(
      JSON.stringify({
        type: "publish",
        n: k + 1,
        stream,
        grant,
        id: `m${k}-${due.toFixed(0)}`,
        data: `due ${due.toFixed(3)}`,
      }),
    );
  return { sockets, change };
}

/** A change has arrived with a later one too: changes of one document that come together may be told as one. */
async function measure({ sockets, change }: Scene, changes: number, rate: number): Promise<Round> {
  const dues: number[] = [];
  const counts = new Array<number>(changes).fill(0);
  const all: number[] = [];
  const hears = sockets.map((socket) => {
    let next = 0;
    const hear = (data: { toString(): string }) => {
      const due = Number(/due (\d+\.\d+)/.exec(data.toString())?.[1]);
      for (const known = dues.indexOf(due); next <= known; next++) {
        counts[next] = (counts[next] ?? 0) + 1;
        if (counts[next] === sockets.length) all.push(now() - (dues[next] ?? 0));
      }
    };
    socket.on("message", hear);
    return () => socket.off("message", hear);
  });
  const late = await openLoop(changes, rate, (k, due) => {
    dues[k] = Number(due.toFixed(3));
    change(k, due);
  });
  for (let waited = 0; waited < 400 && all.length < changes; waited++)
    await new Promise((resolve) => setTimeout(resolve, 50));
  for (const end of hears) end();
  return { all: ascending(all), late, lost: changes - all.length };
}

/** Of the changes. There are few, and what the generator was late is part of their time. */
const mostLate = 0.1;

const contenders = { watch: watches, publish: readers };
type Contender = keyof typeof contenders;

async function playOne(bench: Bench, own: Case, name: Contender): Promise<Measured> {
  const sessions = sessionsFor(own.concerned) + sessionsFor(Math.ceil(own.others / watchesPerConnection));
  const orderbell = await bench.start<Orderbell>("_watched", { args: [sessions] });
  try {
    const scene = await contenders[name](orderbell, own);
    // The compilers warm up on the way that is measured.
    await measure(scene, Math.ceil(own.changes / 4), own.rate);
    const { all, late, lost } = await measure(scene, own.changes, own.rate);
    for (const socket of scene.sockets) socket.terminate();
    if (late > own.changes * mostLate) throw new VoidRound(`the generator sent ${late} of ${own.changes} late`);
    if (lost > 0) bench.fail(`${own.name}, ${name}: ${lost} of ${own.changes} changes did not reach all`);
    const { p50, p99, max } = quantiles(all);
    return { "all have it p50": [p50, "ms"], "all have it p99": [p99, "ms"], "all have it max": [max, "ms"] };
  } finally {
    await orderbell.stop();
  }
}

/** A case against the room; or `others` against `1`, both by watches. */
export const watchFanOut: Workload = {
  name: "watch_fan_out",
  says: "a changed document due → every watch that it concerns has it, against a room's publish → every reader",
  seconds: { full: 80 },
  async run(bench) {
    const wanted = bench.list("cases", ["1", "100", "10000", "others"]);
    const [alone] = cases as readonly [Case];
    for (const own of cases.filter(({ name }) => (wanted as readonly string[]).includes(name)))
      await bench.play(
        own.others === 0
          ? {
              case: `${own.concerned} see it`,
              contenders: ["watch", "publish"],
              rounds: bench.number("rounds", { short: 1, full: 2 }),
              play: (name) => playOne(bench, own, name as Contender),
            }
          : {
              case: "one sees it",
              contenders: [`with ${own.others} other watches`, "without"],
              rounds: bench.number("rounds", { short: 1, full: 2 }),
              play: (name) => playOne(bench, name === "without" ? alone : own, "watch"),
            },
      );
    agent.destroy();
  },
};
