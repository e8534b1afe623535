/** The business server of a Wafer 2 project: wafer-node-sdk with its table in MySQL; routes and JSON as in its demo, over node:http. */
import { createServer, type IncomingMessage } from "node:http";
import { createRequire } from "node:module";
import type { Settings, Tunnels } from "./_business.ts";
import { serveTest, told } from "./_business_process.ts";
import { chatRoom } from "./_chat_room.ts";

const require = createRequire(import.meta.url);
// biome-ignore lint/suspicious/noExplicitAny: the package has no types
let sdk: any;
let settings: Settings;

/** WeChat's host stands in the SDK's code; its own copy of axios is told another one. */
function configure(given: Settings): void {
  settings = given;
  const axios = createRequire(require.resolve("wafer-node-sdk"))("axios");
  axios.interceptors.request.use((request: { url: string }) => ({
    ...request,
    url: request.url.replace("https://api.weixin.qq.com", given.wechatUrl),
  }));
  sdk = require("wafer-node-sdk")(given.sdk);
}

const tunnels: Tunnels = {
  broadcast: (...given) => sdk.tunnel.broadcast(...given),
  closeTunnel: (tunnel) => sdk.tunnel.closeTunnel(tunnel),
};
const room = told(chatRoom(tunnels));

const routes: Record<string, (request: IncomingMessage) => Promise<unknown>> = {
  "GET /weapp/login": async (request) => (await sdk.auth.authorization(request)).userinfo,
  async "GET /weapp/user"(request) {
    const { loginState, userinfo } = await sdk.auth.validation(request);
    if (loginState !== 1) throw new Error("ERR_INVALID_SESSION");
    return userinfo;
  },
  async "GET /weapp/tunnel"(request) {
    const { tunnel, userinfo } = await sdk.tunnel.getTunnelUrl(request);
    room.onRequest(tunnel.tunnelId, userinfo);
    return tunnel;
  },
  async "POST /weapp/tunnel"(request) {
    const { tunnelId, type, content } = await sdk.tunnel.onTunnelMessage(JSON.parse(await textOf(request)));
    const handled =
      type === "connect"
        ? room.onConnect(tunnelId)
        : type === "message"
          ? room.onMessage(tunnelId, content.messageType, content.messageContent)
          : room.onClose(tunnelId);
    if (settings.answersLast) await handled;
    return {};
  },
};

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url ?? "", "http://business");
  const route = routes[`${request.method} ${pathname}`];
  const body = await (route === undefined ? Promise.reject(new Error("no such route")) : route(request)).then(
    (data) => ({ code: 0, data }),
    // As the demo's middleware does, with a synchronous throw of the SDK too.
    (error) => ({ code: -1, error: error.message }),
  );
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(body));
});

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const part of request.setEncoding("utf8")) text += part;
  return text;
}

await serveTest(server, configure, () => tunnels);
