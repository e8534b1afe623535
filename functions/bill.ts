/** Places an order. */
import { http } from "../apigateway/entry.ts";
import { orderView } from "../shared/ordering/order.ts";
import { placeOrder } from "../shared/ordering/place_order.ts";
import { bill } from "../shared/ordering/price.ts";
import { claimOf } from "../shared/sessions/session.ts";
import * as shape from "../shared/shape.ts";

export const handler = http({
  "POST /bill": async (app, request) => {
    const claim = claimOf(app, request.authorization);
    const key = request.idempotencyKey;
    const asked = { claim, key, bill: shape.parse(bill, request.json()), address: request.address };
    const { order, repeated } = await placeOrder(app, asked);
    Object.assign(request.notes, { order: order.id, shop: order.shop, session: claim.session, repeated });
    return { status: repeated ? 200 : 201, body: { order: orderView(order, "customer") } };
  },
});
