/** What anyone may know of the shops: menu, prices, open or closed, sold out; and the pickup board. */
import { http, ok } from "../apigateway/entry.ts";
import { board, listShops, shopInfo } from "../shared/info.ts";
import { id } from "../shared/shape.ts";
import { handlerOf } from "./_app.ts";

export const getShopInfo = http({
  "GET /get_shop_info": async (app, request) => {
    const shop = request.query("shop", id);
    if (shop === undefined) return ok(await listShops(app));
    const { state, etag } = await shopInfo(app, shop, request.query("table", id));
    // Asked each time, sent only when it changed.
    const headers = { etag, "cache-control": "no-cache" };
    const known = request
      .header("if-none-match")
      ?.split(",")
      .map((one) => one.trim().replace(/^W\//, ""));
    if (known?.includes(etag)) return { status: 304, headers };
    return { status: 200, headers, body: state };
  },
  "GET /shops/{shop}/board": async (app, request) => ok(await board(app, request.param("shop", id))),
});

export const handler = handlerOf(getShopInfo);
