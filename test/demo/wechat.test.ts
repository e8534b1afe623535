/** The stand-in for WeChat behaves as WeChat documents. */
import { createDecipheriv, createHash, createHmac } from "node:crypto";
import axios, { type AxiosResponse } from "axios";
import { type StandIn, startWechat } from "../../demo/wechat.ts";

const app = { appid: "wx1111222233334444", secret: "c0ffee-secret-of-the-test" };
const bound = { appid: "wx5555666677778888", secret: "another-secret-of-the-test", bound: true };
const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;

/** Time that stands still until it is moved on. */
const clock = {
  at: Date.UTC(2026, 10, 21, 4),
  now: () => clock.at,
  forward(ms: number) {
    clock.at += ms;
  },
};
let standIn: StandIn;
beforeEach(async () => {
  standIn = await startWechat({ apps: [app, bound], now: clock.now });
});
afterEach(() => standIn.close());

const http = axios.create({ validateStatus: () => true, timeout: 10_000 });
const get = (path: string, params: object): Promise<AxiosResponse> => http.get(standIn.url + path, { params });
const exchange = (code: string, by: { appid: string; secret: string } = app) => {
  const { appid, secret } = by;
  return get("/sns/jscode2session", { appid, secret, js_code: code, grant_type: "authorization_code" });
};
const errcodeOf = async (answer: Promise<AxiosResponse>) => (await answer).data.errcode as number | undefined;

describe("codes of wx.login", () => {
  it("are changed once into openid and session_key, as JSON that calls itself text", async () => {
    const code = standIn.newCode("o-somebody");
    const { status, headers, data } = await exchange(code);
    expect([status, headers["content-type"]]).toEqual([200, "text/plain"]);
    expect(data).toEqual({ openid: "o-somebody", session_key: expect.any(String) });
    expect(Buffer.from(data.session_key, "base64")).toHaveLength(16);

    const again = await exchange(code);
    expect([again.status, again.headers["content-type"]]).toEqual([200, "text/plain"]);
    expect(again.data).toEqual({
      errcode: 40163,
      errmsg: expect.stringMatching(/^code been used, rid: [0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}$/),
    });
  });

  it("are changed once even when many come at once", async () => {
    const code = standIn.newCode();
    const errcodes = await Promise.all(Array.from({ length: 20 }, () => errcodeOf(exchange(code))));
    expect(errcodes.filter((errcode) => errcode === 40163)).toHaveLength(19);
  });

  it("live five minutes", async () => {
    const [late, tooLate, used] = [standIn.newCode(), standIn.newCode(), standIn.newCode()];
    await exchange(used);
    clock.forward(5 * minuteMs - secondMs);
    expect((await exchange(late)).data).toHaveProperty("session_key");
    clock.forward(secondMs);
    expect(await errcodeOf(exchange(tooLate))).toBe(40029);
    expect(await errcodeOf(exchange(used))).toBe(40029);
  });

  it("belong to one app, and another app's try does not use them up", async () => {
    const code = standIn.newCode("o-somebody", bound.appid);
    expect(await errcodeOf(exchange(code))).toBe(40029);
    expect((await exchange(code, bound)).data).toMatchObject({ openid: "o-somebody", session_key: expect.any(String) });
  });

  it("tell the unionid only to an app that is bound, and always the same", async () => {
    const plain = await exchange(standIn.newCode("o-somebody"));
    expect(plain.data).not.toHaveProperty("unionid");
    const [first, second, other] = [
      await exchange(standIn.newCode("o-somebody", bound.appid), bound),
      await exchange(standIn.newCode("o-somebody", bound.appid), bound),
      await exchange(standIn.newCode("o-other", bound.appid), bound),
    ];
    expect(first.data.unionid).toMatch(/^o.{27}$/);
    expect(second.data.unionid).toBe(first.data.unionid);
    expect(other.data.unionid).not.toBe(first.data.unionid);
  });

  it("of an unnamed phone belong to a new user each time", async () => {
    const openids = [await exchange(standIn.newCode()), await exchange(standIn.newCode())].map(
      ({ data }) => data.openid as string,
    );
    expect(new Set(openids).size).toBe(2);
    for (const openid of openids) expect(openid).toMatch(/^o[A-Za-z0-9_-]{27}$/);
  });

  it.each<[number, object]>([
    [41002, { secret: app.secret, js_code: "c" }],
    [41002, { appid: "", secret: app.secret, js_code: "c" }],
    [41004, { appid: app.appid, js_code: "c" }],
    [40013, { appid: "wx0", secret: app.secret, js_code: "c" }],
    [40125, { appid: app.appid, secret: bound.secret, js_code: "c" }],
    [40002, { appid: app.appid, secret: app.secret, js_code: "c", grant_type: "client_credential" }],
    [41008, { appid: app.appid, secret: app.secret }],
    [40029, { appid: app.appid, secret: app.secret, js_code: "c" }],
  ])("errcode %i for a wrong call", async (errcode, params) => {
    const { status, data } = await get("/sns/jscode2session", { grant_type: "authorization_code", ...params });
    expect([status, data.errcode]).toEqual([200, errcode]);
  });

  it("refuse a blocked user, and do not use up the code", async () => {
    const code = standIn.newCode("o-risky");
    standIn.block("o-risky");
    expect(await errcodeOf(exchange(code))).toBe(40226);
    expect(await errcodeOf(exchange(code))).toBe(40226);
    expect((await exchange(standIn.newCode("o-other"))).data).toHaveProperty("openid");
  });

  it("allow a user 100 logins a minute", async () => {
    for (let n = 0; n < 100; n++) expect((await exchange(standIn.newCode("o-busy"))).data).toHaveProperty("openid");
    const code = standIn.newCode("o-busy");
    expect(await errcodeOf(exchange(code))).toBe(45011);
    expect((await exchange(standIn.newCode("o-other"))).data).toHaveProperty("openid");
    clock.forward(minuteMs);
    expect((await exchange(code)).data).toHaveProperty("openid", "o-busy");
  });
});

describe("session_key", () => {
  const sha1 = (text: string) => createHash("sha1").update(text).digest("hex");
  const open = ({ encryptedData, iv }: { encryptedData: string; iv: string }, key: string) => {
    const decipher = createDecipheriv("aes-128-cbc", Buffer.from(key, "base64"), Buffer.from(iv, "base64"));
    return JSON.parse(decipher.update(encryptedData, "base64", "utf8") + decipher.final("utf8"));
  };

  it("signs and encrypts what the phone reads, with WeChat's watermark", async () => {
    const code = standIn.newCode("o-somebody");
    const { session_key: key } = (await exchange(code)).data;
    const rawData = '{"nickName":"王小明"}';
    expect(standIn.sign(rawData, "o-somebody")).toBe(sha1(rawData + key));
    const data = open(standIn.encrypt("o-somebody", { nickName: "王小明" }), key);
    expect(data).toEqual({ nickName: "王小明", watermark: { appid: app.appid, timestamp: clock.at / secondMs } });
    const old = { appid: "wx0", timestamp: 1 };
    expect(open(standIn.encrypt("o-somebody", { watermark: old }), key)).toEqual({ watermark: old });
  });

  it("is renewed with every code, before the code is used", async () => {
    const [older, newer] = [standIn.newCode("o-somebody"), standIn.newCode("o-somebody")];
    const keys = [(await exchange(older)).data.session_key, (await exchange(newer)).data.session_key];
    expect(new Set(keys).size).toBe(2);
    const seal = (who: string) => standIn.sign("text", who);
    expect([seal(older), seal(newer), seal("o-somebody")]).toEqual(
      [keys[0], keys[1], keys[1]].map((k) => sha1(`text${k}`)),
    );
    expect(open(standIn.encrypt(older, { of: "older" }), keys[0])).toMatchObject({ of: "older" });
    expect(open(standIn.encrypt("o-somebody", { of: "newer" }), keys[1])).toMatchObject({ of: "newer" });
  });

  it("is missing for an unknown user", () => {
    expect(() => standIn.encrypt("o-nobody", {})).toThrow(TypeError);
    expect(() => standIn.newCode("o-somebody", "wx0")).toThrow(TypeError);
  });
});

const tokenOf = (by: object = app, more: object = {}) =>
  http.post(`${standIn.url}/cgi-bin/stable_token`, { grant_type: "client_credential", ...by, ...more });

describe("checksession", () => {
  const signatureOf = (key: string) => createHmac("sha256", key).update("").digest("hex");

  it("knows the newest key only", async () => {
    const { access_token } = (await tokenOf()).data;
    const check = (key: string, more: object = {}) =>
      get("/wxa/checksession", {
        access_token,
        openid: "o-somebody",
        signature: signatureOf(key),
        sig_method: "hmac_sha256",
        ...more,
      });
    const older = (await exchange(standIn.newCode("o-somebody"))).data.session_key;
    expect((await check(older)).data).toEqual({ errcode: 0, errmsg: "ok" });
    const newer = (await exchange(standIn.newCode("o-somebody"))).data.session_key;
    expect(await errcodeOf(check(older))).toBe(87009);
    expect(await errcodeOf(check(newer))).toBe(0);
    standIn.newCode("o-somebody");
    expect(await errcodeOf(check(newer))).toBe(87009);
    expect(await errcodeOf(check(newer, { openid: "o-other" }))).toBe(40003);
  });

  it("refuses requests that differ from the documentation", async () => {
    const key = (await exchange(standIn.newCode("o-somebody"))).data.session_key;
    const { access_token } = (await tokenOf()).data;
    const foreign = (await tokenOf(bound)).data.access_token;
    const right = { access_token, openid: "o-somebody", signature: signatureOf(key), sig_method: "hmac_sha256" };
    const errcode = (more: object) => errcodeOf(get("/wxa/checksession", { ...right, ...more }));
    expect(await errcode({})).toBe(0);
    expect(await errcode({ sig_method: "sha1" })).toBe(87009);
    expect(await errcode({ signature: "" })).toBe(87009);
    expect(await errcode({ access_token: "" })).toBe(41001);
    expect(await errcode({ access_token: "made-up" })).toBe(40001);
    expect(await errcode({ access_token: foreign })).toBe(40003);
  });
});

describe("stable_token", () => {
  /** 0 valid for us: the user is unknown, so WeChat came past the token. */
  const stateOf = async (access_token: string) => {
    const errcode = await errcodeOf(get("/wxa/checksession", { access_token, openid: "o-nobody" }));
    return errcode === 40003 ? "valid" : errcode;
  };
  const force = () => tokenOf(app, { force_refresh: true });

  it("is the same during its life, and counts down", async () => {
    const first = (await tokenOf()).data;
    expect(first).toEqual({ access_token: expect.any(String), expires_in: 7_200 });
    expect(first.access_token).toHaveLength(512);
    clock.forward(hourMs);
    const second = (await tokenOf()).data;
    expect(second.access_token).toBe(first.access_token);
    expect(second.expires_in).toBe(3_600);
    expect(await stateOf(first.access_token)).toBe("valid");
  });

  it("is renewed five minutes early, and for these five minutes both are valid", async () => {
    const first = (await tokenOf()).data.access_token;
    clock.forward(115 * minuteMs - 10 * secondMs);
    expect((await tokenOf()).data.access_token).toBe(first);
    clock.forward(10 * secondMs);
    const { access_token: second, expires_in } = (await tokenOf()).data;
    expect([second === first, expires_in]).toEqual([false, 7_200]);
    expect([await stateOf(first), await stateOf(second)]).toEqual(["valid", "valid"]);
    clock.forward(5 * minuteMs);
    expect([await stateOf(first), await stateOf(second)]).toEqual([42001, "valid"]);
  });

  it("is another one for another app", async () => {
    expect((await tokenOf()).data.access_token).not.toBe((await tokenOf(bound)).data.access_token);
  });

  it("when forced, ends the one before", async () => {
    const first = (await tokenOf()).data.access_token;
    const second = (await force()).data.access_token;
    expect([await stateOf(first), await stateOf(second)]).toEqual([40001, "valid"]);
    expect((await tokenOf()).data.access_token).toBe(second);
  });

  it("is not forced twice in 30 seconds", async () => {
    const first = (await force()).data.access_token;
    clock.forward(25 * secondMs);
    expect((await force()).data.access_token).toBe(first);
    clock.forward(5 * secondMs);
    expect((await force()).data.access_token).not.toBe(first);
  });

  it("is forced 20 times a day, which begins at midnight in China", async () => {
    const dayMs = 24 * hourMs;
    const midnight = Math.ceil((clock.now() + 8 * hourMs) / dayMs) * dayMs - 8 * hourMs;
    clock.forward(midnight - clock.now());
    for (let n = 0; n < 20; n++) {
      expect((await force()).data).toHaveProperty("access_token");
      clock.forward(30 * secondMs);
    }
    const { access_token } = (await tokenOf()).data;
    expect(await errcodeOf(force())).toBe(45009);
    expect(await stateOf(access_token)).toBe("valid");
    clock.forward(dayMs);
    expect((await force()).data).toHaveProperty("access_token");
  });

  it.each<[number, unknown]>([
    [47001, "not json"],
    [47001, "null"],
    [41002, { secret: app.secret }],
    [41004, { appid: app.appid }],
    [40013, { ...app, appid: "wx0" }],
    [40125, { ...app, secret: "wrong" }],
    [40002, { ...app, grant_type: "authorization_code" }],
  ])("errcode %i for a wrong call", async (errcode, body) => {
    const sent = typeof body === "string" ? body : { grant_type: "client_credential", ...(body as object) };
    expect(await errcodeOf(http.post(`${standIn.url}/cgi-bin/stable_token`, sent))).toBe(errcode);
  });

  it("is asked by POST", async () => {
    expect(await errcodeOf(get("/cgi-bin/stable_token", { ...app, grant_type: "client_credential" }))).toBe(43002);
  });
});

describe("a WeChat that fails", () => {
  it("does nothing when it is busy, so the code is still good afterwards", async () => {
    const code = standIn.newCode("o-somebody");
    standIn.misbehave("busy");
    expect((await exchange(code)).data).toEqual({ errcode: -1, errmsg: expect.stringMatching(/^system error, rid: /) });
    standIn.misbehave();
    expect((await exchange(code)).data).toHaveProperty("openid", "o-somebody");
  });

  it("hides behind a proxy's error page that the code was used", async () => {
    const code = standIn.newCode();
    standIn.misbehave("html");
    const { status, headers, data } = await exchange(code);
    expect([status, headers["content-type"]]).toEqual([502, "text/html"]);
    expect(data).toContain("502 Bad Gateway");
    standIn.misbehave();
    expect(await errcodeOf(exchange(code))).toBe(40163);
  });

  it("hides behind a cut connection, and behind silence, that the code was used", async () => {
    const [cut, silent] = [standIn.newCode(), standIn.newCode()];
    standIn.misbehave("reset");
    await expect(exchange(cut)).rejects.toMatchObject({ code: "ECONNRESET" });
    standIn.misbehave("hang");
    const params = { ...app, js_code: silent, grant_type: "authorization_code" };
    const hanging = http.get(`${standIn.url}/sns/jscode2session`, { params, timeout: 200 });
    await expect(hanging).rejects.toMatchObject({ code: "ECONNABORTED" });
    standIn.misbehave();
    expect([await errcodeOf(exchange(cut)), await errcodeOf(exchange(silent))]).toEqual([40163, 40163]);
  });

  it("can be closed while somebody waits", async () => {
    const other = await startWechat({ apps: [app] });
    other.misbehave("hang");
    const waiting = http.get(`${other.url}/sns/jscode2session`).catch((error) => error.code);
    while (other.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await other.close();
    expect(await waiting).toBe("ECONNRESET");
  });
});

it("the stand-in for WeChat answers an unknown address as WeChat does", async () => {
  expect(await errcodeOf(get("/sns/oauth2", {}))).toBe(40066);
});

it("the stand-in for WeChat remembers requests, and neither these nor its output has a secret", async () => {
  const printed: string[] = [];
  const spies = [process.stdout, process.stderr].map((stream) =>
    jest.spyOn(stream, "write").mockImplementation((text) => printed.push(String(text)) > 0),
  );
  const code = standIn.newCode("o-somebody");
  const { session_key } = (await exchange(code)).data;
  await exchange(code);
  await exchange("unknown", { ...app, secret: "wrong" });
  standIn.misbehave("html");
  await exchange(standIn.newCode("o-somebody", bound.appid), bound);
  standIn.misbehave();
  const { access_token } = (await tokenOf()).data;
  await get("/wxa/checksession", { access_token, openid: "o-somebody", signature: "x" });
  for (const spy of spies) spy.mockRestore();

  const login = { method: "GET", path: "/sns/jscode2session", appid: app.appid, at: clock.at };
  expect(standIn.requests).toEqual([
    { ...login, errcode: null },
    { ...login, errcode: 40163 },
    { ...login, errcode: 40125 },
    { ...login, appid: bound.appid, errcode: null },
    { ...login, method: "POST", path: "/cgi-bin/stable_token", errcode: null },
    { ...login, path: "/wxa/checksession", appid: null, errcode: 87009 },
  ]);
  const told = JSON.stringify(standIn.requests) + printed.join("");
  for (const secret of [app.secret, bound.secret, code, session_key, access_token]) expect(told).not.toContain(secret);
});
