/** Public state of the shops: menu, prices, open or closed, sold out; and the pickup board. */
import { type HttpRequest, http, ok } from "../apigateway/entry.ts";
import * as shape from "../shared/shape.ts";
import { board, listShops, maxShops, shopInfo } from "../shared/shop/snapshots.ts";

const pageOf = (request: HttpRequest) => ({
  after: request.query("after", shape.id),
  limit: request.query("limit", shape.digits(1, maxShops)),
});

export const handler = http({
  "GET /get_shop_info": async (app, request) => {
    const [shop, page] = [request.query("shop", shape.id), pageOf(request)];
    if (shop === undefined) return ok(await listShops(app, page));
    const { state, etag } = await shopInfo(app, shop, request.query("table", shape.id));
    // Requested each time, sent only when it changed.
    const headers = { etag, "cache-control": "no-cache" };
    const known = request
      .header("if-none-match")
      ?.split(",")
      .map((one) => one.trim().replace(/^W\//, ""));
    if (known?.includes(etag)) return { status: 304, headers };
    return { status: 200, headers, body: state };
  },
  "GET /shops/{shop}/board": async (app, request) => ok(await board(app, request.param("shop", shape.id))),
});
