/**
 * People talk through tunnels while processes die, freeze and lose their database: a ledger of what each side said, and what
 * came. A client's words come as it said them, without a gap; pushes as well; and each tunnel that was open ends with one `close`.
 */
import { WebSocket } from "ws";
import { addChannel } from "../../shared/wafer/channels.ts";
import type { Engine } from "../_engines.ts";
import { openHouse } from "../_house.ts";
import { type Business, channelKey, openBusiness, pushTo, speak, tunnelFor } from "../wafer/_channel.ts";
import { Ledger } from "./_ledger.ts";
import { type Fault, makeRandom } from "./_plan.ts";
import { openStorage, World } from "./_world.ts";

/** Beside what every process of a fault run is told: short times, so that what was left is found soon. */
const environment = { CALLBACK_NETWORKS: "127.0.0.0/8", CALLBACK_TIMEOUT_MS: "500", TUNNEL_HEARTBEAT_SEC: "5" };
const clients = 4;
const settleMs = 90_000;

/** One tunnel, as both its ends know it. */
export interface Talk {
  readonly tunnel: string;
  said: number;
  /** What was said before a ping that was answered. */
  heard: number;
  pushed: number;
  readonly got: string[];
  isClosed: boolean;
  /** Its client was there until the end, and saw all that it could see. */
  stayed: boolean;
}

export interface TunnelOutcome {
  readonly findings: readonly string[];
  readonly figures: {
    readonly tunnels: number;
    readonly said: number;
    readonly called: number;
    readonly pushed: number;
  };
}

export async function runTunnelFaults(engine: Engine, seed: number, stormMs: number): Promise<TunnelOutcome> {
  const random = makeRandom(seed);
  const storage = await openStorage(engine);
  const business = await openBusiness();
  const house = await openHouse(engine, { db: storage.db });
  await addChannel(house.app, { host: business.host, key: channelKey, keepBodies: false });
  await house.stop();
  business.onCall = async ({ type }) => {
    await pause(random() * 40);
    return type === "message" && random() < 0.03 ? { status: 500 } : undefined;
  };
  const world = new World(engine, storage, new Ledger(), environment);
  await world.start(2);
  const urls = world.urls();
  const talks: Talk[] = [];
  let isStorm = true;
  const people = Array.from({ length: clients }, (_, at) =>
    talkOn({ url: urls[at % 2] as string, urls, business, talks, random, goesOn: () => isStorm }),
  );
  for (const { atMs, fault } of planTunnelFaults(random, stormMs)) {
    await pause(atMs);
    await world.break(fault);
  }
  await pause(500);
  await world.mended();
  isStorm = false;
  await Promise.all(people);
  const endsAt = Date.now() + settleMs;
  while (Date.now() < endsAt && talks.some((talk) => !isEnded(talk, business))) await pause(100);
  await world.stop();
  await business.close();
  await storage.remove();
  const called = talks.reduce((sum, { tunnel }) => sum + business.callsOf(tunnel).length, 0);
  const sum = (of: "said" | "pushed") => talks.reduce((all, talk) => all + talk[of], 0);
  return {
    findings: talks.flatMap((talk) => wrongsOf(talk, business.callsOf(talk.tunnel))),
    figures: { tunnels: talks.length, said: sum("said"), called, pushed: sum("pushed") },
  };
}

const isEnded = ({ tunnel, heard }: Talk, business: Business) => {
  const calls = business.callsOf(tunnel);
  return calls.length === 0 ? heard === 0 : calls.at(-1) === "close";
};

/** A call that was made again stands directly behind itself. */
const withoutRepeats = (all: readonly string[]) => all.filter((one, at) => one !== all[at - 1]);
const countOf = (all: readonly string[]) => withoutRepeats(all).length;
const words = (count: number) => Array.from({ length: count }, (_, at) => speak(at));

/** What cannot be, of all that both ends saw of a tunnel. */
export function wrongsOf({ tunnel, said, heard, pushed, got, stayed }: Talk, calls: readonly string[]): string[] {
  const wrongs: string[] = [];
  const seen = withoutRepeats(calls);
  if (seen.length > 0 || heard > 0) {
    const messages = seen.filter((one) => one.startsWith("message "));
    const right = ["connect", ...words(messages.length).map((word) => `message ${word}`), "close"];
    if (JSON.stringify(seen) !== JSON.stringify(right)) wrongs.push(`${tunnel} was called back with ${seen}`);
    if (messages.length < heard) wrongs.push(`${tunnel} lost ${heard - messages.length} of ${heard} messages`);
    if (messages.length > said) wrongs.push(`${tunnel} was told more than was said`);
  }
  const shown = withoutRepeats(got);
  if (JSON.stringify(shown) !== JSON.stringify(words(shown.length))) wrongs.push(`${tunnel} showed ${shown}`);
  if (stayed && shown.length < pushed) wrongs.push(`${tunnel} lost ${pushed - shown.length} of ${pushed} pushes`);
  return wrongs;
}

// --- People ----------------------------------------------------------------------------------------------------------

interface Scene {
  readonly url: string;
  readonly urls: readonly string[];
  readonly business: Business;
  readonly talks: Talk[];
  readonly random: () => number;
  readonly goesOn: () => boolean;
}

/** One phone: a tunnel, and a new one whenever it was closed. */
async function talkOn(scene: Scene): Promise<void> {
  while (scene.goesOn()) {
    const made = await tunnelFor(at(scene.url), scene.business).catch(() => undefined);
    const socket = made === undefined ? undefined : await opened(made.connectUrl);
    if (made === undefined || socket === undefined) {
      await pause(100);
      continue;
    }
    const talk: Talk = { tunnel: made.tunnelId, said: 0, heard: 0, pushed: 0, got: [], isClosed: false, stayed: false };
    scene.talks.push(talk);
    await Promise.all([say(scene, talk, socket), pushAll(scene, talk)]);
    // Pushes that were taken come.
    for (let tries = 0; tries < 100 && !talk.isClosed && countOf(talk.got) < talk.pushed; tries++) await pause(50);
    talk.stayed = !talk.isClosed;
    socket.terminate();
  }
}

async function say({ random, goesOn }: Scene, talk: Talk, socket: WebSocket): Promise<void> {
  const pings: number[] = [];
  socket.on("message", (data) => {
    const text = data.toString();
    if (text === "pong") talk.heard = Math.max(talk.heard, pings.shift() ?? 0);
    if (text.startsWith("message:")) talk.got.push(text.slice("message:".length));
  });
  socket.on("close", () => {
    talk.isClosed = true;
  });
  const send = (frame: string) => socket.send(frame, () => {});
  const ping = () => {
    pings.push(talk.said);
    send("ping");
  };
  while (goesOn() && !talk.isClosed) {
    for (let burst = 1 + Math.floor(random() * 3); burst > 0; burst--) send(`message:${speak(talk.said++)}`);
    if (random() < 0.3) ping();
    await pause(20 + random() * 60);
  }
  if (talk.isClosed) return;
  ping();
  for (let tries = 0; tries < 200 && !talk.isClosed && talk.heard < talk.said; tries++) await pause(50);
}

/** One after the other; what was not answered is pushed again. */
async function pushAll({ urls, business, random, goesOn }: Scene, talk: Talk): Promise<void> {
  while (goesOn() && !talk.isClosed) {
    const url = urls[Math.floor(random() * urls.length)] as string;
    const invalid = await pushTo(at(url), business, [talk.tunnel], speak(talk.pushed)).catch(() => undefined);
    if (invalid?.length === 0) talk.pushed += 1;
    else if (invalid !== undefined) return;
    await pause(20 + random() * 80);
  }
}

async function opened(url: string): Promise<WebSocket | undefined> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  socket.on("error", () => {});
  return new Promise((resolve) => {
    socket.once("open", () => resolve(socket));
    socket.once("close", () => resolve(undefined));
  });
}

/** What a business server needs of a house. */
const at = (url: string) => ({
  async http(method: string, path: string, { body }: { body?: unknown } = {}) {
    const signal = AbortSignal.timeout(5_000);
    const headers = { "content-type": "application/json" };
    const response = await fetch(url + path, { method, headers, body: JSON.stringify(body), signal });
    const text = await response.text();
    return { status: response.status, text, headers: response.headers, body: JSON.parse(text) };
  },
});

// --- Faults ----------------------------------------------------------------------------------------------------------

/** Of a tunnel's socket nothing is swallowed: TCP does not lose the middle of a stream. */
function planTunnelFaults(random: () => number, stormMs: number): { atMs: number; fault: Fault }[] {
  const plan: { atMs: number; fault: Fault }[] = [];
  for (let passed = 0; passed < stormMs; ) {
    const atMs = 400 + random() * 1_200;
    passed += atMs;
    const to = { process: random() < 0.5 ? 0 : 1, forMs: Math.round(200 + random() * 1_800) };
    const faults: Fault[] = [
      { kind: "kill", ...to },
      { kind: "stop", ...to },
      { kind: "freeze", ...to },
      { kind: "freeze", ...to },
      { kind: "cut", wire: "database", ...to },
      { kind: "cut", wire: "people", ...to },
      { kind: "silence", wire: "database", ...to },
      { kind: "lag", wire: "database", lagMs: 80, ...to },
      { kind: "terminate" },
    ];
    plan.push({ atMs, fault: faults[Math.floor(random() * faults.length)] as Fault });
  }
  return plan;
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
