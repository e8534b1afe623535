/**
 * The channel's HTTP interface byte by byte, as the SDKs for PHP, Java and C# write it. Their JSON, headers and expectations
 * are those of their sources; the SDKs for Node run by themselves in the other tests.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocket } from "ws";
import { addChannel } from "../../shared/wafer/channels.ts";
import { anyEngine } from "../_engines.ts";
import { type House, openHouse } from "../_house.ts";
import { until } from "../_until.ts";

const key = "test-key";
const sha1 = (text: string) => createHash("sha1").update(text).digest("hex");
const md5 = (text: string) => createHash("md5").update(text).digest("hex");

let house: House;
let server: Server;
/** The business server's host, as its configuration has it. */
let host: string;
/** Callbacks as they came, headers and bytes. */
const received: { readonly path: string; readonly type: string; readonly text: string }[] = [];
/** What a callback does before it is answered. */
let inside: (data: { readonly tunnelId: string; readonly type: string }) => Promise<unknown> = async () => {};

beforeAll(async () => {
  server = createServer(async (incoming, response) => {
    let text = "";
    for await (const part of incoming.setEncoding("utf8")) text += part;
    received.push({ path: incoming.url ?? "", type: incoming.headers["content-type"] ?? "", text });
    await inside(JSON.parse(JSON.parse(text).data));
    response.setHeader("content-type", "application/json");
    response.end('{"code":0,"message":"ok"}');
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  house = await openHouse(anyEngine, { environment: { CALLBACK_NETWORKS: "127.0.0.0/8" } });
  await addChannel(house.app, { host, key, keepBodies: false });
});
afterAll(async () => {
  await house?.close();
  server?.close();
  server?.closeAllConnections();
});
afterEach(() => {
  received.length = 0;
  inside = async () => {};
});

/** Sends these bytes with these headers only. */
async function post(path: string, headers: Readonly<Record<string, string>>, body: string) {
  const call = request(`${house.url}${path}`, {
    method: "POST",
    headers: { ...headers, "content-length": Buffer.byteLength(body) },
  });
  call.end(body);
  const [response] = await once(call, "response");
  let text = "";
  for await (const part of response.setEncoding("utf8")) text += part;
  return { status: response.statusCode as number, text, body: JSON.parse(text) };
}

// --- How each language writes --------------------------------------------------------------------------------------

/** PHP's json_encode by default: slashes and everything beyond ASCII are escaped. */
const phpJson = (value: unknown) =>
  JSON.stringify(value)
    .replaceAll("/", "\\/")
    .replace(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** org.json escapes a slash after `<`, and writes members in the order of a hash. */
const javaJson = (value: unknown) => JSON.stringify(value).replaceAll("</", "<\\/");

/** Newtonsoft's Formatting.Indented on Windows. */
const csharpJson = (value: unknown) => JSON.stringify(value, undefined, 2).replaceAll("\n", "\r\n");

interface Language {
  readonly name: string;
  /** Of a request. */
  readonly headers: Readonly<Record<string, string>>;
  /** The text of `data`, which is signed. */
  wsurlData(receiveUrl: string): string;
  pushData(tunnels: readonly string[], type: string, content?: string): string;
  envelope(data: string, signature: string, tcKey?: string): string;
  /** What the SDK must be able to read in the answer to a push. */
  invalidIn(data: unknown): readonly string[];
}

const languages: readonly Language[] = [
  {
    name: "PHP",
    headers: { "Content-Type": "application/json; charset=utf-8", Accept: "*/*" },
    // JSON_UNESCAPED_SLASHES and JSON_UNESCAPED_UNICODE within, and neither outside.
    wsurlData: (receiveUrl) => JSON.stringify({ receiveUrl, protocolType: "wss" }),
    pushData: (tunnelIds, type, content) => JSON.stringify([{ tunnelIds, type, content }]),
    envelope: (data, signature, tcKey) => phpJson({ data, tcId: md5(host), tcKey, signature }),
    invalidIn: (data) => (data as { invalidTunnelIds: string[] }).invalidTunnelIds,
  },
  {
    name: "Java",
    headers: {
      "Content-Type": "application/json;charset=utf-8",
      "User-Agent": "Java/1.8.0_92",
      Accept: "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2",
    },
    wsurlData: (receiveUrl) => javaJson({ protocolType: "wss", receiveUrl }),
    pushData: (tunnelIds, type, content) => javaJson([{ content, type, tunnelIds }]),
    envelope: (data, signature, tcKey) => javaJson({ signature, tcKey, data, dataEncode: "json", tcId: md5(host) }),
    invalidIn: (data) => JSON.parse(data as string).invalidTunnelIds,
  },
  {
    name: "C#",
    headers: { "Content-Type": "application/json", Expect: "100-continue" },
    wsurlData: (receiveUrl) => JSON.stringify({ skey: key, receiveUrl, protocolType: "wss" }),
    // What is absent is null within `data`, and left out of the envelope.
    pushData: (tunnelIds, type, content) => JSON.stringify([{ type, tunnelIds, content: content ?? null }]),
    envelope: (data, signature, tcKey) => csharpJson({ data, dataEncode: "json", tcId: md5(host), tcKey, signature }),
    invalidIn: (data) => JSON.parse(data as string).invalidTunnels,
  },
];

const utterance = '{"type":"speak","content":{"word":"你好 </a> \\"/\\" 😀"}}';

describe.each(languages)("$name", ({ headers, wsurlData, pushData, envelope, invalidIn }) => {
  const send = (path: string, data: string, tcKey?: string) =>
    post(path, headers, envelope(data, sha1(data + key), tcKey));
  const push = (...given: Parameters<Language["pushData"]>) => send("/ws/push", pushData(...given));

  async function newTunnel(receiveUrl = `http://${host}/tunnel`): Promise<{ tunnelId: string; connectUrl: string }> {
    const { status, body } = await send("/get/wsurl", wsurlData(receiveUrl), key);
    expect([status, body.code, body.message]).toEqual([200, 0, "OK"]);
    // Signed over the text, which every SDK parses once more.
    expect(body.signature).toBe(sha1(body.data + key));
    return JSON.parse(body.data);
  }

  /** An open tunnel and the frames with a message that came. */
  async function open(receiveUrl?: string) {
    const { tunnelId, connectUrl } = await newTunnel(receiveUrl);
    const socket = new WebSocket(connectUrl);
    const frames: string[] = [];
    socket.on("message", (data) => void (/^(message|close)/.test(String(data)) && frames.push(String(data))));
    await once(socket, "open");
    await until(
      () => received.length === 1,
      "the connect callback",
      () => received,
    );
    return { id: tunnelId, socket, frames };
  }

  test("a tunnel is opened, spoken through both ways and closed", async () => {
    const { id, socket, frames } = await open();
    expect(JSON.parse(JSON.parse(received[0]?.text ?? "").data)).toEqual({ tunnelId: id, type: "connect" });

    const { status, body } = await push([id], "message", utterance);
    expect([status, body.code, body.message, invalidIn(body.data)]).toEqual([200, 0, "OK", []]);
    const text = typeof body.data === "string" ? body.data : JSON.stringify(body.data);
    expect(body.signature).toBe(sha1(text + key));
    await until(() => frames.length === 1, "the message");
    expect(frames).toEqual([`message:${utterance}`]);

    socket.send(`message:${utterance}`);
    await until(() => received.length === 2, "the message callback");
    const { type, text: raw, path } = received[1] as (typeof received)[number];
    expect([path, type]).toEqual(["/tunnel", "application/json"]);
    const callback = JSON.parse(raw);
    expect(Object.keys(callback)).toEqual(["data", "dataEncode", "signature"]);
    expect(callback.dataEncode).toBe("json");
    expect(callback.signature).toBe(sha1(callback.data + key));
    expect(JSON.parse(callback.data)).toEqual({ tunnelId: id, type: "message", content: utterance });

    expect((await push([id], "close")).body.code).toBe(0);
    await until(() => frames.length === 2, "the close frame");
    socket.close();
    await until(() => received.length === 3, "the close callback");
    expect(JSON.parse(JSON.parse(received[2]?.text ?? "").data)).toEqual({ tunnelId: id, type: "close" });
  });

  test("ids that are none come in the shape that the SDK reads", async () => {
    const { status, body } = await push(["tunnel1", "tunnel2"], "message", utterance);
    expect([status, body.code]).toEqual([200, 0]);
    expect(invalidIn(body.data).toSorted()).toEqual(["tunnel1", "tunnel2"]);
    expect(invalidIn((await push(["tunnel1"], "close")).body.data)).toEqual(["tunnel1"]);
  });

  test("the callback address with a port in brackets is understood", async () => {
    const { socket } = await open(`http://[${host}]/tunnel`);
    expect(received[0]?.path).toBe("/tunnel");
    socket.close();
    await until(() => received.length === 2, "the close callback");
  });

  test("a handler that pushes to its own tunnel inside the callback is not held up", async () => {
    inside = ({ tunnelId, type }) => (type === "message" ? push([tunnelId], "message", utterance) : Promise.resolve());
    const { socket, frames } = await open();
    socket.send('message:{"type":"speak","content":1}');
    socket.send('message:{"type":"speak","content":2}');
    await until(
      () => frames.length === 2,
      "both answers",
      () => frames,
    );
    socket.close();
    await until(() => received.length === 4, "the close callback");
    expect(received.map(({ text }) => JSON.parse(JSON.parse(text).data).content)).toEqual([
      undefined,
      '{"type":"speak","content":1}',
      '{"type":"speak","content":2}',
      undefined,
    ]);
  });

  test("a wrong signature is an error in the body, with a message", async () => {
    const data = pushData(["tunnel1"], "close");
    const { status, body } = await post("/ws/push", headers, envelope(data, sha1(`${data}another key`)));
    expect(status).toBe(200);
    expect(body.code).not.toBe(0);
    expect(body.message).toEqual(expect.any(String));
  });
});
