/**
 * API Gateway on this machine: HTTP API, WebSocket API and static files on one port, calling the functions with the events
 * that AWS sends, with its limits and its answers.
 */
import { createServer, type IncomingMessage, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { Log } from "../../shared/log.ts";
import { headersOf, type Known } from "./build.ts";
import { Connections } from "./connections.ts";
import { type Files, httpApi } from "./http.ts";
import { invoker } from "./invoke.ts";
import { awsLimits, type Limits } from "./limits.ts";
import { addressReader } from "./proxies.ts";
import type { Routes } from "./routes.ts";
import { type Faults, socketApi } from "./socket.ts";

export type { Faults, Limits };

export interface ServerOptions {
  readonly routes: Routes;
  /** Calls a function by its name with an event. */
  readonly call: (name: string, event: unknown) => Promise<unknown>;
  readonly log: Log;
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly tls?: { readonly key: string; readonly cert: string } | undefined;
  readonly files?: Files | undefined;
  /** Whether the database answers, for /healthz. */
  readonly healthy: () => Promise<boolean>;
  readonly trustedProxies: readonly string[];
  readonly faults?: Faults;
  /** Which cloud's events the socket functions are called with. */
  readonly cloud?: "aws" | "tencent";
  readonly limits?: Partial<Limits>;
  readonly now?: () => number;
}

export interface LocalServer {
  readonly port: number;
  readonly connections: Connections;
  /** Ends running work, tells the sockets to reconnect, and is done in bounded time. */
  stop(): Promise<void>;
  /** Cuts the socket without a word, as a broken network does. */
  cut(connection: string): void;
}

/** Request line and headers together. */
const maxHeaderBytes = 10_240;
/** A peer that neither reads nor writes for so long, while a request is under way, has gone. */
const silentMs = 120_000;
/** After the patience is over: for what the cuts themselves set off. */
const graceMs = 1_000;

/** @throws TypeError for a trusted proxy that is no address; what `listen` says of the port */
export async function startServer(options: ServerOptions): Promise<LocalServer> {
  const limits = { ...awsLimits, ...options.limits };
  const { log, routes, faults = {}, now = Date.now, cloud = "aws" } = options;
  const { streamsPerConnection: maxStreams, maxBufferBytes } = limits;
  const connections = new Connections({ maxStreams, maxBufferBytes, faults, now });
  const invoke = invoker(options.call, limits.concurrency);
  const sourceIp = addressReader(options.trustedProxies);
  let nextId = 0;
  let stopping = false;

  const newRequestId = () => `${now().toString(36)}-${(nextId++).toString(36)}`;
  const known = (request: IncomingMessage): Known => ({
    requestId: newRequestId(),
    domainName: request.headers.host ?? "localhost",
    stage: "local",
    now: now(),
    sourceIp: sourceIp(request),
  });

  const common = { routes, invoke, limits, log, known, isStopping: () => stopping };
  const { files, healthy } = options;
  const http = httpApi({ ...common, files, healthy, connected: () => connections.size });
  const sockets = socketApi({ ...common, connections, faults, cloud, now, newRequestId });

  const serverOptions = {
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    connectionsCheckingInterval: Math.min(5_000, limits.headersMs / 3),
    keepAliveTimeout: 65_000,
    // From Node 24.9 on; `stay` is for those before.
    shouldUpgradeCallback: isWebSocket,
  };
  const { tls } = options;
  const server: Server =
    tls === undefined
      ? createServer(serverOptions, http.serve)
      : createTlsServer({ ...serverOptions, ...tls, handshakeTimeout: limits.headersMs }, http.serve);
  server.setTimeout(silentMs);
  server.on("upgrade", (request, raw, head) => {
    raw.on("error", () => raw.destroy());
    if (isWebSocket(request)) sockets.upgrade(request, raw, head);
    else stay(request, raw, head);
  });

  /**
   * With a listener for upgrades Node takes every offer of one for accepted, also the `h2c` that Java's clients make.
   * We stay with HTTP/1.1 (RFC 9110, 7.8): the request is put back without the offer and read once more.
   */
  function stay(request: IncomingMessage, raw: Duplex, head: Buffer): void {
    const headers = headersOf(request).map(([name, value]) => `${name}: ${value}\r\n`);
    const text = `${request.method} ${request.url} HTTP/1.1\r\n${headers.join("")}\r\n`;
    raw.unshift(Buffer.concat([Buffer.from(text, "latin1"), head]));
    server.emit(tls === undefined ? "connection" : "secureConnection", raw);
  }

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, () => {
      server.off("error", reject);
      resolve();
    });
  });

  return {
    port: (server.address() as AddressInfo).port,
    connections,
    cut: (id) => connections.get(id)?.socket.terminate(),
    async stop() {
      stopping = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      sockets.farewell();
      await within(limits.stopMs, Promise.all([http.idle(), sockets.idle(), invoke.idle()]));
      sockets.cut();
      server.closeAllConnections();
      await within(graceMs, Promise.all([closed, sockets.idle(), invoke.idle()]));
    },
  };
}

const isWebSocket = ({ headers }: IncomingMessage): boolean => headers.upgrade?.toLowerCase() === "websocket";

/** Waits for the work, but not longer. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
