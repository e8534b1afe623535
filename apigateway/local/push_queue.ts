/** Pushes to this machine's connections. Frames for a reader whose buffer is full wait here; other readers do not wait for it. */
import { SlowReader } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import { type Connection, type Connections, closeWithError } from "./connections.ts";

export interface PushQueueOptions {
  readonly connections: Connections;
  readonly sleep: (ms: number) => Promise<void>;
  readonly log: Log;
}

const retries = 4;
/** Frames that may wait for a reader whose buffer is full. */
const maxWaiting = 1_000;

/** @returns sends frames in their order, or queues them; "gone" if the connection is closed */
export function pushQueue({ connections, sleep, log }: PushQueueOptions) {
  const waiting = new Map<Connection, Buffer[]>();

  function push(connection: Connection, frames: readonly Buffer[]): "sent" | "gone" {
    const queue = waiting.get(connection);
    if (queue !== undefined) {
      queue.push(...frames);
      return "sent";
    }
    for (const [at, frame] of frames.entries()) {
      const sent = connections.send(connection.id, frame);
      if (sent === "sent") continue;
      if (sent === "gone") {
        log.info("gone", { connection: connection.id, session: connection.session });
        return "gone";
      }
      waiting.set(connection, frames.slice(at));
      void drain(connection);
      return "sent";
    }
    return "sent";
  }

  async function drain(connection: Connection): Promise<void> {
    const queue = waiting.get(connection) ?? [];
    let tries = 0;
    while (queue[0] !== undefined) {
      const sent = connections.send(connection.id, queue[0]);
      if (sent === "gone") break;
      if (sent === "sent") {
        queue.shift();
        tries = 0;
        continue;
      }
      if (tries === retries || queue.length > maxWaiting) {
        log.warn("slow", { connection: connection.id });
        closeWithError(connection, new SlowReader());
        break;
      }
      await sleep(20 * 2 ** tries * (0.5 + Math.random()));
      tries += 1;
    }
    waiting.delete(connection);
  }

  return push;
}
