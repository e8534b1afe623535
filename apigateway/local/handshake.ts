/** WebSocket handshakes: $connect decides about each; only a handshake that it accepts becomes a connection. */
import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer, type ServerOptions as WsOptions } from "ws";
import type { Log } from "../../shared/log.ts";
import { SignalSource } from "../../shared/signal.ts";
import type { SocketResult, TencentResult } from "../events.ts";
import { type RequestInfo, type Target, targetOf } from "./build_events.ts";
import { CallerLeft, Overflow } from "./bulkhead.ts";
import type { Caller, CallerCache } from "./caller_cache.ts";
import type { Connections } from "./connections.ts";
import { logFailed, TimedOut } from "./invoke.ts";
import type { Limits } from "./limits.ts";
import type { Handshake, SocketFunctions } from "./socket_functions.ts";

export interface HandshakesOptions {
  readonly limits: Limits;
  readonly log: Log;
  readonly connections: Connections;
  readonly now: () => number;
  readonly infoOf: (request: IncomingMessage) => RequestInfo;
  readonly callers: CallerCache;
  /** The connection is no longer one for HTTP requests. */
  readonly upgraded: (raw: Duplex) => void;
  readonly isStopping: () => boolean;
}

export interface Handshakes {
  upgrade(request: IncomingMessage, raw: Duplex, head: Buffer): void;
  /** Ends the connections whose handshake is not finished. */
  cut(): void;
}

const socketPath = "/pgws";
/** So long a client may take to answer a close; then it is cut. */
const closeMs = 2_000;
/** Of all connections, for staff alone: a crowd of guests must not keep a kitchen out. */
const keptForStaff = 1 / 20;

/** @param opened takes each socket whose handshake was accepted */
export function handshakes(
  options: HandshakesOptions,
  functions: SocketFunctions,
  opened: (socket: WebSocket, raw: Duplex, handshake: Handshake) => void,
): Handshakes {
  const { limits, log, connections, now, isStopping } = options;
  const byRequest = new WeakMap<IncomingMessage, Handshake>();
  const unfinished = new Set<Duplex>();

  const wsOptions: WsOptions & { closeTimeout: number } = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: limits.maxMessageBytes,
    closeTimeout: closeMs,
    // Called only for a handshake that is well-formed, so no ticket is spent on a wrong one.
    verifyClient({ req }, decide: (accepted: boolean, status?: number) => void) {
      const answer = (status: number) => {
        const accepted = status < 300 && !isStopping();
        decide(accepted, status < 300 ? 503 : status);
        const { info } = byRequest.get(req) as Handshake;
        // $connect has stored the connection, but there is none: the client left meanwhile, or the server stops.
        if (status < 300 && connections.get(info.connectionId) === undefined) functions.disconnect(info, 1006, "");
      };
      authorize(req)
        .then(answer)
        .catch(() => req.socket.destroy());
    },
    // Only what $connect chose out of what the client offered gets into a header.
    handleProtocols(offered, request) {
      const { protocol } = byRequest.get(request) as Handshake;
      return protocol !== undefined && offered.has(protocol) ? protocol : false;
    },
  };
  const sockets = new WebSocketServer(wsOptions);

  function limitFor({ kind }: Caller): number {
    const { maxConnections } = limits;
    return kind === "staff" ? maxConnections : maxConnections - Math.floor(maxConnections * keptForStaff);
  }

  function begin(request: IncomingMessage, raw: Duplex, target: Target, from: RequestInfo, caller: Caller): Handshake {
    const info = {
      ...from,
      connectionId: newConnectionId(),
      connectedAt: now(),
      userAgent: request.headers["user-agent"] ?? "",
    };
    const left = new SignalSource();
    const closed = () => {
      unfinished.delete(raw);
      left.abort();
    };
    const handshake: Handshake = {
      info,
      caller,
      signal: left,
      target,
      protocol: undefined,
      end() {
        unfinished.delete(raw);
        raw.off("close", closed);
      },
    };
    byRequest.set(request, handshake);
    unfinished.add(raw);
    raw.on("close", closed);
    return handshake;
  }

  /** @returns the status that $connect answered. Until then there is no connection that a push could find. */
  async function authorize(request: IncomingMessage): Promise<number> {
    const handshake = byRequest.get(request) as Handshake;
    try {
      const verdict = verdictOf(await functions.connect(request, handshake));
      handshake.protocol = verdict.protocol;
      return verdict.status;
    } catch (error) {
      if (error instanceof Overflow) return error.own ? 429 : 503;
      if (error instanceof CallerLeft) return 503;
      logFailed(log, "$connect", error);
      return error instanceof TimedOut ? 504 : 502;
    }
  }

  return {
    upgrade(request, raw, head) {
      const target = targetOf(request);
      options.upgraded(raw);
      if (target?.path !== socketPath || !functions.areThere) return refuse(raw, 404);
      const from = options.infoOf(request);
      const caller = options.callers.ofHandshake(request, from.sourceIp);
      if (isStopping() || connections.size + unfinished.size >= limitFor(caller)) return refuse(raw, 503);
      const handshake = begin(request, raw, target, from, caller);
      sockets.handleUpgrade(request, raw, head, (socket) => {
        handshake.end();
        opened(socket, raw, handshake);
      });
    },
    cut() {
      for (const raw of unfinished) raw.destroy();
    },
  };
}

function refuse(raw: Duplex, status: number): void {
  raw.once("finish", () => raw.destroy());
  raw.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

/** Base64-like, as AWS's: it must be encoded before it is put into a path. */
function newConnectionId(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(11))).toString("base64");
}

function verdictOf(answer: SocketResult | TencentResult): { status: number; protocol?: string | undefined } {
  if ("errNo" in answer)
    return { status: answer.errNo === 0 ? 200 : 403, protocol: answer.websocket?.secWebSocketProtocol };
  const header = Object.entries(answer.headers ?? {}).find(([name]) => name.toLowerCase() === "sec-websocket-protocol");
  // A malformed answer refuses the upgrade.
  const status = STATUS_CODES[answer.statusCode] === undefined || answer.statusCode < 200 ? 502 : answer.statusCode;
  return { status, protocol: header?.[1] };
}
