/** What the gateways of the clouds have in common: no memory of ours, so subscriptions are rows; pushes are HTTP requests. */
import {
  forgetLeft,
  lockConnection,
  readAudience,
  readConnection,
  readSubscriptions,
  removeConnection,
  subscribe,
} from "../db/connections.ts";
import type { Database, Row } from "../db/database.ts";
import type { Clock, Random } from "../shared/app.ts";
import type { Log } from "../shared/log.ts";
import type { Gateway, Sent } from "./gateway.ts";

/** How one cloud is told to send and to close. `gateway` is what the connection's row says of where it is. */
export interface Pusher {
  post(gateway: string, connection: string, frame: string): Promise<Sent>;
  drop(gateway: string, connection: string): Promise<void>;
}

export interface RemoteOptions {
  readonly db: Database;
  readonly pusher: Pusher;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: () => Log;
  readonly maxStreams: number;
  /** Where every connection is, if one address serves all. */
  readonly address: string | undefined;
}

/** Pushes under way at once; AWS counts them with the shop's own requests. */
const parallel = 50;
const retries = 3;

export function remoteGateway({ db, pusher, clock, random, log, maxStreams, address }: RemoteOptions): Gateway {
  async function push(gateway: string, connection: string, frame: string): Promise<Sent> {
    for (let tries = 0; ; tries++) {
      const sent = await pusher.post(gateway, connection, frame).catch((error): Sent => {
        log().warn("push.failed", { connection, code: String((error as { code?: unknown }).code ?? "") });
        return "throttled";
      });
      if (sent === "gone") await forget(connection);
      if (sent !== "throttled" || tries === retries) return sent;
      await clock.sleep(40 * 2 ** tries * (0.5 + random.fraction()));
    }
  }

  /** Not open yet: the gateway does not know the answer of ws_register, so "gone" means "not there yet". */
  async function forget(connection: string): Promise<void> {
    log().info("gone", { connection });
    const statements = [lockConnection(connection)];
    const decide = ([rows = []]: Row[][]) => (rows[0]?.opened_at == null ? [] : removeConnection(connection));
    await db
      .flight({ statements, decide, repeatable: true })
      .catch((error) => log().error("forget", { connection }, error));
  }

  async function addressOf(connection: string): Promise<string | undefined> {
    if (address !== undefined) return address;
    const [rows] = await db.read([readConnection(connection)]);
    return rows?.[0] === undefined ? undefined : String(rows[0].gateway);
  }

  /** Under the lock of the connection, so that two messages of it do not both take the last place. */
  async function note(connection: string, stream: string, number: number, active: boolean): Promise<Row[] | "full"> {
    let full = false;
    const { decided } = await db.flight({
      statements: [lockConnection(connection), readSubscriptions(connection)],
      decide([rows = [], before = []]) {
        const overtaken = before.some((row) => row.stream === stream && Number(row.number) > number);
        const others = before.filter((row) => row.active === 1 && row.stream !== stream).length;
        full = active && !overtaken && others >= maxStreams && rows.length > 0;
        if (full || rows.length === 0) return [];
        return [
          ...subscribe(db.dialect, connection, stream, number, active),
          ...(before.length > 5 * maxStreams ? [forgetLeft(connection, number)] : []),
          readSubscriptions(connection),
        ];
      },
      repeatable: true,
    });
    return full ? "full" : (decided.at(-1) ?? []);
  }

  return {
    // The rows say who is entitled: publish joins the session as it is at that moment.
    renew: async () => {},
    async subscribe(connection, stream, number) {
      const after = await note(connection, stream, number, true);
      if (after === "full") return "full";
      return after.some((row) => row.stream === stream && row.active === 1) ? "subscribed" : "left";
    },
    async unsubscribe(connection, stream, number) {
      await note(connection, stream, number, false);
    },
    audience: (streams) => [readAudience(streams, clock.now())],
    async publish(stream, frames, audience) {
      const readers = (audience[0] ?? []).filter((row) => row.stream === stream);
      await eachOf(readers, parallel, async (row: Row) => {
        for (const frame of frames) {
          const sent = await push(address ?? String(row.gateway), String(row.connection_id), frame);
          // What is behind a lost frame is asked for anyway.
          if (sent !== "sent") return;
        }
      });
    },
    async send(connection, frame) {
      const at = await addressOf(connection);
      return at === undefined ? "gone" : push(at, connection, frame);
    },
    async close(connection) {
      const at = await addressOf(connection);
      if (at !== undefined) await pusher.drop(at, connection).catch(() => {});
    },
  };
}

/** Works through a list, so many at once. */
async function eachOf<T>(items: readonly T[], width: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: Math.min(width, items.length) }, async () => {
      for (const item of queue) await work(item);
    }),
  );
}
