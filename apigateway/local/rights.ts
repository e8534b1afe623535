/** Rights of the readers of this machine: sessions and grants, as the database has them behind a commit. */
import type { Database, Row } from "../../db/database.ts";
import { readGrantVersions } from "../../db/rooms.ts";
import { maxLives, readLives } from "../../db/sessions.ts";
import { GrantInvalid, SessionEnded, SessionExpired } from "../../shared/errors.ts";
import { errorFrame } from "../../shared/frame.ts";
import type { Grant } from "../../shared/gateway.ts";
import { type Connection, type Connections, closeWithError } from "./connections.ts";
import { type FrameBatch, frameBatch } from "./frame_batch.ts";
import type { Subscription } from "./subscription.ts";

export interface ReaderRightsOptions {
  readonly connections: Connections;
  readonly db: Database;
  readonly now: () => number;
  readonly push: (connection: Connection, frames: FrameBatch) => unknown;
}

/** Rights by the database: sessions that live, and the versions of rooms' grants. */
export interface Rights {
  readonly lives: ReadonlyMap<string, Row>;
  readonly versions: ReadonlyMap<string, number>;
}

export interface ReaderRights {
  /** Those of the connections whose sessions live at this moment. */
  alive(readers: readonly Connection[]): Promise<ReadonlySet<Connection>>;
  read(sessions: readonly string[], rooms: readonly string[]): Promise<Rights>;
  /** Whether the session by which the reader's rights were read still lives. If not, the connection is closed. */
  isAlive(reader: Connection, session: string | undefined, row: Row | undefined): boolean;
  /** Whether the grant by which the reader subscribed is still valid. If not, the reader is unsubscribed. */
  isGranted(subscription: Subscription<Connection>, stream: string, versions: Rights["versions"]): boolean;
  /**
   * The readers who may get the committed events: their rights are read behind that commit. A connection that
   * subscribes during the read is not among them; it finds the pushed events in its backlog.
   * @param subscribers the rows of the gateway's `subscribers`, read in the commit
   */
  entitled(stream: string, subscribers: readonly Row[][]): Promise<readonly Subscription<Connection>[]>;
}

/** Streams without anything secret: a push does not check who reads. */
export const isPublic = (stream: string) => stream.startsWith("menu:") || stream.startsWith("board:");
export const roomsOf = (stream: string) => (stream.startsWith("room:") ? [stream.slice("room:".length)] : []);

/** Each reader's session; a connection that has not authenticated yet has none. */
export const sessionsOf = (readers: readonly Connection[]) =>
  new Map(readers.flatMap((reader) => (reader.session === undefined ? [] : [[reader, reader.session] as const])));

const livesOf = (rows: readonly Row[]) => new Map(rows.map((row) => [String(row.id), row]));

const isValid = ({ version, until }: Grant, current: number | undefined, at: number) =>
  version === current && until > at;

export function readerRights({ connections, db, now, push }: ReaderRightsOptions): ReaderRights {
  async function read(sessions: readonly string[], rooms: readonly string[]): Promise<Rights> {
    const chunks = Array.from({ length: Math.ceil(sessions.length / maxLives) }, (_, at) =>
      readLives(sessions.slice(at * maxLives, (at + 1) * maxLives)),
    );
    const rows = await db.read([...chunks, ...(rooms.length === 0 ? [] : [readGrantVersions(rooms)])]);
    const versions = (rows[chunks.length] ?? []).map((row) => [String(row.id), Number(row.grant_version)] as const);
    return { lives: livesOf(rows.slice(0, chunks.length).flat()), versions: new Map(versions) };
  }

  function isAlive(reader: Connection, session: string | undefined, row: Row | undefined): boolean {
    // The connection continues with another token, which was verified just now.
    if (reader.session !== session) return true;
    if (row === undefined || row.ended_at !== null) closeWithError(reader, new SessionEnded());
    else if (Number(row.expires_at) <= now()) closeWithError(reader, new SessionExpired());
    else return true;
    return false;
  }

  function isGranted(subscription: Subscription<Connection>, stream: string, versions: Rights["versions"]): boolean {
    const { active, grant, number, connection } = subscription;
    if (!active) return false;
    if (grant === undefined || isValid(grant, versions.get(roomsOf(stream)[0] ?? ""), now())) return true;
    connections.unsubscribe(connection.id, stream, number);
    push(connection, frameBatch([errorFrame(new GrantInvalid(), { stream })]));
    return false;
  }

  return {
    async alive(readers) {
      const sessions = sessionsOf(readers);
      if (sessions.size === 0) return new Set();
      const { lives } = await read([...new Set(sessions.values())], []);
      return new Set([...sessions].filter(([one, id]) => isAlive(one, id, lives.get(id))).map(([one]) => one));
    },
    read,
    isAlive,
    isGranted,
    async entitled(stream, subscribers) {
      const readers = connections.readersOf(stream);
      if (readers.length === 0) return [];
      if (isPublic(stream)) return readers.filter(({ connection }) => connection.until > now());
      const sessions = readers.map(({ connection }) => connection.session);
      const known = livesOf(subscribers[0] ?? []);
      const unknown = new Set(sessions.filter((id) => id !== undefined && !known.has(id)) as string[]);
      const rooms = roomsOf(stream);
      const rights = unknown.size === 0 && rooms.length === 0 ? undefined : await read([...unknown], rooms);
      const versions = rights?.versions ?? new Map();
      return readers.filter((reader, nth) => {
        const session = sessions[nth];
        return (
          session !== undefined &&
          isAlive(reader.connection, session, known.get(session) ?? rights?.lives.get(session)) &&
          isGranted(reader, stream, versions)
        );
      });
    },
  };
}
