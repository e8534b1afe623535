/** Routes for Wafer's SDKs are given what they must not take: they say so in their own words, and nothing is written. */
import type { AxiosInstance } from "axios";
import fc from "fast-check";
import type { Json } from "../../scripts/read_api.ts";
import { makeWechat } from "../../shared/wechat.ts";
import { anyEngine } from "../_engines.ts";
import type { Answer, HttpOptions } from "../_house.ts";
import { digest, openScene, operationOf, type Scene } from "../attacks/_scene.ts";
import { spoil, textOf } from "../attacks/_spoil.ts";
import { envelope, magicId } from "./_session_house.ts";

/** Each envelope is right by its form, and refused in the end: no code and no session in it is known. */
const para = { code: "never-given", encrypt_data: "AAAA", iv: "AAAA", id: "01M7W84XQ2J4N2XM6TSKAR76K0", skey: "obw_x" };
const envelopes = ["qcloud.cam.id_skey", "qcloud.cam.auth", "qcloud.cam.decrypt"].map(
  (interfaceName) => envelope(interfaceName, para) as unknown as Json,
);

const known = [1002, 1003, 1009, 1010, 1011, 40_029, 60_012, 60_021];

const hostile = [
  "",
  " ",
  "a b",
  "null",
  "undefined",
  "x'; DROP TABLE sessions; --",
  "<script>alert(1)</script>",
  "../session",
  "__proto__",
  "é",
  "ÿþ",
  "%00",
  "-1",
  ",",
  "x".repeat(129),
  "x".repeat(4_000),
  `obw_${"0".repeat(52)}${"x".repeat(32)}`,
  `obg_${"0".repeat(52)}`,
  "0".repeat(26),
];

describe("bad input of Wafer's SDKs", () => {
  let scene: Scene;
  let before: string[];
  beforeAll(async () => {
    scene = await openScene(anyEngine, {
      // Every code is one that it does not know.
      wechat: makeWechat({ get: async () => ({ data: { errcode: 40_029 } }) } as unknown as AxiosInstance),
      environment: { FAILED_LOGINS_PER_HOUR: "100000" },
    });
    before = await written();
  });
  afterAll(() => scene.close());

  /** A code is noted before WeChat is asked: it is not sent there twice. */
  const written = () => digest(scene.house.db, ["wechat_codes"]);
  const ask = (options: HttpOptions) => scene.house.http("POST", "/mina_auth", { token: scene.key, ...options });

  function expectFailure({ status, body }: Answer): void {
    expect([status, body.returnData, body.version, body.componentName]).toEqual([200, "", 1, "MA"]);
    expect(known).toContain(body.returnCode);
    expect(body.returnMessage).toMatch(/^[A-Z_]+$/);
  }

  it("is refused by the session server, wherever an envelope is spoiled", async () => {
    const schema = operationOf("POST /mina_auth").body["application/json"]?.schema ?? true;
    let count = 0;
    const codes = new Set<number>();
    for (const one of envelopes)
      for (const { value } of spoil(schema, one)) {
        const answer = await ask({ raw: textOf(value) });
        expectFailure(answer);
        codes.add(answer.body.returnCode);
        count += 1;
      }
    expect(count).toBeGreaterThan(600);
    expect([...codes].toSorted()).toEqual([1002, 1003, 1010, 1011, 40_029, 60_012].toSorted());
    expect(await written()).toEqual(before);
  });

  it("is refused by the session server as bytes that are no envelope", async () => {
    const deep = (depth: number) => `${'{"interface":'.repeat(depth)}1${"}".repeat(depth)}`;
    const texts = ["", "{", "[]", '"', "null", "1e999", "\u0000", "{}x", '{"a":1,"a":2}', deep(33), deep(10_000)];
    for (const raw of texts) expectFailure(await ask({ raw }));
    for (const bytes of [[0xff], [0x7b, 0xc0, 0x80, 0x7d], [0xed, 0xa0, 0x80]])
      expectFailure(await ask({ raw: Uint8Array.from(bytes) }));
    const { status, body } = await ask({ raw: `{"a":"${"x".repeat(512 * 1_024)}"}` });
    expect([status, body.code]).toEqual([413, "BODY_TOO_LARGE"]);
    expect(await written()).toEqual(before);
  });

  it("is refused by the session server whatever JSON it is", async () => {
    const json = fc.oneof(
      fc.jsonValue(),
      fc.record({
        interface: fc.record({
          interfaceName: fc.constantFrom("qcloud.cam.id_skey", "qcloud.cam.auth"),
          para: fc.jsonValue(),
        }),
      }),
    );
    const property = fc.asyncProperty(json, async (value) => expectFailure(await ask({ raw: JSON.stringify(value) })));
    await fc.assert(property, { numRuns: 200 });
    expect(await written()).toEqual(before);
  });

  /** What a header can hold. */
  const inHeaders = hostile.filter((text) => /^[\x20-\x7e\xa0-\xff]*$/.test(text));

  it("is refused by the direct login, in every header and in the address", async () => {
    const right = { "x-wx-code": "never-given", "x-wx-encrypted-data": "AAAA", "x-wx-iv": "AAAA", "x-wx-appid": "wx0" };
    const failed = { [magicId]: 1, error: "ERR_LOGIN_FAILED", message: expect.any(String), code: -1 };
    for (const method of ["GET", "POST"]) {
      for (const name of [...Object.keys(right), "x-wx-encrypt-data"])
        for (const text of inHeaders) {
          const { status, body } = await scene.house.http(method, "/weapp/login", {
            headers: { ...right, [name]: text },
          });
          expect([name, text, status, body]).toEqual([name, text, 200, failed]);
        }
      for (const text of hostile) {
        const address = `/weapp/login?appid=${encodeURIComponent(text)}`;
        const { status, body } = await scene.house.http(method, address, { headers: { "x-wx-code": "never-given" } });
        expect([text, status, body]).toEqual([text, 200, failed]);
      }
    }
    expect(await written()).toEqual(before);
  });

  it("is refused wherever a session's headers are read", async () => {
    const { house, customer } = scene;
    for (const text of inHeaders)
      for (const headers of [
        { "x-wx-skey": text },
        { "x-wx-id": text },
        { "x-wx-id": text, "x-wx-skey": text },
        { "x-wx-id": text.trim() || "x", "x-wx-skey": customer.token },
        { authorization: text || "x" },
      ]) {
        const user = await house.http("GET", "/weapp/user", { headers });
        expect([headers, user.status, user.body.code]).toEqual([headers, 200, -1]);
        const session = await house.http("GET", "/session", { headers });
        expect([headers, session.status]).toEqual([headers, 401]);
        expect(session.body.code).toMatch(/^SESSION_(MISSING|INVALID)$/);
        const server = await house.http("POST", "/mina_auth/", { headers, raw: JSON.stringify(envelopes[1]) });
        expect([headers, server.status, server.body.code]).toEqual([headers, 401, "API_KEY_INVALID"]);
      }
    expect(await written()).toEqual(before);
  });
});
