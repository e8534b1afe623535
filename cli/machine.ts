/** Everything on this machine: the functions, the gateway, the clock. What `npm start`, `npm run serve` and the tests run. */
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Gateway } from "../apigateway/gateway.ts";
import type { Connections } from "../apigateway/local/connections.ts";
import { awsLimits } from "../apigateway/local/limits.ts";
import { localPictures } from "../apigateway/local/pictures.ts";
import { type Routes, readRoutes } from "../apigateway/local/routes.ts";
import { type Faults, type Limits, type LocalServer, startServer } from "../apigateway/local/server.ts";
import { dismiss, localGateway } from "../apigateway/local.ts";
import { removeConnectionsOf } from "../db/connections.ts";
import type { Database, Migrator } from "../db/database.ts";
import { sql } from "../db/sql.ts";
import { makeApp, makeRandom, systemClock } from "../functions/_app.ts";
import { caller } from "../functions/index.ts";
import type { App, Clock, Random } from "../shared/app.ts";
import { CatchUp } from "../shared/catch_up.ts";
import type { Config } from "../shared/config.ts";
import { SessionEnded } from "../shared/errors.ts";
import { refreshStale } from "../shared/public_state.ts";
import { checkScreens } from "../shared/screen.ts";
import { escalateAndExpire } from "../shared/take_step.ts";
import type { Wechat } from "../shared/wechat.ts";

export interface MachineOptions {
  readonly config: Config;
  readonly db: Database & Migrator;
  readonly wechat?: Wechat;
  readonly clock?: Clock;
  /** Takes the log's lines. */
  readonly write: (line: string) => void;
  readonly host: string;
  readonly port: number;
  readonly tls?: { readonly key: string; readonly cert: string } | undefined;
  readonly trustedProxies?: readonly string[];
  readonly files?: (request: IncomingMessage, response: ServerResponse, otherwise: () => void) => void;
  /** The folder of the dishes' pictures. */
  readonly pictures?: string;
  readonly limits?: Partial<Limits>;
  readonly faults?: Faults;
  readonly cloud?: "aws" | "tencent";
  /** Instead of sending in process: a gateway of a cloud, given the app's own parts. */
  readonly gateway?: (parts: GatewayParts) => Gateway;
  /** Instead of the functions of this process: others that answer to the same names. */
  readonly call?: (name: string, event: unknown) => Promise<unknown>;
  /** How often this process looks for what others did, and lets time pass. */
  readonly lookMs?: number;
  readonly tickMs?: number;
}

export interface GatewayParts {
  readonly db: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: () => App["log"];
  readonly connections: Connections;
}

export interface Machine {
  readonly app: App;
  readonly server: LocalServer;
  /** Calls a function by its name. */
  call(name: string, event: unknown): Promise<unknown>;
  /** Ends running work in bounded time. The database is the caller's to close. */
  stop(): Promise<void>;
}

/** The routes as they stand in serverless.yml at the project's root, but for those of `pages`: here its folders are at hand. */
export function projectRoutes(): Routes {
  const routes = readRoutes(readFileSync(new URL("../serverless.yml", import.meta.url), "utf8"));
  return { ...routes, http: routes.http.filter((route) => route.function !== "pages") };
}

export async function startMachine(options: MachineOptions): Promise<Machine> {
  const { db, clock = systemClock } = options;
  const processId = `local:${makeRandom(clock).id()}`;
  const config: Config = { ...options.config, callbackUrl: options.config.callbackUrl ?? processId };
  const routes = projectRoutes();
  let call: (name: string, event: unknown) => Promise<unknown> = async () => undefined;
  let app: App | undefined;

  const pictures =
    options.pictures === undefined
      ? undefined
      : localPictures({
          folder: options.pictures,
          signingKey: config.signingKey,
          now: clock.now,
          tag: makeRandom(clock).tag,
          log: () => made.log,
        });

  const server = await startServer({
    routes,
    call: (name, event) => call(name, event),
    log: { debug: log("debug"), info: log("info"), warn: log("warn"), error: (...line) => app?.log.error(...line) },
    host: options.host,
    port: options.port,
    tls: options.tls,
    files(request, response, otherwise) {
      if (pictures?.serve(request, response)) return;
      if (options.files === undefined) otherwise();
      else options.files(request, response, otherwise);
    },
    healthy: () =>
      db.read([sql`SELECT 1`]).then(
        () => true,
        () => false,
      ),
    trustedProxies: options.trustedProxies ?? [],
    ...(options.faults === undefined ? {} : { faults: options.faults }),
    ...(options.cloud === undefined ? {} : { cloud: options.cloud }),
    limits: { streamsPerConnection: config.limits.streamsPerConnection, ...options.limits },
    now: clock.now,
  });

  function log(level: "debug" | "info" | "warn"): App["log"]["info"] {
    return (...line) => app?.log[level](...line);
  }

  const { connections } = server;
  const ownLog = () => made.log;
  const gateway =
    options.gateway?.({ db, clock, random: makeRandom(clock), log: ownLog, connections }) ??
    localGateway({ connections, now: clock.now, sleep: clock.sleep, log: ownLog });
  const made = makeApp({
    config,
    db,
    gateway,
    ...(pictures === undefined ? {} : { files: pictures.port }),
    clock,
    write: options.write,
    ...(options.wechat === undefined ? {} : { wechat: options.wechat }),
    invoke: async (name, event) => void background(call(name, event)),
  });
  app = made;
  call = options.call ?? caller(made);

  // --- What goes on beside requests --------------------------------------------------------------------------------

  const running = new Set<Promise<unknown>>();
  /** Started, and not waited for; but `stop` waits for all of it. */
  function background(work: Promise<unknown>): void {
    const quiet = work.catch((error) => made.log.error("background", {}, error)).finally(() => running.delete(quiet));
    running.add(quiet);
  }

  const stopped = new AbortController();
  function every(ms: number, work: () => Promise<unknown>): void {
    background(
      (async () => {
        while (!stopped.signal.aborted) {
          await clock.sleep(ms, stopped.signal);
          if (!stopped.signal.aborted) await work().catch((error) => made.log.error("background", {}, error));
        }
      })(),
    );
  }

  const catchUp = new CatchUp(made, {
    streams: () => connections.streams(),
    published: (stream) => connections.published(stream),
    dismiss(sessions) {
      for (const connection of connections.all())
        if (connection.session !== undefined && sessions.has(connection.session))
          dismiss(connection, new SessionEnded());
    },
  });
  every(options.lookMs ?? 250, () => catchUp.look());
  // The schedules below are the cloud's; on this machine time passes by the second.
  every(options.tickMs ?? 1_000, async () => {
    await escalateAndExpire(made);
    await checkScreens(made);
    await refreshStale(made);
  });
  for (const schedule of routes.schedules) every(schedule.everyMs, () => call(schedule.function, schedule.input));

  return {
    app: made,
    server,
    call: (name, event) => call(name, event),
    async stop() {
      await server.stop();
      stopped.abort();
      // What hangs is not waited for: the next process of this shop shall start.
      const enough = new AbortController();
      await Promise.race([
        Promise.all(running),
        clock.sleep(options.limits?.stopMs ?? awsLimits.stopMs, enough.signal),
      ]);
      enough.abort();
      await db.flight({ statements: removeConnectionsOf(processId), repeatable: true }).catch(() => {});
    },
  };
}
