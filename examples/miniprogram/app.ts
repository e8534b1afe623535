/** The app: one client, one socket, shared by all pages. */
import { config } from "./config";
import { makeClient, wechatPlatform } from "./lib/orderbell";
import { begin } from "./parts/begin";
import type { ExampleApp } from "./parts/page";

const client = makeClient(wechatPlatform(), { url: config.url, begin });

App<ExampleApp>({ client });
