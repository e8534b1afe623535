/** Rock, paper, scissors for two strangers. The server is the referee (functions/game.ts): this page asks, and shows what it says. */
import { type ApiError, type Member, type Room, room } from "../../lib/orderbell";
import { client, fill, leave, networkText, onLeave, texts } from "../../parts/page";

const choices = ["rock", "scissors", "paper"] as const;
type Choice = (typeof choices)[number];
type Game = Record<"id" | "room", string> &
  Record<"version" | "round", number> &
  Record<"chosen" | "again", boolean[]> &
  Record<"winner" | "left", number | null> & {
    status: "waiting" | "playing" | "over" | "ended";
    players: (string | null)[];
    wins: number[];
    last: { choices: Choice[]; winner: number | null } | null;
    you: 0 | 1;
    choice: Choice | null;
  };
type Answer = { game: Game; grant: string };

const words = {
  title: ["剪刀石头布", "Rock, paper, scissors"],
  rock: ["石头", "Rock"],
  scissors: ["剪刀", "Scissors"],
  paper: ["布", "Paper"],
  score: ["你 {mine} : {theirs} 对手", "You {mine} : {theirs} opponent"],
  waiting: ["正在等一位对手…", "Waiting for an opponent …"],
  choose: ["第 {round} 轮，请出手", "Round {round}: choose"],
  hurry: ["第 {round} 轮，对手已经出手，等你", "Round {round}: your opponent has chosen, and waits for you"],
  chosen: ["已出手，等对手，谁都看不到", "Chosen. Nobody sees it until your opponent has chosen too"],
  won: ["你赢了这一轮", "The round is yours"],
  lost: ["对手赢了这一轮", "The round is your opponent's"],
  drawn: ["平手，不计分", "A draw: it counts for nobody"],
  victory: ["三局两胜，你赢了！", "Best of three: you win!"],
  defeat: ["三局两胜，对手赢了", "Best of three: your opponent wins"],
  asked: ["对手想再来一局", "Your opponent wants another match"],
  asking: ["等对手答应再来一局…", "Waiting for your opponent to agree …"],
  gone: ["对手离开了，你赢", "Your opponent has left: you win"],
  parted: ["对手离开了", "Your opponent has left"],
  left: ["你离开了", "You have left"],
  again: ["再来一局", "Another match"],
  other: ["换个对手", "Another opponent"],
  leave: ["离开", "Leave"],
  failed: ["出错了（{code}）", "It failed ({code})"],
} as const;

/** The game as the referee last said, its room, and who is there: what `data` cannot hold. */
let game: Game | undefined;
let table: Room<Partial<Game>, object> | undefined;
let members: Member<object>[] = [];

/** Asks until there is an answer: a move that is repeated does nothing. */
async function ask(method: "GET" | "POST", path: string, body?: object): Promise<Answer> {
  for (;;) {
    try {
      return await client().ask<Answer>({ method, path, body });
    } catch (error) {
      const { status } = error as ApiError;
      if (status > 0 && status < 500) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  }
}

Component({
  data: {
    t: {} as Record<keyof typeof words, string>,
    network: "",
    score: "",
    hands: [] as string[],
    last: "",
    status: "",
    choices: [] as object[],
    canPlayAgain: false,
    phase: "",
  },
  methods: {
    onLoad() {
      const t = texts(words);
      wx.setNavigationBarTitle({ title: t.title });
      this.setData({ t });
      const looking = setInterval(() => this.look(), 5_000);
      onLeave(
        this,
        client().onState(() => this.setData({ network: networkText() })),
        () => clearInterval(looking),
        () => table?.leave(),
      );
      void this.find();
    },
    onUnload() {
      leave(this);
      game = undefined;
    },
    fail({ code }: ApiError) {
      this.setData({ status: fill(this.data.t.failed, { code }) });
    },
    async find() {
      table?.leave();
      const answer = await ask("POST", "/games").catch((error: ApiError) => this.fail(error));
      if (!answer) return;
      game = undefined;
      this.take(answer.game);
      const { id, room: place } = answer.game;
      table = room<Game, object>(client(), place, {
        grant: async () => (await ask("GET", `/games/${id}`)).grant,
        // To be in the room is to be at the table: who is not there any more has left.
        me: {},
        onMessage: ({ sender, data }) => sender === id && this.take(data),
        onMembers: (all) => {
          members = all;
          this.look();
        },
        onReset: async () => this.take((await ask("GET", `/games/${id}`)).game),
      }) as typeof table;
    },
    /** An answer or a message: whichever tells of the later game. A message has not what only this player may know. */
    take(next: Game) {
      if (game && next.id === game.id && next.version < game.version) return;
      const now: Game = { ...game, ...next };
      game = { ...now, choice: next.choice ?? (next.chosen[now.you] ? (game?.choice ?? null) : null) };
      this.draw(game);
    },
    async move(body: object) {
      if (!game) return;
      const { id } = game;
      const answer = await ask("POST", `/games/${id}/moves`, body).catch((error: ApiError) => this.fail(error));
      if (answer && game?.id === id) this.take(answer.game);
    },
    /** The opponent is not among the members: the referee looks, and decides. */
    look() {
      if (!game || !["playing", "over"].includes(game.status)) return;
      const opponent = game.players[1 - game.you];
      if (!members.some(({ user }) => user === opponent)) void this.move({ move: "check" });
    },
    draw({ you, status, wins, last, round, choice, chosen, again, winner, left }: Game) {
      const { t } = this.data;
      const playing = choice ? t.chosen : fill(chosen[1 - you] ? t.hurry : t.choose, { round });
      const over = again[you] ? t.asking : again[1 - you] ? t.asked : "";
      const ended = left === you ? t.left : winner === you ? t.gone : t.parted;
      const result = !last ? "" : last.winner === null ? t.drawn : last.winner === you ? t.won : t.lost;
      this.setData({
        score: status === "waiting" ? "" : fill(t.score, { mine: wins[you] ?? 0, theirs: wins[1 - you] ?? 0 }),
        hands: last ? [t[last.choices[you] as Choice], t[last.choices[1 - you] as Choice]] : [],
        last: status === "over" ? (winner === you ? t.victory : t.defeat) : result,
        status: { waiting: t.waiting, playing, over, ended }[status],
        choices: choices.map((one) => ({
          one,
          text: t[one],
          mine: choice === one,
          off: status !== "playing" || !!choice,
        })),
        canPlayAgain: status === "over" && !again[you],
        phase: status,
      });
    },
    choose({ currentTarget }: { currentTarget: { dataset: Record<string, string> } }) {
      if (game && !game.choice)
        void this.move({ move: "choose", round: game.round, choice: currentTarget.dataset.one });
    },
    again() {
      void this.move({ move: "again", round: game?.round });
    },
    goAway() {
      void this.move({ move: "leave" });
    },
    async other() {
      if (game?.status !== "ended") await this.move({ move: "leave" });
      await this.find();
    },
  },
});
