/** Frames of the connections: each is an invocation of $default, at once, up to a bound of their number. */
import type { Log } from "../../shared/log.ts";
import { SignalSource } from "../../shared/signal.ts";
import { CallerLeft } from "./bulkhead.ts";
import { forFrame } from "./compartments.ts";
import type { Connection, Connections } from "./connections.ts";
import { type Invoke, type InvokeOptions, logFailed } from "./invoke.ts";
import type { Limits } from "./limits.ts";
import type { SocketFunctions } from "./socket_functions.ts";

export interface FrameFaults {
  /** Serve a client's frame later, or never. */
  frame?(connection: string, text: string): "drop" | number | undefined;
}

export interface FrameQueueOptions {
  readonly invoke: Invoke;
  readonly limits: Limits;
  readonly log: Log;
  readonly connections: Connections;
  readonly faults: FrameFaults;
}

export interface FrameQueue {
  /** Takes the connection's next frame. */
  serve(connection: Connection, text: string): void;
  /** The client has gone: nothing more of it is served. */
  leave(connection: Connection): void;
}

/** A connection some of whose frames are being served. Most connections are idle at any time, and have none of this. */
interface Busy {
  readonly waiting: string[];
  serving: number;
  /** Fires when the client has gone. */
  readonly left: SignalSource;
}

/**
 * Frames do not wait for each other; but a connection has only so many at once, and only one while its compartment is
 * full. Beyond that the socket is paused, and the frames of its last packet wait here.
 */
export function frameQueue(
  { invoke, limits, log, connections, faults }: FrameQueueOptions,
  functions: SocketFunctions,
): FrameQueue {
  const all = new Map<Connection, Busy>();

  const invokeOptionsOf = ({ id, kind }: Connection, { left }: Busy, text: string): InvokeOptions => ({
    compartment: forFrame(kind, text),
    key: id,
    signal: left,
  });

  const mayServe = (connection: Connection, busy: Busy, text: string) =>
    busy.serving < limits.framesPerConnection &&
    (busy.serving === 0 || !invoke.isFullFor(invokeOptionsOf(connection, busy, text)));

  async function serveOne(connection: Connection, busy: Busy, text: string): Promise<void> {
    const { waiting, left } = busy;
    busy.serving += 1;
    await invokeDefault(connection, busy, text);
    busy.serving -= 1;
    if (left.aborted) waiting.length = 0;
    while (waiting[0] !== undefined && mayServe(connection, busy, waiting[0]))
      void serveOne(connection, busy, waiting.shift() as string);
    if (waiting.length > 0) return;
    if (connection.socket.isPaused) connection.socket.resume();
    if (busy.serving === 0) all.delete(connection);
  }

  async function invokeDefault(connection: Connection, busy: Busy, text: string): Promise<void> {
    const { id, info } = connection;
    const fault = faults.frame?.(id, text);
    if (fault === "drop") return;
    if (typeof fault === "number") await new Promise((resolve) => setTimeout(resolve, fault));
    const request = functions.nextRequest(info);
    try {
      await functions.message(text, request, invokeOptionsOf(connection, busy, text));
    } catch (error) {
      if (error instanceof CallerLeft) return;
      // AWS sends this when the integration failed.
      const body = { message: "Internal server error", connectionId: id, requestId: request.requestId };
      connections.send(id, JSON.stringify(body));
      logFailed(log, "$default", error);
    }
  }

  return {
    serve(connection, text) {
      const busy = all.get(connection) ?? { waiting: [], serving: 0, left: new SignalSource() };
      all.set(connection, busy);
      if (busy.waiting.length === 0 && mayServe(connection, busy, text)) return void serveOne(connection, busy, text);
      busy.waiting.push(text);
      connection.socket.pause();
    },
    leave: (connection) => all.get(connection)?.left.abort(),
  };
}
