/** Reads orders, and takes their steps. */
import * as v from "valibot";
import { type HttpRequest, http, ok } from "../apigateway/entry.ts";
import { actions, maxLines } from "../shared/order_states.ts";
import { type Order, orderView } from "../shared/ordering/order.ts";
import { strike, takeStep } from "../shared/ordering/take_step.ts";
import { actsForShop, type Session } from "../shared/sessions/session.ts";
import * as shape from "../shared/shape.ts";
import { oneOrder, ordersOfUser } from "../shared/shop/snapshots.ts";
import { pageOf } from "./_page_of.ts";
import { signedIn } from "./_signed_in.ts";

const stepBody = v.strictObject({
  /** The version that the page showed: with it a repeated request is recognized. */
  version: v.optional(shape.integer(1, 1_000_000)),
  reason: v.optional(shape.text(200)),
  /** Only this station's part of `ready` or `recall`; null for what has no station. */
  station: v.optional(v.nullable(shape.id)),
});
const lineBody = v.strictObject({ struck: shape.flag });

/** A key that may not read orders learns of the one that it steps, but not where its customer lives. */
function view(order: Order, session: Session) {
  const shown = session.scopes?.includes("orders:read") === false ? { ...order, delivery: null } : order;
  return ok({ order: orderView(shown, actsForShop(session) ? "staff" : "customer") });
}

function idOf(request: HttpRequest): string {
  const id = request.param("id", shape.ulid);
  request.notes.order = id;
  return id;
}

export const handler = http({
  "GET /orders": async (app, request) => {
    const session = await signedIn(app, request);
    return ok(await ordersOfUser(app, session, pageOf(request)));
  },
  "GET /orders/{id}": async (app, request) =>
    ok(await oneOrder(app, await signedIn(app, request, "orders:read"), idOf(request))),
  "POST /orders/{id}/{action}": async (app, request) => {
    const action = request.param("action", v.picklist(actions));
    request.notes.action = action;
    const session = await signedIn(app, request, action === "paid" ? "orders:paid" : "orders:step");
    const asked = { order: idOf(request), action, ...shape.parse(stepBody, request.json()) };
    return view(await takeStep(app, session, asked), session);
  },
  "PUT /orders/{id}/lines/{line}": async (app, request) => {
    const session = await signedIn(app, request);
    const line = request.param("line", shape.digits(1, maxLines));
    const { struck } = shape.parse(lineBody, request.json());
    return view(await strike(app, session, idOf(request), line, struck), session);
  },
});
