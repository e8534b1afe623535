/** Calls of the functions behind the routes of the WebSocket API, with the events of AWS or of Tencent. */
import type { IncomingMessage } from "node:http";
import { never, type Signal } from "../../shared/signal.ts";
import type { SocketResult, TencentResult } from "../events.ts";
import {
  type ConnectionInfo,
  connectEvent,
  disconnectEvent,
  messageEvent,
  type Target,
  tencentEvents,
} from "./build_events.ts";
import type { Caller } from "./caller_cache.ts";
import { forClose, forHandshake } from "./compartments.ts";
import type { Invoke, InvokeOptions } from "./invoke.ts";
import type { Limits } from "./limits.ts";
import type { Routes } from "./routes.ts";

export interface SocketFunctionsOptions {
  readonly routes: Routes;
  readonly invoke: Invoke;
  readonly limits: Limits;
  /** Which cloud's events the functions are called with. */
  readonly cloud: "aws" | "tencent";
  readonly now: () => number;
  readonly newRequestId: () => string;
}

/** A client that asks for a socket. */
export interface Handshake {
  readonly info: ConnectionInfo;
  readonly caller: Caller;
  /** Fires when the client has gone. */
  readonly signal: Signal;
  readonly target: Target;
  /** The subprotocol that $connect chose. */
  protocol: string | undefined;
  /** The handshake is over: the connection is another's to watch. */
  end(): void;
}

export interface SocketFunctions {
  /** Whether there is a WebSocket API at all. */
  readonly areThere: boolean;
  /** The three reject as `invoke` does. */
  connect(request: IncomingMessage, handshake: Handshake): Promise<SocketResult | TencentResult>;
  message(text: string, info: ConnectionInfo, invokeOptions: InvokeOptions): Promise<void>;
  /** Best effort, as on AWS: nothing depends on it. */
  disconnect(info: ConnectionInfo, code: number, reason: string): void;
  /** The connection with the time and the id of one more request. */
  nextRequest(info: ConnectionInfo): ConnectionInfo;
}

export function socketFunctions(options: SocketFunctionsOptions): SocketFunctions {
  const { routes, invoke, limits, now, newRequestId } = options;
  const isAws = options.cloud === "aws";

  /** A route that serverless.yml does not have succeeds without a function. */
  async function call(route: string, event: unknown, invokeOptions: InvokeOptions): Promise<unknown> {
    const name = routes.websocket.get(route);
    if (name === undefined) return { statusCode: 200 };
    return invoke(name, () => event, limits.socketTimeoutMs, invokeOptions);
  }

  const nextRequest = (info: ConnectionInfo) => ({ ...info, now: now(), requestId: newRequestId() });

  return {
    areThere: routes.hasSocket,
    async connect(request, { info, caller, signal, target }) {
      const event = isAws ? connectEvent(request, target, info) : tencentEvents.connect(request, info);
      const compartment = forHandshake(caller, routes.websocket.get("$connect") ?? "");
      const result = await call("$connect", event, { compartment, key: caller.key, signal });
      return result as SocketResult | TencentResult;
    },
    async message(text, info, invokeOptions) {
      const event = isAws ? messageEvent(text, `${info.requestId}=`, info) : tencentEvents.message(text, info);
      await call("$default", event, invokeOptions);
    },
    disconnect(info, code, reason) {
      const next = nextRequest(info);
      const event = isAws ? disconnectEvent(code, reason, next) : tencentEvents.disconnect(next);
      // Reported even if everybody has left.
      const invokeOptions = { compartment: forClose, key: info.connectionId, signal: never };
      call("$disconnect", event, invokeOptions).catch(() => {});
    },
    nextRequest,
  };
}
