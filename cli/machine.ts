/** Runs functions, gateway and clock on this machine, for `npm start`, `npm run serve` and the tests. */
import { setMaxListeners } from "node:events";
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Connections } from "../apigateway/local/connections.ts";
import { type LocalFileStore, localFileStore } from "../apigateway/local/file_store.ts";
import type { Scrape } from "../apigateway/local/http.ts";
import type { Call } from "../apigateway/local/invoke.ts";
import { localPictures, type Pictures } from "../apigateway/local/pictures.ts";
import { type Part, type Routes, readRoutes, routesOf } from "../apigateway/local/routes.ts";
import { type Faults, type Limits, type LocalServer, type StillOpen, startServer } from "../apigateway/local/server.ts";
import { waitAtMost } from "../apigateway/local/wait_at_most.ts";
import { type LocalOptions, localGateway } from "../apigateway/local.ts";
import { removeConnectionsOf } from "../db/connections.ts";
import type { Database, Migrator } from "../db/database.ts";
import { limitConnections } from "../db/limited_connections.ts";
import { sql } from "../db/sql.ts";
import { makeApp, makeRandom, monotonicMs, systemClock } from "../functions/_app.ts";
import { makeOutbound } from "../functions/_outbound.ts";
import { caller } from "../functions/index.ts";
import type { App, Clock, Random } from "../shared/app.ts";
import { makeBatches } from "../shared/batch.ts";
import type { Config } from "../shared/config.ts";
import { DatabaseClock } from "../shared/database_clock.ts";
import type { FileStore } from "../shared/file_store.ts";
import type { Gateway } from "../shared/gateway.ts";
import { instrumented } from "../shared/instrument.ts";
import { ensureIndexes } from "../shared/live/ensure_indexes.ts";
import { MemoryWatches } from "../shared/live/watch_memory.ts";
import { type Log, makeLog } from "../shared/log.ts";
import { escalateAndExpire } from "../shared/ordering/take_step.ts";
import type { Outbound } from "../shared/outbound.ts";
import { refreshStale } from "../shared/shop/public_state.ts";
import { CatchUp } from "../shared/streams/catch_up.ts";
import { endLeases } from "../shared/streams/members.ts";
import { checkPresence } from "../shared/streams/presence.ts";
import { closeTunnelsAt, hasTunnels, sendStoredElsewhere, sweepTunnels } from "../shared/wafer/sweep_tunnels.ts";
import { startDueWebhooks, sweepWebhooks } from "../shared/webhooks/sweep_webhooks.ts";
import type { Wechat } from "../shared/wechat.ts";
import { lineSeenBy, type MachineInstrument, requestSeenBy } from "./machine_instrument.ts";

export interface MachineOptions {
  readonly config: Config;
  readonly db: Database & Migrator;
  readonly wechat?: Wechat;
  /** Default: calls from this process. */
  readonly outbound?: Outbound;
  /** Default: the database's, which all processes share. */
  readonly clock?: Clock;
  /** Writes a line of the log. */
  readonly write: (line: string) => void;
  readonly host: string;
  readonly port: number;
  readonly tls?: { readonly key: string; readonly cert: string } | undefined;
  readonly trustedProxies?: readonly string[];
  readonly files?: (request: IncomingMessage, response: ServerResponse, otherwise: () => void) => void;
  /** The folder of the dishes' pictures from before files. */
  readonly pictures?: string;
  /** The folder of files, which this process serves at `/store/`. */
  readonly filesFolder?: string;
  /** The bytes of files, where they are not in that folder. */
  readonly store?: FileStore;
  readonly limits?: Partial<Limits>;
  readonly faults?: Faults;
  readonly cloud?: "aws" | "tencent";
  /** Makes another gateway, such as a cloud's. Default: the one in this process. */
  readonly gateway?: (parts: GatewayParts) => Gateway;
  /** Calls functions elsewhere. Default: those of this process. */
  readonly call?: Call;
  /** The interval at which this process reads other processes' changes and runs due jobs. */
  readonly lookMs?: number;
  /** Serves this part alone: no sockets, no pages, and orders are another process's. */
  readonly only?: Part | undefined;
  readonly tickMs?: number;
  /** What measures this process: nothing by default. */
  readonly instruments?: readonly MachineInstrument[];
  /** GET /metrics, where this port has it. */
  readonly scrape?: Scrape | undefined;
}

export interface GatewayParts {
  readonly db: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly connections: Connections;
}

export interface Machine {
  readonly app: App;
  readonly server: LocalServer;
  /** Calls a function by its name. */
  call(name: string, event: unknown): Promise<unknown>;
  /** Ends running work in bounded time. The caller closes the database. */
  stop(): Promise<StillOpen & { readonly background: number }>;
}

/** After STOP_MS: for background work, and for the last statements to the database. */
const backgroundMs = 1_000;
const lastFlightMs = 2_000;

let known: Routes | undefined;

/** The routes of serverless.yml, read once, without those of `pages`: its files are served from their folders here. */
export function projectRoutes(): Routes {
  if (known !== undefined) return known;
  const routes = readRoutes(readFileSync(new URL("../serverless.yml", import.meta.url), "utf8"));
  known = { ...routes, http: routes.http.filter((route) => route.function !== "pages") };
  return known;
}

/** The interval at which uploads that have ended without a file are removed. */
const sweepFilesMs = 3_600_000;

/** The interval at which the database's clock is read. */
const clockMs = 1_000;

export const partsOfLocal = ({ db, clock, log, connections }: GatewayParts): LocalOptions => ({
  db,
  connections,
  log,
  now: clock.now,
  sleep: clock.sleep,
});

/** The dishes' pictures from before files, where this process serves them. */
function picturesOf({ pictures, only }: MachineOptions, log: Log): Pictures | undefined {
  return pictures === undefined || only !== undefined ? undefined : localPictures({ folder: pictures, log });
}

/** The files' storage on this machine, where this process serves it. */
function storeOf({ filesFolder, only, config }: MachineOptions, clock: Clock, log: Log): LocalFileStore | undefined {
  if (filesFolder === undefined || only !== undefined) return undefined;
  const { signingKey } = config;
  const { secret } = makeRandom(clock);
  return localFileStore({ folder: filesFolder, signingKey, now: clock.now, fileTime: systemClock.now, secret, log });
}

export async function startMachine(options: MachineOptions): Promise<Machine> {
  const { instruments = [] } = options;
  const db = instrumented(instruments, options.db, (one, inner) => one.database?.(inner));
  const shared = new DatabaseClock(db, { sleep: systemClock.sleep, monotonicMs });
  if (options.clock === undefined) await shared.sync();
  const clock = options.clock ?? shared;
  const processId = `local:${makeRandom(clock).id()}`;
  const config: Config = { ...options.config, callbackUrl: options.config.callbackUrl ?? processId };
  const { only } = options;
  const routes = only === undefined ? projectRoutes() : routesOf(projectRoutes(), only);
  const log = makeLog(config.logLevel, clock.now, options.write, lineSeenBy(instruments));
  let call: Call = async () => undefined;

  const pictures = picturesOf(options, log);
  const localStore = storeOf(options, clock, log);
  const store = options.store ?? localStore?.port;
  const server = await startServer({
    routes,
    call: (name, event, asked) => call(name, event, asked),
    log,
    host: options.host,
    port: options.port,
    tls: options.tls,
    files(request, response, otherwise) {
      if (pictures?.serve(request, response)) return;
      if (options.files === undefined || only !== undefined) otherwise();
      else options.files(request, response, otherwise);
    },
    store: localStore?.serve,
    healthy: () =>
      db.read([sql`SELECT 1`]).then(
        () => true,
        () => false,
      ),
    trustedProxies: options.trustedProxies ?? [],
    scrape: options.scrape,
    observe: requestSeenBy(instruments, routes),
    ...(options.faults === undefined ? {} : { faults: options.faults }),
    ...(options.cloud === undefined ? {} : { cloud: options.cloud }),
    limits: { streamsPerConnection: config.limits.streamsPerConnection, ...options.limits },
    now: clock.now,
  });

  const stopped = new AbortController();
  // Every sleep adds a listener, and Node would warn of the eleventh.
  setMaxListeners(0, stopped.signal);
  const { connections } = server;
  const parts: GatewayParts = { db, clock, random: makeRandom(clock), log, connections };
  const gateway = options.gateway?.(parts) ?? localGateway(partsOfLocal(parts));
  // The sockets are here.
  const watches = gateway.verify === undefined ? undefined : new MemoryWatches(() => app);
  const app: App = makeApp({
    config,
    db,
    gateway,
    ...(store === undefined ? {} : { store }),
    clock,
    log,
    ...(options.wechat === undefined ? {} : { wechat: options.wechat }),
    instruments,
    outbound:
      options.outbound ?? makeOutbound({ networks: config.outbound.networks, now: monotonicMs, keepAlive: true }),
    ...(watches === undefined ? {} : { isRead: (stream) => connections.isRead(stream), watches }),
    invoke: async (name, event) => void background(run(name, event, name === "fan_out")),
  });
  // Work of guests leaves some connections free for kitchens and orders.
  for (const { look } of instruments) look?.(app, connections);
  const urgent = caller(app);
  const others = caller({
    ...app,
    arrivals: instrumented(instruments, makeBatches(config.limits.batch), (one, inner) =>
      one.batches?.(inner, "arrivals"),
    ),
    db: limitConnections(db, Math.max(1, Math.floor((config.maxDatabaseConnections * 2) / 3))),
  });
  const own: Call = (name, event, asked) => (asked.urgent ? urgent : others)(name, event, asked.signal);
  call = instrumented(instruments, options.call ?? own, (one, inner) => one.call?.(inner));
  const run = (name: string, event: unknown, urgent = true) => call(name, event, { urgent, signal: stopped.signal });

  // --- Background work ---------------------------------------------------------------------------------------------

  const running = new Set<Promise<unknown>>();
  /** Starts work that only `stop` waits for. */
  function background(work: Promise<unknown>): void {
    const quiet = work.catch((error) => log.error("background", {}, error)).finally(() => running.delete(quiet));
    running.add(quiet);
  }

  function every(ms: number, work: () => Promise<unknown>): void {
    background(
      (async () => {
        while (!stopped.signal.aborted) {
          await clock.sleep(ms, stopped.signal);
          if (!stopped.signal.aborted) await work().catch((error) => log.error("background", {}, error));
        }
      })(),
    );
  }

  if (only === undefined) background(ensureIndexes(app));
  if (localStore !== undefined) {
    background(localStore.sweep());
    every(sweepFilesMs, () => localStore.sweep());
  }
  const lookMs = options.lookMs ?? 250;
  if (app.pushes !== undefined) {
    const catchUp = new CatchUp({ db, pushes: app.pushes, sleep: clock.sleep }, () => [
      ...new Set([...connections.streams(), ...(watches?.streams() ?? [])]),
    ]);
    every(lookMs, () => catchUp.run());
  }
  every(lookMs, async () => gateway.verify?.());
  if (clock === shared) every(clockMs, () => shared.sync());
  // The schedules below are the cloud's, once a minute; on this machine these run once a second.
  const tickMs = options.tickMs ?? 1_000;
  if (only === undefined) {
    every(tickMs, async () => {
      await escalateAndExpire(app);
      await checkPresence(app);
      await endLeases(app);
      await refreshStale(app);
    });
    let ownsTunnels = false;
    every(tickMs, async () => {
      await sweepTunnels(app);
      ownsTunnels = await hasTunnels(app);
    });
    every(lookMs, async () => {
      if (ownsTunnels) await sendStoredElsewhere(app);
    });
    let ticks = 0;
    every(tickMs, async () => {
      // Other processes' webhooks; and unread events of a process that died: right after the start, then now and then.
      if ((await app.webhooks.refresh()).size === 0) return;
      await (ticks++ % 30 === 0 ? sweepWebhooks(app) : startDueWebhooks(app));
    });
    every(lookMs, async () => {
      const streams = app.webhooks.take();
      if (streams.length > 0) await app.invoke("call_back", { streams });
    });
  }
  for (const schedule of routes.schedules) every(schedule.everyMs, () => run(schedule.function, schedule.input));

  return {
    app,
    server,
    call: (name, event) => run(name, event),
    async stop() {
      stopped.abort();
      watches?.stop();
      const stillOpen = await server.stop();
      // Work that hangs is not waited for: systemd and Docker kill after 20 s, and the next process must start.
      await waitAtMost(backgroundMs, Promise.all([...running, app.pushes?.idle()]));
      const background = running.size;
      const removed = db
        .flight({ statements: removeConnectionsOf(processId, clock.now() + config.rooms.graceMs), repeatable: true })
        .catch(() => {});
      const closed = closeTunnelsAt(app, processId).catch((error) => log.error("tunnel.stop", {}, error));
      await waitAtMost(lastFlightMs, Promise.all([removed, closed]));
      return { ...stillOpen, background };
    },
  };
}
