/** Rock, paper, scissors for two strangers. The server is the referee (functions/game.ts): this page asks, and shows what it says. */
import { room } from "../sdk/rooms.js";
import { asAnother, at, client, make, showNetwork } from "../shared/client.js";
import { speak } from "../shared/i18n.js";
import { words } from "./words.js";

/** The game as the referee last said, its room, and who is there. */
let [game, table, members] = [undefined, undefined, []];
at("another").href = asAnother();
const t = speak(words, () => {
  showState();
  draw();
});
const showState = showNetwork(at("network"), t.language);

/** Asks until there is an answer: a move that is repeated does nothing. */
async function ask(method, path, body) {
  for (;;) {
    try {
      return await client.ask({ method, path, body });
    } catch (error) {
      if (error.status > 0 && error.status < 500) {
        at("status").textContent = t("failed", error);
        return undefined;
      }
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  }
}

/** An answer or a message: whichever comes later tells of a later game. A message has not what only this player may know. */
function take(next) {
  if (next.id === game?.id && next.version < game.version) return;
  const { you } = { ...game, ...next };
  game = { ...game, ...next, choice: next.choice ?? (next.chosen[you] ? game.choice : null) };
  draw();
}

async function find() {
  table?.leave();
  const found = await ask("POST", "/games");
  if (!found) return;
  game = undefined;
  take(found.game);
  const { id } = game;
  table = room(client, game.room, {
    grant: async () => (await ask("GET", `/games/${id}`)).grant,
    // To be in the room is to be at the table: who is not there any more has left.
    me: {},
    onMessage: ({ sender, data }) => sender === game.id && take(data),
    onMembers(all) {
      members = all;
      look();
    },
    onReset: async () => take((await ask("GET", `/games/${id}`)).game),
  });
}

async function move(body) {
  const { id } = game;
  const answer = await ask("POST", `/games/${id}/moves`, body);
  if (answer && game.id === id) take(answer.game);
}

/** The opponent is not among the members: the referee looks, and decides. */
function look() {
  const there = members.some(({ user }) => user === game.players[1 - game.you]);
  if (["playing", "over"].includes(game?.status) && !there) move({ move: "check" });
}
setInterval(() => game && look(), 5_000);

function statusOf({ status, you, choice, chosen, round, winner, left, again }) {
  if (status === "waiting") return t("waiting");
  if (status === "ended") return t(left === you ? "left" : winner === you ? "gone" : "parted");
  if (status === "over") return again[you] ? t("asking") : again[1 - you] ? t("asked") : "";
  return t(choice ? "chosen" : chosen[1 - you] ? "hurry" : "choose", { round });
}

function lastOf({ last, status, winner, you }) {
  if (status === "over") return t(winner === you ? "victory" : "defeat");
  return last ? t(last.winner === null ? "drawn" : last.winner === you ? "won" : "lost") : "";
}

function draw() {
  if (!game) return;
  const { you, status, wins, last, round, choice, again } = game;
  at("score").textContent = status === "waiting" ? "" : t("score", { mine: wins[you], theirs: wins[1 - you] });
  at("hands").hidden = !last;
  if (last) [at("mine").textContent, at("theirs").textContent] = [t(last.choices[you]), t(last.choices[1 - you])];
  at("last").textContent = lastOf(game);
  at("status").textContent = statusOf(game);
  at("choices").replaceChildren(
    ...["rock", "scissors", "paper"].map((one) =>
      make("button", {
        textContent: t(one),
        disabled: status !== "playing" || (choice !== null && choice !== one),
        ariaPressed: String(choice === one),
        onclick: () => choice ?? move({ move: "choose", round, choice: one }),
      }),
    ),
  );
  at("again").hidden = status !== "over" || again[you];
  at("other").hidden = status !== "over" && status !== "ended";
  at("leave").hidden = status === "ended";
}

at("again").onclick = () => move({ move: "again", round: game.round });
at("leave").onclick = () => move({ move: "leave" });
at("other").onclick = async () => {
  if (game.status !== "ended") await move({ move: "leave" });
  find();
};
find();
