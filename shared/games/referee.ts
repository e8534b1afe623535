/** The referee: takes moves under the game's lock, and tells both players of a change at the same moment, by the game's room. */
import type { Row } from "../../db/database.ts";
import { type GameRow, lockGames, readGame, readPresent, updateGame } from "../../db/games.ts";
import type { Statement } from "../../db/sql.ts";
import type { Head } from "../../db/streams.ts";
import type { App } from "../app.ts";
import { iso } from "../day.ts";
import { GameUnknown } from "../errors.ts";
import type { Session } from "../sessions/session.ts";
import { change, type NewEvent } from "../streams/change.ts";
import { deliver } from "../streams/deliver.ts";
import { serverMessage } from "../streams/room_messages.ts";
import { type Game, leave, type Move, play, publicView, type Side, sideOf, viewFor } from "./rock_paper_scissors.ts";

/** How long the grant of a game's room holds. */
const grantMs = 24 * 3_600_000;

export const gameOf = (row: Row): Game => ({
  ...JSON.parse(String(row.state)),
  id: String(row.id),
  room: String(row.room_id),
  players: [String(row.first_player), row.second_player === null ? null : String(row.second_player)],
  status: row.status,
});

export function rowOf({ id, room, players, status, ...state }: Game): GameRow {
  return { id, room, players, status, state: JSON.stringify(state) };
}

/** What a player is answered: the game as it may be known, and the grant of its room. */
export function answerFor({ secrets, clock }: App, game: Game, user: string) {
  const expiresAt = clock.now() + grantMs;
  const grant = secrets.sign({ room: game.room, right: "write", version: 1, user, expiresAt });
  return { game: viewFor(game, side(game, user)), grant, expiresAt: iso(expiresAt) };
}

/** @throws GameUnknown also for a game of others */
function side(game: Game, user: string): Side {
  const found = sideOf(game, user);
  if (found === undefined) throw new GameUnknown(game.id);
  return found;
}

/** @throws GameUnknown */
export async function findGame(app: App, session: Session, id: string): Promise<Game> {
  const [rows] = await app.db.read([readGame(id)]);
  if (rows[0] === undefined) throw new GameUnknown(id);
  const game = gameOf(rows[0]);
  side(game, session.user);
  return game;
}

/** A move, or the question whether the opponent is still there. */
export type Asked = Move | { readonly move: "check" };

/**
 * Makes a player's move. One that is repeated, too late or not possible changes nothing, and tells nobody of it.
 * @returns the game after it @throws GameUnknown
 */
export async function makeMove(app: App, session: Session, id: string, asked: Asked): Promise<Game> {
  const { room } = await findGame(app, session, id);
  const now = app.clock.now();
  const message = serverMessage(app, room);
  const changed = await change(app, {
    locks: [lockGames([id])],
    streams: [`room:${room}`],
    reads: [readGame(id), readPresent([room], now), ...message.reads],
    decide(_, [rows = [], present = [], ...ofRoom], heads) {
      if (rows[0] === undefined) throw new GameUnknown(id);
      const game = gameOf(rows[0]);
      const own = side(game, session.user);
      const next = asked.move === "check" ? checked(app, game, own, present) : play(game, own, asked);
      if (next === undefined) return { result: game };
      return { ...told(message, next, { ofRoom, heads, now }), result: next };
    },
    repeatable: true,
  });
  await deliver(app, changed);
  return changed.result;
}

/** The opponent has left when nobody of theirs is in the room: their lease has ended. Just matched, they may be on the way. */
function checked(app: App, game: Game, own: Side, present: readonly Row[]): Game | undefined {
  if (game.status !== "playing" && game.status !== "over") return undefined;
  const opponent = own === 0 ? 1 : 0;
  return isThere(app, game, opponent, present) ? undefined : leave(game, opponent);
}

/** @param present rows of room and user */
export function isThere({ config, clock }: App, game: Game, side: Side, present: readonly Row[]): boolean {
  if (present.some((row) => row.room_id === game.room && row.user_id === game.players[side])) return true;
  return clock.now() - game.cameAt < config.rooms.graceMs;
}

interface OfRoom {
  /** What `serverMessage` has read. */
  readonly ofRoom: readonly Row[][];
  readonly heads: ReadonlyMap<string, Head>;
  readonly now: number;
}

/** The writes of a changed game, and the message that tells of it. */
export function told(
  message: ReturnType<typeof serverMessage>,
  game: Game,
  { ofRoom, heads, now }: OfRoom,
): { writes: Statement[]; events: NewEvent[] } {
  const said = { id: `v${game.version}`, sender: game.id, data: publicView(game) };
  const { writes, events } = message.put(said, { rows: ofRoom, heads, now });
  return { writes: [updateGame(rowOf(game), now), ...writes], events };
}
