/** Finds an opponent: two strangers who ask get the same game. Who asks twice gets the same game again. */
import type { Row } from "../../db/database.ts";
import {
  insertGame,
  lockGames,
  lockQueue,
  readOpenGames,
  readPresent,
  readRecentGames,
  readWaitingGames,
} from "../../db/games.ts";
import { insertRoom } from "../../db/rooms.ts";
import type { App } from "../app.ts";
import { RoomsOff } from "../errors.ts";
import type { Session } from "../sessions/session.ts";
import { change, type Decision } from "../streams/change.ts";
import { deliver } from "../streams/deliver.ts";
import { roomBounds, throwIfFull } from "../streams/room.ts";
import { serverMessage } from "../streams/room_messages.ts";
import { gameOf, isThere, rowOf, told } from "./referee.ts";
import { type Game, join, leave, newGame, type Side, sideOf } from "./rock_paper_scissors.ts";

const queue = "rps";
/** Waiting games that are looked at: those whose player has gone are ended one by one. */
const maxWaiting = 20;

/** What is to be done, by what was there a moment ago. */
type Plan =
  | { readonly what: "keep"; readonly game: Game }
  | { readonly what: "join"; readonly game: Game }
  /** Its other player has gone. */
  | { readonly what: "end"; readonly game: Game; readonly left: Side }
  | { readonly what: "begin" };

/** @throws RoomsOff, RoomsFull, TooManyRooms */
export async function findOpponent(app: App, session: Session, address: string): Promise<Game> {
  if (app.config.rooms.makers === "off") throw new RoomsOff();
  await throwIfFull(app);
  for (;;) {
    const plan = planOf(app, session.user, await look(app, session.user));
    if (plan.what === "keep") return plan.game;
    // Undefined: somebody else was faster, or there is one obstacle less. It is looked at again.
    const game = plan.what === "begin" ? await begin(app, session, address) : await carryOut(app, session.user, plan);
    if (game !== undefined) return game;
  }
}

const statements = (user: string) => [readOpenGames(user), readWaitingGames(maxWaiting)];

interface Seen {
  readonly own: readonly Game[];
  readonly waiting: readonly Game[];
  readonly present: readonly Row[];
}

async function look({ db, clock }: App, user: string): Promise<Seen> {
  const [own = [], waiting = []] = (await db.read(statements(user))).map((rows) => rows.map(gameOf));
  const rooms = [...own, ...waiting].map(({ room }) => room);
  const [present = []] = rooms.length === 0 ? [[]] : await db.read([readPresent(rooms, clock.now())]);
  return { own, waiting, present };
}

function planOf(app: App, user: string, { own, waiting, present }: Seen): Plan {
  const [mine] = own;
  if (mine !== undefined) {
    const opponent = sideOf(mine, user) === 0 ? 1 : 0;
    if (mine.status === "waiting" || isThere(app, mine, opponent, present)) return { what: "keep", game: mine };
    return { what: "end", game: mine, left: opponent };
  }
  const [game] = waiting;
  if (game === undefined) return { what: "begin" };
  return isThere(app, game, 0, present) ? { what: "join", game } : { what: "end", game, left: 0 };
}

/** Joins or ends a game, if under its lock that is still what is to be done. @returns the game that was joined */
async function carryOut(app: App, user: string, plan: Plan & { game: Game }): Promise<Game | undefined> {
  const now = app.clock.now();
  const { id, room, version } = plan.game;
  const message = serverMessage(app, room);
  const changed = await change<Game | undefined>(app, {
    locks: [...lockQueue(app.db.dialect, queue, now), lockGames([id])],
    streams: [`room:${room}`],
    reads: [...statements(user), readPresent([room], now), ...message.reads],
    decide(_, [own = [], waiting = [], present = [], ...ofRoom], heads) {
      const still = planOf(app, user, { own: own.map(gameOf), waiting: waiting.map(gameOf), present });
      if (still.what === "begin" || still.what !== plan.what) return { result: undefined };
      if (still.game.id !== id || still.game.version !== version) return { result: undefined };
      const next = still.what === "end" ? leave(still.game, still.left) : join(still.game, user, now);
      const result = still.what === "end" ? undefined : next;
      return next === undefined ? { result } : { ...told(message, next, { ofRoom, heads, now }), result };
    },
    repeatable: true,
  });
  await deliver(app, changed);
  return changed.result;
}

/** A new game, which waits in a room of its own. The room belongs to the game: no player can withdraw the other's grant. */
async function begin(app: App, session: Session, address: string): Promise<Game | undefined> {
  const now = app.clock.now();
  const [id, room] = [app.random.id(), app.random.id()];
  const { perHour } = app.config.rooms;
  const bounds = roomBounds(app, session, address, (since) => readRecentGames(session.user, since, perHour));
  const game = newGame({ id, room }, session.user, now);
  const { result } = await change(app, {
    locks: lockQueue(app.db.dialect, queue, now),
    streams: [`room:${room}`],
    reads: [...statements(session.user), ...bounds.reads],
    decide(_, [own = [], waiting = [], ...recent]): Decision<Game | undefined> {
      if (own.length > 0 || waiting.length > 0) return { result: undefined };
      bounds.check(recent);
      const writes = [insertRoom({ id: room, owner: id, ...bounds.hashes, at: now }), insertGame(rowOf(game), now)];
      return { writes, result: game };
    },
    repeatable: false,
  });
  return result;
}
