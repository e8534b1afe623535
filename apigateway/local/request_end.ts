/** Requests that have no answer yet: when the client leaves, and when the answer is out. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { type Signal, SignalSource } from "../../shared/signal.ts";

export class OpenRequests {
  /** The ends of a socket's requests. A response that waits behind another one never learns that its socket has closed. */
  readonly #bySocket = new WeakMap<Socket, Set<() => void>>();
  #open = 0;
  #waiting: (() => void)[] = [];

  get size(): number {
    return this.#open;
  }

  /**
   * @param ended is called when the answer is out, or cannot be any more
   * @returns fires when the client has left, or must not wait any more
   */
  begin({ socket }: IncomingMessage, response: ServerResponse, ended: () => void): SignalSource {
    const request = new SignalSource();
    const ends = this.#endsOf(socket);
    const end = () => {
      if (!ends.delete(end)) return;
      if (!response.writableEnded) request.abort();
      ended();
      this.#open -= 1;
      if (this.#open === 0) for (const resolve of this.#waiting.splice(0)) resolve();
    };
    this.#open += 1;
    ends.add(end);
    response.once("close", end);
    if (socket.destroyed) end();
    return request;
  }

  #endsOf(socket: Socket): Set<() => void> {
    const known = this.#bySocket.get(socket);
    if (known !== undefined) return known;
    const ends = new Set<() => void>();
    this.#bySocket.set(socket, ends);
    socket.once("close", () => {
      for (const end of ends) end();
    });
    return ends;
  }

  /** Resolves when every request has its answer. */
  async idle(): Promise<void> {
    if (this.#open > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

/** Resolves after the time, or as soon as the signal fires. */
export function delayed(ms: number, signal: Signal): Promise<void> {
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
