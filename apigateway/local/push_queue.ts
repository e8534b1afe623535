/** Pushes to this machine's connections. Frames for a reader whose buffer is full wait here; other readers do not wait for it. */
import { SlowReader } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import { type Connection, type Connections, closeWithError } from "./connections.ts";
import type { FrameBatch } from "./frame_batch.ts";

export interface PushQueueOptions {
  readonly connections: Connections;
  readonly sleep: (ms: number) => Promise<void>;
  readonly log: Log;
}

const retries = 4;
/** Frames that may wait for a reader whose buffer is full. */
const maxWaiting = 1_000;
/** Bytes of those that may be left out. One frame may be larger. */
const maxOptionalBytes = 4 * 1_024 * 1_024;

interface Waiting {
  readonly frames: FrameBatch;
  /** Its reader notices when it is left out, and asks. So it is not the reason to close a slow reader. */
  readonly isOptional: boolean;
}

/** Sends frames in their order, or queues them; "gone" if the connection is closed. */
export type Push = (connection: Connection, frames: FrameBatch, isOptional?: boolean) => "sent" | "gone";

export function pushQueue({ connections, sleep, log }: PushQueueOptions): Push {
  const waiting = new Map<Connection, Waiting[]>();

  function push(connection: Connection, frames: FrameBatch, isOptional = false): "sent" | "gone" {
    const queue = waiting.size === 0 ? undefined : waiting.get(connection);
    if (queue !== undefined) {
      queue.push({ frames, isOptional });
      if (isOptional) leaveOut(connection, queue);
      return "sent";
    }
    const sent = connections.sendTo(connection, frames);
    if (sent === "gone") log.info("gone", { connection: connection.id, session: connection.session });
    else if (sent === "throttled") {
      waiting.set(connection, [{ frames, isOptional }]);
      void drain(connection);
    }
    return sent === "gone" ? "gone" : "sent";
  }

  /** Of optional frames that wait, all or none: a reader that lacks one has no use for those behind it. */
  function leaveOut(connection: Connection, queue: Waiting[]): void {
    const optional = queue.filter((one) => one.isOptional);
    const bytes = optional.reduce((sum, { frames }) => sum + frames.bytes.length, 0);
    const count = countFrames(optional);
    if (count <= maxWaiting && (bytes <= maxOptionalBytes || count === 1)) return;
    log.debug("slow.left_out", { connection: connection.id, frames: count });
    queue.splice(0, queue.length, ...queue.filter((one) => !one.isOptional));
  }

  async function drain(connection: Connection): Promise<void> {
    const queue = waiting.get(connection) ?? [];
    let tries = 0;
    for (let next = queue[0]; next !== undefined; next = queue[0]) {
      const sent = connections.sendTo(connection, next.frames);
      if (sent === "gone") break;
      if (sent === "sent") {
        queue.shift();
        tries = 0;
        continue;
      }
      if (!next.isOptional && (tries >= retries || countFrames(queue) > maxWaiting)) {
        log.warn("slow", { connection: connection.id });
        closeWithError(connection, new SlowReader());
        break;
      }
      await sleep(20 * 2 ** Math.min(tries, retries) * (0.5 + Math.random()));
      // However short the pause: the reader's socket needs its turn of the event loop.
      await new Promise((resolve) => setImmediate(resolve));
      tries += 1;
    }
    waiting.delete(connection);
  }

  return push;
}

const countFrames = (queue: readonly Waiting[]) => queue.reduce((sum, { frames }) => sum + frames.texts.length, 0);
