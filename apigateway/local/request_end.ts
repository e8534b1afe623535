/** The end of a request: when its client leaves, and when its answer is out. */
import type { IncomingMessage, ServerResponse } from "node:http";

/** @returns is aborted when the client leaves before its answer */
export function abortedOnLeave({ socket }: IncomingMessage, response: ServerResponse): AbortController {
  const left = new AbortController();
  const end = () => {
    socket.off("close", end);
    if (!response.writableEnded) left.abort();
  };
  response.once("close", end);
  socket.once("close", end);
  if (socket.destroyed) end();
  return left;
}

/** Resolves when the answer is out, or cannot be any more: a response that waits behind another one never learns of that. */
export function answered({ socket }: IncomingMessage, response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off("close", done);
      resolve();
    };
    response.once("close", done);
    // One for each request that a client sent without waiting.
    socket.setMaxListeners(0).once("close", done);
  });
}

/** Resolves after the time, or as soon as the signal fires. */
export function delayed(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    if (signal.aborted) end();
    else signal.addEventListener("abort", end);
  });
}
