/** The app: one client, one socket, shared by all pages. */
import { config } from "./config";
import { asGuest, createClient, makeClient, wechatPlatform } from "./lib/orderbell";
import type { ExampleApp } from "./parts/page";

const { url } = config;
const client =
  config.signIn === "guest" ? makeClient(wechatPlatform(), { url, begin: asGuest }) : createClient({ url });

App<ExampleApp>({ client });
