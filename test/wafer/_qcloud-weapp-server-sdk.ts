/** The business server of a Wafer 1 project: Express and qcloud-weapp-server-sdk, routes as in its demo. */
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { Tunnels } from "./_business.ts";
import { serveTest, told } from "./_business_process.ts";
import { chatRoom } from "./_chat_room.ts";

const require = createRequire(import.meta.url);
const express = require("express");
const { config, LoginService, TunnelService } = require("qcloud-weapp-server-sdk");

const tunnels: Tunnels = {
  broadcast: (...given) => TunnelService.broadcast(...given),
  closeTunnel: (tunnel) => TunnelService.closeTunnel(tunnel),
};
const room = told(chatRoom(tunnels));

const app = express();
app.use(express.json());
// biome-ignore lint/suspicious/noExplicitAny: the packages have no types
type Any = any;
// The demo leaves a failed login or check to the SDK, which has answered it.
const answered = () => {};
app.get("/login", (request: Any, response: Any) => LoginService.create(request, response).login().catch(answered));
app.get("/user", (request: Any, response: Any) =>
  LoginService.create(request, response)
    .check()
    .then(({ userInfo }: Any) => response.json({ code: 0, message: "ok", data: { userInfo } }))
    .catch(answered),
);
app.all("/tunnel", (request: Any, response: Any) =>
  TunnelService.create(request, response).handle(room, { checkLogin: true }),
);

await serveTest(
  createServer(app),
  ({ sdk }) => config(sdk),
  () => tunnels,
);
