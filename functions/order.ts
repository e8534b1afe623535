/** An order is looked at and goes its way, step by step. */
import * as v from "valibot";
import { type HttpRequest, http, ok } from "../apigateway/entry.ts";
import type { App } from "../shared/app.ts";
import { oneOrder, ordersOfUser } from "../shared/info.ts";
import { type Order, orderView } from "../shared/order.ts";
import { maxLines } from "../shared/price.ts";
import { actions } from "../shared/protocol.ts";
import { authenticate, type Session } from "../shared/session.ts";
import { check, digits, flag, integer, text, ulid } from "../shared/shape.ts";
import { strike, takeStep } from "../shared/take_step.ts";
import { handlerOf } from "./_app.ts";

const stepBody = v.strictObject({
  /** The version that the page showed: a repeat is then known for a repeat. */
  version: v.optional(integer(1, 1_000_000)),
  reason: v.optional(text(200)),
});
const lineBody = v.strictObject({ struck: flag });

const view = (order: Order, session: Session) =>
  ok({ order: orderView(order, session.kind === "staff" ? "staff" : "customer") });

async function who(app: App, request: HttpRequest): Promise<Session> {
  const session = await authenticate(app, request.authorization);
  request.notes.session = session.id;
  return session;
}

function idOf(request: HttpRequest): string {
  const id = request.param("id", ulid);
  request.notes.order = id;
  return id;
}

export const order = http({
  "GET /orders": async (app, request) => {
    const session = await who(app, request);
    return ok(await ordersOfUser(app, session, request.query("before", ulid)));
  },
  "GET /orders/{id}": async (app, request) => ok(await oneOrder(app, await who(app, request), idOf(request))),
  "POST /orders/{id}/{action}": async (app, request) => {
    const session = await who(app, request);
    const action = request.param("action", v.picklist(actions));
    const asked = { order: idOf(request), action, ...check(stepBody, request.json()) };
    return view(await takeStep(app, session, asked), session);
  },
  "PUT /orders/{id}/lines/{line}": async (app, request) => {
    const session = await who(app, request);
    const line = request.param("line", digits(1, maxLines));
    const { struck } = check(lineBody, request.json());
    return view(await strike(app, session, idOf(request), line, struck), session);
  },
});

export const handler = handlerOf(order);
