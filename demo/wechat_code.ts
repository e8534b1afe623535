/**
 * Codes for the examples' pages, as `wx.login` gives them to a mini-program on a phone: `GET /examples/wechat_code?name=…`. The same
 * name is the same person, on any device. There is no password: it is served by `npm start` alone, whose WeChat is the stand-in.
 */
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { StandIn } from "./wechat.ts";

type Files = (request: IncomingMessage, response: ServerResponse, otherwise: () => void) => void;

const path = "/examples/wechat_code";

/** Calls `otherwise` for any other request. */
export function serveWechatCodes(wechat: Pick<StandIn, "newCode">): Files {
  return ({ method, url = "" }, response, otherwise) => {
    const [asked, query = ""] = url.split("?");
    if (method !== "GET" || asked !== path) return otherwise();
    const name = (new URLSearchParams(query).get("name") ?? "").trim().normalize("NFC").slice(0, 64);
    // No other site's page can read it: there is no CORS here.
    response.writeHead(name === "" ? 400 : 200, { "content-type": "application/json", "cache-control": "no-store" });
    response.end(
      JSON.stringify(name === "" ? { error: "?name= is missing" } : { code: wechat.newCode(openidOf(name)) }),
    );
  };
}

/** As long as WeChat's. */
const openidOf = (name: string) => `o${createHash("sha256").update(`demo ${name}`).digest("base64url").slice(0, 27)}`;
