/** Login and check of Wafer's clients without a business server, and their session on orderbell's own routes. */
import { ConnectionLost } from "../../db/database.ts";
import { anyEngine, onEveryDialect } from "../_engines.ts";
import { type Answer, altered, newKey, oneBowl } from "../_house.ts";
import {
  app,
  magicId,
  openSessionHouse,
  otherApp,
  profile,
  type SessionHouse,
  token,
  ulid,
  userInfo,
} from "./_session_house.ts";

const path = "/weapp/login";
const failed = (message: unknown = expect.any(String), error = "ERR_LOGIN_FAILED") => ({
  [magicId]: 1,
  error,
  message,
  code: -1,
});

/** The headers of clients since November 2016. */
const headersOf = ({ code, encryptedData, iv }: ReturnType<SessionHouse["newLogin"]>) => ({
  "x-wx-code": code,
  "x-wx-encrypted-data": encryptedData,
  "x-wx-iv": iv,
});

onEveryDialect((engine) => {
  let place: SessionHouse;
  beforeAll(async () => {
    place = await openSessionHouse(engine);
  });
  afterAll(() => place.close());

  it.each(["GET", "POST"])("signs in by %s with one answer for both generations", async (method) => {
    const { house, newLogin } = place;
    const { status, body } = await house.http(method, path, { headers: headersOf(newLogin(`o-${method}`)) });
    expect([status, body]).toEqual([
      200,
      {
        [magicId]: 1,
        session: { id: ulid, skey: token },
        code: 0,
        data: {
          userinfo: userInfo(`o-${method}`),
          skey: body.session.skey,
          time: expect.any(Number),
        },
      },
    ]);
    const first = { "x-wx-id": body.session.id, "x-wx-skey": body.session.skey };
    for (const headers of [first, { "x-wx-skey": body.data.skey }, { authorization: `Bearer ${body.data.skey}` }]) {
      const checked = await house.http(method, "/weapp/user", { headers });
      expect([checked.status, checked.body]).toEqual([200, { code: 0, data: userInfo(`o-${method}`) }]);
    }
  });

  it("takes the code alone and remembers the profile, and the data of clients of 2016", async () => {
    const { house, standIn, newLogin } = place;
    const login = async (headers: Record<string, string>) => (await house.http("GET", path, { headers })).body;
    const bare = await login({ "x-wx-code": standIn.newCode("o-later") });
    expect(bare.data.userinfo).toMatchObject({ openId: "o-later", nickName: "", gender: 0 });
    expect((await login(headersOf(newLogin("o-later")))).data.userinfo).toEqual(userInfo("o-later"));
    const again = await login({ "x-wx-code": standIn.newCode("o-later") });
    expect(again.data.userinfo).toEqual(userInfo("o-later"));
    expect(again.session.id).toBe(bare.session.id);
    const code = standIn.newCode("o-old");
    const old = await login({ "x-wx-code": code, "x-wx-encrypt-data": standIn.encryptWithoutIv(code, profile) });
    expect(old.data.userinfo).toEqual(userInfo("o-old"));
  });

  it("places an order with the headers alone", async () => {
    const { house, newLogin } = place;
    const { session } = (await house.http("GET", path, { headers: headersOf(newLogin()) })).body;
    const place2 = (headers: Record<string, string>) =>
      house.http("POST", "/bill", {
        headers: { ...headers, "idempotency-key": newKey() },
        body: { shop: house.shop, ...oneBowl },
      });
    const placed = await place2({ "x-wx-skey": session.skey });
    expect(placed.status).toBe(201);
    expect((await place2({ "x-wx-skey": session.skey, "x-wx-id": session.id })).status).toBe(201);
    const { body } = await house.http("GET", "/orders", { headers: { "x-wx-skey": session.skey } });
    expect(body.orders).toHaveLength(2);
    expect(body.orders.map(({ id }: { id: string }) => id)).toContain(placed.body.order.id);
  });
});

describe("without a business server", () => {
  let place: SessionHouse;
  beforeAll(async () => {
    place = await openSessionHouse(anyEngine);
  });
  afterEach(() => {
    place.standIn.misbehave();
    place.wechat = undefined;
  });
  afterAll(() => place.close());

  const login = (headers: Record<string, string>, query = ""): Promise<Answer> =>
    place.house.http("GET", path + query, { headers });
  const newSession = async () =>
    (await login(headersOf(place.newLogin()))).body.session as { id: string; skey: string };

  it("says in a 200 why nobody was signed in", async () => {
    const { newLogin, standIn } = place;
    const good = newLogin();
    const used = standIn.newCode();
    await login({ "x-wx-code": used });
    standIn.block("o-blocked");
    const wrong: Record<string, string>[] = [
      {},
      { "x-wx-code": "" },
      { "x-wx-code": "a b" },
      { "x-wx-code": "x".repeat(200) },
      { "x-wx-code": "never-given" },
      { "x-wx-code": used },
      { "x-wx-code": standIn.newCode("o-blocked") },
      { ...headersOf(newLogin()), "x-wx-iv": "AAAA" },
      { ...headersOf(newLogin()), "x-wx-encrypted-data": good.encryptedData },
      { "x-wx-code": standIn.newCode(), "x-wx-iv": good.iv },
      { "x-wx-code": standIn.newCode(), "x-wx-encrypt-data": good.encryptedData },
      { "x-wx-code": standIn.newCode(), "x-wx-appid": "wx-of-nobody" },
    ];
    for (const headers of wrong) {
      const { status, body } = await login(headers);
      expect([headers, status, body]).toEqual([headers, 200, failed()]);
    }
    standIn.misbehave("reset");
    expect((await login(headersOf(newLogin()))).body).toEqual(failed("WeChat does not answer"));
  });

  it("tells which mini-program by a header or by the address", async () => {
    const two = await openSessionHouse(anyEngine, {}, [app, otherApp]);
    try {
      const { house, standIn } = two;
      const of = async (headers: Record<string, string>, query = "") =>
        (await house.http("GET", path + query, { headers })).body.code;
      const code = () => standIn.newCode(undefined, otherApp.appid);
      expect(await of({ "x-wx-code": code() })).toBe(-1);
      expect(await of({ "x-wx-code": code(), "x-wx-appid": otherApp.appid })).toBe(0);
      expect(await of({ "x-wx-code": code() }, `?appid=${otherApp.appid}`)).toBe(0);
    } finally {
      await two.close();
    }
  });

  it("says whose session it is not, in the words of each generation", async () => {
    const { house } = place;
    const session = await newSession();
    const guest = await house.guest();
    const user = async (headers: Record<string, string>) => {
      const { status, body } = await house.http("GET", "/weapp/user", { headers });
      expect(status).toBe(200);
      return body;
    };
    const first = failed(expect.any(String), "ERR_INVALID_SESSION");
    const second = failed(expect.any(String), "ERR_SKEY_INVALID");
    expect(await user({})).toEqual(second);
    expect(await user({ "x-wx-skey": "" })).toEqual(second);
    expect(await user({ "x-wx-skey": "x" })).toEqual(second);
    expect(await user({ "x-wx-skey": guest.token })).toEqual(second);
    expect(await user({ "x-wx-id": session.id })).toEqual(first);
    expect(await user({ "x-wx-id": guest.user, "x-wx-skey": session.skey })).toEqual(first);
    await house.http("DELETE", "/session", { headers: { "x-wx-skey": session.skey } });
    expect(await user({ "x-wx-skey": session.skey })).toEqual(second);
    expect(await user({ "x-wx-id": session.id, "x-wx-skey": session.skey })).toEqual(first);
  });

  it("does not send clients to sign in again when the database is away", async () => {
    const session = await newSession();
    const { app: own } = place.house;
    const { read } = own.db;
    // What goes on beside the request reads other tables.
    const spy = jest
      .spyOn(own.db, "read")
      .mockImplementation(((statements: Parameters<typeof read>[0]) =>
        JSON.stringify(statements).includes("wechat_accounts")
          ? Promise.reject(new ConnectionLost(false, new Error("planted")))
          : read(statements)) as typeof read);
    try {
      const headers = { "x-wx-skey": session.skey };
      const { status, body } = await place.house.http("GET", "/weapp/user", { headers });
      expect([status, body.code]).toEqual([503, "DATABASE_AWAY"]);
    } finally {
      spy.mockRestore();
    }
  });

  it("counts wrong codes against the phone's network", async () => {
    const own = await openSessionHouse(anyEngine, { environment: { FAILED_LOGINS_PER_HOUR: "2" } });
    try {
      const ask = async (code: string) =>
        (await own.house.http("GET", path, { headers: { "x-wx-code": code } })).body.message;
      for (const code of ["never-given-1", "never-given-2"]) expect(await ask(code)).toMatch(/does not know this code/);
      expect(await ask(own.standIn.newCode())).toMatch(/too many codes from this network/);
    } finally {
      await own.close();
    }
  });

  describe("a session's headers on orderbell's routes", () => {
    const ask = (headers: Record<string, string>) => place.house.http("GET", "/session", { headers });

    it("are refused when the id is another user's, empty ones are none, and a bearer token goes before them", async () => {
      const { house } = place;
      const [mine, other] = [await newSession(), await newSession()];
      const guest = await house.guest();
      const said = async (headers: Record<string, string>) => {
        const { status, body } = await ask(headers);
        return status === 200 ? body.user.id : body.code;
      };
      expect(await said({ "x-wx-skey": mine.skey })).toBe(mine.id);
      expect(await said({ "x-wx-skey": mine.skey, "x-wx-id": mine.id })).toBe(mine.id);
      expect(await said({ "x-wx-skey": mine.skey, "x-wx-id": other.id })).toBe("SESSION_INVALID");
      expect(await said({ "x-wx-skey": mine.skey, "x-wx-id": mine.id.toLowerCase() })).toBe("SESSION_INVALID");
      expect(await said({ "x-wx-skey": `${mine.skey} x` })).toBe("SESSION_INVALID");
      expect(await said({ "x-wx-id": mine.id })).toBe("SESSION_MISSING");
      expect(await said({ "x-wx-skey": "", "x-wx-id": "" })).toBe("SESSION_MISSING");
      expect(await said({ "x-wx-skey": guest.token, "x-wx-id": guest.user })).toBe(guest.user);
      expect(await said({ "x-wx-skey": mine.skey, authorization: `Bearer ${other.skey}` })).toBe(other.id);
    });

    it("make a 401 one after which clients sign in again, and no other answer", async () => {
      const { house } = place;
      const { id, skey } = await newSession();
      const members = { [magicId]: 1, error: "ERR_INVALID_SESSION" };
      const wrong = { "x-wx-id": id, "x-wx-skey": altered(skey) };
      for (const headers of [wrong, { "x-wx-skey": "x" }, { "x-wx-id": id }]) {
        const { status, body } = await ask(headers);
        expect([status, body]).toEqual([401, expect.objectContaining(members)]);
      }
      expect((await ask({})).body).not.toHaveProperty(magicId);
      expect((await ask({ authorization: "Bearer x" })).body).not.toHaveProperty(magicId);
      expect((await ask({ "x-wx-skey": skey })).body).not.toHaveProperty(magicId);
      const unknown = await house.http("GET", `/orders/${id}`, { headers: { "x-wx-skey": skey } });
      expect([unknown.body.code, unknown.body[magicId]]).toEqual(["ORDER_UNKNOWN", undefined]);
      const bill = await house.http("POST", "/bill", {
        headers: { ...wrong, "idempotency-key": newKey() },
        body: { shop: house.shop, ...oneBowl },
      });
      expect([bill.status, bill.body]).toEqual([401, expect.objectContaining(members)]);
    });
  });
});
