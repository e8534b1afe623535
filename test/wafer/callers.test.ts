/** Wafer's callers as this machine's gateway knows them: who has shown a valid key or session is no stranger. */
import type { IncomingMessage } from "node:http";
import { CallerCache } from "../../apigateway/local/caller_cache.ts";

const skey = `obw_${"0".repeat(52)}${"x".repeat(32)}`;
const id = "0".repeat(26);
const basic = `Basic ${Buffer.from(`x:obk_${"k".repeat(43)}`).toString("base64")}`;

const request = (headers: Record<string, string>) => ({ headers }) as unknown as IncomingMessage;
const kindOf = (callers: CallerCache, headers: Record<string, string>) =>
  callers.ofRequest(request(headers), "192.0.2.1").kind;

/** The gateway sees an answer to a request. */
function answered(callers: CallerCache, route: string, headers: Record<string, string>, statusCode: number, body = {}) {
  const [name, routeKey] = route.split(": ") as [string, string];
  callers.learn(name, routeKey, request(headers), {
    statusCode,
    headers: {},
    body: JSON.stringify(body),
    isBase64Encoded: false,
  });
}

it("a session that Wafer's login began is a customer's, in either header", () => {
  const callers = new CallerCache();
  expect(kindOf(callers, { "x-wx-skey": skey })).toBe("stranger");
  answered(callers, "wafer_session: GET /weapp/login", {}, 200, { code: 0, session: { id, skey } });
  expect(kindOf(callers, { "x-wx-skey": skey })).toBe("customer");
  expect(kindOf(callers, { "x-wx-skey": skey, "x-wx-id": id })).toBe("customer");
  expect(kindOf(callers, { authorization: `Bearer ${skey}` })).toBe("customer");
  // What contradicts itself, and what comes beside another token, proves nothing.
  expect(kindOf(callers, { "x-wx-skey": skey, "x-wx-id": "1".repeat(26) })).toBe("stranger");
  expect(kindOf(callers, { "x-wx-skey": skey, authorization: "Bearer x" })).toBe("stranger");
  answered(callers, "session: GET /session", { "x-wx-skey": skey }, 401);
  expect(kindOf(callers, { "x-wx-skey": skey })).toBe("stranger");
});

it("a session that a business server began is a customer's", () => {
  const callers = new CallerCache();
  answered(callers, "wafer_session: POST /mina_auth/", { authorization: basic }, 200, { returnData: { id, skey } });
  expect(kindOf(callers, { "x-wx-skey": skey })).toBe("customer");
});

it("a business server is known by its key once a function has accepted it", () => {
  const callers = new CallerCache();
  answered(callers, "wafer_session: POST /mina_auth", { authorization: basic }, 401);
  expect(kindOf(callers, { authorization: basic })).toBe("stranger");
  answered(callers, "wafer_session: POST /mina_auth", { authorization: basic }, 200, { returnData: "" });
  expect(kindOf(callers, { authorization: basic })).toBe("customer");
});

it("a header that no function has looked at makes nobody known", () => {
  const callers = new CallerCache();
  // Accepted for its network; a failure with the status 200; a login that reads no token.
  answered(callers, "wafer_session: POST /mina_auth", { "x-wx-skey": skey }, 200, { returnData: "" });
  answered(callers, "wafer_session: GET /weapp/user", { "x-wx-skey": skey }, 200, { code: -1 });
  answered(callers, "wafer_session: GET /weapp/login", { "x-wx-skey": skey }, 200, { code: -1 });
  answered(callers, "login: POST /login/guest", { "x-wx-skey": skey }, 201, { session: { token: "obg_x" } });
  expect(kindOf(callers, { "x-wx-skey": skey })).toBe("stranger");
});
