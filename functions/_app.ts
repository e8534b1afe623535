/** Builds the app out of its parts. */
import { randomBytes } from "node:crypto";
import { ulid } from "ulid";
import type { Database } from "../db/database.ts";
import type { App, Clock, Invoke, Random } from "../shared/app.ts";
import { makeBatches } from "../shared/batch.ts";
import type { Config, LogLevel } from "../shared/config.ts";
import { type FileStore, NoStore } from "../shared/file_store.ts";
import type { Gateway } from "../shared/gateway.ts";
import { HeadWatcher } from "../shared/head_watcher.ts";
import { type Instrument, instrumented } from "../shared/instrument.ts";
import { Lanes } from "../shared/lanes.ts";
import { type Log, makeLog } from "../shared/log.ts";
import { holdMenus } from "../shared/menu.ts";
import { type Outbound, OutboundRefused } from "../shared/outbound.ts";
import type { Pages } from "../shared/page_files.ts";
import { type Push, Pushes, type WatchReceiver } from "../shared/pushes.ts";
import { Recent } from "../shared/recent.ts";
import { makeSecrets } from "../shared/secrets.ts";
import { makeTurns } from "../shared/turns.ts";
import { WebhookWatch } from "../shared/webhook_watch.ts";
import type { Wechat } from "../shared/wechat.ts";

export interface Parts {
  readonly config: Config;
  readonly db: Database;
  readonly gateway: Gateway;
  readonly invoke: Invoke;
  /** Only functions that talk to WeChat have it. */
  readonly wechat?: Wechat;
  /** Only functions that call other people's servers have it. */
  readonly outbound?: Outbound;
  /** Only functions that store, serve or remove files have it. */
  readonly store?: FileStore;
  /** Only the cloud's function of the pages has them; this machine serves them without a function. */
  readonly pages?: Pages;
  /** Whether a socket of this process reads the stream. Only where the sockets are this process's own. */
  readonly isRead?: (stream: string) => boolean;
  /** Likewise: watches of collections. */
  readonly watches?: WatchReceiver;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log: Log;
  /** What measures this process: nothing by default. */
  readonly instruments?: readonly Instrument[];
}

/** An app out of its parts. Parts that are not given are this machine's real ones. */
export function makeApp(parts: Parts): App {
  const {
    config,
    db,
    gateway,
    invoke,
    log,
    isRead,
    watches,
    store = noStore,
    pages = noPages,
    wechat = noWechat,
    outbound = noOutbound,
    instruments = [],
  } = parts;
  const clock = parts.clock ?? systemClock;
  const random = parts.random ?? makeRandom(clock);
  const around = (push: Push) => instrumented(instruments, push, (one, inner) => one.push?.(inner));
  const batchesOf = (of: "orders" | "arrivals") =>
    instrumented(instruments, makeBatches(config.limits.batch), (one, inner) => one.batches?.(inner, of));
  return {
    config,
    db,
    gateway,
    store,
    pages,
    invoke,
    pushes:
      isRead === undefined ? undefined : new Pushes({ db, gateway, log, now: clock.now, isRead, watches, around }),
    watches,
    wechat,
    outbound: instrumented(instruments, outbound, (one, inner) => one.outbound?.(inner)),
    clock,
    random,
    secrets: makeSecrets(config.signingKey, config.wechatKey),
    log,
    menus: holdMenus(db),
    batches: batchesOf("orders"),
    arrivals: batchesOf("arrivals"),
    orderOwners: new Recent(maxOrderOwners),
    turns: makeTurns(),
    headWatcher: new HeadWatcher({ db, clock }),
    webhooks: new WebhookWatch({ db, clock }),
    webhookLanes: new Lanes(webhookStreamsAtOnce),
  };
}

/** Orders of which a step needs no read before its flight. */
const maxOrderOwners = 20_000;

/** Streams of one webhook that are delivered at the same time. */
const webhookStreamsAtOnce = 8;

const noWechat: Wechat = {
  codeToSession() {
    throw new TypeError("this function does not talk to WeChat");
  },
};

const noCall = async () => {
  throw new OutboundRefused("this function calls no other server");
};
const noOutbound: Outbound = { post: noCall, get: noCall };

const noBytes = async () => {
  throw new NoStore("this function has no storage for files");
};
const noStore: FileStore = {
  put: noBytes,
  form: noBytes,
  beginParts: noBytes,
  part: noBytes,
  parts: noBytes,
  joinParts: noBytes,
  abandonParts: noBytes,
  find: noBytes,
  read: noBytes,
  write: noBytes,
  move: noBytes,
  remove: noBytes,
  fetch: noBytes,
};

const noPages: Pages = {
  find: () => undefined,
  picture() {
    throw new TypeError("this function has no pictures");
  },
};

/** Time that only goes forward, even when the clock is set. */
export const monotonicMs = () => performance.now();

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      const timer = setTimeout(done, ms);
      function done() {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        resolve();
      }
      if (signal?.aborted) done();
      else signal?.addEventListener("abort", done);
    }),
};

/** The log of a process that prints it. */
export const printedLog = (level: LogLevel): Log =>
  makeLog(level, systemClock.now, (line) => void process.stdout.write(line));

/** Ids and tags are made of bytes drawn this many at a time: a call of the system for each character costs more than the id. */
const poolBytes = 4_096;

export function makeRandom(clock: Clock): Random {
  let pool = Buffer.alloc(0);
  let used = 0;
  /** @returns where in the pool so many unused bytes begin */
  const draw = (bytes: number): number => {
    if (used + bytes > pool.length) {
      pool = randomBytes(poolBytes);
      used = 0;
    }
    used += bytes;
    return used - bytes;
  };
  const fraction = () => {
    const at = draw(4);
    return pool.readUInt32LE(at) / 2 ** 32;
  };
  return {
    id: () => ulid(clock.now(), fraction),
    // Not from the pool: a secret does not stay in memory beside others.
    secret: (bytes) => randomBytes(bytes).toString("base64url"),
    tag() {
      const at = draw(6);
      return pool.toString("base64url", at, at + 6);
    },
    fraction,
  };
}

/** One file, one function: its handler gets the app that the caller has, or the cloud's own. The signal says that the caller has left. */
export type Handler<Event, Answer> = (app: App) => (event: Event, signal?: AbortSignal) => Promise<Answer>;
