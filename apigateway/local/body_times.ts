/**
 * The time in which a request's body must arrive. Node's own bound is for all requests alike, and uploads of files take longer than it.
 */
import type { IncomingMessage, ServerResponse } from "node:http";

const tooLate = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n";

export class BodyTimes {
  readonly #requestMs: number;
  readonly #timers = new WeakMap<IncomingMessage, NodeJS.Timeout>();

  constructor(requestMs: number) {
    this.#requestMs = requestMs;
  }

  /**
   * From now on the body has so much time; then the client gets the answer that Node would give it, and the connection ends.
   * @param ms for a route that takes larger bodies
   */
  begin(request: IncomingMessage, response: ServerResponse, ms = this.#requestMs): void {
    const { socket } = request;
    this.end(request);
    const timer = setTimeout(() => {
      if (request.complete) return;
      if (response.headersSent || !socket.writable) socket.destroy();
      else socket.end(tooLate, () => socket.destroy());
    }, ms).unref();
    const end = () => clearTimeout(timer);
    this.#timers.set(request, timer);
    request.once("end", end).once("close", end);
  }

  /** Another bound holds for this request. */
  end(request: IncomingMessage): void {
    clearTimeout(this.#timers.get(request));
  }
}
