/**
 * Two clients who send anything at any time to the referee of rock, paper, scissors, on every engine. Judged by a ledger of what was
 * sent and of everything that came: nobody learns a choice early, every result is right, and no game is stuck.
 */
import type { Choice } from "../../shared/games/rock_paper_scissors.ts";
import { trim } from "../../shared/shop/sweep.ts";
import { onEveryEngine } from "../_engines.ts";
import { type Answer, type House, openHouse, type Person, type TestSocket } from "../_house.ts";
import { until } from "../_until.ts";

const choices = ["rock", "paper", "scissors"] as const;
/** Written once more, by hand: what beats what. */
const beats: Readonly<Record<Choice, Choice>> = { rock: "scissors", paper: "rock", scissors: "paper" };

/** A generator with a seed (mulberry32): a failing test names it. */
function chance(seed: number) {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return { next, one: <T>(list: readonly T[]) => list[Math.floor(next() * list.length)] as T };
}

// What the tests read of a game: answers are checked against openapi.yaml by themselves.
// biome-ignore lint/suspicious/noExplicitAny: a test's own assertion is the type check here
type Seen = any;

interface Player {
  readonly person: Person;
  readonly socket: TestSocket;
  readonly side: 0 | 1;
}

onEveryEngine((engine) => {
  let house: House;
  const sockets: TestSocket[] = [];
  beforeAll(async () => {
    house = await openHouse(engine, { environment: { EXAMPLES: "on", ROOMS_PER_HOUR: "1000" } });
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.close();
  });
  afterAll(() => house.close());

  const find = (person: Person) => person.http("POST", "/games");
  const move = (person: Person, game: string, body: object) => person.http("POST", `/games/${game}/moves`, { body });

  /** Enters the game's room and hears it. */
  async function attend(person: Person, { game, grant }: Seen): Promise<TestSocket> {
    const socket = await person.connect();
    sockets.push(socket);
    const headers = { "x-grant": grant };
    const { position } = (await person.http("GET", `/rooms/${game.room}/messages`, { headers })).body;
    expect((await socket.resume({ ...position, grant })).type).toBe("resumed");
    socket.say({ type: "enter", stream: `presence:${game.room}`, id: "tab", grant, data: {} });
    await socket.next("entered");
    return socket;
  }

  async function match(): Promise<{ id: string; players: [Player, Player] }> {
    const people = [await house.guest(), await house.guest()] as const;
    const first = (await find(people[0])).body;
    expect(first.game).toMatchObject({ status: "waiting", you: 0 });
    const one = await attend(people[0], first);
    const second = (await find(people[1])).body;
    expect(second.game).toMatchObject({ id: first.game.id, status: "playing", you: 1, round: 1 });
    const two = await attend(people[1], second);
    await one.next("event", ({ stream }) => stream === `room:${first.game.room}`);
    return {
      id: first.game.id,
      players: [
        { person: people[0], socket: one, side: 0 },
        { person: people[1], socket: two, side: 1 },
      ],
    };
  }

  /** What was sent, and whatever came back by answer or socket. */
  class Ledger {
    /** Round and side → the choices that were sent. */
    readonly sent = new Map<string, Set<Choice>>();
    /** Round and side → what the server took, as its player was told. */
    readonly taken = new Map<string, Choice>();
    readonly revealed = new Map<number, Seen>();
    /** Version → the game as both may know it. */
    readonly versions = new Map<number, string>();
    newest: Seen = { version: 0, round: 1, status: "playing" };

    send(side: number, round: number, choice: Choice): void {
      const key = `${round} ${side}`;
      this.sent.set(key, (this.sent.get(key) ?? new Set()).add(choice));
    }

    /** @param side of the player who sees it */
    see(side: number, seen: Seen): void {
      const { room: _, you: __, choice, ...known } = seen;
      this.#isNotEarly(known);
      if (choice) {
        const key = `${seen.round} ${side}`;
        expect(this.sent.get(key)).toContain(choice);
        expect(this.taken.get(key) ?? choice).toBe(choice);
        this.taken.set(key, choice);
      }
      const text = JSON.stringify(Object.entries(known).toSorted());
      expect(this.versions.get(seen.version) ?? text).toBe(text);
      this.versions.set(seen.version, text);
      if (seen.version > this.newest.version) this.newest = seen;
    }

    #isNotEarly({ last, ...rest }: Seen): void {
      // Nowhere but in the round before.
      expect(JSON.stringify(rest)).not.toMatch(/rock|paper|scissors/);
      if (last === null) return;
      for (const side of [0, 1]) {
        expect(this.sent.get(`${last.round} ${side}`)).toContain(last.choices[side]);
        expect(this.taken.get(`${last.round} ${side}`) ?? last.choices[side]).toBe(last.choices[side]);
      }
      const [first, second] = last.choices as [Choice, Choice];
      expect(last.winner).toBe(first === second ? null : beats[first] === second ? 0 : 1);
      expect(this.revealed.get(last.round) ?? last).toEqual(last);
      this.revealed.set(last.round, last);
    }
  }

  /** What the referee said into the room, as a player heard it. */
  const heard = ({ socket }: Player, id: string): Seen[] =>
    socket.frames.flatMap((frame: Seen) =>
      frame.type === "event" && frame.data?.sender === id ? [frame.data.data] : [],
    );

  const seeds = Number(process.env.GAMES ?? 4);
  it.each(Array.from({ length: seeds }, (_, at) => at + 1))(
    "no game of random clients leaks, errs or sticks (seed %d)",
    async (seed) => {
      const dice = chance(seed * 7_919);
      const { id, players } = await match();
      const ledger = new Ledger();
      let leaver: number | undefined;
      const act = async (player: Player, end: boolean): Promise<void> => {
        const { person, side } = player;
        const what = end ? "leave" : dice.one(["choose", "choose", "choose", "twice", "again", "look", "check", "old"]);
        const round =
          what === "old" ? Math.max(1, ledger.newest.round - 1) : ledger.newest.round + (dice.next() < 0.1 ? 1 : 0);
        const choose = (choice: Choice) => {
          ledger.send(side, round, choice);
          return move(person, id, { move: "choose", round, choice });
        };
        const asked: Promise<Answer>[] =
          what === "look"
            ? [person.http("GET", `/games/${id}`)]
            : what === "again"
              ? [move(person, id, { move: "again", round: ledger.newest.round })]
              : what === "leave" || what === "check"
                ? [move(person, id, { move: what })]
                : what === "twice"
                  ? choices.map((choice) => choose(choice))
                  : [choose(dice.one(choices))];
        if (what === "leave") leaver = side;
        for (const answer of await Promise.all(asked)) {
          expect(answer.status).toBe(200);
          ledger.see(side, answer.body.game);
        }
      };
      for (let step = 0; step < 24; step++) {
        const both = dice.next() < 0.6;
        const end = step > 14 && dice.next() < 0.05;
        await Promise.all([act(dice.one(players), end), ...(both ? [act(dice.one(players), false)] : [])]);
        for (const player of players) for (const said of heard(player, id)) ledger.see(player.side, said);
      }

      // Both have heard every version, once and in order, and the same.
      const { version } = (await players[0].person.http("GET", `/games/${id}`)).body.game;
      for (const player of players)
        await until(
          () => heard(player, id).at(-1)?.version === version,
          "the last version",
          () => heard(player, id),
        );
      const [told, toldToo] = players.map((player) => heard(player, id).map((one) => one.version)) as [
        number[],
        number[],
      ];
      expect(toldToo.at(-1)).toBe(told.at(-1));
      for (const list of [told, toldToo])
        expect(list).toEqual(Array.from({ length: list.length }, (_, at) => version - list.length + 1 + at));

      // No game is stuck: it is played on to its end, or both find another opponent.
      let { game } = (await find(players[0].person)).body;
      if (leaver !== undefined) {
        expect(game.id).not.toBe(id);
        await move(players[0].person, game.id, { move: "leave" });
        return;
      }
      if (game.status === "over")
        for (const { person } of players)
          game = (await move(person, id, { move: "again", round: game.round })).body.game;
      while (game.status === "playing") {
        const { round } = game;
        for (const { person, side } of players)
          game = (await move(person, id, { move: "choose", round, choice: side === 0 ? "rock" : "scissors" })).body
            .game;
        expect(game.last.round).toBe(round);
      }
      expect(game).toMatchObject({ status: "over" });
      expect(game.wins[game.winner]).toBe(2);
      await move(players[0].person, id, { move: "leave" });
    },
  );

  it("what a player receives while the other chooses is the same whatever is chosen", async () => {
    const received: string[] = [];
    for (const choice of choices) {
      const { id, players } = await match();
      const [chooser, other] = players;
      const before = other.socket.frames.length;
      await move(chooser.person, id, { move: "choose", round: 1, choice });
      await until(() => heard(other, id).some(({ chosen }) => chosen[0]), "the push");
      const looked = (await other.person.http("GET", `/games/${id}`)).body;
      const headers = { "x-grant": looked.grant };
      const read = async (what: string) =>
        (await other.person.http("GET", `/rooms/${looked.game.room}/${what}`, { headers })).text;
      const all = [...other.socket.frames.slice(before), looked.game, await read("messages"), await read("members")];
      const text = JSON.stringify(all);
      expect(text).not.toMatch(/rock|paper|scissors/);
      // Ids, tags and times differ; lengths and everything else do not.
      received.push(
        text.replace(/[0-9A-HJKMNP-TV-Z]{26}|"(tag|prev|epoch)\\?":\\?"[\w-]+|\d{4}-\d\d-\d\dT[\d:.]+Z/g, ""),
      );
      expect(house.lines.join("")).not.toMatch(/rock|paper|scissors|"choose"/);
      await move(chooser.person, id, { move: "leave" });
    }
    const shape = (text: string) => text.replace(/\\?"seq\\?":\d+|\\?"n\\?":\d+/g, "");
    expect(new Set(received.map(shape)).size).toBe(1);
  });

  it("strangers who ask at once are matched two by two, and who asks twice at once is not matched with themself", async () => {
    const people = await Promise.all(Array.from({ length: 6 }, () => house.guest()));
    const answers = await Promise.all(people.flatMap((person) => [find(person), find(person)]));
    const games = await Promise.all(people.map(async (person) => (await find(person)).body.game));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(new Set(games.map(({ id }) => id)).size).toBe(3);
    for (const { id, players, status } of games) {
      expect(status).toBe("playing");
      expect(new Set(players).size).toBe(2);
      expect(games.filter((one) => one.id === id)).toHaveLength(2);
    }
    for (const person of people) {
      const { id } = (await find(person)).body.game;
      await move(person, id, { move: "leave" });
    }
    // Those who were left alone wait now, or play with each other.
    for (const person of people) await move(person, (await find(person)).body.game.id, { move: "leave" });
  });

  it("an opponent who is not in the room any more has lost, and one who is there has not", async () => {
    const { id, players } = await match();
    const [stays, goes] = players;
    house.clock.forward(20_000);
    expect((await move(stays.person, id, { move: "check" })).body.game.status).toBe("playing");
    await move(goes.person, id, { move: "choose", round: 1, choice: "rock" });
    goes.socket.close();
    await goes.socket.closed;
    // A moment later they might be back; then their lease has ended.
    let game: Seen;
    do {
      house.clock.forward(2_000);
      game = (await move(stays.person, id, { move: "check" })).body.game;
    } while (game.status !== "ended");
    expect(game).toMatchObject({ winner: 0, left: 1, last: null, chosen: [false, false] });
    // The choice that was made is shown to nobody.
    expect((await move(goes.person, id, { move: "choose", round: 1, choice: "rock" })).body.game.status).toBe("ended");
  });

  it("one who waits and has gone is nobody's opponent", async () => {
    const [gone, next] = [await house.guest(), await house.guest()];
    const first = (await find(gone)).body.game;
    house.clock.forward(20_000);
    const second = (await find(next)).body.game;
    expect([second.status, second.id === first.id]).toEqual(["waiting", false]);
    expect((await gone.http("GET", `/games/${first.id}`)).body.game.status).toBe("ended");
    await move(next, second.id, { move: "leave" });
  });

  it("others see nothing of a game, and without EXAMPLES there is none", async () => {
    const { id, players } = await match();
    const stranger = await house.guest();
    for (const answer of [await stranger.http("GET", `/games/${id}`), await move(stranger, id, { move: "leave" })])
      expect([answer.status, answer.body.code]).toEqual([404, "GAME_UNKNOWN"]);
    const { room } = (await players[0].person.http("GET", `/games/${id}`)).body.game;
    const { grant } = (await players[0].person.http("GET", `/games/${id}`)).body;
    const stolen = await stranger.http("GET", `/rooms/${room}/messages`, { headers: { "x-grant": grant } });
    expect(stolen.body.code).toBe("GRANT_INVALID");
    // The room is the game's: a player cannot lock the other out.
    expect((await players[0].person.http("DELETE", `/rooms/${room}/grants`)).body.code).toBe("FORBIDDEN");
    Object.assign(house.app.config, { examples: false });
    for (const answer of [
      await find(stranger),
      await players[0].person.http("GET", `/games/${id}`),
      await move(players[0].person, id, { move: "check" }),
    ])
      expect([answer.status, answer.body.code]).toEqual([404, "ROUTE_UNKNOWN"]);
    Object.assign(house.app.config, { examples: true });
    house.clock.forward(25 * 3_600_000);
    await trim(house.app);
    expect((await players[0].person.http("GET", `/games/${id}`)).body.code).toMatch(/GAME_UNKNOWN|SESSION/);
  });
});
