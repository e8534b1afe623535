/** Gateway adapter for the clouds: subscriptions are rows, because functions share no memory; pushes are HTTP requests. */
import {
  forgetLeft,
  leave,
  lockConnection,
  readConnection,
  readRights,
  readSubscribers,
  readSubscriptions,
  removeConnections,
  subscribe,
} from "../db/connections.ts";
import type { Database, Row } from "../db/database.ts";
import { maxLives } from "../db/sessions.ts";
import { readWatched } from "../db/watches.ts";
import type { Clock, Random } from "../shared/app.ts";
import { GrantInvalid, SessionEnded, SessionExpired } from "../shared/errors.ts";
import { errorFrame } from "../shared/frame.ts";
import type { Addressed, Gateway, Grant, Sent } from "../shared/gateway.ts";
import type { Log } from "../shared/log.ts";

/** Sends to and closes connections of one cloud. `gateway` is the address in the connection's row. */
export interface Pusher {
  post(gateway: string, connection: string, frame: string): Promise<Sent>;
  drop(gateway: string, connection: string): Promise<void>;
}

export interface RemoteOptions {
  readonly db: Database;
  readonly pusher: Pusher;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly maxStreams: number;
  /** How long the member of a room stays one whose connection is gone. */
  readonly graceMs: number;
  /** The address of every connection, if one serves all. */
  readonly address: string | undefined;
}

/** Pushes at once; AWS counts them with the shop's own requests. */
const parallel = 50;
const retries = 3;

export function remoteGateway({
  db,
  pusher,
  clock,
  random,
  log,
  maxStreams,
  graceMs,
  address,
}: RemoteOptions): Gateway {
  async function push(gateway: string, connection: string, frame: string, isKnown = true): Promise<Sent> {
    for (let tries = 0; ; tries++) {
      const sent = await pusher.post(gateway, connection, frame).catch((error): Sent => {
        log.warn("push.failed", { connection, code: reasonOf(error) });
        return "throttled";
      });
      if (sent === "gone" && isKnown) await removeGone(connection);
      if (sent !== "throttled" || tries === retries) return sent;
      await clock.sleep(40 * 2 ** tries * (0.5 + random.fraction()));
    }
  }

  /** Keeps a connection that is not open yet: until the gateway has the answer of ws_register, "gone" means "not there yet". */
  async function removeGone(connection: string): Promise<void> {
    log.info("gone", { connection });
    const statements = [lockConnection(connection)];
    const decide = ([rows = []]: Row[][]) =>
      rows[0]?.opened_at == null ? [] : removeConnections(db.dialect, [connection], clock.now() + graceMs);
    await db
      .flight({ statements, decide, repeatable: true })
      .catch((error) => log.error("forget", { connection }, error));
  }

  async function addressOf(connection: string): Promise<string | undefined> {
    if (address !== undefined) return address;
    const [rows] = await db.read([readConnection(connection)]);
    return rows?.[0] === undefined ? undefined : String(rows[0].gateway);
  }

  async function rightsOf(ids: readonly string[]): Promise<readonly Row[]> {
    const distinct = [...new Set(ids)];
    const chunks = Array.from({ length: Math.ceil(distinct.length / maxLives) }, (_, at) =>
      readRights(distinct.slice(at * maxLives, (at + 1) * maxLives)),
    );
    return chunks.length === 0 ? [] : (await db.read(chunks)).flat();
  }

  /** Locks the connection, so that two messages of it cannot both take its last subscription. */
  async function storeSubscription(
    connection: string,
    stream: string,
    number: number,
    active: boolean,
    grant?: Grant,
  ): Promise<Row[] | "full"> {
    let full = false;
    const { decided } = await db.flight({
      statements: [lockConnection(connection), readSubscriptions(connection)],
      decide([rows = [], before = []]) {
        const overtaken = before.some((row) => row.stream === stream && Number(row.number) > number);
        const others = before.filter((row) => row.active === 1 && row.stream !== stream).length;
        full = active && !overtaken && others >= maxStreams && rows.length > 0;
        if (full || rows.length === 0) return [];
        return [
          ...subscribe(db.dialect, connection, stream, number, active, grant),
          ...(before.length > 5 * maxStreams ? [forgetLeft(connection, number)] : []),
          readSubscriptions(connection),
        ];
      },
      repeatable: true,
    });
    return full ? "full" : (decided.at(-1) ?? []);
  }

  /** Ends the subscription and sends the error; without a session it closes the connection too. */
  async function endSubscription(row: Row, error: RightsError): Promise<void> {
    const [connection, stream] = [String(row.connection_id), String(row.stream)];
    const gateway = address ?? String(row.gateway);
    const about = error instanceof GrantInvalid ? { stream } : {};
    await db.flight({ statements: [leave(connection, stream, Number(row.number))], repeatable: true });
    await push(gateway, connection, errorFrame(error, about));
    if (!(error instanceof GrantInvalid)) await pusher.drop(gateway, connection).catch(() => {});
  }

  return {
    // Nothing to store: `publish` reads session and grant from their rows.
    renew: async () => {},
    async subscribe(connection, stream, number, grant) {
      const after = await storeSubscription(connection, stream, number, true, grant);
      if (after === "full") return "full";
      return after.some((row) => row.stream === stream && row.active === 1) ? "subscribed" : "left";
    },
    async unsubscribe(connection, stream, number) {
      await storeSubscription(connection, stream, number, false);
    },
    subscribers(streams) {
      const watchable = streams.filter((stream) => !/^(room|presence|board):/.test(stream));
      return [readSubscribers(streams), ...(watchable.length === 0 ? [] : [readWatched(watchable)])];
    },
    async publish(stream, frames, subscribers) {
      const now = clock.now();
      const readers = (subscribers[0] ?? []).filter((row) => row.stream === stream);
      const count = { sent: 0, gone: 0 };
      await forEachParallel(readers, parallel, async (row: Row) => {
        const error = rightsError(row, now);
        if (error !== undefined)
          return endSubscription(row, error).catch((error) =>
            log.error("turn_away", { connection: String(row.connection_id) }, error),
          );
        for (const frame of frames) {
          const sent = await push(address ?? String(row.gateway), String(row.connection_id), frame);
          if (sent === "gone") count.gone++;
          // The reader asks for the frames behind a lost one anyway.
          if (sent !== "sent") return;
        }
        count.sent++;
      });
      return { readers: readers.length, ...count };
    },
    async publishEach(frames, rows) {
      const now = clock.now();
      const known = rows ?? (await rightsOf(frames.map(({ connection }) => connection)));
      const byConnection = new Map(known.map((row) => [String(row.connection_id), row]));
      const framesOf = new Map<string, Addressed[]>();
      for (const one of frames) framesOf.set(one.connection, [...(framesOf.get(one.connection) ?? []), one]);
      const count = { sent: 0, gone: 0 };
      await forEachParallel([...framesOf], parallel, async ([connection, own]) => {
        const row = byConnection.get(connection);
        if (row === undefined) return;
        const at = address ?? String(row.gateway);
        const error = rightsError({ grant_version: null, ...row }, now);
        if (error !== undefined) {
          await push(at, connection, errorFrame(error));
          return pusher.drop(at, connection).catch(() => {});
        }
        for (const { frame } of own) {
          const sent = await push(at, connection, frame);
          if (sent === "gone") count.gone++;
          if (sent !== "sent") return;
          count.sent++;
        }
      });
      return { readers: framesOf.size, ...count };
    },
    async send(connection, frame, gateway) {
      const at = gateway ?? (await addressOf(connection));
      return at === undefined ? "gone" : push(at, connection, frame, gateway === undefined);
    },
    async close(connection, gateway) {
      const at = gateway ?? (await addressOf(connection));
      if (at !== undefined) await pusher.drop(at, connection).catch(() => {});
    },
  };
}

/** @returns why a subscriber may receive nothing any more, or undefined */
function rightsError(row: Row, now: number): RightsError | undefined {
  if (row.expires_at === null || row.ended_at !== null) return new SessionEnded();
  if (Number(row.expires_at) <= now) return new SessionExpired();
  if (row.grant_version === null) return undefined;
  const holds = Number(row.grant_until) > now && row.grant_version === row.room_version;
  return holds ? undefined : new GrantInvalid();
}

type RightsError = SessionEnded | SessionExpired | GrantInvalid;

/** `HTTP_403`, `TimeoutError`, `TypeError ENETUNREACH`: a time-out has only a name, an unreachable network only a cause. */
function reasonOf(error: unknown): string {
  const { code, name, cause } = error as { code?: unknown; name?: string; cause?: { code?: unknown } };
  // A DOMException's code is a number; its name says more.
  if (typeof code === "string") return code;
  return [name, cause?.code].filter((one) => one !== undefined && one !== "").join(" ");
}

/** Runs the work for each item, `width` at once. */
async function forEachParallel<T>(items: readonly T[], width: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: Math.min(width, items.length) }, async () => {
      for (const item of queue) await work(item);
    }),
  );
}
