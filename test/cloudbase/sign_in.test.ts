/** Sign-in of CloudBase's own client, unmodified, on orderbell's sessions. */
import { readSession } from "../../db/sessions.ts";
import { newApiKey } from "../../shared/sessions/api_key.ts";
import { onEveryDialect } from "../_engines.ts";
import { type House, oneBowl, openHouse, type Person } from "../_house.ts";
import { endPointModes, openClient, signIn } from "./_client.ts";

const dayMs = 86_400_000;

/** Its own store of credentials, of which its types say nothing. */
interface OauthClient {
  readonly localCredentials: { setCredentials(credentials: object): Promise<void> };
  getAccessToken(): Promise<string>;
}
const oauthOf = (app: object) => (app as { oauthInstance: { oauth2client: OauthClient } }).oauthInstance.oauth2client;

onEveryDialect((engine) => {
  let house: House;
  beforeAll(async () => {
    house = await openHouse(engine, { environment: { GUEST_SESSIONS_PER_HOUR: "100000" } });
  });
  afterAll(() => house.close());

  const tokenOf = async (app: Awaited<ReturnType<typeof signIn>>["app"]) => {
    const { data } = await app.auth.getSession();
    if (data.session === null) throw new Error("nobody is signed in");
    return data.session;
  };

  it.each(endPointModes)("gives a guest one session for collections and orders: %s", async (endPointMode) => {
    const { app, uid } = await signIn(house, { endPointMode });
    const { access_token: token } = await tokenOf(app);
    const { body } = await house.http("GET", "/session", { token });
    expect([body.session.kind, body.user.id]).toEqual(["guest", uid]);
    const bill = await house.http("POST", "/bill", {
      token,
      body: { shop: house.shop, ...oneBowl },
      headers: { "idempotency-key": `bill-of-${uid}` },
    });
    expect(bill.status).toBe(201);
    const { data } = await app.auth.getUser();
    expect(data.user).toMatchObject({ id: uid, app_metadata: { provider: "anonymous" } });
  });

  it("extends the session at an exchange, which gives the same tokens when it is repeated", async () => {
    const { app, uid } = await signIn(house);
    const before = await tokenOf(app);
    house.clock.forward(2 * dayMs);
    const { data, error } = await app.auth.refreshSession();
    expect([error, data.user?.id]).toEqual([null, uid]);
    const again = await house.http("POST", "/auth/v1/token", {
      body: { client_id: "x", client_secret: "", grant_type: "refresh_token", refresh_token: before.refresh_token },
    });
    expect(again.body).toMatchObject({ access_token: before.access_token, sub: uid, scope: "anonymous" });
    // Seven days from now, and not from the beginning.
    expect(again.body.expires_in).toBeGreaterThan(6.9 * 86_400);
    expect((await tokenOf(app)).access_token).toBe(before.access_token);
  });

  it("forgets a session that has ended elsewhere", async () => {
    const { app } = await signIn(house);
    const { access_token: token } = await tokenOf(app);
    expect((await house.http("DELETE", "/session", { token })).status).toBe(204);
    const { error } = await app.auth.refreshSession();
    expect(error?.code).toBe("unauthenticated");
    expect((await app.auth.getSession()).data.session).toBeNull();
  });

  it("begins a new guest where the session has expired, without a word to the app", async () => {
    const { app, uid } = await signIn(house);
    const { access_token: token } = await tokenOf(app);
    // The client's clock is the real one: its copy of the credentials is made old.
    const client = oauthOf(app);
    await client.localCredentials.setCredentials({ ...(await tokenOf(app)), expires_at: new Date(1) });
    house.clock.forward(8 * dayMs);
    const renewed = await client.getAccessToken();
    expect(renewed).not.toBe(token);
    const { body } = await house.http("GET", "/session", { token: renewed });
    expect(body.user.id).not.toBe(uid);
  });

  it("ends the session when the client signs out, in both ways", async () => {
    for (const params of [undefined, {}]) {
      const { app } = await signIn(house);
      const { access_token: token } = await tokenOf(app);
      await app.auth.signOut(params as never);
      const { status, body } = await house.http("GET", "/session", { token });
      expect([status, body.code]).toEqual([401, "SESSION_ENDED"]);
    }
  });

  it("refuses what it does not do, in words that the client reads", async () => {
    const ask = (path: string, body: object) => house.http("POST", `/auth/v1${path}`, { body });
    const told = ({ status, body }: Awaited<ReturnType<typeof ask>>) => [
      status,
      body.error,
      body.error_code,
      body.code,
    ];
    expect(told(await ask("/signin/anonymously", { provider_token: "x" }))).toEqual([
      422,
      "unimplemented",
      12,
      "NOT_SUPPORTED",
    ]);
    expect(told(await ask("/token", { grant_type: "password", refresh_token: "x" }))[3]).toBe("NOT_SUPPORTED");
    expect(told(await ask("/token", { grant_type: "refresh_token", refresh_token: "x" }))).toEqual([
      401,
      "invalid_grant",
      16,
      "INVALID_ACCESS_TOKEN",
    ]);
    expect(told(await ask("/token", { grant_type: "refresh_token" }))).toEqual([
      400,
      "invalid_argument",
      3,
      "INVALID_PARAM",
    ]);
    expect(told(await ask("/user/signout", {}))).toEqual([401, "unauthenticated", 16, "SESSION_MISSING"]);
    expect((await ask("/revoke", { token: "x" })).body).toEqual({});
  });

  it("limits new guests of one network as POST /login/guest does", async () => {
    const small = await openHouse(engine, { environment: { GUEST_SESSIONS_PER_HOUR: "2" } });
    const app = openClient(small);
    await signIn(small);
    await signIn(small);
    const { error } = await app.auth.signInAnonymously({});
    expect(error?.code).toBe("resource_exhausted");
    const { status, headers } = await small.http("POST", "/auth/v1/signin/anonymously", { body: {} });
    expect([status, Number(headers.get("retry-after")) > 0]).toEqual([429, true]);
    await small.close();
  });

  describe("by actions, as 1.x does it,", () => {
    const act = async (action: string, members: object = {}) =>
      (await house.http("POST", "/web?env=test", { body: { action, env: "test", seqId: "x", ...members } })).body;

    it("is repeatable, and its user is known", async () => {
      const made = await act("auth.signInAnonymously");
      expect(await act("auth.signInAnonymously", made)).toMatchObject({ ...made, requestId: expect.any(String) });
      const { access_token: token, access_token_expire: ms } = await act("auth.fetchAccessTokenWithRefreshToken", made);
      expect(ms).toBeGreaterThan(6 * dayMs);
      const { data } = await act("auth.getUserInfo", { access_token: token });
      expect(data).toMatchObject({ uid: made.uuid, loginType: "ANONYMOUS" });
      await act("auth.logout", { refresh_token: made.refresh_token });
      expect(await act("auth.getUserInfo", { access_token: token })).toMatchObject({ code: "ACCESS_TOKEN_EXPIRED" });
      expect(await act("auth.fetchAccessTokenWithRefreshToken", made)).toMatchObject({ code: "INVALID_REFRESH_TOKEN" });
      const { uuid } = await act("auth.signInAnonymously", made);
      expect([uuid === undefined, uuid === made.uuid]).toEqual([false, false]);
    });
  });

  describe("the socket's address", () => {
    const sign = async (access_token?: string) =>
      (await house.http("POST", "/web", { body: { action: "auth.wsWebSign", runtime: "web", env: "e", access_token } }))
        .body.data;

    it("carries a ticket that opens one socket of the session", async () => {
      const guest = await house.guest();
      const { wsUrl, envId, signStr, secretVersion } = await sign(guest.token);
      expect([envId, typeof signStr, typeof secretVersion]).toEqual(["e", "string", "number"]);
      expect(wsUrl.startsWith(`${house.url.replace("http", "ws")}/pgws?ticket=obt_`)).toBe(true);
      expect(wsUrl).not.toContain(guest.token.slice(4, 40));
      expect((await sign(guest.token)).wsUrl).not.toBe(wsUrl);
    });

    it("carries a ticket of the key's one session, for a key of front ends", async () => {
      const { id, key } = await newApiKey(house.app, "page", ["collections"], null);
      const wsUrls = [(await sign(key)).wsUrl, (await sign(key)).wsUrl];
      for (const wsUrl of wsUrls) expect(wsUrl).toMatch(/\?ticket=obt_/);
      const [rows] = await house.db.read([readSession(id)]);
      expect(rows?.map(({ kind }) => kind)).toEqual(["key"]);
    });

    it("is given to everybody else too, with a ticket that opens nothing", async () => {
      const { key: foreign } = await newApiKey(house.app, "shop", ["notify"], null);
      const ended: Person = await house.guest();
      await ended.http("DELETE", "/session");
      for (const token of [undefined, "", "x", ended.token, foreign, `obk_${"0".repeat(43)}`])
        expect((await sign(token)).wsUrl).toBe(`${house.url.replace("http", "ws")}/pgws?ticket=none`);
    });
  });
});
