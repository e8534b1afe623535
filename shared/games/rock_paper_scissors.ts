/** Rock, paper, scissors: the rules, and what a player may know. Pure: a move makes another game out of a game, or none. */

export const choices = ["rock", "paper", "scissors"] as const;
export type Choice = (typeof choices)[number];

/** Which of the two players. */
export type Side = 0 | 1;
type Pair<T> = readonly [T, T];

/** Rounds that win a match. */
export const winsOfMatch = 2;

export interface Game {
  readonly id: string;
  readonly room: string;
  /** Users' ids. */
  readonly players: readonly [string, string | null];
  /** `over`: a match is won, and both may play another one. `ended`: a player has left, for good. */
  readonly status: "waiting" | "playing" | "over" | "ended";
  /** Grows with each change. */
  readonly version: number;
  /** Goes on from match to match, so that an old request never fits a later round. */
  readonly round: number;
  /** In this round. The one thing that the opponent must not know. */
  readonly chosen: Pair<Choice | null>;
  readonly wins: Pair<number>;
  /** The round before, which both have seen. */
  readonly last: { readonly round: number; readonly choices: Pair<Choice>; readonly winner: Side | null } | null;
  /** Who wants another match. */
  readonly again: Pair<boolean>;
  readonly winner: Side | null;
  /** Who has left. */
  readonly left: Side | null;
  /** When the last of those who are in it came, ms: who has just come may still be on the way into the room. */
  readonly cameAt: number;
}

export type Move =
  | { readonly move: "choose"; readonly round: number; readonly choice: Choice }
  | { readonly move: "again"; readonly round: number }
  | { readonly move: "leave" };

const put = <T>(pair: Pair<T>, side: Side, value: T): Pair<T> => (side === 0 ? [value, pair[1]] : [pair[0], value]);
const other = (side: Side): Side => (side === 0 ? 1 : 0);

export const newGame = (
  { id, room }: { readonly id: string; readonly room: string },
  player: string,
  now: number,
): Game => ({
  id,
  room,
  players: [player, null],
  status: "waiting",
  version: 1,
  round: 1,
  chosen: [null, null],
  wins: [0, 0],
  last: null,
  again: [false, false],
  winner: null,
  left: null,
  cameAt: now,
});

export const sideOf = ({ players }: Game, user: string): Side | undefined =>
  players[0] === user ? 0 : players[1] === user ? 1 : undefined;

/** A second player comes. */
export const join = (game: Game, player: string, now: number): Game =>
  changed(game, { players: [game.players[0], player], status: "playing", cameAt: now });

/** @returns the game after the move; undefined where the move does nothing: it is repeated, too late, or not possible now */
export function play(game: Game, side: Side, move: Move): Game | undefined {
  if (move.move === "leave") return leave(game, side);
  if (move.round !== game.round) return undefined;
  return move.move === "choose" ? choose(game, side, move.choice) : again(game, side);
}

function choose(game: Game, side: Side, choice: Choice): Game | undefined {
  if (game.status !== "playing" || game.chosen[side] !== null) return undefined;
  const [first, second] = put<Choice | null>(game.chosen, side, choice);
  return first === null || second === null ? changed(game, { chosen: [first, second] }) : reveal(game, [first, second]);
}

function reveal(game: Game, both: Pair<Choice>): Game {
  const winner = winnerOf(both);
  const wins = winner === null ? game.wins : put(game.wins, winner, game.wins[winner] + 1);
  const last = { round: game.round, choices: both, winner };
  const isWon = wins.includes(winsOfMatch);
  return changed(game, {
    chosen: [null, null],
    wins,
    last,
    ...(isWon ? { status: "over" as const, winner } : { round: game.round + 1 }),
  });
}

/** Each choice beats the one before it, and the first beats the last. */
export function winnerOf([first, second]: Pair<Choice>): Side | null {
  if (first === second) return null;
  return choices[(choices.indexOf(second) + 1) % choices.length] === first ? 0 : 1;
}

function again(game: Game, side: Side): Game | undefined {
  if (game.status !== "over" || game.again[side]) return undefined;
  const both = put(game.again, side, true);
  if (both.includes(false)) return changed(game, { again: both });
  return changed(game, {
    status: "playing",
    round: game.round + 1,
    wins: [0, 0],
    last: null,
    again: [false, false],
    winner: null,
  });
}

/** Who leaves during a match loses it. A choice that was made is never shown. */
export function leave(game: Game, side: Side): Game | undefined {
  if (game.status === "ended") return undefined;
  const winner = game.status === "playing" ? other(side) : game.winner;
  return changed(game, { status: "ended", chosen: [null, null], winner, left: side });
}

const changed = (game: Game, change: Partial<Game>): Game => ({ ...game, ...change, version: game.version + 1 });

/** What both players may know: that somebody has chosen, and not what. */
export const publicView = ({ chosen, room: _, cameAt: __, ...known }: Game) => ({
  ...known,
  chosen: [chosen[0] !== null, chosen[1] !== null] as const,
});

/** What this player may know. */
export const viewFor = (game: Game, side: Side) => ({
  ...publicView(game),
  room: game.room,
  you: side,
  choice: game.chosen[side],
});
