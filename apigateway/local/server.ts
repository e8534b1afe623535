/**
 * API Gateway on this machine: HTTP API, WebSocket API and static files on one port, calling the functions with the events
 * that AWS sends, with its limits and its answers.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Log } from "../../shared/log.ts";
import { addressMatcher } from "../../shared/networks.ts";
import { hasBody } from "./bodies.ts";
import { BodyTimes } from "./body_times.ts";
import { headersOf, type RequestInfo } from "./build_events.ts";
import { CallerCache } from "./caller_cache.ts";
import { Connections } from "./connections.ts";
import type { StoreHttp } from "./files/serve.ts";
import { type Files, httpApi, type ObserveRequest, type Scrape } from "./http.ts";
import { HttpConnections } from "./http_connections.ts";
import { type Call, invoker } from "./invoke.ts";
import { awsLimits, type Limits } from "./limits.ts";
import { clientAddressReader, peerOf, serverAddressReader } from "./proxies.ts";
import type { Routes } from "./routes.ts";
import { type Faults, socketApi } from "./socket.ts";
import { untrustedProxies } from "./untrusted_proxies.ts";
import { waitAtMost } from "./wait_at_most.ts";

export type { Faults, Limits };

export interface ServerOptions {
  readonly routes: Routes;
  /** Calls a function by its name with an event. */
  readonly call: Call;
  readonly log: Log;
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly tls?: { readonly key: string; readonly cert: string } | undefined;
  readonly files?: Files | undefined;
  /** Serves `/store/…`. */
  readonly store?: StoreHttp | undefined;
  /** Whether the database answers, for /healthz. */
  readonly healthy: () => Promise<boolean>;
  readonly trustedProxies: readonly string[];
  readonly scrape?: Scrape | undefined;
  readonly observe?: ObserveRequest | undefined;
  readonly faults?: Faults;
  /** Which cloud's events the socket functions are called with. */
  readonly cloud?: "aws" | "tencent";
  readonly limits?: Partial<Limits>;
  readonly now?: () => number;
}

export interface LocalServer {
  readonly port: number;
  readonly connections: Connections;
  /** Ends running work and closes the sockets, whose clients reconnect; takes bounded time. */
  stop(): Promise<StillOpen>;
  /** Cuts the socket without a close frame, as a broken network does. */
  cut(connection: string): void;
}

/** What had not ended in the time of a stop, and was cut. */
export interface StillOpen {
  readonly requests: number;
  readonly sockets: number;
  /** Calls of functions. */
  readonly calls: number;
}

/** Request line and headers together. */
const maxHeaderBytes = 10_240;
/**
 * Connections that the system has made and Node has not accepted yet: it accepts one in each turn of the loop. When they are
 * too many the system drops the next, and its client tries again after 1, 3 and 7 seconds.
 */
const backlog = 4_096;
/** A peer that neither reads nor writes for this time during a request has gone. */
const silentMs = 120_000;
/** After `stopMs`: for the work that the cuts themselves cause. */
const graceMs = 500;

/** @throws TypeError for a trusted proxy that is no address; the error of `listen` about the port */
export async function startServer(options: ServerOptions): Promise<LocalServer> {
  const limits = { ...awsLimits, ...options.limits };
  const { log, routes, faults = {}, now = Date.now, cloud = "aws" } = options;
  const { streamsPerConnection: maxStreams, maxBufferBytes } = limits;
  const connections = new Connections({ maxStreams, maxBufferBytes, faults, now });
  const invoke = invoker(options.call, limits, log);
  const untrusted = untrustedProxies(log);
  const sourceIp = clientAddressReader(options.trustedProxies, untrusted.report);
  const isTrusted = addressMatcher(options.trustedProxies);
  const httpConnections = new HttpConnections({ limits, isTrusted });
  const callers = new CallerCache();
  const serverAddress = serverAddressReader(options.trustedProxies);
  let nextId = 0;
  let stopping = false;

  const newRequestId = () => `${now().toString(36)}-${(nextId++).toString(36)}`;
  const infoOf = (request: IncomingMessage): RequestInfo => {
    const { protocol, host } = serverAddress(request);
    return {
      requestId: newRequestId(),
      domainName: host,
      protocol,
      stage: "local",
      now: now(),
      sourceIp: sourceIp(request),
    };
  };

  const common = { routes, invoke, limits, log, infoOf, callers, isStopping: () => stopping };
  const { files, store, healthy, tls, scrape, observe } = options;
  const bodyTimes = new BodyTimes(limits.requestMs);
  const health = () => ({
    connections: connections.size,
    ...(untrusted.hasPrivate() ? { warning: "a proxy is not in TRUSTED_PROXIES" } : {}),
  });
  const http = httpApi({
    ...common,
    files,
    store,
    beginUpload(request) {
      bodyTimes.end(request);
      return httpConnections.beginWork(request.socket);
    },
    beginLargeBody: (request, response) => bodyTimes.begin(request, response, limits.largeRequestMs),
    healthy,
    health,
    scrape,
    observe,
    beginWork: ({ socket }) => httpConnections.beginWork(socket),
    endRequest: ({ socket }) => httpConnections.markIdle(socket),
    isSecure: ({ socket, headers }) =>
      tls !== undefined || (headers["x-forwarded-proto"] === "https" && isTrusted(peerOf(socket))),
  });
  const upgraded = (raw: Duplex) => httpConnections.remove(raw as Socket);
  const sockets = socketApi({ ...common, upgraded, connections, faults, cloud, now, newRequestId });

  const serverOptions = {
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: limits.headersMs,
    // BodyTimes has it.
    requestTimeout: 0,
    connectionsCheckingInterval: Math.min(5_000, Math.ceil(limits.headersMs / 3)),
    keepAliveTimeout: 65_000,
    // From Node 24.9 on; `declineUpgrade` is for those before.
    shouldUpgradeCallback: isWebSocket,
  };
  const serve = (request: IncomingMessage, response: ServerResponse) => {
    const { socket, method = "" } = request;
    // The headers have arrived; a body may follow.
    if (method === "GET" || method === "HEAD") httpConnections.markIdle(socket);
    else httpConnections.markReceiving(socket);
    if (hasBody(request)) bodyTimes.begin(request, response);
    http.serve(request, response);
  };
  const server: Server =
    tls === undefined
      ? createServer(serverOptions, serve)
      : createTlsServer({ ...serverOptions, ...tls, handshakeTimeout: limits.headersMs }, serve);
  server.on("connection", (socket: Socket) => httpConnections.add(socket));
  // The same connection as another object, which from now on is the one to close.
  server.on("secureConnection", (socket: Socket) => httpConnections.add(socket));
  server.setTimeout(silentMs);
  server.on("upgrade", (request, raw, head) => {
    raw.on("error", () => raw.destroy());
    if (isWebSocket(request)) sockets.upgrade(request, raw, head);
    else declineUpgrade(request, raw, head);
  });

  /**
   * With a listener for upgrades Node treats every offer as accepted, also the `h2c` of Java's clients. A server may ignore
   * an offer (RFC 9110, 7.8): the request is put back without it and read once more as HTTP/1.1.
   */
  function declineUpgrade(request: IncomingMessage, raw: Duplex, head: Buffer): void {
    const headers = headersOf(request).map(([name, value]) => `${name}: ${value}\r\n`);
    const text = `${request.method} ${request.url} HTTP/1.1\r\n${headers.join("")}\r\n`;
    raw.unshift(Buffer.concat([Buffer.from(text, "latin1"), head]));
    server.emit(tls === undefined ? "connection" : "secureConnection", raw);
  }

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port: options.port, host: options.host, backlog }, () => {
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
      sockets.closeAll();
      http.hurry();
      await waitAtMost(limits.stopMs, Promise.all([http.idle(), sockets.idle(), invoke.idle()]));
      const stillOpen = { requests: http.size(), sockets: connections.size, calls: invoke.size() };
      sockets.cut();
      server.closeAllConnections();
      await waitAtMost(graceMs, Promise.all([closed, sockets.idle(), invoke.idle()]));
      httpConnections.close();
      return stillOpen;
    },
  };
}

const isWebSocket = ({ headers }: IncomingMessage): boolean => headers.upgrade?.toLowerCase() === "websocket";
