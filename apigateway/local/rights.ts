/** Rights of the readers of this machine: sessions and grants, as the database has them behind a commit. */
import type { Database, Row } from "../../db/database.ts";
import { readGrantVersions } from "../../db/rooms.ts";
import { maxLives, readEnded, readLives } from "../../db/sessions.ts";
import type { Statement } from "../../db/sql.ts";
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
  /** Since when every connection's session has been read once more, at least. */
  readonly verifiedSince: () => number;
  readonly push: (connection: Connection, frames: FrameBatch) => unknown;
}

/** Rights by the database: sessions that live, and the versions of rooms' grants. */
export interface Rights {
  readonly lives: ReadonlyMap<string, Row>;
  readonly versions: ReadonlyMap<string, number>;
  /** Sessions that have ended, if it was asked since when. */
  readonly ended: ReadonlySet<string>;
}

export interface ReaderRights {
  /** Those of the connections whose sessions live at this moment. */
  alive(readers: readonly Connection[]): Promise<ReadonlySet<Connection>>;
  read(sessions: readonly string[], rooms: readonly string[], endedSince?: number): Promise<Rights>;
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
/** The room whose grants a reader of the stream needs; none for other streams. */
export const roomsOf = (stream: string) => /^(?:room|presence):(.+)/.exec(stream)?.slice(1) ?? [];

/** Each reader's session; a connection that has not authenticated yet has none. */
export const sessionsOf = (readers: readonly Connection[]) =>
  new Map(readers.flatMap((reader) => (reader.session === undefined ? [] : [[reader, reader.session] as const])));

const livesOf = (rows: readonly Row[]) => new Map(rows.map((row) => [String(row.id), row]));

const isValid = ({ version, until }: Grant, current: number | undefined, at: number) =>
  version === current && until > at;

/** Readers up to here are looked up each by its session. Of more it is asked which sessions have ended: that read does not grow with them. */
const fewReaders = 64;
/** A session's end is dated before its commit, by less than this. */
const commitMs = 60_000;

export function readerRights({ connections, db, now, verifiedSince, push }: ReaderRightsOptions): ReaderRights {
  async function read(sessions: readonly string[], rooms: readonly string[], endedSince?: number): Promise<Rights> {
    const chunks = Array.from({ length: Math.ceil(sessions.length / maxLives) }, (_, at) =>
      readLives(sessions.slice(at * maxLives, (at + 1) * maxLives)),
    );
    const [grants = [], ended = [], ...lives] = await readNamed([
      rooms.length === 0 ? undefined : readGrantVersions(rooms),
      endedSince === undefined ? undefined : readEnded(endedSince),
      ...chunks,
    ]);
    return {
      lives: livesOf(lives.flat()),
      versions: new Map(grants.map((row) => [String(row.id), Number(row.grant_version)])),
      ended: new Set(ended.map(({ id }) => String(id))),
    };
  }

  /** Leaves out what is not asked. */
  async function readNamed(statements: readonly (Statement | undefined)[]): Promise<Row[][]> {
    const rows = await db.read(statements.filter((one) => one !== undefined));
    let at = 0;
    return statements.map((one) => (one === undefined ? [] : (rows[at++] ?? [])));
  }

  function isAlive(reader: Connection, session: string | undefined, row: Row | undefined): boolean {
    // The connection continues with another token, which was verified just now.
    if (reader.session !== session) return true;
    if (row === undefined || row.ended_at !== null) closeWithError(reader, new SessionEnded());
    else if (Number(row.expires_at) <= now()) closeWithError(reader, new SessionExpired());
    else return true;
    return false;
  }

  function isNotEnded(reader: Connection, session: string, ended: Rights["ended"]): boolean {
    if (reader.session !== session || !ended.has(session)) return true;
    closeWithError(reader, new SessionEnded());
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
      const at = now();
      // Another process may have prolonged what has expired here.
      const isMany = readers.length > fewReaders;
      const unknown = readers.flatMap(({ connection: { session, until } }) =>
        session === undefined || known.has(session) || (isMany && until > at) ? [] : [session],
      );
      const rooms = roomsOf(stream);
      const needsRead = isMany || unknown.length > 0 || rooms.length > 0;
      const since = isMany ? verifiedSince() - commitMs : undefined;
      const rights = needsRead ? await read([...new Set(unknown)], rooms, since) : undefined;
      const versions = rights?.versions ?? new Map();
      return readers.filter((reader, nth) => {
        const session = sessions[nth];
        if (session === undefined) return false;
        const row = known.get(session) ?? rights?.lives.get(session);
        const isLiving =
          row === undefined && isMany
            ? isNotEnded(reader.connection, session, rights?.ended ?? new Set())
            : isAlive(reader.connection, session, row);
        return isLiving && isGranted(reader, stream, versions);
      });
    },
  };
}
