/** A business server and a client as Wafer's SDKs are on the wire, without the SDKs: what each says can be chosen byte by byte. */
import { createHash } from "node:crypto";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocket } from "ws";
import { addChannel } from "../../shared/wafer/channels.ts";
import { signatureOf, tcIdOf } from "../../shared/wafer/envelope.ts";
import type { House } from "../_house.ts";
import { until } from "../_until.ts";

/** What the house of such a test needs: the business server is on this machine. */
export const channelEnvironment = { CALLBACK_NETWORKS: "127.0.0.0/8" };

export const channelKey = "test-key";

export interface Call {
  readonly tunnelId: string;
  readonly type: string;
  readonly content?: string;
}

export type Reply = { status?: number; body?: unknown; raw?: string } | "hang";

export interface Business {
  readonly host: string;
  readonly url: string;
  /** Every call, in the order of coming. */
  readonly calls: Call[];
  /** Calls that were begun and not answered yet; the most at any time for one tunnel. */
  mostAtOnce: number;
  /** What it does with a call before it answers. Its default answers well. */
  onCall: (call: Call, at: number) => Promise<Reply | undefined> | Reply | undefined;
  callsOf(tunnel: string): string[];
  /** Stops listening, so that calls are refused; and begins again on the same port. */
  down(): Promise<void>;
  up(): Promise<void>;
  close(): Promise<void>;
}

/** @param key that its calls must be signed with; checked at each */
export async function openBusiness(key = channelKey): Promise<Business> {
  const running = new Map<string, number>();
  const faults: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => void serve(Buffer.concat(chunks).toString(), request.headers["content-type"], response));
  });
  async function serve(text: string, type: string | undefined, response: ServerResponse): Promise<void> {
    const { data, dataEncode, signature } = JSON.parse(text);
    const expected = createHash("sha1").update(`${data}${key}`).digest("hex");
    if (signature !== expected || dataEncode !== "json" || !type?.startsWith("application/json")) {
      faults.push(text);
      response.writeHead(400, { "content-type": "application/json" }).end('{"code":9003,"message":"bad signature"}');
      return;
    }
    const call = JSON.parse(data) as Call;
    const now = (running.get(call.tunnelId) ?? 0) + 1;
    running.set(call.tunnelId, now);
    business.mostAtOnce = Math.max(business.mostAtOnce, now);
    business.calls.push(call);
    const reply = (await business.onCall(call, business.calls.length)) ?? {};
    if (reply === "hang") return;
    running.set(call.tunnelId, now - 1);
    response.writeHead(reply.status ?? 200, { "content-type": "application/json" });
    response.end(reply.raw ?? JSON.stringify(reply.body ?? { code: 0, message: "ok" }));
  }
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, "127.0.0.1", () => resolve()));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const down = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  const business: Business = {
    host: `127.0.0.1:${port}`,
    url: `http://127.0.0.1:${port}/tunnel`,
    calls: [],
    mostAtOnce: 0,
    onCall: () => undefined,
    callsOf: (tunnel) =>
      business.calls
        .filter(({ tunnelId }) => tunnelId === tunnel)
        .map(({ type, content }) => (content === undefined ? type : `${type} ${content}`)),
    down,
    up: () => listen(port),
    async close() {
      if (server.listening) await down();
      if (faults.length > 0) throw new Error(`calls with a wrong signature came: ${faults.join("\n")}`);
    },
  };
  return business;
}

/** Adds the channel of a business server. */
export const pin = (house: House, business: Pick<Business, "host">, more: { keepBodies?: boolean } = {}) =>
  addChannel(house.app, { host: business.host, key: channelKey, keepBodies: more.keepBodies ?? false });

// --- What a business server sends ------------------------------------------------------------------------------------

export interface Asked {
  readonly path?: string;
  readonly host: string;
  readonly key?: string;
  readonly tcKey?: string;
  readonly dataEncode?: "json";
  readonly signature?: string;
}

export interface ChannelReply {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a test's own assertion is the type check here
  readonly body: any;
}

/** Sends `payload` in a signed envelope; text is sent as it is. */
export async function ask(house: Pick<House, "http">, payload: unknown, asked: Asked): Promise<ChannelReply> {
  const { path = "/ws/push", host, key = channelKey, tcKey, dataEncode, signature } = asked;
  const data = typeof payload === "string" ? payload : JSON.stringify(payload);
  const body = {
    data,
    ...(dataEncode === undefined ? {} : { dataEncode }),
    tcId: tcIdOf(host),
    ...(tcKey === undefined ? {} : { tcKey }),
    signature: signature ?? signatureOf(data, key),
  };
  const { status, body: answer } = await house.http("POST", path, { body });
  return { status, body: answer };
}

export const askForTunnel = (house: Pick<House, "http">, business: Business, more: Partial<Asked> = {}) =>
  ask(
    house,
    { receiveUrl: business.url, protocolType: "wss" },
    { path: "/get/wsurl", host: business.host, tcKey: channelKey, ...more },
  );

export interface NewTunnel {
  readonly tunnelId: string;
  readonly connectUrl: string;
}

export async function tunnelFor(house: Pick<House, "http">, business: Business): Promise<NewTunnel> {
  const { body } = await askForTunnel(house, business);
  if (body.code !== 0) throw new Error(`no tunnel: ${JSON.stringify(body)}`);
  return JSON.parse(body.data);
}

export const speak = (word: string | number) => JSON.stringify({ type: "speak", content: { word } });

/** @returns the invalid ids */
export async function pushTo(
  house: Pick<House, "http">,
  business: Pick<Business, "host">,
  tunnelIds: readonly string[],
  content: string | null,
): Promise<string[]> {
  const packet = content === null ? { tunnelIds, type: "close" } : { tunnelIds, type: "message", content };
  const { status, body } = await ask(house, [packet], { host: business.host });
  if (status !== 200 || body.code !== 0) throw new Error(`not pushed: ${status} ${JSON.stringify(body)}`);
  return body.data.invalidTunnelIds;
}

// --- The client ------------------------------------------------------------------------------------------------------

export interface Client {
  readonly socket: WebSocket;
  readonly frames: string[];
  /** Without the frame that only says that the socket is there. */
  readonly messages: string[];
  send(frame: string): void;
  got(frame: string): Promise<void>;
  readonly closed: Promise<number>;
  isClosed: boolean;
}

export async function connect({ connectUrl }: Pick<NewTunnel, "connectUrl">): Promise<Client> {
  const socket = new WebSocket(connectUrl);
  const client: Client = {
    socket,
    frames: [],
    messages: [],
    isClosed: false,
    send: (frame) => socket.send(frame),
    got: (frame) =>
      until(
        () => client.frames.includes(frame),
        `frame ${frame}`,
        () => client.frames,
      ),
    closed: new Promise((resolve) =>
      socket.on("close", (code) => {
        client.isClosed = true;
        resolve(code);
      }),
    ),
  };
  socket.on("message", (data) => {
    const text = data.toString();
    client.frames.push(text);
    if (text.startsWith("message:")) client.messages.push(text.slice("message:".length));
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("open", () => resolve());
    socket.once("error", reject);
  });
  socket.on("error", () => {});
  return client;
}

/** A tunnel whose business server knows of it. */
export async function openTunnel(house: House, business: Business): Promise<Client & NewTunnel> {
  const tunnel = await tunnelFor(house, business);
  const client = await connect(tunnel);
  await until(() => business.callsOf(tunnel.tunnelId).includes("connect"), "the connect callback");
  return Object.assign(client, tunnel);
}
