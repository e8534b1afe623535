/** Rock, paper, scissors of the examples: a function of its own, as docs/extending.md shows. There is none unless EXAMPLES is on. */
import * as v from "valibot";
import { type HttpRequest, http, ok } from "../apigateway/entry.ts";
import type { App } from "../shared/app.ts";
import { RouteUnknown } from "../shared/errors.ts";
import { findOpponent } from "../shared/games/find_opponent.ts";
import { answerFor, findGame, makeMove } from "../shared/games/referee.ts";
import { choices, type Game } from "../shared/games/rock_paper_scissors.ts";
import type { Session } from "../shared/sessions/session.ts";
import * as shape from "../shared/shape.ts";
import { signedIn } from "./_signed_in.ts";

const round = shape.integer(1, 1_000_000);
const moveBody = v.variant("move", [
  v.strictObject({ move: v.literal("choose"), round, choice: v.picklist(choices) }),
  v.strictObject({ move: v.literal("again"), round }),
  v.strictObject({ move: v.literal("leave") }),
  v.strictObject({ move: v.literal("check") }),
]);

/** The player's session, where there are examples. */
async function player(app: App, request: HttpRequest): Promise<Session> {
  if (!app.config.examples) throw new RouteUnknown(request.event.requestContext.http.method, request.event.rawPath);
  return signedIn(app, request);
}

/** The log has the room alone: no move, and not whose turn it is. */
function answer(app: App, request: HttpRequest, { user }: Session, game: Game) {
  request.notes.room = game.room;
  return ok(answerFor(app, game, user));
}

export const handler = http({
  "POST /games": async (app, request) => {
    const session = await player(app, request);
    return answer(app, request, session, await findOpponent(app, session, request.address));
  },
  "GET /games/{game}": async (app, request) => {
    const session = await player(app, request);
    return answer(app, request, session, await findGame(app, session, request.param("game", shape.ulid)));
  },
  "POST /games/{game}/moves": async (app, request) => {
    const session = await player(app, request);
    const game = request.param("game", shape.ulid);
    const move = shape.parse(moveBody, request.json());
    return answer(app, request, session, await makeMove(app, session, game, move));
  },
});
