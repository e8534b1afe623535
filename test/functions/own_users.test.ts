/** Users of the shop's own system: its token is exchanged for a session, once, and whatever is wrong with it is named. */
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { asUser, createClient } from "../../clients/node.ts";
import { sql } from "../../db/sql.ts";
import { readConfig } from "../../shared/config.ts";
import { callerOf } from "../../shared/live/caller.ts";
import { anyEngine, onEveryDialect } from "../_engines.ts";
import { type House, newKey, oneBowl, openHouse, TestClock, testKeys } from "../_house.ts";
import { type Algorithm, audience, encoded, type Issuer, issuerName, makeIssuer, tokenSettings } from "../_issuer.ts";

const minute = 60_000;
const algorithms: readonly Algorithm[] = ["RS256", "ES256", "EdDSA"];
const login = (house: House, token: string) => house.http("POST", "/login/token", { body: { token } });
const userIn = async (house: House, token: string) => (await login(house, token)).body.user?.id;

onEveryDialect((engine) => {
  let house: House;
  let issuer: Issuer;
  beforeAll(async () => {
    const clock = new TestClock();
    issuer = makeIssuer("ES256", clock.now);
    house = await openHouse(engine, { clock, environment: tokenSettings(issuer.pem) });
  });
  afterAll(() => house.close());

  it("the same subject is the same user, with the name of its token, and orders as a customer who is no guest", async () => {
    const first = await login(house, issuer.sign({ sub: "ming", name: "王小明" }));
    expect([first.status, first.body.session.kind, first.body.user.profile]).toEqual([
      201,
      "own",
      { nickName: "王小明" },
    ]);
    expect(first.headers.get("set-cookie")).toBeNull();
    const again = await login(house, issuer.sign({ sub: "ming" }));
    expect(again.body.user).toEqual(first.body.user);
    expect(await userIn(house, issuer.sign({ sub: "other" }))).not.toBe(first.body.user.id);
    const { token } = again.body.session;
    const headers = { "idempotency-key": newKey() };
    const placed = await house.http("POST", "/bill", { token, headers, body: { shop: house.shop, ...oneBowl } });
    expect(placed.status).toBe(201);
    const staff = await house.staff("kitchen");
    const { order } = (await staff.http("GET", `/orders/${placed.body.order.id}`)).body;
    expect(order).toMatchObject({ guest: false, customer: first.body.user.id });
    // The session slides as every other, and ends as every other.
    house.clock.forward(2 * 86_400_000);
    expect((await house.http("GET", "/session", { token })).body.session.kind).toBe("own");
    expect((await house.http("DELETE", "/session", { token })).status).toBe(204);
    expect((await house.http("GET", "/orders", { token })).body.code).toBe("SESSION_ENDED");
    const { body } = await login(house, issuer.sign({ sub: "ming" }));
    const { orders } = (await house.http("GET", "/orders", { token: body.session.token })).body;
    expect(orders.map(({ id }: { id: string }) => id)).toEqual([placed.body.order.id]);
    const stored = JSON.stringify(
      await house.db.read([sql`SELECT * FROM own_accounts`, sql`SELECT * FROM used_tokens`]),
    );
    expect(stored).not.toContain("ming");
  });

  it("a token begins one session, and of many logins of a new user at once one user comes", async () => {
    const token = issuer.sign({ sub: "twice" });
    const answers = await Promise.all([1, 2, 3].map(() => login(house, token)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 401, 401]);
    const refused = answers.filter(({ status }) => status === 401);
    for (const { body } of refused)
      expect([body.code, body.detail]).toEqual(["TOKEN_INVALID", expect.stringMatching(/it was used.*"jti"/)]);
    const many = await Promise.all([1, 2, 3, 4].map(() => userIn(house, issuer.sign({ sub: "many" }))));
    expect(new Set(many).size).toBe(1);
    const [users] = await house.db.read([sql`SELECT id FROM users WHERE id = ${many[0]}`]);
    expect(users).toHaveLength(1);
  });

  it("such a user is a user of rooms and collections, and no visitor", async () => {
    const { session, user } = (await login(house, issuer.sign({ sub: "writer" }))).body;
    expect((await house.http("POST", "/rooms", { token: session.token })).status).toBe(201);
    const { auth } = await callerOf(house.app, `Bearer ${session.token}`);
    expect(auth).toEqual({ uid: user.id, openid: null, loginType: "CUSTOM" });
  });

  it("the SDK asks for a token when a session begins, and again when it has ended", async () => {
    let asked = 0;
    const token = async () => {
      asked += 1;
      return issuer.sign({ sub: "sdk" });
    };
    const client = createClient({ url: house.url, begin: asUser(token) });
    const first = await client.signIn();
    expect([first.kind, (await client.orders()).orders, asked]).toEqual(["own", [], 1]);
    await house.call("admin", { command: "sessions.end", args: { id: first.id } });
    await client.orders();
    expect([client.session()?.user.id, client.session()?.id === first.id, asked]).toEqual([first.user.id, false, 2]);
    await client.signOut();
    await expect(client.orders()).rejects.toMatchObject({ code: "SESSION_MISSING" });
    expect(asked).toBe(2);
    client.close();
  });

  it("sessions of a network that order nothing are counted with its guests'", async () => {
    house.clock.forward(2 * 3_600_000);
    const { limits } = house.app.config;
    const { guestSessionsPerHour } = limits;
    Object.assign(limits, { guestSessionsPerHour: 2 });
    await house.guest();
    expect((await login(house, issuer.sign())).status).toBe(201);
    const refused = await login(house, issuer.sign());
    expect([refused.status, refused.body.code]).toEqual([429, "TOO_MANY_SESSIONS"]);
    expect((await house.http("POST", "/login/guest")).body.code).toBe("TOO_MANY_SESSIONS");
    Object.assign(limits, { guestSessionsPerHour });
  });
});

describe("a token of the shop's own system", () => {
  let house: House;
  const clock = new TestClock();
  const issuers = Object.fromEntries(algorithms.map((alg) => [alg, makeIssuer(alg, clock.now)])) as Record<
    Algorithm,
    Issuer
  >;
  const { RS256: rsa, ES256: ec, EdDSA: ed } = issuers;
  beforeAll(async () => {
    const pems = algorithms.map((alg) => issuers[alg].pem).join("");
    house = await openHouse(anyEngine, { clock, environment: tokenSettings(pems) });
  });
  afterAll(() => house.close());

  const nowSec = () => Math.floor(clock.now() / 1_000);
  const expectRefused = async (what: string, token: string, said: RegExp) => {
    const { status, body } = await login(house, token);
    expect([what, status, body.code]).toEqual([what, 401, "TOKEN_INVALID"]);
    expect([what, body.detail]).toEqual([what, expect.stringMatching(said)]);
  };
  const kept = () => house.db.read([sql`SELECT id FROM sessions ORDER BY id`, sql`SELECT hash FROM own_accounts`]);

  it.each(algorithms)("is taken with %s, within a minute of every limit", async (alg) => {
    const at = nowSec();
    for (const claims of [
      {},
      { exp: at - 50 },
      { nbf: at + 50 },
      { iat: at + 50, exp: at + 100 },
      { iat: at, exp: at + 3_600 },
      { aud: ["other", audience] },
    ])
      expect([claims, (await login(house, issuers[alg].sign(claims))).status]).toEqual([claims, 201]);
  });

  it("is refused for each wrong claim, which the answer names", async () => {
    const at = nowSec();
    const stored = await kept();
    for (const [claims, said] of [
      [{ exp: at - 70 }, /"exp"/],
      [{ exp: undefined }, /"exp"/],
      [{ exp: "soon" }, /"exp"/],
      [{ iat: undefined }, /"iat"/],
      [{ iat: at + 70, exp: at + 100 }, /"iat"/],
      [{ iat: at - 3_700, exp: at + 100 }, /"iat"/],
      [{ iat: at, exp: at + 3_601 }, /"exp" is more than an hour after "iat"/],
      [{ nbf: at + 70 }, /"nbf"/],
      [{ iss: undefined }, /"iss"/],
      [{ iss: `${issuerName}/` }, /"iss"/],
      [{ aud: undefined }, /"aud"/],
      [{ aud: ["other"] }, /"aud"/],
      [{ sub: undefined }, /"sub"/],
      [{ sub: "" }, /"sub"/],
      [{ sub: 42 }, /"sub"/],
      [{ sub: "x".repeat(256) }, /"sub" is not 1 to 255/],
      [{ name: { first: "x" } }, /"name" is no text/],
    ] as const)
      await expectRefused(JSON.stringify(claims).slice(0, 60), ed.sign(claims), said);
    expect(await kept()).toEqual(stored);
  });

  it("is refused for every trick with its header, key or signature", async () => {
    const stored = await kept();
    const [head = "", payload = ""] = rsa.sign().split(".");
    const hmac = (secret: string) => {
      const signed = `${encoded({ alg: "HS256" })}.${payload}`;
      return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
    };
    const stranger = makeIssuer("EdDSA", clock.now);
    const own = { jwk: stranger.publicKey.export({ format: "jwk" }) };
    const [, , signature = ""] = ed.sign().split(".");
    for (const [what, token, said] of [
      ["none", `${encoded({ alg: "none" })}.${payload}.`, /"alg" is none of RS256, ES256, EdDSA/],
      ["HS256 by the public key", hmac(rsa.pem), /"alg"/],
      ["another case", rsa.sign({}, { alg: "rs256" }), /"alg"/],
      ["another key's algorithm", ec.sign({}, { alg: "RS256" }), /signature/],
      ["RS512", rsa.sign({}, { alg: "RS512" }), /"alg"/],
      ["a stranger's key", stranger.sign(), /signature/],
      ["a stranger's key that it brings", stranger.sign({}, own), /signature/],
      ["a stranger's key by address", stranger.sign({}, { jku: "http://127.0.0.1:1/keys" }), /signature/],
      ["a path as the key's name", stranger.sign({}, { kid: "../../dev/null" }), /signature/],
      ["another token's signature", `${head}.${payload}.${signature}`, /signature/],
      ["no signature", `${head}.${payload}.`, /signature/],
      ["an extension that must be known", ed.sign({}, { crit: ["x"], x: 1 }), /"crit"|x/],
      ["a payload that is not encoded", ed.sign({}, { b64: false, crit: ["b64"] }), /./],
      ["five parts", `${ed.sign()}.a.b`, /./],
      ["no token", "hello", /no signed JWT/],
      ["nothing", "", /no signed JWT/],
      ["a session's token", (await house.guest()).token, /no signed JWT/],
      ["a huge one", ed.sign({ more: "x".repeat(4_096) }), /longer than 4096/],
    ] as const)
      await expectRefused(what, token, said);
    const [sessions] = await kept();
    expect(sessions?.length).toBe((stored[0]?.length ?? 0) + 1);
    for (const body of [{}, { token: 1 }, { token: ed.sign(), more: 1 }])
      expect((await house.http("POST", "/login/token", { body })).body.code).toBe("INVALID_INPUT");
  });

  it("is refused where no issuer is set", async () => {
    const { userTokens } = house.app.config;
    Object.assign(house.app.config, { userTokens: undefined });
    await expectRefused("no issuer", ed.sign(), /no issuer is set here \(USER_TOKEN_ISSUER\)/);
    Object.assign(house.app.config, { userTokens });
  });
});

describe("the issuer's keys", () => {
  const withKeys = (keys: string) => readConfig({ ...testKeys, DATABASE_URL: "pglite:", ...tokenSettings(keys) });
  const { pem, jwk } = makeIssuer("ES256");

  it("come as PEM, with line breaks or without, as base64, and as a JWK Set", () => {
    const body = pem.split("\n").slice(1, -2).join("");
    for (const keys of [
      pem,
      pem + pem,
      pem.replaceAll("\n", "\\n"),
      `${body};${body.replace(/=+$/, "")}`,
      JSON.stringify({ keys: [jwk("1")] }),
    ])
      expect(withKeys(keys).userTokens?.keys).toMatchObject({
        keys: expect.arrayContaining([
          { algorithm: "ES256", kid: keys.startsWith("{") ? "1" : undefined, key: expect.anything() },
        ]),
      });
    expect(withKeys("https://biz.example.com/keys").userTokens?.keys).toEqual({
      url: new URL("https://biz.example.com/keys"),
    });
  });

  it.each([
    ["hello there", "is neither an address"],
    ["{}", 'has no list "keys"'],
    ['{"keys":[]}', "holds no key"],
    ['{"keys":[{"kty":"oct","k":"AAAA"}]}', "holds a secret key"],
    ['{"keys":[{"kty":"EC"}]}', "holds a key that cannot be read"],
    [JSON.stringify({ keys: [{ ...jwk("1"), use: "enc" }] }), "not for signatures"],
    [JSON.stringify({ keys: [{ ...jwk("1"), alg: "ES384" }] }), "for another algorithm"],
    ["-----BEGIN PRIVATE KEY-----", "holds a private key"],
    ["http://biz.example.com/keys", "must be https://"],
    ["https://a:b@biz.example.com/keys", "neither user"],
  ])("%s is refused when the server starts", (keys, said) => {
    expect(() => withKeys(keys)).toThrow(said);
    expect(() => withKeys(keys)).toThrow("USER_TOKEN_KEYS");
  });

  it("are set together with issuer and audience, or not at all", () => {
    expect(readConfig({ ...testKeys, DATABASE_URL: "pglite:", USER_TOKEN_KEYS: "" }).userTokens).toBeUndefined();
    expect(() => readConfig({ ...testKeys, DATABASE_URL: "pglite:", USER_TOKEN_KEYS: pem })).toThrow(
      "USER_TOKEN_ISSUER is missing",
    );
  });

  it("are fetched where they are published, when one changes too, and are still good while their server is away", async () => {
    const clock = new TestClock();
    const [old, next] = [makeIssuer("RS256", clock.now), makeIssuer("EdDSA", clock.now)];
    let set = JSON.stringify({ keys: [old.jwk("old"), { kty: "oct", k: "AAAA" }] });
    let status = 200;
    let fetched = 0;
    const server = createServer((_, response) => {
      fetched += 1;
      response.writeHead(status, { "content-type": "application/json" }).end(set);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const environment = { ...tokenSettings(`http://127.0.0.1:${port}/keys`), CALLBACK_NETWORKS: "127.0.0.0/8" };
    const house = await openHouse(anyEngine, { clock, environment });
    const outcome = async (token: string) => {
      const { status: code, body } = await login(house, token);
      return [code, body.code ?? "served", fetched];
    };
    expect(await outcome(old.sign({}, { kid: "old" }))).toEqual([201, "served", 1]);
    expect(await outcome(old.sign({}, { kid: "old" }))).toEqual([201, "served", 1]);
    set = JSON.stringify({ keys: [old.jwk("old"), next.jwk("next")] });
    // Soon after the last look an unknown key causes no other one.
    expect(await outcome(next.sign({}, { kid: "next" }))).toEqual([401, "TOKEN_INVALID", 1]);
    clock.forward(minute);
    expect(await outcome(next.sign({}, { kid: "next" }))).toEqual([201, "served", 2]);
    expect(await outcome(next.sign({}, { kid: "old" }))).toEqual([401, "TOKEN_INVALID", 2]);
    status = 500;
    clock.forward(11 * minute);
    expect(await outcome(next.sign({}, { kid: "next" }))).toEqual([201, "served", 3]);
    expect(await outcome(next.sign({}, { kid: "next" }))).toEqual([201, "served", 3]);
    clock.forward(61 * minute);
    expect(await outcome(next.sign({}, { kid: "next" }))).toEqual([503, "TOKEN_KEYS_AWAY", 4]);
    status = 200;
    set = JSON.stringify({ keys: [next.jwk("next")] });
    expect(await outcome(next.sign({}, { kid: "next" }))).toEqual([201, "served", 5]);
    // A key that was withdrawn signs nothing more.
    expect(await outcome(old.sign({}, { kid: "old" }))).toEqual([401, "TOKEN_INVALID", 5]);
    await house.close();
    server.closeAllConnections();
    server.close();
  });

  it("are not fetched from a private network that the operator did not name", async () => {
    const house = await openHouse(anyEngine, { environment: tokenSettings("https://127.0.0.1:1/keys") });
    const refused = await login(house, makeIssuer().sign());
    expect([refused.status, refused.body.code, refused.body.detail]).toEqual([
      503,
      "TOKEN_KEYS_AWAY",
      "the keys of USER_TOKEN_KEYS cannot be fetched (REFUSED)",
    ]);
    await house.close();
  });
});
