/** The app: one client, one socket, shared by all pages. */
import { config } from "./config";
import { asGuest, createClient, makeClient, wechatPlatform } from "./lib/orderbell";
import { openOrdering } from "./shop/ordering";
import type { OrderingApp } from "./shop/page";
import { say } from "./shop/page";
import { fill } from "./shop/show";

const { url, shop } = config;
const client =
  config.signIn === "guest" ? makeClient(wechatPlatform(), { url, begin: asGuest }) : createClient({ url });

const ordering = openOrdering({
  client,
  phone: wx,
  url,
  shop,
  placed: ({ number }) => say(fill(ordering.words().placed, { number })),
});

App<OrderingApp>({ ordering });
