/** The app: one client, one socket, shared by all pages. */
import { config } from "./config";
import { asGuest, createClient, makeClient, wechatPlatform } from "./lib/orderbell";
import { fill } from "./shop/format";
import { openOrdering } from "./shop/ordering";
import type { OrderingApp } from "./shop/page";
import { toast } from "./shop/page";

const { url, shop } = config;
const client =
  config.signIn === "guest" ? makeClient(wechatPlatform(), { url, begin: asGuest }) : createClient({ url });

const ordering = openOrdering({
  client,
  phone: wx,
  url,
  shop,
  placed: ({ number }) => toast(fill(ordering.words().placed, { number })),
});

App<OrderingApp>({ ordering });
