/** Frames on their way to watches' clients, in the order in which they were made. What waits meanwhile goes together. */
import type { App } from "../app.ts";
import type { Addressed } from "../gateway.ts";

export class WatchOutbox {
  readonly #app: () => Pick<App, "gateway" | "log">;
  #waiting: Addressed[] = [];
  #sending: Promise<void> | undefined;

  constructor(app: () => Pick<App, "gateway" | "log">) {
    this.#app = app;
  }

  add(frame: Addressed): void {
    this.#waiting.push(frame);
  }

  /** Resolves when everything that was added has been sent. */
  send(): Promise<void> {
    this.#sending ??= this.#drain();
    return this.#sending;
  }

  async #drain(): Promise<void> {
    // What is added in the same turn of the event loop goes together.
    await undefined;
    while (this.#waiting.length > 0) {
      const frames = this.#waiting;
      this.#waiting = [];
      const { gateway, log } = this.#app();
      // A client that lacks a number asks for its list.
      await gateway.publishEach(frames).catch((error) => log.error("watch.push", { frames: frames.length }, error));
    }
    // In the same turn in which nothing was left: what is added next starts the next run.
    this.#sending = undefined;
  }
}
