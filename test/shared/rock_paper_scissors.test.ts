/** The rules of rock, paper, scissors, and what a player may know. */
import fc from "fast-check";
import {
  type Choice,
  choices,
  type Game,
  join,
  type Move,
  newGame,
  play,
  publicView,
  type Side,
  viewFor,
  winnerOf,
} from "../../shared/games/rock_paper_scissors.ts";

const begun = () => join(newGame({ id: "g", room: "r" }, "a", 0), "b", 1);
const after = (game: Game, ...moves: [Side, Move][]): Game =>
  moves.reduce((now, [side, move]) => play(now, side, move) ?? now, game);
const choose = (side: Side, round: number, choice: Choice): [Side, Move] => [side, { move: "choose", round, choice }];

it.each([
  ["rock", "rock", null],
  ["rock", "paper", 1],
  ["rock", "scissors", 0],
  ["paper", "rock", 0],
  ["paper", "paper", null],
  ["paper", "scissors", 1],
  ["scissors", "rock", 1],
  ["scissors", "paper", 0],
  ["scissors", "scissors", null],
] as const)("%s against %s is won by %s", (first, second, winner) => {
  expect(winnerOf([first, second])).toBe(winner);
});

it("a match is won with two rounds, a draw counts for nobody, and the round's number goes on", () => {
  const drawn = after(begun(), choose(0, 1, "rock"), choose(1, 1, "rock"));
  expect(drawn).toMatchObject({ round: 2, wins: [0, 0], status: "playing", last: { round: 1, winner: null } });
  const won = after(drawn, choose(0, 2, "rock"), choose(1, 2, "paper"), choose(1, 3, "paper"), choose(0, 3, "rock"));
  expect(won).toMatchObject({
    round: 3,
    wins: [0, 2],
    status: "over",
    winner: 1,
    last: { choices: ["rock", "paper"] },
  });
  const one = after(won, [0, { move: "again", round: 3 }]);
  expect(one).toMatchObject({ status: "over", again: [true, false] });
  expect(after(one, [1, { move: "again", round: 3 }])).toMatchObject({
    status: "playing",
    round: 4,
    wins: [0, 0],
    winner: null,
    last: null,
  });
});

it("a move that is repeated, late, early or not possible does nothing", () => {
  const once = after(begun(), choose(0, 1, "rock"));
  for (const move of [choose(0, 1, "paper"), choose(0, 1, "rock"), choose(1, 2, "rock"), choose(1, 0, "rock")])
    expect(play(once, ...move)).toBeUndefined();
  expect(play(once, 0, { move: "again", round: 1 })).toBeUndefined();
  const next = after(once, choose(1, 1, "paper"));
  expect(play(next, 0, { move: "choose", round: 1, choice: "scissors" })).toBeUndefined();
  expect(
    play(newGame({ id: "g", room: "r" }, "a", 0), 0, { move: "choose", round: 1, choice: "rock" }),
  ).toBeUndefined();
  const ended = after(next, [0, { move: "leave" }]);
  expect(ended).toMatchObject({ status: "ended", winner: 1, left: 0 });
  for (const move of [{ move: "leave" }, { move: "again", round: 2 }, { move: "choose", round: 2, choice: "rock" }])
    expect(play(ended, 1, move as Move)).toBeUndefined();
});

const anyMove = fc.tuple(
  fc.constantFrom<Side>(0, 1),
  fc.oneof(
    fc.record({
      move: fc.constant("choose" as const),
      round: fc.integer({ min: 1, max: 6 }),
      choice: fc.constantFrom(...choices),
    }),
    fc.record({ move: fc.constant("again" as const), round: fc.integer({ min: 1, max: 6 }) }),
    { arbitrary: fc.constant({ move: "leave" as const }), weight: 0 },
  ),
);

it("whatever moves come, a player sees the same game whatever the other has chosen in this round", () => {
  fc.assert(
    fc.property(fc.array(anyMove, { maxLength: 40 }), (moves) => {
      const game = after(begun(), ...(moves as [Side, Move][]));
      for (const side of [0, 1] as const) {
        const other = side === 0 ? 1 : 0;
        if (game.chosen[other] === null) continue;
        const views = choices.map((choice) => {
          const chosen = [game.chosen[0], game.chosen[1]] as [Choice | null, Choice | null];
          chosen[other] = choice;
          return JSON.stringify([viewFor({ ...game, chosen }, side), publicView({ ...game, chosen })]);
        });
        expect(new Set(views).size).toBe(1);
      }
      // Nobody is stuck: who has not chosen may, and a match that is over may go on.
      expect(game.chosen.includes(null)).toBe(true);
      expect(Math.max(...game.wins)).toBe(game.status === "over" ? 2 : Math.min(1, Math.max(...game.wins)));
    }),
  );
});
