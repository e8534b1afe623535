/** Callers of the doors as this machine's gateway knows them, and what it lets pages of other origins send. */
import type { IncomingMessage } from "node:http";
import { CallerCache } from "../../apigateway/local/caller_cache.ts";
import { anyEngine } from "../_engines.ts";
import { openDoors } from "./_doors.ts";

const session = `obg_${"0".repeat(52)}${"x".repeat(32)}`;
const key = `obk_${"k".repeat(43)}`;
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const request = (headers: Record<string, string>, url = "/") => ({ headers, url }) as unknown as IncomingMessage;

function answered(callers: CallerCache, route: string, headers: Record<string, string>, statusCode: number, body = {}) {
  const [name, routeKey] = route.split(": ") as [string, string];
  const answer = { statusCode, headers: {}, body: JSON.stringify(body), isBase64Encoded: false };
  callers.learn(name, routeKey, request(headers), answer);
}

const kindOf = (callers: CallerCache, headers: Record<string, string>) =>
  callers.ofRequest(request(headers), "192.0.2.1").kind;

describe("the gateway", () => {
  it("knows a session that a sign-in gave, and one that the doors have accepted", () => {
    const callers = new CallerCache();
    answered(callers, "collections_auth: POST /auth/v1/signin/anonymously", {}, 200, { access_token: session });
    expect(kindOf(callers, bearer(session))).toBe("customer");
    answered(callers, "collections: POST /web", bearer(session), 401);
    expect(kindOf(callers, bearer(session))).toBe("stranger");
    answered(callers, "collections: POST /web", bearer(session), 200, { requestId: "x" });
    expect(kindOf(callers, bearer(session))).toBe("customer");
  });

  it("takes whoever shows a publishable key for a stranger: everybody has it", () => {
    const callers = new CallerCache();
    answered(callers, "collections: POST /web", bearer(key), 200, { requestId: "x" });
    expect(kindOf(callers, bearer(key))).toBe("stranger");
  });

  it("does not learn a token that a sign-in has not looked at", () => {
    const callers = new CallerCache();
    answered(callers, "collections_auth: POST /auth/v1/signin/anonymously", bearer(session), 200, {
      access_token: "x",
    });
    expect(kindOf(callers, bearer(session))).toBe("stranger");
  });

  it("knows the handshake of a socket whose address it has seen given out, once", () => {
    const callers = new CallerCache();
    const data = { wsUrl: "wss://shop.example/pgws?ticket=obt_abc" };
    answered(callers, "collections: POST /web", {}, 200, { requestId: "x", data });
    const kind = (url: string) => callers.ofHandshake(request({}, url), "192.0.2.1").kind;
    expect(kind("/pgws?ticket=none")).toBe("stranger");
    expect([kind("/pgws?ticket=obt_abc"), kind("/pgws?ticket=obt_abc")]).toEqual(["customer", "stranger"]);
  });

  it("lets a page of another origin send what CloudBase's client sends", async () => {
    const house = await openDoors(anyEngine);
    const asked = "authorization,content-type,x-device-id,x-request-id,x-sdk-version,x-seqid,x-tcb-region,x-tcb-trace";
    for (const [method, path] of [
      ["POST", "/web?env=e"],
      ["PATCH", "/v1/database/instances/(default)/databases/(default)/collections/notes/documents"],
      ["POST", "/auth/v1/signin/anonymously?client_id=e"],
    ] as const) {
      const { status, headers } = await fetch(house.url + path, {
        method: "OPTIONS",
        headers: {
          origin: "https://page.example",
          "access-control-request-method": method,
          "access-control-request-headers": asked,
        },
      });
      expect([path, status, headers.get("access-control-allow-origin")]).toEqual([path, 204, "*"]);
      expect(headers.get("access-control-allow-methods")?.split(",")).toContain(method);
      const allowed = headers.get("access-control-allow-headers")?.toLowerCase().split(",") ?? [];
      expect(asked.split(",").filter((one) => !allowed.includes(one))).toEqual([]);
    }
    await house.close();
  });
});
