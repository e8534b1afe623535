/** API requests: every kind of missing answer, and the stable codes of the others. */
import { ApiError, makeApi, mayRetry, query } from "../../clients/api.ts";
import { nodePlatform } from "../../clients/node.ts";
import type { Platform, Request, Response } from "../../clients/platform.ts";
import { retryAfterMs, waitAfter } from "../../clients/retry.ts";

function apiOf(answers: (Partial<Response> | Error)[], renewed?: string) {
  const asked: Request[] = [];
  const stale: (string | undefined)[] = [];
  const request: Platform["request"] = async (wanted) => {
    asked.push(wanted);
    const answer = answers.shift() ?? new Error("nobody");
    if (answer instanceof Error) throw answer;
    return { status: 200, headers: {}, body: "", ...answer };
  };
  const api = makeApi(
    { ...nodePlatform(), request },
    {
      url: "https://api.example.com",
      token: () => "t1",
      async renew(old) {
        stale.push(old);
        return renewed;
      },
    },
  );
  return { api, asked, stale };
}

const get = { method: "GET", path: "/orders" } as const;
const refused = async (work: Promise<unknown>) => {
  const error = await work.catch((failure) => failure);
  expect(error).toBeInstanceOf(ApiError);
  return error as ApiError;
};

describe("an API answer", () => {
  it("is the body, or nothing when that is empty", async () => {
    const { api, asked } = apiOf([{ body: '{"orders":[]}' }, { status: 204 }]);
    expect(await api.ask(get)).toEqual({ orders: [] });
    expect(await api.ask({ method: "PUT", path: "/x", body: { open: true } })).toBeUndefined();
    expect(asked[0]).toEqual({
      method: "GET",
      url: "https://api.example.com/orders",
      headers: { authorization: "Bearer t1" },
      timeoutMs: 15_000,
    });
    expect(asked[1]).toMatchObject({ headers: { "content-type": "application/json" }, body: '{"open":true}' });
  });

  it.each<[string, Partial<Response> | Error, object, boolean]>([
    ["none", new Error("cut"), { code: "NO_ANSWER", status: 0 }, true],
    ["a proxy's page", { body: "<html>sign in to the network</html>" }, { code: "NO_ANSWER", status: 200 }, true],
    ["the gateway's 429", { status: 429, body: '{"message":"Too Many Requests"}' }, { code: "OVERLOADED" }, true],
    ["the gateway's 503", { status: 503, body: '{"message":"Service Unavailable"}' }, { code: "OVERLOADED" }, true],
    ["the gateway's 413", { status: 413, body: '{"message":"Request Too Long"}' }, { code: "INTERNAL" }, false],
    ["a broken one", { status: 500, body: "oh no" }, { code: "INTERNAL", status: 500 }, true],
    [
      "a refusal",
      { status: 409, body: '{"code":"SOLD_OUT","detail":"two left","dish":"bun","left":2}' },
      { code: "SOLD_OUT", message: "two left", extra: { dish: "bun", left: 2 } },
      false,
    ],
    [
      "one to wait for",
      { status: 503, headers: { "retry-after": "7" }, body: '{"code":"DATABASE_AWAY","detail":""}' },
      { code: "DATABASE_AWAY", retryAfterMs: 7_000 },
      true,
    ],
    [
      "a limit of people",
      { status: 429, headers: { "retry-after": "60" }, body: '{"code":"TOO_MANY_UNACCEPTED","detail":""}' },
      { code: "TOO_MANY_UNACCEPTED" },
      false,
    ],
  ])("that is %s has its code", async (_, answer, expected, again) => {
    const { api } = apiOf([answer]);
    const error = await refused(api.ask(get));
    expect(error).toMatchObject(expected);
    expect(mayRetry(error)).toBe(again);
  });
});

describe("an error", () => {
  const orders = { method: "GET", path: "/orders?before=a-person" } as const;

  it("without an answer names the request and its cause, and not the query", async () => {
    const cut = new TypeError("fetch failed");
    const error = await refused(apiOf([cut]).api.ask(orders));
    expect(error).toMatchObject({ message: "GET /orders: TypeError: fetch failed", requestId: undefined });
    expect(error.cause).toBe(cut);
  });

  it("whose body is not JSON says so", async () => {
    const page = { body: "<html>sign in to the network</html>" };
    expect((await refused(apiOf([page]).api.ask(orders))).message).toBe("GET /orders: 200, no JSON");
    const down = { status: 502, body: "<html>bad gateway</html>" };
    expect((await refused(apiOf([down]).api.ask(orders))).message).toBe("GET /orders: 502, no JSON");
  });

  it("has the request's id in the server's log", async () => {
    const headers = { "x-request-id": "r7" };
    const known = { status: 409, headers, body: '{"code":"SOLD_OUT","detail":"two left"}' };
    expect(await refused(apiOf([known]).api.ask(orders))).toMatchObject({ requestId: "r7", message: "two left" });
    const page = { status: 504, headers, body: "" };
    expect(await refused(apiOf([page]).api.ask(orders))).toMatchObject({ requestId: "r7", code: "OVERLOADED" });
  });
});

describe("a refused session", () => {
  const no = { status: 401, body: '{"code":"SESSION_ENDED","detail":""}' };

  it("is renewed once, and the request repeated with the new token", async () => {
    const { api, asked, stale } = apiOf([no, { body: "[]" }], "t2");
    expect(await api.ask(get)).toEqual([]);
    expect(stale).toEqual(["t1"]);
    expect(asked.map(({ headers }) => headers.authorization)).toEqual(["Bearer t1", "Bearer t2"]);
  });

  it("is reported when nobody can renew it, when the new one is refused too, or when the request must not be repeated", async () => {
    expect(await refused(apiOf([no]).api.ask(get))).toMatchObject({ code: "SESSION_ENDED" });
    const both = apiOf([no, no], "t2");
    expect(await refused(both.api.ask(get))).toMatchObject({ code: "SESSION_ENDED" });
    expect(both.asked).toHaveLength(2);
    const once = apiOf([no], "t2");
    await refused(once.api.ask({ ...get, once: true }));
    expect(once.stale).toEqual([]);
  });

  it("is not renewed where the request needs none", async () => {
    const { api, asked, stale } = apiOf([no], "t2");
    await refused(api.ask({ ...get, open: true }));
    expect([asked[0]?.headers, stale]).toEqual([{}, []]);
  });
});

it("a retry waits a random part of a doubling time, at most ten seconds, unless the answer names a time", () => {
  const half = { random: () => 0.5 };
  expect([1, 2, 3, 4, 5, 500].map((tries) => retryAfterMs(tries, half))).toEqual([
    500, 1_000, 2_000, 4_000, 5_000, 5_000,
  ]);
  expect(retryAfterMs(3, { random: () => 0 })).toBe(0);
  expect(waitAfter(new ApiError("OVERLOADED", 503, "", 700), 9, half)).toBe(700);
});

it("a query leaves out undefined values", () => {
  expect(query({ a: "1&2", b: undefined, c: 0, d: ["placed", "ready"] })).toBe("a=1%262&c=0&d=placed%2Cready");
});
