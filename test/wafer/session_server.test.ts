/** Wafer's session server: every interface, every return code, and the bytes of the SDKs of all languages. */
import { connect } from "node:net";
import type { AxiosInstance } from "axios";
import { sql } from "../../db/sql.ts";
import { WechatAway, WechatMisconfigured } from "../../shared/errors.ts";
import { newApiKey } from "../../shared/sessions/api_key.ts";
import { makeWechat } from "../../shared/wechat.ts";
import { anyEngine, onEveryDialect } from "../_engines.ts";
import { altered } from "../_house.ts";
import {
  app,
  envelope,
  openSessionHouse,
  otherApp,
  profile,
  type SessionHouse,
  token,
  ulid,
  userInfo,
} from "./_session_house.ts";

const login = "qcloud.cam.id_skey";
const check = "qcloud.cam.auth";
const decrypt = "qcloud.cam.decrypt";
const dayMs = 24 * 3_600_000;

const refused = (returnCode: number, returnMessage: string) => ({
  returnCode,
  returnMessage,
  returnData: "",
  version: 1,
  componentName: "MA",
});

const paraOf = ({ code, encryptedData, iv }: ReturnType<SessionHouse["newLogin"]>) => ({
  code,
  encrypt_data: encryptedData,
  iv,
});

onEveryDialect((engine) => {
  let place: SessionHouse;
  beforeAll(async () => {
    place = await openSessionHouse(engine);
  });
  afterAll(() => place.close());

  it("changes a code into a session and tells whose it is", async () => {
    const { house, ask, newLogin } = place;
    const begun = await ask(login, paraOf(newLogin("o-one")));
    expect(begun.status).toBe(200);
    expect(begun.body).toEqual({
      returnCode: 0,
      returnMessage: "NEW_SESSION_SUCCESS",
      returnData: { id: ulid, skey: token, user_info: userInfo("o-one"), duration: 30 * 24 * 3_600 },
      version: 1,
      componentName: "MA",
    });
    const { id, skey } = begun.body.returnData;
    const checked = await ask(check, { id, skey });
    expect(checked.body).toEqual({
      returnCode: 0,
      returnMessage: "AUTH_SUCCESS",
      returnData: { user_info: userInfo("o-one") },
      version: 1,
      componentName: "MA",
    });
    // The session is one of orderbell's own.
    const own = await house.http("GET", "/session", { token: skey });
    expect(own.body.user).toEqual({ id, profile: { nickName: profile.nickName, avatarUrl: profile.avatarUrl } });
  });

  it("keeps an earlier skey alive when the user signs in again, and the id", async () => {
    const { ask, newLogin } = place;
    const first = (await ask(login, paraOf(newLogin("o-two")))).body.returnData;
    const renamed = { ...profile, nickName: "小明", gender: 2 };
    const again = await ask(login, paraOf(newLogin("o-two", renamed)));
    expect(again.body.returnMessage).toBe("UPDATE_SESSION_SUCCESS");
    const second = again.body.returnData;
    expect([second.id, second.skey === first.skey]).toEqual([first.id, false]);
    for (const { id, skey } of [first, second]) {
      const { body } = await ask(check, { id, skey });
      expect([body.returnCode, body.returnData.user_info.nickName]).toEqual([0, "小明"]);
    }
  });

  it("serves eight logins of one user at once, and each skey lives", async () => {
    const { ask, standIn } = place;
    const begun = await Promise.all(
      Array.from({ length: 8 }, () => {
        const code = standIn.newCode("o-parallel");
        return ask(login, paraOf({ code, ...standIn.encrypt(code, profile) }));
      }),
    );
    expect(begun.map(({ body }) => body.returnCode)).toEqual(begun.map(() => 0));
    expect(new Set(begun.map(({ body }) => body.returnData.id)).size).toBe(1);
    expect(begun.filter(({ body }) => body.returnMessage === "NEW_SESSION_SUCCESS")).toHaveLength(1);
    const checks = await Promise.all(
      begun.map(({ body: { returnData } }) => ask(check, { id: returnData.id, skey: returnData.skey })),
    );
    expect(checks.map(({ body }) => body.returnMessage)).toEqual(begun.map(() => "AUTH_SUCCESS"));
  });

  it("takes the data of clients of 2016, whose key is the iv too and which bear no watermark", async () => {
    const { ask, standIn } = place;
    const code = standIn.newCode("o-old");
    const begun = await ask(login, { code, encrypt_data: standIn.encryptWithoutIv(code, { ...profile, gender: "1" }) });
    expect([begun.body.returnMessage, begun.body.returnData.user_info]).toEqual([
      "NEW_SESSION_SUCCESS",
      userInfo("o-old"),
    ]);
    for (const iv of [null, ""]) {
      const next = standIn.newCode("o-old");
      const again = await ask(login, { code: next, encrypt_data: standIn.encryptWithoutIv(next, profile), iv });
      expect(again.body.returnMessage).toBe("UPDATE_SESSION_SUCCESS");
    }
  });

  it("decrypts with the newest key of the session's user", async () => {
    const { ask, newLogin, standIn } = place;
    const { id, skey } = (await ask(login, paraOf(newLogin("o-phone")))).body.returnData;
    const data = { phoneNumber: "13900001234", countryCode: "86", 中: "文" };
    const { encryptedData, iv } = standIn.encrypt("o-phone", data);
    const opened = await ask(decrypt, { id, skey, encrypt_data: encryptedData, iv });
    expect(opened.body).toMatchObject({ returnCode: 0, returnMessage: "DECRYPT_SUCCESS" });
    expect(JSON.parse(opened.body.returnData)).toMatchObject({ ...data, watermark: { appid: app.appid } });
    const old = standIn.encryptWithoutIv("o-phone", data);
    expect(JSON.parse((await ask(decrypt, { id, skey, encrypt_data: old })).body.returnData)).toEqual(data);
    const foreign = standIn.encrypt("o-phone", { watermark: { appid: otherApp.appid, timestamp: 1 } });
    const wrong = [
      { encrypt_data: encryptedData },
      { encrypt_data: old, iv },
      { encrypt_data: foreign.encryptedData, iv: foreign.iv },
      { encrypt_data: "AAAA", iv },
      { encrypt_data: encryptedData, iv: "AAAA" },
    ];
    for (const para of wrong)
      expect((await ask(decrypt, { id, skey, ...para })).body).toEqual(refused(60_021, "DECRYPT_FAIL"));
    const nobody = await ask(decrypt, { id, skey: altered(skey), encrypt_data: encryptedData, iv });
    expect(nobody.body).toEqual(refused(60_012, "AUTH_FAIL"));
  });

  it("keeps what WeChat said of a user sealed", async () => {
    const { house, ask, newLogin } = place;
    await ask(login, paraOf(newLogin("o-sealed", { ...profile, city: "a-city-of-its-own" })));
    const rows = await house.db.read([sql`SELECT * FROM wechat_accounts`]);
    const text = JSON.stringify(rows);
    expect(text).toContain("o-sealed");
    expect(text).not.toContain("a-city-of-its-own");
    expect(house.lines.join("")).not.toContain("a-city-of-its-own");
  });
});

describe("the session server", () => {
  let place: SessionHouse;
  beforeAll(async () => {
    place = await openSessionHouse(anyEngine);
  });
  afterEach(() => {
    place.standIn.misbehave();
    place.wechat = undefined;
  });
  afterAll(() => place.close());

  const newSession = async (openid?: string) =>
    (await place.ask(login, paraOf(place.newLogin(openid)))).body.returnData as { id: string; skey: string };

  describe("answers", () => {
    const para = { code: "c", encrypt_data: "AAAA" };
    it.each<[number, string, string, unknown]>([
      [1009, "REQUEST_IS_NOT_JSON", "nothing", ""],
      [1009, "REQUEST_IS_NOT_JSON", "a form", "version=1&componentName=MA"],
      [1009, "REQUEST_IS_NOT_JSON", "half an envelope", '{"version":1,"interface":{'],
      [1009, "REQUEST_IS_NOT_JSON", "bytes that are not UTF-8", Uint8Array.from([0x7b, 0xff, 0x7d])],
      [1002, "NO_INTERFACENAME_PARA", "an empty object", {}],
      [1002, "NO_INTERFACENAME_PARA", "a list", []],
      [1002, "NO_INTERFACENAME_PARA", "null", null],
      [1002, "NO_INTERFACENAME_PARA", "an interface without a name", { interface: { para } }],
      [1002, "NO_INTERFACENAME_PARA", "an interface that is a text", { interface: login }],
      [1002, "NO_INTERFACENAME_PARA", "a name that is no text", envelope(1 as never, para)],
      [1011, "NO_PARA", "no para", { interface: { interfaceName: login } }],
      [1011, "NO_PARA", "a para of null", envelope(login, null)],
      [1010, "INTERFACENAME_PARA_ERR", "another interface", envelope("qcloud.cam.other", para)],
      [1010, "INTERFACENAME_PARA_ERR", "an inherited name", envelope("constructor", para)],
      [1010, "INTERFACENAME_PARA_ERR", "initdata", envelope("qcloud.cam.initdata", { appid: "a", secret: "b" })],
      [1003, "PARA_ERR", "an empty para", envelope(login, {})],
      [1003, "PARA_ERR", "a para that is a list", envelope(login, [])],
      [1003, "PARA_ERR", "no data", envelope(login, { code: "c" })],
      [1003, "PARA_ERR", "no code", envelope(login, { encrypt_data: "AAAA" })],
      [1003, "PARA_ERR", "a code with spaces", envelope(login, { ...para, code: "a b" })],
      [1003, "PARA_ERR", "an iv that is a number", envelope(login, { ...para, iv: 1 })],
      [1003, "PARA_ERR", "a check without skey", envelope(check, { id: "x" })],
      [1003, "PARA_ERR", "a check with an empty id", envelope(check, { id: "", skey: "x" })],
      [1003, "PARA_ERR", "data that is no base64", envelope(decrypt, { id: "x", skey: "x", encrypt_data: "é" })],
      [60_012, "AUTH_FAIL", "a check of nothing known", envelope(check, { id: "1", skey: "2" })],
    ])("%i %s to %s", async (returnCode, message, _, body) => {
      const raw = typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
      const { status, body: answer } = await place.house.http("POST", "/mina_auth", { token: place.key, raw });
      expect([status, answer]).toEqual([200, refused(returnCode, message)]);
    });

    it("40029 to a code that WeChat does not know, that was used, or of a user who is blocked", async () => {
      const { ask, newLogin, standIn } = place;
      const unknown = { ...paraOf(newLogin()), code: "never-given" };
      expect((await ask(login, unknown)).body).toEqual(refused(40_029, "WEIXIN_CODE_ERR"));
      const used = paraOf(newLogin());
      await ask(login, used);
      expect((await ask(login, used)).body).toEqual(refused(40_029, "WEIXIN_CODE_ERR"));
      standIn.block("o-blocked");
      expect((await ask(login, paraOf(newLogin("o-blocked")))).body).toEqual(refused(40_029, "WEIXIN_CODE_ERR"));
      place.wechat = { codeToSession: () => Promise.reject(new WechatMisconfigured(40_125)) };
      expect((await ask(login, paraOf(newLogin()))).body).toEqual(refused(40_029, "WEIXIN_CODE_ERR"));
    });

    it("1005 when WeChat cannot be reached", async () => {
      const { ask, newLogin } = place;
      for (const kind of ["reset", "html"] as const) {
        place.standIn.misbehave(kind);
        expect((await ask(login, paraOf(newLogin()))).body).toEqual(refused(1005, "WEIXIN_NET_ERR"));
      }
      place.wechat = { codeToSession: () => Promise.reject(new WechatAway()) };
      expect((await ask(login, paraOf(newLogin()))).body).toEqual(refused(1005, "WEIXIN_NET_ERR"));
    });

    it("1007 to an answer that is not WeChat's", async () => {
      const { ask, newLogin } = place;
      for (const data of [{ openid: "o" }, { session_key: "x" }, {}, { errcode: "busy" }, "<html>"]) {
        place.wechat = makeWechat({ get: async () => ({ data }) } as unknown as AxiosInstance);
        expect((await ask(login, paraOf(newLogin()))).body).toEqual(refused(1007, "WEIXIN_RETURN_ERR"));
      }
    });

    it("1006 when the session cannot be kept", async () => {
      const own = await openSessionHouse(anyEngine, { mayFail: true });
      try {
        const para = paraOf(own.newLogin());
        await own.house.db.alone((run) => run("ALTER TABLE wechat_accounts RENAME TO accounts_that_were"));
        expect((await own.ask(login, para)).body).toEqual(refused(1006, "CHANGE_SESSION_ERR"));
        await own.house.db.alone((run) => run("ALTER TABLE accounts_that_were RENAME TO wechat_accounts"));
      } finally {
        await own.close();
      }
    });

    it("60021 to data that does not fit the code", async () => {
      const { ask, newLogin } = place;
      const [mine, other] = [newLogin(), newLogin()];
      const para = { ...paraOf(other), code: mine.code };
      expect((await ask(login, para)).body).toEqual(refused(60_021, "DECRYPT_FAIL"));
      const foreign = newLogin("o-foreign", { watermark: { appid: otherApp.appid, timestamp: 1_795_233_767 } });
      expect((await ask(login, paraOf(foreign))).body).toEqual(refused(60_021, "DECRYPT_FAIL"));
    });

    it("60012 to a session that is over, that is another user's, a guest's or a waiter's", async () => {
      const { house, ask } = place;
      const session = await newSession();
      const other = await newSession();
      const guest = await house.guest();
      const staff = await house.staff();
      const wrong = [
        { id: other.id, skey: session.skey },
        { id: session.id, skey: altered(session.skey) },
        { id: guest.user, skey: guest.token },
        { id: staff.user, skey: staff.token },
        { id: session.id, skey: place.key },
      ];
      for (const para of wrong) expect((await ask(check, para)).body).toEqual(refused(60_012, "AUTH_FAIL"));
      expect((await house.http("DELETE", "/session", { token: session.skey })).status).toBe(204);
      expect((await ask(check, session)).body).toEqual(refused(60_012, "AUTH_FAIL"));
      expect((await ask(check, other)).body.returnCode).toBe(0);
    });
  });

  it("moves a session's expiry on when it is checked, and refuses it after its days", async () => {
    const own = await openSessionHouse(anyEngine, { environment: { SESSION_DAYS: "3" } });
    try {
      const begun = (await own.ask(login, paraOf(own.newLogin()))).body.returnData;
      expect(begun.duration).toBe(3 * 24 * 3_600);
      const session = { id: begun.id, skey: begun.skey };
      for (let day = 0; day < 3; day++) {
        own.house.clock.forward(2 * dayMs);
        expect((await own.ask(check, session)).body.returnCode).toBe(0);
      }
      own.house.clock.forward(3 * dayMs + 1);
      expect((await own.ask(check, session)).body).toEqual(refused(60_012, "AUTH_FAIL"));
    } finally {
      await own.close();
    }
  });

  it("tells a back end what it knows of a user who signed in without encrypted data", async () => {
    const { house, ask, standIn } = place;
    const { body } = await house.http("POST", "/login", { body: { code: standIn.newCode("o-bare") } });
    const checked = await ask(check, { id: body.user.id, skey: body.session.token });
    expect(checked.body.returnData.user_info).toEqual({
      openId: "o-bare",
      nickName: "",
      gender: 0,
      language: "",
      city: "",
      province: "",
      country: "",
      avatarUrl: "",
      watermark: { timestamp: expect.any(Number), appid: app.appid },
    });
  });

  it("counts wrong codes against no network", async () => {
    const own = await openSessionHouse(anyEngine, { environment: { FAILED_LOGINS_PER_HOUR: "2" } });
    try {
      for (let nth = 0; nth < 6; nth++) {
        const para = { ...paraOf(own.newLogin()), code: `never-given-${nth}` };
        expect((await own.ask(login, para)).body.returnCode).toBe(40_029);
      }
      expect((await own.ask(login, paraOf(own.newLogin()))).body.returnCode).toBe(0);
      // Nor do they count against a phone that signs in by itself.
      const { status } = await own.house.http("POST", "/login", { body: { code: own.standIn.newCode() } });
      expect(status).toBe(201);
    } finally {
      await own.close();
    }
  });

  it("has no mini-program, or does not know which: 1012", async () => {
    const none = await openSessionHouse(anyEngine, {}, []);
    const two = await openSessionHouse(anyEngine, {}, [app, otherApp]);
    try {
      expect((await none.ask(login, paraOf(none.newLogin()))).body).toEqual(refused(1012, "NO_APPID"));
      expect((await two.ask(login, paraOf(two.newLogin()))).body).toEqual(refused(1012, "NO_APPID"));
      const other = await two.ask(login, paraOf(two.newLogin()), "/mina_auth?appid=wx-of-nobody");
      expect(other.body).toEqual(refused(1012, "NO_APPID"));
      // The address that an SDK is given says which.
      const named = `/mina_auth/?appid=${otherApp.appid}`;
      const code = two.standIn.newCode("o-bound", otherApp.appid);
      const begun = await two.ask(login, paraOf({ code, ...two.standIn.encrypt(code, profile) }), named);
      const { id, skey, user_info: info } = begun.body.returnData;
      expect(info).toEqual({ ...userInfo("o-bound", otherApp.appid), unionId: expect.stringMatching(/^o/) });
      expect((await two.ask(check, { id, skey }, named)).body.returnCode).toBe(0);
      expect((await two.ask(check, { id, skey })).body.returnCode).toBe(0);
      const foreign = await two.ask(check, { id, skey }, `/mina_auth/?appid=${app.appid}`);
      expect(foreign.body).toEqual(refused(60_012, "AUTH_FAIL"));
    } finally {
      await Promise.all([none.close(), two.close()]);
    }
  });

  // --- Callers -------------------------------------------------------------------------------------------------------

  const basic = (password: string, name = "x") => `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;
  const statusWith = async ({ house }: SessionHouse, headers: Record<string, string>, path = "/mina_auth") =>
    (await house.http("POST", path, { headers, raw: JSON.stringify(envelope(check, { id: "1", skey: "2" })) })).status;

  it("serves back ends with a key, as a bearer token and as a password, with and without a slash", async () => {
    const { key, house } = place;
    for (const path of ["/mina_auth", "/mina_auth/"])
      for (const authorization of [`Bearer ${key}`, basic(key), basic(key, "")])
        expect([path, authorization, await statusWith(place, { authorization }, path)]).toEqual([
          path,
          authorization,
          200,
        ]);
    const { key: other } = await newApiKey(house.app, "other", ["introspect", "notify"], null);
    const session = await newSession();
    const wrong = [
      `Bearer ${other}`,
      basic(other),
      basic(`${key}x`),
      basic(key.toUpperCase()),
      `Bearer ${key.slice(0, -1)}`,
      `Basic ${key}`,
      `Basic ${Buffer.from(key).toString("base64")}`,
      `Bearer ${session.skey}`,
      "Basic",
      "x",
    ];
    for (const authorization of wrong)
      expect([authorization, await statusWith(place, { authorization })]).toEqual([authorization, 401]);
    expect(await statusWith(place, {})).toBe(401);
    expect(await statusWith(place, { "x-wx-skey": session.skey })).toBe(401);
    expect(place.house.lines.join("")).not.toContain("session_server.open");
  });

  it("serves a network that is allowed without a key, but not with a wrong one", async () => {
    const allowed = await openSessionHouse(anyEngine, {
      environment: { SESSION_SERVER_NETWORKS: "10.0.0.0/8; ::1,127.0.0.1" },
    });
    const others = await openSessionHouse(anyEngine, { environment: { SESSION_SERVER_NETWORKS: "10.0.0.0/8" } });
    const open = await openSessionHouse(anyEngine, { environment: { SESSION_SERVER_NETWORKS: "open" } });
    try {
      expect(await statusWith(allowed, {})).toBe(200);
      expect(await statusWith(allowed, { authorization: basic("obk_x") })).toBe(401);
      expect(await statusWith(others, {})).toBe(401);
      expect(await statusWith(others, { "x-forwarded-for": "10.0.0.1" })).toBe(401);
      expect(await statusWith(others, { authorization: basic(others.key) })).toBe(200);
      expect(await statusWith(open, {})).toBe(200);
      expect(await statusWith(open, { authorization: "Bearer x" })).toBe(401);
      const said = open.house.lines.filter((line) => line.includes("session_server.open"));
      expect([said.length, said[0]]).toEqual([1, expect.stringContaining("SESSION_SERVER_NETWORKS")]);
      expect(allowed.house.lines.join("")).not.toContain("session_server.open");
    } finally {
      await Promise.all([allowed.close(), others.close(), open.close()]);
    }
  });

  // --- Exact bytes ---------------------------------------------------------------------------------------------------

  /** Sends the bytes as they are, and gives the answer's bytes. */
  function exchange({ house }: SessionHouse, head: readonly string[], body: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const port = Number(new URL(house.url).port);
      const length = `Content-Length: ${Buffer.byteLength(body)}`;
      let text = "";
      const socket = connect(port, "127.0.0.1", () => {
        socket.write(`${[...head, length, "Connection: close"].join("\r\n")}\r\n\r\n`);
        const waits = head.some((line) => line.startsWith("Expect:"));
        if (!waits) socket.write(body);
        else socket.once("data", () => socket.write(body));
      });
      socket.setEncoding("utf8");
      socket.on("data", (part) => {
        text += part;
      });
      socket.on("end", () => resolve(text));
      socket.on("error", reject);
    });
  }

  const answerOf = (text: string) => JSON.parse(text.slice(text.lastIndexOf("\r\n\r\n") + 4));

  /** SDK → its head and how it writes an envelope. */
  const sdks: readonly [string, (port: string) => string[], (name: string, para: [string, string][]) => string][] = [
    [
      "Node",
      (host) => [
        "POST /mina_auth/ HTTP/1.1",
        `host: ${host}`,
        `authorization: ${basic(place.key)}`,
        "accept: application/json",
        "content-type: application/json",
      ],
      (name, para) =>
        `{"version":1,"componentName":"MA","interface":{"interfaceName":"${name}","para":{${para.map(([member, value]) => `"${member}":"${value}"`).join()}}}}`,
    ],
    [
      "PHP, with slashes escaped and a long body that is waited for",
      (host) => [
        "POST /mina_auth HTTP/1.1",
        `Host: ${host}`,
        `Authorization: ${basic(place.key)}`,
        "Accept: */*",
        "Content-Type: application/json; charset=utf-8",
        "Expect: 100-continue",
      ],
      (name, para) =>
        `{"version":1,"componentName":"MA","interface":{"interfaceName":"${name}","para":{${para.map(([member, value]) => `"${member}":"${value.replaceAll("/", "\\/")}"`).join()}}}}`,
    ],
    [
      "Java, in the order of its hash map",
      (host) => [
        "POST /mina_auth/ HTTP/1.1",
        "Content-Type: application/json;charset=utf-8",
        "User-Agent: Java/1.8.0_112",
        `Host: ${host}`,
        `Authorization: ${basic(place.key)}`,
        "Accept: text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2",
      ],
      (name, para) => {
        const members = para[0]?.[0] === "id" ? para.toReversed() : para;
        return `{"componentName":"MA","interface":{"para":{${members.map(([member, value]) => `"${member}":"${value}"`).join()}},"interfaceName":"${name}"},"version":1}`;
      },
    ],
    [
      "C#, indented, as plain text",
      (host) => [
        "POST /mina_auth HTTP/1.1",
        "Content-Type: text/plain; charset=utf-8",
        `Host: ${host}`,
        `Authorization: ${basic(place.key)}`,
        "Expect: 100-continue",
      ],
      (name, para) =>
        [
          "{",
          '  "version": 1,',
          '  "componentName": "MA",',
          '  "interface": {',
          `    "interfaceName": "${name}",`,
          '    "para": {',
          para.map(([member, value]) => `      "${member}": "${value}"`).join(",\r\n"),
          "    }",
          "  }",
          "}",
        ].join("\r\n"),
    ],
    [
      "a client that says nothing of its body's type",
      (host) => ["POST /mina_auth HTTP/1.1", `Host: ${host}`, `Authorization: Bearer ${place.key}`],
      (name, para) => `\uFEFF${JSON.stringify(envelope(name, Object.fromEntries(para)))}`,
    ],
  ];

  it.each(sdks)("understands the bytes of %s", async (_, headOf, write) => {
    const head = headOf(new URL(place.house.url).host);
    // With a slash in it, which some write in another way.
    let one = place.newLogin();
    while (!one.encryptedData.includes("/")) one = place.newLogin();
    const para: [string, string][] = [
      ["code", one.code],
      ["encrypt_data", one.encryptedData],
      ["iv", one.iv],
    ];
    const begun = answerOf(await exchange(place, head, write(login, para)));
    expect([begun.returnCode, begun.returnMessage]).toEqual([0, "NEW_SESSION_SUCCESS"]);
    const { id, skey } = begun.returnData;
    const pair: [string, string][] = [
      ["id", id],
      ["skey", skey],
    ];
    const checked = await exchange(place, head, write(check, pair));
    expect(checked).toMatch(/HTTP\/1\.1 200 OK\r\n/);
    expect(answerOf(checked).returnMessage).toBe("AUTH_SUCCESS");
    // The members in the order of the original.
    expect(checked).toMatch(
      /\r\n\r\n\{"returnCode":0,"returnMessage":"AUTH_SUCCESS","returnData":\{"user_info":\{"openId":.*\}\},"version":1,"componentName":"MA"\}$/,
    );
  });
});
