/** The client of WeChat's server, against the stand-in over real HTTP and against WeChat's published vectors. */
import { randomBytes } from "node:crypto";
import { inspect } from "node:util";
import axios from "axios";
import fc from "fast-check";
import { type Misbehaviour, type StandIn, startWechat } from "../../demo/wechat.ts";
import { AppError, type Code } from "../../shared/errors.ts";
import { decryptData, makeWechat, verifySignature, type WechatApp } from "../../shared/wechat.ts";
import { TestClock } from "../_house.ts";

/** The error that the work ends with. */
async function failure(work: Promise<unknown>): Promise<AppError> {
  const outcome = await work.then(
    () => "no error",
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(AppError);
  return outcome as AppError;
}

/** Everything that a log or an answer could make of an error. */
const everythingOf = (error: AppError) =>
  [
    error.message,
    String(error.stack),
    JSON.stringify(error),
    JSON.stringify(error.extra),
    inspect(error, { depth: null, showHidden: true }),
    inspect(error.cause, { depth: null, showHidden: true }),
  ].join("\n");

describe("codeToSession", () => {
  const app: WechatApp = { appid: "wx1111222233334444", secret: "c0ffee-secret-of-the-test" };
  const bound: WechatApp = { appid: "wx5555666677778888", secret: "another-secret-of-the-test" };
  const clock = new TestClock();
  let standIn: StandIn;
  beforeAll(async () => {
    standIn = await startWechat({ apps: [app, { ...bound, bound: true }], now: clock.now });
  });
  afterEach(() => standIn.misbehave());
  afterAll(() => standIn.close());

  const clientOf = (timeout = 10_000) => makeWechat(axios.create({ baseURL: standIn.url, timeout }));
  const login = (code: string, by = app, timeout?: number) => clientOf(timeout).codeToSession(by, code);

  it("gives openid and session_key, whether the success carries errcode 0 or none", async () => {
    const raw = async () => {
      const params = { ...app, js_code: standIn.newCode("o-raw"), grant_type: "authorization_code" };
      return (await axios.get(`${standIn.url}/sns/jscode2session`, { params })).data as object;
    };
    const answers = [await raw(), await raw()];
    expect(answers.map((answer) => "errcode" in answer).toSorted()).toEqual([false, true]);

    for (const openid of ["o-first", "o-second"]) {
      const session = await login(standIn.newCode(openid));
      expect(session).toEqual({ openid, sessionKey: expect.any(String), unionid: null });
      expect(Buffer.from(session.sessionKey, "base64")).toHaveLength(16);
    }
  });

  it("gives the unionid of an app that is bound", async () => {
    const session = await login(standIn.newCode("o-bound", bound.appid), bound);
    expect(session).toEqual({
      openid: "o-bound",
      sessionKey: expect.any(String),
      unionid: expect.stringMatching(/^o.{27}$/),
    });
  });

  const used = async () => {
    const code = standIn.newCode();
    await login(code);
    return { code };
  };
  const tooOften = async () => {
    for (let n = 0; n < 100; n++) await login(standIn.newCode("o-busy"));
    return { code: standIn.newCode("o-busy") };
  };
  const blocked = async () => {
    standIn.block("o-risky");
    return { code: standIn.newCode("o-risky") };
  };
  const expired = async () => {
    const code = standIn.newCode();
    clock.forward(5 * 60_000);
    return { code };
  };

  it.each<[number, string, Code, () => Promise<{ code: string; by?: WechatApp }>]>([
    [40029, "an unknown code", "LOGIN_CODE_INVALID", async () => ({ code: "never-given" })],
    [40029, "an expired code", "LOGIN_CODE_INVALID", expired],
    [40029, "another app's code", "LOGIN_CODE_INVALID", async () => ({ code: standIn.newCode(), by: bound })],
    [40163, "a used code", "LOGIN_CODE_INVALID", used],
    [41008, "no code", "LOGIN_CODE_INVALID", async () => ({ code: "" })],
    [40226, "a blocked user", "LOGIN_BLOCKED", blocked],
    [45011, "the 101st login in a minute", "LOGIN_TOO_OFTEN", tooOften],
    [40013, "an unknown app", "WECHAT_MISCONFIGURED", async () => ({ code: "c", by: { ...app, appid: "wx0" } })],
    [40125, "a wrong secret", "WECHAT_MISCONFIGURED", async () => ({ code: "c", by: { ...app, secret: "wrong" } })],
    [41002, "no app", "WECHAT_MISCONFIGURED", async () => ({ code: "c", by: { ...app, appid: "" } })],
    [41004, "no secret", "WECHAT_MISCONFIGURED", async () => ({ code: "c", by: { ...app, secret: "" } })],
  ])("errcode %i, %s: %s", async (errcode, _, expected, prepare) => {
    const { code, by = app } = await prepare();
    const error = await failure(login(code, by));
    expect(error.code).toBe(expected);
    expect(standIn.requests.at(-1)?.errcode).toBe(errcode);
    expect(error.extra).toEqual(expected === "WECHAT_MISCONFIGURED" ? { errcode } : {});
    expect(everythingOf(error)).not.toContain(app.secret);
  });

  it.each<[Misbehaviour, number | undefined]>([
    ["busy", undefined],
    ["hang", 200],
    ["reset", undefined],
    ["html", undefined],
  ])("WeChat is away when it answers with %s, and no error tells the secret or the code", async (kind, timeout) => {
    const code = standIn.newCode();
    standIn.misbehave(kind);
    const before = standIn.requests.length;
    const error = await failure(login(code, app, timeout));
    expect(error).toMatchObject({ code: "WECHAT_AWAY", status: 503, retry: true });
    expect(standIn.requests.slice(before)).toHaveLength(1);
    const everything = everythingOf(error);
    for (const secret of [app.secret, code, app.appid]) expect(everything).not.toContain(secret);
  });

  it.each<[string, unknown]>([
    ["the day's quota is used up", { errcode: 45009, errmsg: "reach max api daily quota limit" }],
    ["its code is no number", { errcode: "system error" }],
    ["its answer is empty", ""],
    ["it leaves the session out", { errcode: 0 }],
  ])("WeChat is away when %s", async (_, data) => {
    const error = await failure(makeWechat({ get: async () => ({ data }) } as never).codeToSession(app, "c"));
    expect(error.code).toBe("WECHAT_AWAY");
  });

  it("WeChat is away when nobody listens", async () => {
    const gone = await startWechat({ apps: [app] });
    await gone.close();
    const error = await failure(
      makeWechat(axios.create({ baseURL: gone.url, timeout: 2_000 })).codeToSession(app, "c"),
    );
    expect(error.code).toBe("WECHAT_AWAY");
    expect(everythingOf(error)).not.toContain(app.secret);
  });

  it("WeChat is away when a success lacks openid or session_key", async () => {
    for (const data of [
      {},
      { openid: "o" },
      { session_key: "k" },
      { openid: 1, session_key: "k" },
      null,
      "<html>",
      [],
    ]) {
      const error = await failure(makeWechat({ get: async () => ({ data }) as never }).codeToSession(app, "c"));
      expect([data, error.code]).toEqual([data, "WECHAT_AWAY"]);
    }
  });
});

const refusal = expect.objectContaining({ code: "LOGIN_DATA_INVALID", status: 401 });

// --- WeChat's published vectors ------------------------------------------------------------------------------------

/** From WeChat's page on signatures. */
const band = {
  rawData:
    '{"nickName":"Band","gender":1,"language":"zh_CN","city":"Guangzhou","province":"Guangdong","country":"CN",' +
    '"avatarUrl":"http://wx.qlogo.cn/mmopen/vi_32/1vZvI39NWFQ9XM4LtQpFrQJ1xlgZxx3w7bQxKARol6503Iuswjjn6nIGBiaycAjAtpujxyzYsrztuuICqIM5ibXQ/0"}',
  sessionKey: "HyVFkGl5F5OQWJZZaNzBBg==",
  signature: "75e81ceda165f4ffa64f4068af58c64b8f54b88c",
};

describe("verifySignature", () => {
  const { rawData, sessionKey, signature } = band;

  it("accepts WeChat's own vector", () => {
    expect(() => verifySignature(rawData, signature, sessionKey)).not.toThrow();
  });

  it.each([
    ["other data", rawData.replace("Band", "Bend"), signature, sessionKey],
    ["the same data written otherwise", JSON.stringify(JSON.parse(rawData), null, 1), signature, sessionKey],
    ["another key", rawData, signature, randomBytes(16).toString("base64")],
    ["the key's bytes instead of its text", rawData, signature, Buffer.from(sessionKey, "base64").toString("latin1")],
    ["another signature", rawData, signature.replace("7", "8"), sessionKey],
    ["a cut signature", rawData, signature.slice(0, -1), sessionKey],
    ["no signature", rawData, "", sessionKey],
  ])("refuses %s", (_, data, sign, key) => {
    expect(() => verifySignature(data, sign, key)).toThrow(refusal);
  });
});

/** From the sample code that WeChat publishes with that page. */
const sample = {
  appid: "wx4f4bc4dec97d474b",
  sessionKey: "tiihtNczf5v6AKRyjwEUhQ==",
  iv: "r7BXXKkLb8qrSNn05n0qiA==",
  encryptedData:
    "CiyLU1Aw2KjvrjMdj8YKliAjtP4gsMZMQmRzooG2xrDcvSnxIMXFufNstNGTyaGS9uT5geRa0W4oTOb1WT7fJlAC+oNPdbB+3hVbJSRgv+4lGOETKUQz6OYStslQ142d" +
    "NCuabNPGBzlooOmB231qMM85d2/fV6ChevvXvQP8Hkue1poOFtnEtpyxVLW1zAo6/1Xx1COxFvrc2d7UL/lmHInNlxuacJXwu0fjpXfz/YqYzBIBzD6WUfTIF9GRHpOn" +
    "/Hz7saL8xz+W//FRAUid1OksQaQx4CMs8LOddcQhULW4ucetDf96JcR3g0gfRK4PC7E/r7Z6xNrXd2UIeorGj5Ef7b1pJAYB6Y5anaHqZ9J6nKEBvB4DnNLIVWSgARns" +
    "/8wR2SiRS7MNACwTyrGvt9ts8p12PKFdlqYTopNHR1Vf7XjfhQlVsAJdNiKdYmYVoKlaRv85IfVunYzO0IKXsyl7JCUjCpoG20f0a04COwfneQAGGwd5oa+T8yO5hzuy" +
    "Db/XcxxmK01EpqOyuxINew==",
  at: 1_477_314_187_000,
};

describe("decryptData", () => {
  const minuteMs = 60_000;
  const decrypt = (change: Partial<typeof sample> = {}) => {
    const { encryptedData, iv, sessionKey, appid, at } = { ...sample, ...change };
    return decryptData({ data: encryptedData, iv }, { sessionKey, appid, now: at });
  };

  it("opens WeChat's own vector", () => {
    expect(decrypt()).toEqual({
      openId: "oGZUI0egBJY1zhBYw2KhdUfwVJJE",
      nickName: "Band",
      gender: 1,
      language: "zh_CN",
      city: "Guangzhou",
      province: "Guangdong",
      country: "CN",
      avatarUrl:
        "http://wx.qlogo.cn/mmopen/vi_32/aSKcBBPpibyKNicHNTMM0qJVh8Kjgiak2AHWr8MHM4WgMEm7GFhsf8OYrySdbvAMvTsw3mo8ibKicsnfN5pRjl1p8HQ/0",
      unionId: "ocMvos6NjeKLIBqg5Mr9QjxrP1FA",
      watermark: { timestamp: 1_477_314_187, appid: sample.appid },
    });
  });

  it.each([
    ["within ten minutes after its watermark", 10 * minuteMs - 1],
    ["with our clock behind WeChat's", -10 * minuteMs + 1],
  ])("opens it %s", (_, ms) => {
    expect(decrypt({ at: sample.at + ms })).toMatchObject({ nickName: "Band" });
  });

  it.each<[string, Partial<typeof sample>]>([
    ["a watermark of another app", { appid: "wx4f4bc4dec97d474c" }],
    ["a watermark ten minutes old", { at: sample.at + 10 * minuteMs }],
    ["a watermark ten minutes ahead", { at: sample.at - 10 * minuteMs }],
    ["another key", { sessionKey: band.sessionKey }],
    ["a key of 8 bytes", { sessionKey: "tiihtNczf5s=" }],
    ["no key", { sessionKey: "" }],
    ["another iv", { iv: randomBytes(16).toString("base64") }],
    ["an iv of 8 bytes", { iv: "r7BXXKkLb8o=" }],
    ["data that was cut", { encryptedData: sample.encryptedData.slice(0, -24) }],
    ["data of another length than blocks have", { encryptedData: sample.encryptedData.slice(4) }],
    ["no data", { encryptedData: "" }],
    ["what is not base64", { encryptedData: "王小明".repeat(20), iv: "王小明" }],
  ])("refuses %s", (_, change) => {
    expect(() => decrypt(change)).toThrow(refusal);
  });

  it("refuses watermarks that are no watermarks", async () => {
    const standIn = await startWechat({ apps: [{ appid: sample.appid, secret: "s" }] });
    const code = standIn.newCode("o-odd");
    const client = makeWechat(axios.create({ baseURL: standIn.url }));
    const { sessionKey } = await client.codeToSession({ appid: sample.appid, secret: "s" }, code);
    const at = Date.now();
    const timestamp = Math.floor(at / 1_000);
    const open = (watermark: unknown) => {
      const { encryptedData, iv } = standIn.encrypt("o-odd", { watermark });
      return decrypt({ encryptedData, iv, sessionKey, at });
    };
    expect(open({ appid: sample.appid, timestamp })).toMatchObject({ watermark: { timestamp } });
    for (const watermark of [
      undefined,
      null,
      [],
      "wx",
      { appid: sample.appid },
      { appid: sample.appid, timestamp: null },
      { appid: sample.appid, timestamp: "soon" },
      { appid: [sample.appid], timestamp },
      { timestamp },
    ])
      expect(() => open(watermark)).toThrow(refusal);
    await standIn.close();
  });

  it("never opens with one of 2000 wrong keys, though the padding of some looks right", () => {
    const outcomes = Array.from({ length: 2_000 }, () => {
      try {
        return decrypt({ sessionKey: randomBytes(16).toString("base64") });
      } catch (error) {
        return (error as AppError).code;
      }
    });
    expect(new Set(outcomes)).toEqual(new Set(["LOGIN_DATA_INVALID"]));
  });

  it("answers any text with our error", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (encryptedData, iv, sessionKey) => {
        expect(() => decrypt({ encryptedData, iv, sessionKey })).toThrow(refusal);
        expect(() => decrypt({ encryptedData })).toThrow(refusal);
        expect(() => verifySignature(encryptedData, iv, sessionKey)).toThrow(refusal);
      }),
    );
  });
});
