/** Frames of one connection: each is an invocation of $default, at once, up to a bound of their number. */
import type { Log } from "../../shared/log.ts";
import { CallerLeft } from "./bulkhead.ts";
import { forFrame } from "./compartments.ts";
import type { Connection, Connections } from "./connections.ts";
import { type Invoke, type InvokeOptions, TimedOut } from "./invoke.ts";
import type { Limits } from "./limits.ts";
import type { Handshake, SocketFunctions } from "./socket_functions.ts";

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

/**
 * Frames do not wait for each other; but a connection has only so many at once, and only one while its compartment is
 * full. Beyond that the socket is paused, and the frames of its last packet wait here.
 * @returns takes the connection's next frame
 */
export function frameQueue(
  { invoke, limits, log, connections, faults }: FrameQueueOptions,
  functions: SocketFunctions,
  { id, socket }: Connection,
  { info, caller, signal }: Handshake,
): (text: string) => void {
  const waiting: string[] = [];
  let serving = 0;

  const invokeOptionsOf = (text: string): InvokeOptions => ({ compartment: forFrame(caller, text), key: id, signal });

  const mayServe = (text: string) =>
    serving < limits.framesPerConnection && (serving === 0 || !invoke.isFullFor(invokeOptionsOf(text)));

  async function serve(text: string): Promise<void> {
    serving += 1;
    await invokeDefault(text);
    serving -= 1;
    if (signal.aborted) waiting.length = 0;
    while (waiting[0] !== undefined && mayServe(waiting[0])) void serve(waiting.shift() as string);
    if (waiting.length === 0 && socket.isPaused) socket.resume();
  }

  async function invokeDefault(text: string): Promise<void> {
    const fault = faults.frame?.(id, text);
    if (fault === "drop") return;
    if (typeof fault === "number") await new Promise((resolve) => setTimeout(resolve, fault));
    const request = functions.nextRequest(info);
    try {
      await functions.message(text, request, invokeOptionsOf(text));
    } catch (error) {
      if (error instanceof CallerLeft) return;
      // AWS sends this when the integration failed.
      const body = { message: "Internal server error", connectionId: id, requestId: request.requestId };
      connections.send(id, JSON.stringify(body));
      if (!(error instanceof TimedOut)) log.error("function", { function: "$default" }, error);
    }
  }

  return (text) => {
    if (waiting.length === 0 && mayServe(text)) return void serve(text);
    waiting.push(text);
    socket.pause();
  };
}
