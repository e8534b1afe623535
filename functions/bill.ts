/** An order is placed. */
import { http } from "../apigateway/entry.ts";
import { deliver } from "../shared/deliver.ts";
import { orderView } from "../shared/order.ts";
import { placeOrder } from "../shared/place_order.ts";
import { bill } from "../shared/price.ts";
import { claimOf } from "../shared/session.ts";
import { check } from "../shared/shape.ts";
import { handlerOf } from "./_app.ts";

export const placeBill = http({
  "POST /bill": async (app, request) => {
    const claim = claimOf(app, request.authorization);
    const key = request.idempotencyKey;
    const asked = { claim, key, bill: check(bill, request.json()), address: request.address };
    const { order, repeated, changed } = await placeOrder(app, asked);
    Object.assign(request.notes, { order: order.id, shop: order.shop, session: claim.session, repeated });
    await deliver(app, changed);
    return { status: repeated ? 200 : 201, body: { order: orderView(order, "customer") } };
  },
});

export const handler = handlerOf(placeBill);
