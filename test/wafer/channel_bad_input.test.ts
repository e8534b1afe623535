/** The channel service is given what it must not take: a reason comes back, nothing is written, and nothing fails unseen. */
import fc from "fast-check";
import type { Json } from "../../scripts/read_api.ts";
import { signatureOf, tcIdOf } from "../../shared/wafer/envelope.ts";
import { anyEngine } from "../_engines.ts";
import { digest, openScene, operationOf, type Scene } from "../attacks/_scene.ts";
import { spoil, textOf } from "../attacks/_spoil.ts";
import { type Business, channelEnvironment, channelKey, connect, openBusiness, pin, tunnelFor } from "./_channel.ts";

describe("bad input of business servers and of their clients", () => {
  let scene: Scene;
  let business: Business;
  let before: string[];

  beforeAll(async () => {
    scene = await openScene(anyEngine, { environment: channelEnvironment });
    business = await openBusiness();
    await pin(scene.house, business);
    before = await digest(scene.house.db);
  });
  afterAll(async () => {
    await scene.close();
    await business.close();
  });

  const paths = ["/get/wsurl", "/ws/push", "/ws/log"];
  const post = (path: string, raw: string | Uint8Array) => scene.house.http("POST", path, { raw });
  const signed = (data: string): Json => ({
    data,
    tcId: tcIdOf(business.host),
    tcKey: channelKey,
    signature: signatureOf(data, channelKey),
  });

  it("is refused wherever an envelope is spoiled", async () => {
    let count = 0;
    for (const path of paths) {
      const schema = operationOf(`POST ${path}`).body["application/json"]?.schema ?? true;
      for (const { value } of spoil(schema, signed("{}"))) {
        const { status, body } = await post(path, textOf(value));
        expect([path, textOf(value).slice(0, 200), status < 500, body.code !== 0]).toEqual([
          path,
          textOf(value).slice(0, 200),
          true,
          true,
        ]);
        count += 1;
      }
    }
    expect(count).toBeGreaterThan(100);
    expect(await digest(scene.house.db)).toEqual(before);
  });

  it("is refused as bytes that are no envelope", async () => {
    for (const path of paths) {
      for (const raw of [
        "{",
        "[]",
        '"',
        "null",
        "1e999",
        "\u0000",
        "{}x",
        '{"data":1,"data":2}',
        `{"data":${"[".repeat(9_999)}`,
      ])
        expect([path, raw.slice(0, 20), (await post(path, raw)).status]).toEqual([path, raw.slice(0, 20), 400]);
      for (const bytes of [[0xff], [0x7b, 0xc0, 0x80, 0x7d], [0xed, 0xa0, 0x80]])
        expect((await post(path, Uint8Array.from(bytes))).status).toBe(400);
    }
    expect(await digest(scene.house.db)).toEqual(before);
  });

  it("is refused whatever is signed, and a push of anything ends without a failure", async () => {
    const packet = fc.oneof(
      fc.jsonValue(),
      fc.record({
        tunnelIds: fc.oneof(fc.jsonValue(), fc.array(fc.oneof(fc.string(), fc.jsonValue()))),
        type: fc.constantFrom("message", "close", "x"),
        content: fc.oneof(fc.jsonValue(), fc.json()),
      }),
    );
    const payload = fc.oneof(
      fc.jsonValue(),
      fc.array(packet),
      fc.record({ receiveUrl: fc.oneof(fc.jsonValue(), fc.webUrl(), fc.string()), protocolType: fc.constant("wss") }),
      fc.record({ tunnelId: fc.oneof(fc.jsonValue(), fc.string()) }),
    );
    const property = fc.asyncProperty(fc.constantFrom(...paths), payload, async (path, value) => {
      const { status, body } = await post(path, JSON.stringify(signed(JSON.stringify(value))));
      const isPush = path === "/ws/push" && Array.isArray(value);
      expect([status, isPush ? body.code : body.code > 9_000]).toEqual([200, isPush ? 0 : true]);
    });
    await fc.assert(property, { numRuns: 300 });
    expect(await digest(scene.house.db)).toEqual(before);
  });

  it("of a client ends in a refusal, and its tunnel goes on", async () => {
    const client = await connect(await tunnelFor(scene.house, business));
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string().map((one) => `${one}:`),
      fc.constantFrom("{}", "[1]", "message"),
    );
    const bad = text.filter((one) => !/^(ping|close|message:|\{)/.test(one) && one.isWellFormed());
    for (const frame of fc.sample(bad, { numRuns: 100, seed: 7 })) client.send(frame);
    client.send("ping");
    await client.got("pong");
    const refusals = client.frames.filter((one) => one.startsWith("{"));
    expect(refusals.every((one) => JSON.parse(one).code === "MALFORMED")).toBe(true);
    expect(refusals.length).toBe(100);
    client.socket.close();
  });
});
