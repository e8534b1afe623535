/** Sessions of Wafer's clients: through a business server that asks our session server, and without any business server. */
import { newKey, oneBowl } from "../_house.ts";
import type { Business } from "./_business.ts";
import type { ClientSdk, Phone } from "./_phone.ts";
import { openScene, type Scene } from "./_scene.ts";

const magicId = "F2C224D4-2BCE-4C64-AF9F-A6D872000D1A";
const dayMs = 24 * 3_600_000;

let scene: Scene;
let business: Business;

beforeAll(async () => {
  scene = await openScene();
  business = await scene.business("qcloud-weapp-server-sdk");
});
afterEach(() => scene.wechat.misbehave());
afterAll(() => scene?.close());

/** The part of each request after the host. */
const asked = ({ requests }: Phone) => requests.map(({ url }) => new URL(url).pathname);

describe("wafer-client-sdk and qcloud-weapp-server-sdk with our session server", () => {
  const start = (openid?: string) => {
    const phone = scene.phone("wafer-client-sdk", openid === undefined ? {} : { openid });
    phone.sdk.setLoginUrl(`${business.url}/login`);
    return phone;
  };

  test("a login stores id and skey, and a check tells the business server who it is", async () => {
    const phone = start();
    expect(await phone.login()).toMatchObject({ nickName: "阿三" });
    expect(phone.store.get(`weapp_session_${magicId}`)).toMatchObject({
      id: expect.any(String),
      skey: expect.any(String),
    });
    const { data } = await phone.request(`${business.url}/user`);
    expect(data.data.userInfo).toEqual({
      openId: phone.openid,
      nickName: "阿三",
      gender: 1,
      language: "zh_CN",
      city: "深圳",
      province: "广东",
      country: "中国",
      avatarUrl: "",
      watermark: { timestamp: expect.any(Number), appid: "wx1111222233334444" },
    });
    expect(asked(phone)).toEqual(["/login", "/user"]);
  });

  test("an expired session is noticed by the next request, which signs in again once and succeeds", async () => {
    const phone = start();
    await phone.login();
    scene.house.clock.forward(31 * dayMs);
    phone.hasWechatSession = false;
    const { data } = await phone.request(`${business.url}/user`);
    expect(data.data.userInfo.openId).toBe(phone.openid);
    expect(asked(phone)).toEqual(["/login", "/user", "/login", "/user"]);
  });

  test("three logins at once give three sessions, and all of them live on", async () => {
    const phone = start();
    const answers = await Promise.all([1, 2, 3].map(() => phone.request(`${business.url}/user`, { login: true })));
    for (const { data } of answers) expect(data.data.userInfo.openId).toBe(phone.openid);
    // One check each: no session was refused and asked for again.
    expect(asked(phone).toSorted()).toEqual(["/login", "/login", "/login", "/user", "/user", "/user"]);
    const sessions = phone.requests.flatMap(({ header }) => (header["X-WX-Skey"] === undefined ? [] : [header]));
    for (const headers of sessions) {
      const response = await fetch(`${business.url}/user`, { headers });
      expect(await response.json()).toMatchObject({ code: 0 });
    }
  });

  test("a user's second phone has the same id and leaves the first one's session alone", async () => {
    const [one, two] = [start("o-two-phones"), start("o-two-phones")];
    await one.login();
    await two.login();
    const [a, b] = [one, two].map(({ store }) => store.get(`weapp_session_${magicId}`) as { id: string; skey: string });
    expect(a?.id).toBe(b?.id);
    expect(a?.skey).not.toBe(b?.skey);
    for (const phone of [one, two]) expect((await phone.request(`${business.url}/user`)).data.code).toBe(0);
    expect(asked(one)).toEqual(["/login", "/user"]);
  });

  test("a request without any session fails, and does not sign in by itself", async () => {
    const phone = start();
    await expect(phone.request(`${business.url}/user`)).rejects.toMatchObject({ type: "ERR_CHECK_LOGIN_FAILED" });
    expect(asked(phone)).toEqual(["/user"]);
  });

  test("what WeChat refuses reaches the client with the code 40029", async () => {
    const phone = start("o-blocked");
    scene.wechat.newCode("o-blocked");
    scene.wechat.block("o-blocked");
    await expect(phone.login()).rejects.toMatchObject({
      type: "ERR_LOGIN_MISSING_SESSION",
      message: expect.stringContaining("40029"),
    });
  });

  test("an unreachable WeChat reaches the client with the code 1005", async () => {
    const phone = start();
    scene.wechat.misbehave("html");
    await expect(phone.login()).rejects.toMatchObject({ message: expect.stringContaining("1005") });
    scene.wechat.misbehave();
    expect(await phone.login()).toMatchObject({ nickName: "阿三" });
  });

  test("the address of the session server works without the slash at its end", async () => {
    await business.configure({ AuthServerUrl: scene.sessionServerUrl.replace(/\/$/, "") });
    expect(await start().login()).toMatchObject({ nickName: "阿三" });
    await business.configure({});
  });

  test("a business server without the key gets no session", async () => {
    await business.configure({ AuthServerUrl: `${scene.house.url}/mina_auth/` });
    await expect(start().login()).rejects.toMatchObject({ type: "ERR_LOGIN_MISSING_SESSION" });
    await business.configure({});
  });
});

// --- Without a business server -------------------------------------------------------------------------------------

const clients: readonly ClientSdk[] = [
  "wafer-client-sdk",
  "qcloud-weapp-client-sdk",
  "wafer2-client-sdk",
  "wafer2-client-sdk-1",
];

describe.each(clients)("%s without a business server", (sdk) => {
  const start = () => {
    const phone = scene.phone(sdk);
    phone.sdk.setLoginUrl(`${scene.house.url}/weapp/login`);
    return phone;
  };

  test("it signs in, and the check knows the user", async () => {
    const phone = start();
    expect(await phone.login()).toMatchObject({ nickName: "阿三" });
    const { data } = await phone.request(`${scene.house.url}/weapp/user`);
    expect(data).toMatchObject({ code: 0, data: { openId: phone.openid, nickName: "阿三" } });
    expect(data[magicId]).toBeUndefined();
  });

  test("its session is one of orderbell's: it places an order", async () => {
    const phone = start();
    await phone.login();
    const { statusCode, data } = await phone.request(`${scene.house.url}/bill`, {
      method: "POST",
      header: { "idempotency-key": newKey() },
      data: { shop: scene.house.shop, ...oneBowl },
    });
    expect([statusCode, data.order.status]).toEqual([201, "placed"]);
  });

  test("three logins at once all succeed", async () => {
    const phone = start();
    const answers = await Promise.all(
      [1, 2, 3].map(() => phone.request(`${scene.house.url}/weapp/user`, { login: true })),
    );
    for (const { data } of answers) expect(data).toMatchObject({ code: 0, data: { openId: phone.openid } });
    expect(asked(phone).filter((path) => path === "/weapp/user")).toHaveLength(3);
  });

  test("after the session has expired it signs in again once", async () => {
    const phone = start();
    await phone.login();
    scene.house.clock.forward(31 * dayMs);
    phone.hasWechatSession = false;
    const { data } = await phone.request(`${scene.house.url}/weapp/user`);
    expect(data.data.openId).toBe(phone.openid);
    expect(asked(phone)).toEqual(["/weapp/login", "/weapp/user", "/weapp/login", "/weapp/user"]);
  });

  test("a login that WeChat refuses fails, and nothing is stored", async () => {
    const phone = start();
    scene.wechat.newCode(phone.openid);
    scene.wechat.block(phone.openid);
    await expect(phone.login()).rejects.toMatchObject({ message: expect.any(String) });
    expect(phone.store.size).toBe(0);
  });
});

test.each(["wafer-client-sdk", "qcloud-weapp-client-sdk", "wafer2-client-sdk"] as const)(
  "%s signs in again when one of orderbell's own routes answers 401",
  async (sdk) => {
    const phone = scene.phone(sdk);
    phone.sdk.setLoginUrl(`${scene.house.url}/weapp/login`);
    await phone.login();
    scene.house.clock.forward(31 * dayMs);
    phone.hasWechatSession = false;
    const { statusCode } = await phone.request(`${scene.house.url}/session`);
    expect(statusCode).toBe(200);
    expect(asked(phone)).toEqual(["/weapp/login", "/session", "/weapp/login", "/session"]);
  },
);

test("wafer2-client-sdk signs in by a code alone once the user is known", async () => {
  const phone = scene.phone("wafer2-client-sdk");
  phone.sdk.setLoginUrl(`${scene.house.url}/weapp/login`);
  await phone.login();
  phone.sdk.clearSession();
  expect(await phone.loginWithCode()).toMatchObject({ openId: phone.openid, nickName: "阿三" });
});
