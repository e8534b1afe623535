/** What business servers ask of the channel service: who may, in which shapes, and what they are told when they may not. */
import { readChannel } from "../../db/wafer.ts";
import { addChannel, listChannels, removeChannel } from "../../shared/wafer/channels.ts";
import { signatureOf, tcIdOf } from "../../shared/wafer/envelope.ts";
import { anyEngine } from "../_engines.ts";
import { type House, openHouse } from "../_house.ts";
import { until } from "../_until.ts";
import {
  ask,
  askForTunnel,
  type Business,
  channelEnvironment,
  channelKey,
  connect,
  openBusiness,
  openTunnel,
  pin,
  pushTo,
  speak,
  tunnelFor,
} from "./_channel.ts";

describe("a business server", () => {
  let house: House;
  let business: Business;

  beforeAll(async () => {
    house = await openHouse(anyEngine, { environment: channelEnvironment });
    business = await openBusiness();
    await pin(house, business);
  });
  afterAll(async () => {
    await house.close();
    await business.close();
  });

  const post = (path: string, payload: unknown, more: object = {}) => {
    const data = JSON.stringify(payload);
    const body = {
      data,
      tcId: tcIdOf(business.host),
      tcKey: channelKey,
      signature: signatureOf(data, channelKey),
      ...more,
    };
    return fetch(house.url + path, {
      method: "POST",
      headers: { "content-type": "application/json; charset=utf-8" },
      body: JSON.stringify(body),
    });
  };
  const wanted = { receiveUrl: "", protocolType: "wss" };

  it.each(["//get/wsurl", "/channel/get/wsurl", "/channel//get/wsurl", "/a/b/get/wsurl"])(
    "is served at %s, as its SDK puts addresses together",
    async (path) => {
      const answer = (await (await post(path, { ...wanted, receiveUrl: business.url })).json()) as {
        code: number;
        data: string;
        signature: string;
      };
      expect(answer).toMatchObject({ code: 0, message: "OK" });
      expect(answer.signature).toBe(signatureOf(answer.data, channelKey));
      const { tunnelId, connectUrl } = JSON.parse(answer.data);
      expect(tunnelId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(connectUrl).toMatch(new RegExp(`^ws://127.0.0.1:\\d+/pgws\\?tunnelId=${tunnelId}&ticket=[\\w-]{32}$`));
    },
  );

  it.each(["/get/wsurl/x", "/nothing", "//", "/x/ws/push2"])("is told that there is no %s", async (path) => {
    const answer = await post(path, wanted);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ code: "ROUTE_UNKNOWN" });
  });

  it("gets its invalid ids as an object, or as text where its SDK says so", async () => {
    const unknown = "e2a1b6d0-7a54-4f4e-9d57-7a3f3a1c2b10";
    const packets = [{ tunnelIds: [unknown, unknown, "tunnel1"], type: "message", content: speak("x") }];
    const object = await ask(house, packets, { host: business.host });
    expect(object.body).toMatchObject({ code: 0, data: { invalidTunnelIds: ["tunnel1", unknown] } });
    const text = await ask(house, packets, { host: business.host, dataEncode: "json" });
    expect(JSON.parse(text.body.data)).toEqual({
      invalidTunnelIds: ["tunnel1", unknown],
      invalidTunnels: ["tunnel1", unknown],
    });
    expect(text.body.signature).toBe(signatureOf(text.body.data, channelKey));
    expect((await ask(house, [], { host: business.host })).body.data).toEqual({ invalidTunnelIds: [] });
    const none = [{ tunnelIds: [], type: "message", content: speak("x") }];
    expect((await ask(house, none, { host: business.host })).body.data).toEqual({ invalidTunnelIds: [] });
  });

  it("is told by the ids which packets nobody could read, and the others are sent", async () => {
    const client = await openTunnel(house, business);
    const { tunnelId } = client;
    const bad = [
      { tunnelIds: [tunnelId], type: "message" },
      { tunnelIds: [tunnelId], type: "message", content: "no JSON" },
      { tunnelIds: [tunnelId], type: "message", content: "null" },
      { tunnelIds: [tunnelId], type: "message", content: { type: "x" } },
      { tunnelIds: [tunnelId], type: "shout", content: speak("x") },
      { tunnelIds: [tunnelId] },
      { tunnelIds: [tunnelId], type: "message", content: `{"a":"${"x".repeat(33_000)}"}` },
    ];
    for (const packet of bad) {
      const good = { tunnelIds: [tunnelId], type: "message", content: speak("good") };
      const { body } = await ask(house, [packet, good], { host: business.host });
      expect(body).toMatchObject({ code: 0, data: { invalidTunnelIds: [tunnelId] } });
    }
    await until(
      () => client.messages.length === bad.length,
      "the good ones came",
      () => client.frames,
    );
    expect(new Set(client.messages)).toEqual(new Set([speak("good")]));
    client.socket.close();
  });

  it("cannot fill a tunnel that nobody has opened", async () => {
    const { tunnelId } = await tunnelFor(house, business);
    const packet = { tunnelIds: [tunnelId], type: "message", content: speak("x") };
    const push = async (count: number) =>
      (await ask(house, Array(count).fill(packet), { host: business.host })).body.data.invalidTunnelIds;
    expect(await push(200)).toEqual([]);
    expect(await push(1)).toEqual([tunnelId]);
    const large = await tunnelFor(house, business);
    const content = `{"a":"${"x".repeat(30_000)}"}`;
    for (let at = 0; at < 8; at++) expect(await pushTo(house, business, [large.tunnelId], content)).toEqual([]);
    expect(await pushTo(house, business, [large.tunnelId], content)).toEqual([large.tunnelId]);
  });

  it("reaches no tunnel of another one, and does not learn that there is one", async () => {
    const other = await openBusiness("another-key");
    await addChannel(house.app, { host: other.host, key: "another-key", keepBodies: false });
    const client = await openTunnel(house, business);
    const packets = [
      { tunnelIds: [client.tunnelId], type: "message", content: speak("from a stranger") },
      { tunnelIds: [client.tunnelId], type: "close" },
    ];
    const asked = { host: other.host, key: "another-key" };
    expect((await ask(house, packets, asked)).body.data.invalidTunnelIds).toEqual([client.tunnelId]);
    const log = (tunnelId: string) => ask(house, { tunnelId }, { ...asked, path: "/ws/log" });
    const unknown = await log("e2a1b6d0-7a54-4f4e-9d57-7a3f3a1c2b10");
    expect(await log(client.tunnelId)).toEqual(unknown);
    expect(unknown.body).toMatchObject({ code: 9004 });
    await pushTo(house, business, [client.tunnelId], speak("from its own"));
    await client.got(`message:${speak("from its own")}`);
    expect(client.messages).toEqual([speak("from its own")]);
    client.socket.close();
    await other.close();
  });

  it.each([
    ["/get/wsurl", "another key", { key: "x", tcKey: "x" }],
    ["/get/wsurl", "a key that is not what it signed with", { key: "x" }],
    ["/get/wsurl", "no key", { tcKey: undefined }],
    ["/get/wsurl", "a signature of something else", { signature: "0".repeat(40) }],
    ["/get/wsurl", "a host that nobody added", { host: "other.example" }],
    ["/ws/push", "another key", { key: "x" }],
    ["/ws/push", "a host that nobody added", { host: "other.example" }],
    ["/ws/log", "another key", { key: "x" }],
  ])("at %s with %s is told the same: no such channel", async (path, _, more) => {
    const payload = path === "/get/wsurl" ? { ...wanted, receiveUrl: business.url } : [];
    const asked = { path, host: business.host, ...(path === "/get/wsurl" ? { tcKey: channelKey } : {}), ...more };
    const { status, body } = await ask(house, payload, asked as never);
    expect(status).toBe(200);
    expect(body).toEqual({ code: 9003, message: expect.stringContaining("there is no channel") });
  });

  it.each([
    ["another host", "http://127.0.0.2:5757/tunnel", 9005],
    ["another port", "http://127.0.0.1:1/tunnel", 9005],
    ["a user that looks like the host", "http://HOST@evil.example/tunnel", 9005],
    ["another scheme", "file:///etc/passwd", 9005],
    ["no text", 1, 9004],
  ])("gets no callbacks to %s", async (_, receiveUrl, code) => {
    const url = typeof receiveUrl === "string" ? receiveUrl.replace("HOST", business.host) : receiveUrl;
    const asked = { path: "/get/wsurl", host: business.host, tcKey: channelKey };
    const { status, body } = await ask(house, { receiveUrl: url, protocolType: "wss" }, asked);
    expect([status, body.code]).toEqual([200, code]);
  });

  it("gets a bracketed address unwrapped", async () => {
    const asked = { path: "/get/wsurl", host: business.host, tcKey: channelKey };
    const receiveUrl = `http://[${business.host}]/tunnel`;
    const { body } = await ask(house, { receiveUrl, protocolType: "wss" }, asked);
    const tunnel = JSON.parse(body.data);
    const client = await connect(tunnel);
    await until(() => business.callsOf(tunnel.tunnelId).length === 1, "the call came");
    client.socket.close();
  });

  it.each([
    ["no JSON", "{", 400, "MALFORMED"],
    ["a list", "[]", 400, "INVALID_INPUT"],
    [
      "data that is an object",
      JSON.stringify({ data: {}, tcId: "0".repeat(32), signature: "0".repeat(40) }),
      400,
      "INVALID_INPUT",
    ],
    ["more than a body may have", JSON.stringify({ data: "x".repeat(600_000) }), 413, "BODY_TOO_LARGE"],
  ])("is refused at the start with %s", async (_, raw, status, code) => {
    for (const path of ["/get/wsurl", "/ws/push", "/ws/log"])
      expect(await house.http("POST", path, { raw })).toMatchObject({ status, body: { code } });
  });

  it("is refused when what it signed is no list of packets", async () => {
    for (const payload of [
      "{",
      "{}",
      "1",
      `[${"[".repeat(40)}${"]".repeat(40)}]`,
      JSON.stringify(Array(1_001).fill({})),
    ])
      expect((await ask(house, payload, { host: business.host })).body).toMatchObject({ code: 9004 });
  });

  it("with a new key is known by the old one where it pushes, and signed to with the new one", async () => {
    const own = await openBusiness("new-key");
    await addChannel(house.app, { host: own.host, key: channelKey, keepBodies: false });
    const tunnel = await tunnelFor(house, own);
    await addChannel(house.app, { host: own.host, key: "new-key", keepBodies: false });
    // Its callbacks are checked against the new key when it closes.
    const client = await connect(tunnel);
    await until(() => own.callsOf(tunnel.tunnelId).length === 1, "the call came");
    expect(await pushTo(house, own, [tunnel.tunnelId], speak("old"))).toEqual([]);
    const packets = [{ tunnelIds: [tunnel.tunnelId], type: "message", content: speak("new") }];
    expect((await ask(house, packets, { host: own.host, key: "new-key" })).body.code).toBe(0);
    await client.got(`message:${speak("new")}`);
    expect((await askForTunnel(house, own)).body.code).toBe(9003);
    client.socket.close();
    await until(() => own.callsOf(tunnel.tunnelId).length === 2, "the close came");
    await own.close();
    // For a day; or until the operator says so once more.
    const pushed = async () => (await ask(house, [], { host: own.host })).body.code;
    expect(await pushed()).toBe(0);
    await addChannel(house.app, { host: own.host, key: "new-key", keepBodies: false });
    expect(await pushed()).toBe(9003);
    await addChannel(house.app, { host: own.host, key: "third-key", keepBodies: false });
    const byOld = async () => (await ask(house, [], { host: own.host, key: "new-key" })).body.code;
    expect(await byOld()).toBe(0);
    house.clock.forward(25 * 3_600_000);
    expect(await byOld()).toBe(9003);
  });

  it("behind a NAT is called at the address that the operator gave", async () => {
    const own = await openBusiness();
    await addChannel(house.app, {
      host: "shop.example",
      key: channelKey,
      receiveUrl: `http://${own.host}`,
      keepBodies: false,
    });
    const asked = { path: "/get/wsurl", host: "shop.example", tcKey: channelKey };
    const { body } = await ask(house, { receiveUrl: "https://shop.example/tunnel", protocolType: "wss" }, asked);
    const tunnel = JSON.parse(body.data);
    const client = await connect(tunnel);
    await until(() => own.callsOf(tunnel.tunnelId).length === 1, "the call came");
    client.socket.close();
    await until(() => own.callsOf(tunnel.tunnelId).length === 2, "the close came");
    await own.close();
  });

  it("that is removed loses its tunnels, and nobody is called any more", async () => {
    const own = await openBusiness();
    await pin(house, own);
    const client = await openTunnel(house, own);
    expect((await listChannels(house.app)).find(({ host }) => host === own.host)).toMatchObject({ openTunnels: 1 });
    await removeChannel(house.app, own.host);
    await client.closed;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(own.callsOf(client.tunnelId)).toEqual(["connect"]);
    expect((await askForTunnel(house, own)).body.code).toBe(9003);
    await expect(removeChannel(house.app, own.host)).rejects.toThrow("no channel");
    await own.close();
  });

  it("sees what happened to its tunnel, and what was said only if the operator keeps it", async () => {
    const own = await openBusiness();
    await pin(house, own, { keepBodies: true });
    const [quiet, kept] = [await openTunnel(house, business), await openTunnel(house, own)];
    for (const [client, server] of [
      [quiet, business],
      [kept, own],
    ] as const) {
      client.send(`message:${speak("in")}`);
      await until(() => server.callsOf(client.tunnelId).length === 2, "the message came");
      await pushTo(house, server, [client.tunnelId], speak("out"));
      await client.got(`message:${speak("out")}`);
      client.send("close");
      await until(() => server.callsOf(client.tunnelId).length === 3, "the close came");
    }
    const log = async (client: { tunnelId: string }, server: Business) =>
      (await ask(house, { tunnelId: client.tunnelId, bodies: true }, { path: "/ws/log", host: server.host })).body.data;
    const isDone = async () => (await log(quiet, business)).waiting.in === 0 && (await log(kept, own)).waiting.in === 0;
    while (!(await isDone())) await new Promise((resolve) => setTimeout(resolve, 20));
    const seen = await log(quiet, business);
    expect(seen).toMatchObject({ tunnel: quiet.tunnelId, reason: "client", waiting: { in: 0, out: 0 } });
    expect(
      seen.frames.map((one: { direction: string; kind: string; status?: string }) => [
        one.direction,
        one.kind,
        one.status,
      ]),
    ).toEqual(
      expect.arrayContaining([
        ["in", "connect", "200"],
        ["in", "message", "200"],
        ["out", "message", undefined],
        ["in", "close", "200"],
      ]),
    );
    expect(JSON.stringify(seen)).not.toContain("speak");
    const contents = (await log(kept, own)).frames.map(({ content }: { content: string }) => content);
    expect(contents).toEqual(expect.arrayContaining([speak("in"), speak("out")]));
    await own.close();
  });
});

describe("a business server that nobody added", () => {
  let house: House;
  let business: Business;
  let other: Business;

  beforeAll(async () => {
    business = await openBusiness("second-key");
    other = await openBusiness();
    const environment = { ...channelEnvironment, CHANNEL_KEYS: "learn", CALLBACK_HOSTS: business.host };
    house = await openHouse(anyEngine, { environment });
  });
  afterAll(async () => {
    await house.close();
    await business.close();
    await other.close();
  });

  it("is taken with the key that it brings, and with the next one, where keys are learned", async () => {
    const key = "first-key";
    expect((await askForTunnel(house, business, { key, tcKey: key })).body.code).toBe(0);
    const { body } = await askForTunnel(house, business, { key: "second-key", tcKey: "second-key" });
    const tunnel = JSON.parse(body.data);
    const client = await connect(tunnel);
    await until(() => business.callsOf(tunnel.tunnelId).length === 1, "the call came, signed with the second key");
    const packets = [{ tunnelIds: [tunnel.tunnelId], type: "message", content: speak("x") }];
    for (const used of ["first-key", "second-key"])
      expect((await ask(house, packets, { host: business.host, key: used })).body).toMatchObject({ code: 0 });
    client.socket.close();
    await until(() => business.callsOf(tunnel.tunnelId).length === 2, "the close came");
    const [rows] = await house.db.read([readChannel(tcIdOf(business.host))]);
    expect(JSON.stringify(rows)).not.toContain("-key");
  });

  it("is called only at hosts that the operator allowed", async () => {
    const asked = { path: "/get/wsurl", host: business.host, key: "second-key", tcKey: "second-key" };
    expect((await ask(house, { receiveUrl: other.url, protocolType: "wss" }, asked)).body.code).toBe(9005);
  });

  it("leaves nothing behind when it is none of the hosts that the operator allowed", async () => {
    expect((await askForTunnel(house, other)).body.code).toBe(9003);
    const [rows] = await house.db.read([readChannel(tcIdOf(other.host))]);
    expect(rows).toEqual([]);
  });

  it("does not replace one that the operator added", async () => {
    await addChannel(house.app, { host: "pinned.example", key: "pinned", keepBodies: false });
    const asked = { path: "/get/wsurl", host: "pinned.example", key: "mine", tcKey: "mine" };
    expect((await ask(house, { receiveUrl: business.url, protocolType: "wss" }, asked)).body.code).toBe(9003);
  });
});

describe("another heartbeat", () => {
  it("is told to each client once, when its tunnel is open", async () => {
    const house = await openHouse(anyEngine, { environment: { ...channelEnvironment, TUNNEL_HEARTBEAT_SEC: "7" } });
    const business = await openBusiness();
    await pin(house, business);
    const client = await openTunnel(house, business);
    client.send("ping");
    await client.got("pong");
    await client.got("timeout:7");
    expect(client.frames.filter((one) => one.startsWith("timeout"))).toEqual(["timeout:7"]);
    expect(house.app.config.channels.silenceMs).toBe(21_000);
    client.socket.close();
    await house.close();
    await business.close();
  });
});
