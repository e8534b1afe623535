/** WebSocket API on this machine: knocks, frames and closes become events for the functions. */
import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer, type ServerOptions as WsOptions } from "ws";
import { Stopping } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { SocketResult, TencentResult } from "../events.ts";
import {
  connectEvent,
  disconnectEvent,
  type Known,
  type KnownConnection,
  messageEvent,
  type Target,
  targetOf,
  tencentEvents,
} from "./build.ts";
import type { Connection, Connections, PushFaults } from "./connections.ts";
import { watchFrames } from "./frames.ts";
import { type Invoke, Overflow, TimedOut } from "./invoke.ts";
import type { Limits } from "./limits.ts";
import { Pending } from "./pending.ts";
import type { Routes } from "./routes.ts";

/** What a test may have the gateway do wrong; AWS does each of these now and then. */
export interface Faults extends PushFaults {
  /** Serve a client's frame later, or never. */
  frame?(connection: string, text: string): "drop" | number | undefined;
  /** Never tell of a closed connection. */
  dropDisconnect?: boolean;
}

export interface SocketApiOptions {
  readonly routes: Routes;
  readonly invoke: Invoke;
  readonly limits: Limits;
  readonly log: Log;
  readonly connections: Connections;
  readonly faults: Faults;
  /** Which cloud's events the functions are called with. */
  readonly cloud: "aws" | "tencent";
  readonly now: () => number;
  readonly known: (request: IncomingMessage) => Known;
  readonly newRequestId: () => string;
  readonly isStopping: () => boolean;
}

export interface SocketApi {
  upgrade(request: IncomingMessage, raw: Duplex, head: Buffer): void;
  /** Tells every client to come again, and closes. */
  farewell(): void;
  /** Does not wait for those who have not gone. */
  cut(): void;
  /** Resolves when nobody is connected. */
  idle(): Promise<void>;
}

const socketPath = "/pgws";
/** So long a client may take to answer a close; then it is cut. */
const closeMs = 2_000;

/** Somebody who asks to be let in. */
interface Knock {
  readonly about: KnownConnection;
  readonly target: Target;
  protocol: string | undefined;
}

export function socketApi(options: SocketApiOptions): SocketApi {
  const { routes, invoke, limits, log, connections, faults, cloud, now, known, newRequestId, isStopping } = options;
  const knocks = new WeakMap<IncomingMessage, Knock>();
  const knocking = new Set<Duplex>();
  const open = new Pending();

  /** A route that serverless.yml does not have is answered well by nobody. */
  async function call(route: string, event: unknown): Promise<unknown> {
    const name = routes.websocket.get(route);
    return name === undefined ? { statusCode: 200 } : invoke(name, event, limits.socketTimeoutMs);
  }

  // --- Opening -----------------------------------------------------------------------------------------------------

  const wsOptions: WsOptions & { closeTimeout: number } = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: limits.maxMessageBytes,
    closeTimeout: closeMs,
    // Asked only for a handshake that is right as such, so no ticket is spent on a wrong one.
    verifyClient({ req }, decide: (welcome: boolean, status?: number) => void) {
      const answer = (status: number) => {
        const welcome = status < 300 && !isStopping();
        decide(welcome, status < 300 ? 503 : status);
        const { about } = knocks.get(req) as Knock;
        // $connect has noted it, and yet there is none: the client left meanwhile, or we stop.
        if (status < 300 && connections.get(about.connectionId) === undefined) tellClosed(about, 1006, "");
      };
      knock(req)
        .then(answer)
        .catch(() => req.socket.destroy());
    },
    // Only what $connect echoed, and only what the client can have meant: nothing else gets into a header.
    handleProtocols(offered, request) {
      const { protocol } = knocks.get(request) as Knock;
      return protocol !== undefined && offered.has(protocol) ? protocol : false;
    },
  };
  const sockets = new WebSocketServer(wsOptions);

  function upgrade(request: IncomingMessage, raw: Duplex, head: Buffer): void {
    const target = targetOf(request);
    if (target?.path !== socketPath) refuse(raw, 404);
    else if (isStopping() || connections.size + knocking.size >= limits.maxConnections) refuse(raw, 503);
    else admit(request, raw, head, target);
  }

  function admit(request: IncomingMessage, raw: Duplex, head: Buffer, target: Target): void {
    const about: KnownConnection = {
      ...known(request),
      connectionId: newConnectionId(),
      connectedAt: now(),
      userAgent: request.headers["user-agent"] ?? "",
    };
    knocks.set(request, { about, target, protocol: undefined });
    knocking.add(raw);
    raw.once("close", () => knocking.delete(raw));
    sockets.handleUpgrade(request, raw, head, (socket) => {
      knocking.delete(raw);
      enter(socket, raw, about);
    });
  }

  /** Asks $connect; the status says what it said. Until then there is no connection that a push could find. */
  async function knock(request: IncomingMessage): Promise<number> {
    const own = knocks.get(request) as Knock;
    try {
      const event =
        cloud === "aws" ? connectEvent(request, own.target, own.about) : tencentEvents.connect(request, own.about);
      const verdict = verdictOf((await call("$connect", event)) as SocketResult | TencentResult);
      own.protocol = verdict.protocol;
      return verdict.status;
    } catch (error) {
      if (error instanceof Overflow) return 503;
      if (error instanceof TimedOut) return 504;
      log.error("function", { function: "$connect" }, error);
      return 502;
    }
  }

  // --- While it is open --------------------------------------------------------------------------------------------

  function enter(socket: WebSocket, raw: Duplex, about: KnownConnection): void {
    const connection: Connection = {
      id: about.connectionId,
      socket,
      raw,
      connectedAt: about.connectedAt,
      sourceIp: about.sourceIp,
      userAgent: about.userAgent,
      lastActiveAt: now(),
      session: undefined,
      until: Number.POSITIVE_INFINITY,
      streams: new Map(),
    };
    const serve = frameServer(connection, about);
    connections.add(connection);
    open.add(new Promise<void>((resolve) => socket.once("close", () => resolve())));
    (raw as Partial<Socket>).setNoDelay?.(true);
    watchFrames(raw, limits.maxFrameBytes, () => socket.close(1009));
    // A frame that broke a rule of the protocol: `ws` closes with the fitting code itself.
    socket.on("error", () => {});
    socket.on("message", (data: Buffer, isBinary) => {
      // What was in the same packet as a frame that broke a rule.
      if (socket.readyState !== socket.OPEN) return;
      if (isBinary) return socket.close(1003);
      connection.lastActiveAt = now();
      serve(data.toString("utf8"));
    });
    socket.on("close", (code, reason) => {
      connections.remove(connection);
      if (faults.dropDisconnect !== true) tellClosed(about, code, reason.toString());
    });
  }

  /**
   * Each frame is an invocation of its own, at once, whatever the others do; but a connection has only so many.
   * The socket is then read no further, and what its last packet still held waits.
   */
  function frameServer({ id, socket }: Connection, about: KnownConnection): (text: string) => void {
    const waiting: string[] = [];
    let serving = 0;

    async function serve(text: string): Promise<void> {
      serving += 1;
      await serveFrame(id, text, about);
      serving -= 1;
      const next = waiting.shift();
      if (next !== undefined) void serve(next);
      else if (socket.isPaused) socket.resume();
    }

    return (text) => {
      if (serving < limits.framesPerConnection) return void serve(text);
      waiting.push(text);
      socket.pause();
    };
  }

  async function serveFrame(connection: string, text: string, about: KnownConnection): Promise<void> {
    const fault = faults.frame?.(connection, text);
    if (fault === "drop") return;
    if (typeof fault === "number") await new Promise((resolve) => setTimeout(resolve, fault));
    const own = { ...about, now: now(), requestId: newRequestId() };
    try {
      await call(
        "$default",
        cloud === "aws" ? messageEvent(text, `${own.requestId}=`, own) : tencentEvents.message(text, own),
      );
    } catch (error) {
      // What AWS says when the integration failed.
      const body = { message: "Internal server error", connectionId: connection, requestId: own.requestId };
      connections.send(connection, JSON.stringify(body));
      if (!(error instanceof TimedOut || error instanceof Overflow))
        log.error("function", { function: "$default" }, error);
    }
  }

  /** Best effort, as on AWS: nothing depends on it. */
  function tellClosed(about: KnownConnection, code: number, reason: string): void {
    const own = { ...about, now: now(), requestId: newRequestId() };
    const event = cloud === "aws" ? disconnectEvent(code, reason, own) : tencentEvents.disconnect(own);
    call("$disconnect", event).catch(() => {});
  }

  // --- Closing -----------------------------------------------------------------------------------------------------

  const look = () => {
    for (const { socket, lastActiveAt, connectedAt } of connections.all())
      if (now() - lastActiveAt >= limits.idleMs || now() - connectedAt >= limits.durationMs)
        socket.close(1001, "Going away");
  };
  const looking = setInterval(look, Math.min(1_000, limits.idleMs / 4, limits.durationMs / 4)).unref();

  return {
    upgrade,
    farewell() {
      clearInterval(looking);
      const { code, message, retry } = new Stopping();
      const frame = JSON.stringify({ type: "error", code, message, retry });
      for (const { id, socket } of [...connections.all()]) {
        connections.send(id, frame);
        socket.close(1012);
      }
    },
    cut() {
      for (const { socket } of [...connections.all()]) socket.terminate();
      for (const raw of knocking) raw.destroy();
    },
    idle: () => open.idle(),
  };
}

function refuse(raw: Duplex, status: number): void {
  raw.once("finish", () => raw.destroy());
  raw.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

/** Base64-like, as AWS's: whoever puts one into a path must encode it. */
function newConnectionId(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(11))).toString("base64");
}

function verdictOf(answer: SocketResult | TencentResult): { status: number; protocol?: string | undefined } {
  if ("errNo" in answer)
    return { status: answer.errNo === 0 ? 200 : 403, protocol: answer.websocket?.secWebSocketProtocol };
  const header = Object.entries(answer.headers ?? {}).find(([name]) => name.toLowerCase() === "sec-websocket-protocol");
  // An answer that is none opens no door.
  const status = STATUS_CODES[answer.statusCode] === undefined || answer.statusCode < 200 ? 502 : answer.statusCode;
  return { status, protocol: header?.[1] };
}
