/** The adapter to the gateway of this machine, in the same process. Subscriptions are in memory. */
import type { Row } from "../db/database.ts";
import { readEnded } from "../db/sessions.ts";
import { SessionEnded, SessionExpired, SlowReader } from "../shared/errors.ts";
import type { Log } from "../shared/log.ts";
import type { Gateway } from "./gateway.ts";
import type { Connection, Connections } from "./local/connections.ts";

export interface LocalOptions {
  readonly connections: Connections;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly log: () => Log;
}

/** How long back an ended session is looked for at each push; its sockets were closed long before. */
const endedMs = 60_000;
const retries = 4;

export function localGateway({ connections, now, sleep, log }: LocalOptions): Gateway {
  async function push(connection: Connection, frame: Buffer): Promise<void> {
    for (let tries = 0; ; tries++) {
      const sent = connections.send(connection.id, frame);
      if (sent === "gone") log().info("gone", { connection: connection.id });
      if (sent !== "throttled") return;
      if (tries === retries) {
        log().warn("slow", { connection: connection.id });
        return dismiss(connection, new SlowReader());
      }
      await sleep(20 * 2 ** tries * (0.5 + Math.random()));
    }
  }

  return {
    async renew({ connection, session, until }) {
      const known = connections.get(connection);
      if (known !== undefined) Object.assign(known, { session, until });
    },
    subscribe: async (connection, stream, number) => connections.subscribe(connection, stream, number),
    unsubscribe: async (connection, stream, number) => connections.unsubscribe(connection, stream, number),
    // The readers are known here; what another process may have ended is asked in the trip of the commit.
    audience: () => [readEnded(now() - endedMs)],
    async publish(stream, frames, audience) {
      const ended = new Set(audience[0]?.map((row: Row) => String(row.id)));
      const entitled = connections.readersOf(stream).filter((connection) => {
        if (connection.session !== undefined && ended.has(connection.session)) dismiss(connection, new SessionEnded());
        else if (connection.until <= now()) dismiss(connection, new SessionExpired());
        else return true;
        return false;
      });
      for (const frame of frames) connections.notePublished(stream, seqOf(frame));
      const bytes = frames.map((frame) => Buffer.from(frame));
      await Promise.all(
        entitled.map(async (connection) => {
          for (const frame of bytes) await push(connection, frame);
        }),
      );
    },
    send: async (connection, frame) => connections.send(connection, frame),
    async close(connection) {
      connections.get(connection)?.socket.close(1000);
    },
  };
}

/** The number in an `event` frame; a `head` frame has told of it only. */
function seqOf(frame: string): number {
  if (!frame.startsWith('{"type":"event"')) return 0;
  return Number(/"seq":(\d+)/.exec(frame)?.[1] ?? 0);
}

/** Tells why and closes. The gateway cuts a peer that has stopped reading. */
export function dismiss(
  { socket }: Connection,
  { code, message, retry }: SessionEnded | SessionExpired | SlowReader,
): void {
  socket.send(JSON.stringify({ type: "error", code, message, retry }));
  socket.close(1008);
}
