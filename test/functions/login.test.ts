/** Sessions: how they begin, live and end, on the whole server, with the stand-in for WeChat behind it. */
import axios from "axios";
import { readConnectionsOfSession } from "../../db/connections.ts";
import { revokeApiKey } from "../../db/sessions.ts";
import { type StandIn, startWechat } from "../../demo/wechat.ts";
import { newApiKey, type Scope } from "../../shared/sessions/api_key.ts";
import { newPairingCode } from "../../shared/sessions/login.ts";
import { addWechatApp } from "../../shared/sessions/wechat_apps.ts";
import { createShop } from "../../shared/shop/open_shop.ts";
import { makeWechat, type Wechat } from "../../shared/wechat.ts";
import { anyEngine, type Engine, onEveryDialect, type TestDatabase } from "../_engines.ts";
import {
  type Answer,
  type House,
  type HouseOptions,
  newKey,
  oneBowl,
  openHouse,
  openSocket,
  Refused,
  TestClock,
  testSettings,
} from "../_house.ts";

const one = { appid: "wx1111222233334444", secret: "c0ffee-secret-of-one", name: "one" };
const two = { appid: "wx5555666677778888", secret: "decaf-secret-of-two", name: "two" };
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** A house that talks to a stand-in for WeChat, and the session_keys that came from there. */
interface Place {
  readonly house: House;
  readonly standIn: StandIn;
  readonly sessionKeys: readonly string[];
  close(): Promise<void>;
}

async function openPlace(engine: Engine, apps = [one], options: HouseOptions = {}): Promise<Place> {
  const clock = new TestClock();
  const standIn = await startWechat({ apps: [one, { ...two, bound: true }], now: clock.now });
  const real = makeWechat(axios.create({ baseURL: standIn.url, timeout: 10_000 }));
  const sessionKeys: string[] = [];
  const wechat: Wechat = {
    async codeToSession(app, code) {
      const session = await real.codeToSession(app, code);
      sessionKeys.push(session.sessionKey);
      return session;
    },
  };
  const house = await openHouse(engine, { ...options, clock, wechat });
  for (const app of apps) await addWechatApp(house.app, app);
  async function close() {
    await house.close();
    await standIn.close();
  }
  return { house, standIn, sessionKeys, close };
}

interface OpenData {
  readonly appid?: string;
  readonly rawData?: string;
  readonly signature?: string;
  readonly encryptedData?: string;
  readonly iv?: string;
}

const byBody = ({ house }: Place, code: string, more: OpenData = {}) =>
  house.http("POST", "/login", { body: { code, ...more } });

/** As Wafer's clients do, with the raw data in base64url. */
function byHeaders({ house }: Place, code: string, more: OpenData = {}): Promise<Answer> {
  const { appid, rawData, signature, encryptedData, iv } = more;
  const headers = {
    "x-wx-code": code,
    "x-wx-appid": appid,
    "x-wx-raw-data": rawData === undefined ? undefined : Buffer.from(rawData).toString("base64url"),
    "x-wx-signature": signature,
    "x-wx-encrypted-data": encryptedData,
    "x-wx-iv": iv,
  };
  const said = Object.entries(headers).filter(([, value]) => value !== undefined) as [string, string][];
  return house.http("GET", "/login", { headers: Object.fromEntries(said) });
}

const roads = [
  ["GET by headers", byHeaders],
  ["POST by body", byBody],
] as const;

/** A session of WeChat's kind. */
async function login(place: Place, openid?: string, more: OpenData = {}) {
  const { status, body } = await byBody(place, place.standIn.newCode(openid), more);
  expect([status, body.code]).toEqual([201, undefined]);
  return body as { session: { id: string; token: string; expiresAt: string }; user: { id: string; profile?: object } };
}

const rawData = JSON.stringify({ nickName: "王小明", avatarUrl: "https://example.com/a.png", gender: 0 });
const profile = { nickName: "王小明", avatarUrl: "https://example.com/a.png" };

async function connect({ url, http }: House, token: string) {
  const { ticket } = (await http("POST", "/session/ticket", { token })).body;
  return openSocket(`${url.replace("http", "ws")}/pgws`, ["orderbell.v1", `ticket.${ticket}`]);
}

const stateOf = async ({ http }: House, token: string) => {
  const { status, body } = await http("GET", "/session", { token });
  return status === 200 ? "alive" : body.code;
};

/** Every value of every column of every table. */
async function everythingIn({ dialect, alone }: TestDatabase): Promise<string> {
  const schema = dialect.name === "mysql" ? "database()" : "current_schema()";
  return alone(async (run) => {
    const tables = await run(
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = ${schema} ORDER BY table_name`,
    );
    expect(tables.length).toBeGreaterThan(15);
    const rows = [];
    for (const { name } of tables) rows.push(name, await run(`SELECT * FROM ${name}`));
    return JSON.stringify(rows);
  });
}

/** Every form in which a secret could be stored. */
const spellings = (secret: string) => {
  const bytes = [Buffer.from(secret), Buffer.from(secret, "base64")];
  const encodings = ["base64", "base64url", "hex"] as const;
  return [secret, ...bytes.flatMap((some) => encodings.map((encoding) => some.toString(encoding).replace(/=+$/, "")))];
};

onEveryDialect((engine) => {
  let place: Place;
  beforeAll(async () => {
    place = await openPlace(engine, [one, two]);
  });
  afterAll(() => place.close());

  it.each(roads)("a login goes the whole way: %s", async (_, road) => {
    const { house, standIn, sessionKeys } = place;
    const first = standIn.newCode("o-somebody");
    const begun = await road(place, first, {
      appid: one.appid,
      rawData,
      signature: standIn.sign(rawData, first),
      ...standIn.encrypt(first, { nickName: "王小明", avatarUrl: "https://example.com/a.png", openId: "o-somebody" }),
    });
    expect(begun.status).toBe(201);
    expect(begun.headers.get("cache-control")).toBe("no-store");
    const { session, user } = begun.body;
    expect(session).toEqual({
      id: expect.stringMatching(/^[0-9A-Z]{26}$/),
      token: expect.stringMatching(/^obw_[0-9A-Z]{52}[A-Za-z0-9_-]{32}$/),
      kind: "wechat",
      expiresAt: expect.any(String),
    });
    expect(user).toEqual({ id: expect.stringMatching(/^[0-9A-Z]{26}$/), profile });
    expect(Math.round((Date.parse(session.expiresAt) - house.clock.now()) / dayMs)).toBe(30);

    const shown = await house.http("GET", "/session", { token: session.token });
    expect(shown.body).toMatchObject({ session: { id: session.id, kind: "wechat", shop: null }, user });
    const phone = await connect(house, session.token);
    expect(await phone.resume({ stream: `user:${user.id}` })).toMatchObject({ type: "resumed" });

    // The same person on a second phone: another session, the same user, and what is known of them.
    const second = await road(place, standIn.newCode("o-somebody"), { appid: one.appid });
    expect(second.body.user).toEqual(user);
    expect(second.body.session.id).not.toBe(session.id);
    expect((await house.http("DELETE", "/session", { token: session.token })).status).toBe(204);
    expect(await phone.next("error")).toMatchObject({ code: "SESSION_ENDED", retry: false });
    await phone.closed;
    expect(phone.frames).toEqual([]);
    expect(await stateOf(house, session.token)).toBe("SESSION_ENDED");
    expect(await stateOf(house, second.body.session.token)).toBe("alive");

    // Staff, guests, tickets, keys: everything that has a secret.
    const owner = await house.staff("owner");
    const pairing = (code: string) => [code, code.replaceAll("-", "")];
    const unused = await newPairingCode(house.app, { shop: house.shop, role: "kitchen", device: "tablet", by: null });
    const used = await newPairingCode(house.app, { shop: house.shop, role: "kitchen", device: "tablet", by: null });
    const tablet = await house.http("POST", "/login/staff", { body: { pairingCode: used.code } });
    const guest = await house.guest();
    const tickets = [await owner.ticket(), await guest.ticket()];
    const opened = await openSocket(`${house.url.replace("http", "ws")}/pgws`, [
      "orderbell.v1",
      `ticket.${tickets[1]}`,
    ]);
    opened.close();
    const key = await newApiKey(house.app, "back end", ["introspect"], null);

    const everything = await everythingIn(house.db);
    const { secrets } = house.app;
    const tokens = [session.token, second.body.session.token, tablet.body.session.token, owner.token, guest.token];
    for (const hashed of [...tokens, ...tickets, key.key]) expect(everything).toContain(secrets.hash(hashed));
    expect(everything).toContain(user.id);
    expect(sessionKeys.length).toBeGreaterThanOrEqual(2);
    const secret = [...tokens, ...tickets, key.key, first, ...sessionKeys, one.secret, two.secret, one.appid]
      .concat(pairing(unused.code), pairing(used.code))
      .concat(tokens.map((token) => token.slice(-32)));
    const logged = house.lines.join("");
    for (const text of secret.flatMap(spellings)) {
      expect(everything).not.toContain(text);
      expect(logged).not.toContain(text);
    }
  });

  it("ten phones that log in for the first time at once make one user", async () => {
    const codes = Array.from({ length: 10 }, () => place.standIn.newCode("o-ten-phones"));
    const answers = await Promise.all(codes.map((code) => byBody(place, code, { appid: one.appid })));
    expect(answers.map(({ status }) => status)).toEqual(codes.map(() => 201));
    expect(new Set(answers.map(({ body }) => body.user.id)).size).toBe(1);
    expect(new Set(answers.map(({ body }) => body.session.token)).size).toBe(10);
    const states = await Promise.all(answers.map(({ body }) => stateOf(place.house, body.session.token)));
    expect(new Set(states)).toEqual(new Set(["alive"]));
  });

  it("a code that comes ten times at once is used once, and WeChat is asked once", async () => {
    const code = place.standIn.newCode();
    const before = place.standIn.requests.length;
    const answers = await Promise.all(Array.from({ length: 10 }, () => byBody(place, code, { appid: one.appid })));
    expect(answers.map(({ status, body }) => [status, body.code]).toSorted()).toEqual([
      [201, undefined],
      ...Array.from({ length: 9 }, () => [401, "LOGIN_CODE_USED"]),
    ]);
    expect(place.standIn.requests.slice(before)).toHaveLength(1);
  });

  it("a pairing code that is used 50 times at once makes exactly one session", async () => {
    const { house } = place;
    const { code } = await newPairingCode(house.app, { shop: house.shop, role: "owner", device: "rush", by: null });
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => house.http("POST", "/login/staff", { body: { pairingCode: code } })),
    );
    const [winner] = answers.filter(({ status }) => status === 201);
    expect(answers.filter(({ body }) => body.code === "PAIRING_CODE_INVALID")).toHaveLength(49);
    const { devices } = (await house.http("GET", `/shops/${house.shop}/devices`, winner?.body.session)).body;
    const rushed = devices.filter(({ device }: { device: string }) => device === "rush");
    expect(rushed.map(({ id }: { id: string }) => id)).toEqual([winner?.body.session.id]);
  });
});

describe("login with WeChat", () => {
  let place: Place;
  beforeAll(async () => {
    place = await openPlace(anyEngine);
  });
  afterEach(() => place.standIn.misbehave());
  afterAll(() => place.close());

  describe.each(roads)("%s", (_, road) => {
    it("needs a code and nothing else, as long as there is one app", async () => {
      const { status, body } = await road(place, place.standIn.newCode());
      expect(status).toBe(201);
      expect(body.user).toEqual({ id: expect.any(String) });
    });

    it("accepts signed data, and keeps the profile until there is a newer one", async () => {
      const openid = place.standIn.newCode();
      const code = place.standIn.newCode(openid);
      const { body } = await road(place, code, { rawData, signature: place.standIn.sign(rawData, code) });
      expect(body.user.profile).toEqual(profile);
      expect((await road(place, place.standIn.newCode(openid))).body.user).toEqual(body.user);

      const newer = place.standIn.newCode(openid);
      const renamed = await road(place, newer, place.standIn.encrypt(newer, { nickName: "小明" }));
      expect(renamed.body.user).toEqual({ id: body.user.id, profile: { nickName: "小明" } });
      const shown = await place.house.http("GET", "/session", { token: body.session.token });
      expect(shown.body.user).toEqual(renamed.body.user);
    });

    it.each<[string, (code: string) => OpenData]>([
      ["a signature of other data", (code) => ({ rawData, signature: place.standIn.sign(`${rawData} `, code) })],
      ["a signature of nobody", () => ({ rawData, signature: "0".repeat(40) })],
      ["data of another user", () => place.standIn.encrypt(place.standIn.newCode(), { nickName: "王小明" })],
      ["an iv of other data", (code) => ({ ...place.standIn.encrypt(code, {}), iv: "r7BXXKkLb8qrSNn05n0qiA==" })],
      ["data that is no data", () => ({ encryptedData: "bm90aGluZw==", iv: "r7BXXKkLb8qrSNn05n0qiA==" })],
      [
        "data of another app",
        (code) => {
          const watermark = { appid: two.appid, timestamp: Math.floor(place.house.clock.now() / 1_000) };
          return place.standIn.encrypt(code, { watermark, nickName: "王小明" });
        },
      ],
      [
        "data older than ten minutes",
        (code) => {
          const timestamp = Math.floor(place.house.clock.now() / 1_000) - 601;
          return place.standIn.encrypt(code, { watermark: { appid: one.appid, timestamp }, nickName: "王小明" });
        },
      ],
    ])("refuses %s, and starts no session", async (__, dataOf) => {
      const openid = `o-refused-${newKey()}`;
      const code = place.standIn.newCode(openid);
      const refused = await road(place, code, dataOf(code));
      expect([refused.status, refused.body.code]).toEqual([401, "LOGIN_DATA_INVALID"]);
      expect(await everythingIn(place.house.db)).not.toContain(openid);
      expect((await road(place, place.standIn.newCode(openid))).status).toBe(201);
    });

    it("refuses data under a key that a newer login has replaced", async () => {
      const older = place.standIn.newCode("o-overlap");
      place.standIn.newCode("o-overlap");
      // The phone encrypts with the newest key; the older code brings its own.
      const refused = await road(place, older, place.standIn.encrypt("o-overlap", { nickName: "王小明" }));
      expect([refused.status, refused.body.code]).toEqual([401, "LOGIN_DATA_INVALID"]);
    });

    it("sends a code once, whatever the outcome", async () => {
      const before = place.standIn.requests.length;
      const good = place.standIn.newCode();
      expect((await road(place, good)).status).toBe(201);
      const again = await road(place, good);
      expect([again.status, again.body.code]).toEqual([401, "LOGIN_CODE_USED"]);

      const unheard = place.standIn.newCode();
      place.standIn.misbehave("reset");
      const away = await road(place, unheard);
      expect([away.status, away.body.code, away.headers.get("retry-after")]).toEqual([503, "WECHAT_AWAY", "2"]);
      place.standIn.misbehave();
      expect((await road(place, unheard)).body.code).toBe("LOGIN_CODE_USED");
      expect(place.standIn.requests.slice(before)).toHaveLength(2);
    });

    it.each<[string, number, string, () => string]>([
      ["an unknown code", 401, "LOGIN_CODE_INVALID", newKey],
      [
        "a code that is too old",
        401,
        "LOGIN_CODE_INVALID",
        () => {
          const code = place.standIn.newCode();
          place.house.clock.forward(5 * minuteMs);
          return code;
        },
      ],
      [
        "a blocked user",
        403,
        "LOGIN_BLOCKED",
        () => {
          place.standIn.block("o-risky");
          return place.standIn.newCode("o-risky");
        },
      ],
      [
        "WeChat being busy",
        503,
        "WECHAT_AWAY",
        () => {
          place.standIn.misbehave("busy");
          return newKey();
        },
      ],
    ])("reports %s", async (__, status, code, prepare) => {
      const refused = await road(place, prepare());
      expect([refused.status, refused.body.code]).toEqual([status, code]);
    });

    it.each<[string, OpenData, string]>([
      ["encrypted data without iv", { encryptedData: "bm90aGluZw==" }, ""],
      ["iv without encrypted data", { iv: "bm90aGluZw==" }, ""],
      ["raw data without signature", { rawData }, ""],
      ["a signature without raw data", { signature: "0".repeat(40) }, ""],
      ["a signature that is no SHA-1", { rawData, signature: "Z".repeat(40) }, "signature"],
      ["encrypted data that is not base64", { encryptedData: "{}", iv: "bm90aGluZw==" }, "encryptedData"],
      ["an app id with odd signs", { appid: "wx 1" }, "appid"],
    ])("refuses %s, and the code stays good", async (__, more, field) => {
      const code = place.standIn.newCode();
      const refused = await road(place, code, more);
      expect([refused.status, refused.body.code, refused.body.field]).toEqual([400, "INVALID_INPUT", field]);
      expect((await road(place, code)).status).toBe(201);
    });

    it("refuses an app that was not added, and the code stays good", async () => {
      const code = place.standIn.newCode();
      const refused = await road(place, code, { appid: two.appid });
      expect([refused.status, refused.body.code]).toEqual([400, "APP_UNKNOWN"]);
      expect((await road(place, code, { appid: one.appid })).status).toBe(201);
    });
  });

  it("refuses a malformed code without asking WeChat", async () => {
    const { house, standIn } = place;
    const before = standIn.requests.length;
    for (const code of ["", " ", "a b", "c".repeat(129), "码", 7, null, undefined]) {
      const { status, body } = await house.http("POST", "/login", { body: { code } });
      expect([code, status, body.code, body.field]).toEqual([code, 400, "INVALID_INPUT", "code"]);
    }
    const headless = await house.http("GET", "/login");
    expect([headless.status, headless.body.field]).toEqual([400, "code"]);
    const unknown = await house.http("POST", "/login", { body: { code: "c", openid: "o-somebody" } });
    expect([unknown.status, unknown.body.code, unknown.body.field]).toEqual([400, "INVALID_INPUT", "openid"]);
    expect(standIn.requests).toHaveLength(before);
  });

  it("takes raw data in a header only as UTF-8", async () => {
    const headers = {
      "x-wx-code": place.standIn.newCode(),
      "x-wx-signature": "0".repeat(40),
      "x-wx-raw-data": Buffer.from([0xff, 0xfe]).toString("base64url"),
    };
    const refused = await place.house.http("GET", "/login", { headers });
    expect([refused.status, refused.body.code]).toEqual([400, "MALFORMED"]);
  });

  it("keeps of a profile only what a page can show, cut between characters", async () => {
    const keep = async (data: object) => {
      const code = place.standIn.newCode();
      return (await byBody(place, code, place.standIn.encrypt(code, data))).body.user.profile;
    };
    expect(await keep({ nickName: "小\u0007明\u202E", gender: 1, openId: "o", phoneNumber: "13900001234" })).toEqual({
      nickName: "小明",
    });
    // Each of these signs is two units long, and the first shifts them all by one.
    expect(await keep({ nickName: `明${"🍜".repeat(80)}` })).toEqual({ nickName: `明${"🍜".repeat(63)}` });
    for (const nothing of [{}, { nickName: "" }, { nickName: "\u0007" }, { nickName: 7 }, { nickName: "\uD83C" }])
      expect([nothing, await keep(nothing)]).toEqual([nothing, undefined]);
  });

  it("accepts raw data that is no object, and keeps nothing of it", async () => {
    for (const odd of ["null", "7", '"王小明"', "not json"]) {
      const code = place.standIn.newCode();
      const signature = place.standIn.sign(odd, code);
      const { status, body } = await byBody(place, code, { rawData: odd, signature });
      expect([odd, status, body.user.profile]).toEqual([odd, 201, undefined]);
    }
  });

  it("reports that WeChat limits one user", async () => {
    for (let n = 0; n < 100; n++) await login(place, "o-eager");
    const refused = await byBody(place, place.standIn.newCode("o-eager"));
    expect([refused.status, refused.body.code, refused.headers.get("retry-after")]).toEqual([
      429,
      "LOGIN_TOO_OFTEN",
      "60",
    ]);
  });
});

describe("codes that WeChat does not know", () => {
  it("are limited per hour and network, and good ones do not count", async () => {
    const place = await openPlace(anyEngine, [one], {
      environment: { FAILED_LOGINS_PER_HOUR: "3" },
      trustedProxies: ["127.0.0.1"],
    });
    const { house, standIn } = place;
    const enter = async (address: string, code = `bogus-${newKey()}`) => {
      const headers = { "x-wx-code": code, "x-forwarded-for": address };
      const { status, body, headers: told } = await house.http("GET", "/login", { headers });
      return [body.code ?? status, Number(told.get("retry-after"))] as const;
    };
    try {
      for (let at = 0; at < 3; at++) {
        // A household's phones sign in between.
        expect((await enter("2001:db8:1:1::1", standIn.newCode()))[0]).toBe(201);
        expect((await enter(`2001:db8:1:1::${at}`))[0]).toBe("LOGIN_CODE_INVALID");
      }
      const before = standIn.requests.length;
      const [code, waitSec] = await enter("2001:db8:1:1:ffff::");
      expect(code).toBe("LOGIN_TOO_OFTEN");
      expect(waitSec).toBeGreaterThan(3_500);
      expect(standIn.requests.length).toBe(before);
      for (let at = 0; at < 12; at++) expect((await enter(`2001:db8:1:a${at}::1`))[0]).toBe("LOGIN_CODE_INVALID");
      expect((await enter("2001:db8:1:bbbb::1"))[0]).toBe("LOGIN_TOO_OFTEN");
      expect((await enter("192.0.2.7", standIn.newCode()))[0]).toBe(201);
      house.clock.forward(waitSec * 1_000);
      expect((await enter("2001:db8:1:1::1", standIn.newCode()))[0]).toBe(201);
      // While WeChat itself is away, no failure counts.
      standIn.misbehave("busy");
      for (let at = 0; at < 4; at++) expect((await enter("192.0.2.8"))[0]).toBe("WECHAT_AWAY");
      standIn.misbehave();
      expect((await enter("192.0.2.8"))[0]).toBe("LOGIN_CODE_INVALID");
    } finally {
      await place.close();
    }
  });
});

describe("mini-programs", () => {
  let place: Place;
  beforeAll(async () => {
    place = await openPlace(anyEngine, []);
  });
  afterAll(() => place.close());

  it("are added side by side, with their own users", async () => {
    const { house, standIn } = place;
    const refusal = async (answer: Promise<Answer>) => {
      const { status, body } = await answer;
      return [status, body.code];
    };
    expect(await refusal(byBody(place, standIn.newCode()))).toEqual([400, "APP_UNKNOWN"]);

    await addWechatApp(house.app, { ...one, secret: "mistyped" });
    const misconfigured = await byBody(place, standIn.newCode());
    expect([misconfigured.status, misconfigured.body.code]).toEqual([502, "WECHAT_MISCONFIGURED"]);
    expect(misconfigured.body.errcode).toBe(40125);
    expect(misconfigured.text).not.toContain("mistyped");
    await addWechatApp(house.app, one);
    expect((await byBody(place, standIn.newCode())).status).toBe(201);

    await addWechatApp(house.app, two);
    const unnamed = standIn.newCode();
    expect(await refusal(byBody(place, unnamed))).toEqual([400, "APP_UNKNOWN"]);
    expect(await refusal(byHeaders(place, unnamed))).toEqual([400, "APP_UNKNOWN"]);
    const inOne = await byHeaders(place, unnamed, { appid: one.appid });
    const inTwo = await byHeaders(place, standIn.newCode("o-same", two.appid), { appid: two.appid });
    const alsoInOne = await byHeaders(place, standIn.newCode("o-same", one.appid), { appid: one.appid });
    expect([inOne.status, inTwo.status, alsoInOne.status]).toEqual([201, 201, 201]);
    // An openid identifies a user within one app only.
    expect(new Set([inOne, inTwo, alsoInOne].map(({ body }) => body.user.id)).size).toBe(3);

    // A code for one app, sent for the other, is still good for its own.
    const code = standIn.newCode("o-same", two.appid);
    expect(await refusal(byBody(place, code, { appid: one.appid }))).toEqual([401, "LOGIN_CODE_INVALID"]);
    const own = await byBody(place, code, { appid: two.appid });
    expect([own.status, own.body.user.id]).toEqual([201, inTwo.body.user.id]);
  });
});

describe("a session", () => {
  let place: Place;
  beforeAll(async () => {
    place = await openPlace(anyEngine);
  });
  afterAll(() => place.close());

  const begin: Record<string, () => Promise<string>> = {
    wechat: async () => (await login(place)).session.token,
    guest: async () => (await place.house.guest()).token,
    staff: async () => (await place.house.staff("kitchen")).token,
  };

  it.each([
    ["wechat", 30],
    ["guest", 7],
    ["staff", 90],
  ])("of the kind %s lives %i days from its last use", async (kind, days) => {
    const { http, clock } = place.house;
    const token = (await begin[kind]?.()) as string;
    const expiry = async () => Date.parse((await http("GET", "/session", { token })).body.session.expiresAt);
    const first = await expiry();
    expect(Math.round((first - clock.now()) / dayMs)).toBe(days);
    // Written at most once a day.
    clock.forward(23 * hourMs);
    expect(await expiry()).toBe(first);
    clock.forward(2 * hourMs);
    const second = await expiry();
    expect(Math.round((second - first) / hourMs)).toBe(25);
    clock.forward(days * dayMs - hourMs);
    expect(await stateOf(place.house, token)).toBe("alive");
    clock.forward(days * dayMs);
    expect(await stateOf(place.house, token)).toBe("SESSION_EXPIRED");
    expect(await stateOf(place.house, token)).toBe("SESSION_EXPIRED");
  });

  it("can be shorter by configuration", async () => {
    const other = await openPlace(anyEngine, [one], { environment: { SESSION_DAYS: "1" } });
    const { session } = await login(other);
    other.house.clock.forward(dayMs - minuteMs);
    expect(await stateOf(other.house, session.token)).toBe("alive");
    other.house.clock.forward(dayMs);
    expect(await stateOf(other.house, session.token)).toBe("SESSION_EXPIRED");
    await other.close();
  });

  it("is ended by its owner, for good, and no other one with it", async () => {
    const { house } = place;
    const [mine, other] = [await login(place, "o-two-phones"), await login(place, "o-two-phones")];
    expect(mine.user.id).toBe(other.user.id);
    const [phone, bystander] = [await connect(house, mine.session.token), await connect(house, other.session.token)];
    await phone.resume({ stream: `user:${mine.user.id}` });
    await bystander.resume({ stream: `user:${mine.user.id}` });
    const ended = await house.http("DELETE", "/session", { token: mine.session.token });
    expect([ended.status, ended.text]).toEqual([204, ""]);
    expect(await phone.next("error")).toMatchObject({ code: "SESSION_ENDED" });
    await phone.closed;
    for (const [method, path] of [
      ["GET", "/session"],
      ["DELETE", "/session"],
      ["POST", "/session/ticket"],
    ] as const) {
      const { status, body } = await house.http(method, path, { token: mine.session.token });
      expect([method, path, status, body.code]).toEqual([method, path, 401, "SESSION_ENDED"]);
    }
    expect(await bystander.resume({ stream: `user:${mine.user.id}` })).toMatchObject({ type: "resumed" });
    bystander.close();
  });

  it("is refused without the whole token", async () => {
    const { house } = place;
    const { token } = (await login(place)).session;
    const other = (await login(place)).session.token;
    const last = token.endsWith("A") ? "B" : "A";
    const forged = {
      "another secret": token.slice(0, -1) + last,
      "another user": token.slice(0, 4) + other.slice(4, 30) + token.slice(30),
      "another session": token.slice(0, 30) + other.slice(30, 56) + token.slice(56),
      "another kind": token.replace("obw_", "obs_"),
      "only its hash": house.app.secrets.hash(token),
      "no token": "x",
    };
    for (const [what, wrong] of Object.entries(forged))
      expect([what, await stateOf(house, wrong)]).toEqual([what, "SESSION_INVALID"]);
    expect((await house.http("GET", "/session")).body.code).toBe("SESSION_MISSING");
    const basic = await house.http("GET", "/session", { headers: { authorization: `Basic ${token}` } });
    expect([basic.status, basic.body.code]).toEqual([401, "SESSION_INVALID"]);
    expect(basic.headers.get("www-authenticate")).toContain("Bearer");
    expect(await stateOf(house, token)).toBe("alive");
  });
});

describe("tickets", () => {
  let house: House;
  beforeAll(async () => {
    house = await openHouse(anyEngine);
  });
  afterAll(() => house.close());

  const open = (ticket: string) =>
    openSocket(`${house.url.replace("http", "ws")}/pgws`, ["orderbell.v1", `ticket.${ticket}`]);

  it("open one socket", async () => {
    const guest = await house.guest();
    const ticket = await guest.ticket();
    const socket = await open(ticket);
    expect(await socket.resume({ stream: `user:${guest.user}` })).toMatchObject({ type: "resumed" });
    await expect(open(ticket)).rejects.toEqual(new Refused(401));
    socket.close();
  });

  it("open one socket of ten handshakes at once", async () => {
    const ticket = await (await house.guest()).ticket();
    const knocks = await Promise.allSettled(Array.from({ length: 10 }, () => open(ticket)));
    const opened = knocks.flatMap((knock) => (knock.status === "fulfilled" ? [knock.value] : []));
    expect(opened).toHaveLength(1);
    opened[0]?.close();
  });

  it("are good for 30 seconds", async () => {
    const guest = await house.guest();
    const before = house.clock.now();
    const made = await guest.http("POST", "/session/ticket");
    expect(made.status).toBe(201);
    const madeAt = Date.parse(made.body.expiresAt) - 30_000;
    expect(madeAt).toBeGreaterThanOrEqual(before);
    expect(madeAt).toBeLessThanOrEqual(house.clock.now());
    house.clock.forward(30_000);
    await expect(open(made.body.ticket)).rejects.toEqual(new Refused(401));
  });

  it("name the socket's address: beside the address that was asked", async () => {
    const guest = await house.guest();
    const at = async (headers: Record<string, string>) =>
      (await guest.http("POST", "/session/ticket", { headers })).body.socket;
    expect(await at({})).toBe(`${house.url.replace("http", "ws")}/pgws`);
    // Our page knows it better than a server whose proxy sends no header.
    const page = { origin: "https://shop.example" };
    expect(await at({ ...page, "sec-fetch-site": "same-origin" })).toBe("wss://shop.example/pgws");
    expect(await at({ ...page, "sec-fetch-site": "cross-site" })).toBe(`${house.url.replace("http", "ws")}/pgws`);
  });

  it("die with their session", async () => {
    const guest = await house.guest();
    const ticket = await guest.ticket();
    await guest.http("DELETE", "/session");
    await expect(open(ticket)).rejects.toEqual(new Refused(401));
    expect(await house.db.read([readConnectionsOfSession(guest.session)])).toEqual([[]]);
  });

  it("cannot be guessed, nor had without a session", async () => {
    for (const ticket of ["", "obt_", `obt_${"A".repeat(32)}`, (await house.guest()).token])
      await expect(open(ticket)).rejects.toEqual(new Refused(401));
    const refused = await house.http("POST", "/session/ticket");
    expect([refused.status, refused.body.code]).toEqual([401, "SESSION_MISSING"]);
  });
});

describe("guests", () => {
  let place: Place;
  beforeAll(async () => {
    place = await openPlace(anyEngine, [one], { environment: { GUEST_SESSIONS_PER_HOUR: "3" } });
  });
  afterAll(() => place.close());

  it("are limited per hour and address, whatever the client says of its address", async () => {
    const { house } = place;
    const knock = (address: string) =>
      house.http("POST", "/login/guest", { headers: { "x-forwarded-for": address, forwarded: `for=${address}` } });
    const limitOf = ({ headers }: Answer) => [headers.get("ratelimit-policy"), headers.get("ratelimit")];
    const policy = '"guests";q=3;w=3600';
    for (const [left, address] of ["192.0.2.3", "192.0.2.2", "192.0.2.1"].entries()) {
      const answer = await knock(address);
      expect(answer.status).toBe(201);
      const rest = new RegExp(`^"guests";r=${2 - left};t=3[56][0-9]{2}$`);
      expect(limitOf(answer)).toEqual([policy, expect.stringMatching(rest)]);
    }
    const refused = await knock("192.0.2.4");
    expect(limitOf(refused)).toEqual([policy, `"guests";r=0;t=${refused.headers.get("retry-after")}`]);
    expect([refused.status, refused.body.code]).toEqual([429, "TOO_MANY_SESSIONS"]);
    // So long until the first of them is an hour old, in the header and in words.
    const waitSec = Number(refused.headers.get("retry-after"));
    expect(waitSec).toBeGreaterThan(3_500);
    expect(waitSec).toBeLessThanOrEqual(3_600);
    expect(refused.body.detail).toContain(`try again in ${waitSec} s`);

    // Only guests are counted.
    await login(place);
    await house.staff("kitchen");
    house.clock.forward(waitSec * 1_000);
    expect((await knock("192.0.2.4")).status).toBe(201);
  });

  it("are counted by /64 and /48, while they order nothing", async () => {
    const trusting = await openHouse(anyEngine, {
      environment: { GUEST_SESSIONS_PER_HOUR: "2" },
      trustedProxies: ["127.0.0.1"],
    });
    const knock = (address: string) =>
      trusting.http("POST", "/login/guest", { headers: { "x-forwarded-for": address } });
    const statuses = async (...addresses: string[]) => {
      const answers: number[] = [];
      for (const address of addresses) answers.push((await knock(address)).status);
      return answers;
    };
    try {
      // One line has 2^64 addresses, one site 65,536 lines.
      expect(await statuses("2001:db8:1:1::1", "[2001:db8:1:1::2]:443", "2001:db8:1:1:ffff::3")).toEqual([
        201, 201, 429,
      ]);
      const lines = Array.from({ length: 9 }, (_, nth) => `2001:db8:1:a${nth}::1`);
      expect(await statuses(...lines)).toEqual([...Array(8).fill(201), 429]);
      expect(await statuses("2001:db8:2:1::1")).toEqual([201]);
      // Many guests behind one carrier's address: each guest who orders frees a place for the next.
      for (let nth = 0; nth < 4; nth++) {
        const { status, body } = await knock("192.0.2.7:40007");
        expect(status).toBe(201);
        const bill = { shop: trusting.shop, ...oneBowl };
        const headers = { "idempotency-key": newKey() };
        expect((await trusting.http("POST", "/bill", { token: body.session.token, body: bill, headers })).status).toBe(
          201,
        );
      }
      expect(await statuses("192.0.2.7", "192.0.2.7", "192.0.2.7")).toEqual([201, 201, 429]);
    } finally {
      await trusting.close();
    }
  });

  it("may not send a profile", async () => {
    const refused = await place.house.http("POST", "/login/guest", { body: { name: "王小明" } });
    expect([refused.status, refused.body.code, refused.body.field]).toEqual([400, "INVALID_INPUT", "name"]);
  });
});

describe("devices", () => {
  let house: House;
  beforeAll(async () => {
    house = await openHouse(anyEngine);
  });
  afterAll(() => house.close());

  const enter = (pairingCode: unknown) => house.http("POST", "/login/staff", { body: { pairingCode } });

  async function newCode(role = "kitchen"): Promise<string> {
    const owner = await house.staff("owner");
    const made = await owner.http("POST", `/shops/${house.shop}/pairing`, { body: { role, device: "平板 1" } });
    expect(made.status).toBe(201);
    expect(made.body.pairingCode).toMatch(/^[2-9A-HJ-NP-Z]{4}(-[2-9A-HJ-NP-Z]{4}){2}$/);
    return made.body.pairingCode;
  }

  it.each<[string, (code: string) => string]>([
    ["as it is shown", (code) => code],
    ["in lower case without dashes", (code) => code.toLowerCase().replaceAll("-", "")],
    ["with spaces", (code) => ` ${code.replaceAll("-", " ")} `],
  ])("are paired by a code typed %s, once", async (_, typed) => {
    const code = await newCode("cashier");
    const { status, headers, body } = await enter(typed(code));
    expect([status, headers.get("cache-control")]).toEqual([201, "no-store"]);
    expect(body.session).toMatchObject({ kind: "staff", shop: house.shop, role: "cashier", device: "平板 1" });
    expect(body.session.token).toMatch(/^obs_/);
    for (const again of [code, typed(code)]) {
      const refused = await enter(again);
      expect([refused.status, refused.body.code]).toEqual([401, "PAIRING_CODE_INVALID"]);
    }
    expect(await stateOf(house, body.session.token)).toBe("alive");
  });

  it("are not paired by an old, made-up or shapeless code", async () => {
    const code = await newCode();
    house.clock.forward(10 * minuteMs);
    for (const wrong of [code, "2222-2222-2222", "", "-", "王小明"]) {
      const refused = await enter(wrong);
      expect([wrong, refused.status, refused.body.code]).toEqual([wrong, 401, "PAIRING_CODE_INVALID"]);
    }
    for (const wrong of ["A".repeat(41), 7, null, undefined]) {
      const refused = await enter(wrong);
      expect([wrong, refused.status, refused.body.code]).toEqual([wrong, 400, "INVALID_INPUT"]);
    }
  });

  it("are paired and listed by the owner only", async () => {
    const shop = "tea-house";
    await createShop(house.app, {
      id: shop,
      names: { zh: "茶馆" },
      zone: "Asia/Shanghai",
      rolloverMinutes: 240,
      settings: testSettings(),
    });
    const people = [
      await house.staff("kitchen"),
      await house.staff("cashier"),
      await house.staff("owner", shop),
      await house.guest(),
    ];
    for (const person of people)
      for (const [method, path, body] of [
        ["POST", `/shops/${house.shop}/pairing`, { role: "owner", device: "mine" }],
        ["GET", `/shops/${house.shop}/devices`, undefined],
        ["DELETE", `/shops/${house.shop}/devices/${people[0]?.session}`, undefined],
      ] as const) {
        const refused = await person.http(method, path, body === undefined ? {} : { body });
        expect([method, path, refused.status, refused.body.code]).toEqual([method, path, 403, "FORBIDDEN"]);
      }
    expect(await stateOf(house, people[0]?.token as string)).toBe("alive");
    // The other shop's owner does not reach this shop's device by the own shop's path either.
    const reached = await people[2]?.http("DELETE", `/shops/${shop}/devices/${people[0]?.session}`);
    expect([reached?.status, reached?.body.code]).toEqual([404, "DEVICE_UNKNOWN"]);
  });

  it("are listed, and revoked: the socket gets the reason, is closed, and receives nothing more", async () => {
    const owner = await house.staff("owner");
    const kitchen = await house.staff("kitchen");
    const [screen, watch] = [await kitchen.connect(), await owner.connect()];
    const stream = `shop:${house.shop}`;
    await screen.resume({ stream });
    await watch.resume({ stream });
    const unused = await kitchen.ticket();
    const heard: { type: string }[] = [];
    screen.socket.on("message", (data) => heard.push(JSON.parse(data.toString())));

    const list = async () => (await owner.http("GET", `/shops/${house.shop}/devices`)).body.devices as { id: string }[];
    expect((await list()).find(({ id }) => id === kitchen.session)).toEqual({
      id: kitchen.session,
      device: "tablet",
      role: "kitchen",
      online: true,
      createdAt: expect.any(String),
      seenAt: expect.any(String),
      expiresAt: expect.any(String),
    });
    const revoked = await owner.http("DELETE", `/shops/${house.shop}/devices/${kitchen.session}`);
    expect([revoked.status, revoked.text]).toEqual([204, ""]);
    expect(await screen.next("error")).toMatchObject({ code: "SESSION_ENDED", retry: false });
    await screen.closed;

    const placed = await (await house.guest()).order();
    expect(placed.status).toBe(201);
    await watch.next("event", ({ event }) => event === "order.placed");
    expect(heard.filter(({ type }) => type === "error")).toHaveLength(1);
    expect(heard.at(-1)?.type).toBe("error");
    expect(await stateOf(house, kitchen.token)).toBe("SESSION_ENDED");
    const late = openSocket(`${house.url.replace("http", "ws")}/pgws`, ["orderbell.v1", `ticket.${unused}`]);
    await expect(late).rejects.toEqual(new Refused(401));

    expect((await list()).map(({ id }) => id)).not.toContain(kitchen.session);
    const again = await owner.http("DELETE", `/shops/${house.shop}/devices/${kitchen.session}`);
    expect([again.status, again.body.code]).toEqual([404, "DEVICE_UNKNOWN"]);
    watch.close();
  });
});

describe("introspection", () => {
  let place: Place;
  beforeAll(async () => {
    place = await openPlace(anyEngine);
  });
  afterAll(() => place.close());

  const keyWith = (scopes: readonly Scope[], shop: string | null = null) =>
    newApiKey(place.house.app, "back end", scopes, shop);
  const ask = (key: string | undefined, token: string) =>
    place.house.http("POST", "/introspect", {
      token: key,
      raw: new URLSearchParams({ token }).toString(),
      headers: { "content-type": "application/x-www-form-urlencoded" },
    });
  const seconds = (iso: string) => Math.floor(Date.parse(iso) / 1_000);

  it("names the owner of a live token", async () => {
    const { key } = await keyWith(["introspect"]);
    const { session, user } = await login(place);
    const { status, body } = await ask(key, session.token);
    expect(status).toBe(200);
    expect(body).toEqual({
      active: true,
      token_type: "Bearer",
      sub: user.id,
      sid: session.id,
      kind: "wechat",
      iat: expect.any(Number),
      exp: seconds(session.expiresAt),
    });
    expect(body.exp - body.iat).toBe((30 * dayMs) / 1_000);
    const kitchen = await place.house.staff("kitchen");
    expect((await ask(key, kitchen.token)).body).toMatchObject({
      kind: "staff",
      shop: place.house.shop,
      role: "kitchen",
    });
  });

  it("says of any other token only that it is not active", async () => {
    const { house } = place;
    const { key } = await keyWith(["introspect"]);
    const [ended, expired] = [await house.guest(), await house.guest()];
    await ended.http("DELETE", "/session");
    house.clock.forward(7 * dayMs);
    const { token } = (await login(place)).session;
    for (const dead of [ended.token, expired.token, `${token.slice(0, -4)}AAAA`, `${token} `, "x", "王小明", key]) {
      const { status, body } = await ask(key, dead);
      expect([status, body]).toEqual([200, { active: false }]);
    }
    expect((await ask(key, token)).body.active).toBe(true);
  });

  it("tells a shop's key nothing of another shop's staff", async () => {
    const { house } = place;
    const [own, foreign] = [await keyWith(["introspect"], house.shop), await keyWith(["introspect"], "another-shop")];
    const kitchen = await house.staff("kitchen");
    const customer = (await login(place)).session.token;
    expect((await ask(own.key, kitchen.token)).body).toMatchObject({ active: true, role: "kitchen" });
    expect((await ask(foreign.key, kitchen.token)).body).toEqual({ active: false });
    expect((await ask(foreign.key, customer)).body).toMatchObject({ active: true, kind: "wechat" });
  });

  it("is allowed to keys with the scope only", async () => {
    const { house } = place;
    const { token } = (await login(place)).session;
    const revoked = await keyWith(["introspect", "notify"]);
    expect((await ask(revoked.key, token)).body.active).toBe(true);
    await house.db.flight({ statements: [revokeApiKey(revoked.id, house.clock.now())] });
    const strangers = [undefined, token, (await keyWith(["notify"])).key, revoked.key, `obk_${"A".repeat(43)}`];
    for (const stranger of strangers) {
      const { status, body } = await ask(stranger, token);
      expect([status, body.code]).toEqual([401, "API_KEY_INVALID"]);
    }
  });

  it("is requested as RFC 7662 says", async () => {
    const { key } = await keyWith(["introspect"]);
    const missing = await ask(key, "");
    expect([missing.status, missing.body.code, missing.body.field]).toEqual([400, "INVALID_INPUT", "token"]);
    const json = await place.house.http("POST", "/introspect", { token: key, body: { token: "x" } });
    expect([json.status, json.body.code]).toEqual([415, "MEDIA_TYPE_UNSUPPORTED"]);
  });
});
