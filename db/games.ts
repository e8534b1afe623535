/** Statements on `games` and `game_queues`. */
import { among, type Dialect, insertRows } from "./dialect.ts";
import { raw, type Sql, type Statement, sql } from "./sql.ts";

const columns = raw("id, room_id, first_player, second_player, status, state, created_at");

/** Takes the queue's lock: who looks for an opponent does so alone. */
export function lockQueue(dialect: Dialect, name: string, at: number): Statement[] {
  const tail = sql`${dialect.onConflict(["name"])} used_at = ${dialect.incoming("used_at")}`;
  return insertRows(dialect, "game_queues", [{ name, used_at: at }], tail);
}

export function lockGames(ids: readonly string[]): Sql {
  return sql`SELECT id FROM games WHERE ${among(sql`id`, ids)} ORDER BY id FOR UPDATE`;
}

export function readGame(id: string): Sql {
  return sql`SELECT ${columns} FROM games WHERE id = ${id}`;
}

/** The games of a player that have not ended, the oldest first. */
export function readOpenGames(player: string): Sql {
  return sql`SELECT ${columns} FROM games WHERE (first_player = ${player} OR second_player = ${player}) AND status <> 'ended'
    ORDER BY created_at, id`;
}

/** Games that wait for a second player, the oldest first. */
export function readWaitingGames(limit: number): Sql {
  return sql`SELECT ${columns} FROM games WHERE status = 'waiting' ORDER BY created_at, id LIMIT ${limit}`;
}

/** The newest games that a player has begun, as many as the limit allows. */
export function readRecentGames(player: string, since: number, limit: number): Sql {
  return sql`SELECT created_at FROM games WHERE first_player = ${player} AND created_at > ${since}
    ORDER BY created_at DESC LIMIT ${limit}`;
}

/** Who is in the rooms now. */
export function readPresent(rooms: readonly string[], now: number): Sql {
  return sql`SELECT DISTINCT room_id, user_id FROM room_entries
    WHERE ${among(sql`room_id`, rooms)} AND exited = 0 AND lease_until > ${now}`;
}

export interface GameRow {
  readonly id: string;
  readonly room: string;
  readonly players: readonly [string, string | null];
  readonly status: string;
  /** JSON text. */
  readonly state: string;
}

export function insertGame({ id, room, players, status, state }: GameRow, at: number): Sql {
  return sql`INSERT INTO games (id, room_id, first_player, second_player, status, state, created_at, updated_at)
    VALUES (${id}, ${room}, ${players[0]}, ${players[1]}, ${status}, ${state}, ${at}, ${at})`;
}

export function updateGame({ id, players, status, state }: GameRow, at: number): Sql {
  return sql`UPDATE games SET second_player = ${players[1]}, status = ${status}, state = ${state}, updated_at = ${at}
    WHERE id = ${id}`;
}

/** Games that nobody has touched since. */
export function trimGames(before: number): Sql {
  return sql`DELETE FROM games WHERE updated_at < ${before}`;
}
