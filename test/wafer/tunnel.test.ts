/** A tunnel's life as wafer-client-sdk and qcloud-weapp-server-sdk see it. The other clients have the same code for it. */
import { once } from "node:events";
import { WebSocket } from "ws";
import { freePort } from "../_own_servers.ts";
import { until } from "../_until.ts";
import type { Business } from "./_business.ts";
import type { Phone, WatchedTunnel } from "./_phone.ts";
import { openScene, type Scene } from "./_scene.ts";

let scene: Scene;
let business: Business;

beforeAll(async () => {
  scene = await openScene();
  business = await scene.business("qcloud-weapp-server-sdk");
});
afterAll(() => scene?.close());
afterEach(() => {
  business.events.length = 0;
});

interface Visit {
  readonly phone: Phone;
  readonly chat: WatchedTunnel;
  /** The tunnel's id, which only the business server knows. */
  readonly id: string;
}

async function newPhone(at = business): Promise<Phone> {
  const phone = scene.phone("wafer-client-sdk");
  phone.sdk.setLoginUrl(`${at.url}/login`);
  await phone.login();
  return phone;
}

/** Somebody whose tunnel is open, with all that follows. */
async function visit(at = business, path = "/tunnel"): Promise<Visit> {
  const phone = await newPhone(at);
  const chat = await phone.connect(`${at.url}${path}`);
  const { tunnel: id } = await at.next("connect");
  await at.next("pushed", id);
  return { phone, chat, id };
}

/** Callbacks that came and were not asked for. */
const callbacks = () => business.events.filter(({ type }) => ["connect", "message", "close"].includes(type));

/** The words of the `word` events that came. */
const words = ({ events }: WatchedTunnel) => events.filter(([type]) => type === "word").map(([, word]) => word);

/** The address of a tunnel that nobody has opened, as a client asks for it. */
async function unopened(): Promise<{ id: string; url: string }> {
  const phone = await newPhone();
  const { data } = await phone.request(`${business.url}/tunnel`);
  return { id: (await business.next("request")).tunnel, url: data.url };
}

/** A socket, its frames, and the code with which it was closed. */
async function openRaw(url: string) {
  const socket = new WebSocket(url);
  const frames: string[] = [];
  socket.on("message", (data) => frames.push(String(data)));
  const closed = once(socket, "close").then(([code]) => code as number);
  await once(socket, "open");
  return { socket, frames, closed };
}

/** Frames that carry a message. */
const messages = (frames: readonly string[]) => frames.filter((frame) => frame.startsWith("message:"));

describe("messages", () => {
  test("what a client says before its tunnel is open reaches the business server in order", async () => {
    const phone = await newPhone();
    const chat = phone.open(`${business.url}/tunnel`);
    for (const word of ["一", "二", "三"]) chat.tunnel.emit("speak", { word });
    const { tunnel } = await business.next("connect");
    for (const word of ["一", "二", "三"])
      expect(await business.next("message", tunnel)).toMatchObject({ messageType: "speak", content: { word } });
    chat.tunnel.close();
    await business.next("close", tunnel);
  });

  test("pushes that come before the socket are kept, and sent in order once it is open", async () => {
    const { id, url } = await unopened();
    for (const word of ["一", "二", "三"])
      expect((await business.broadcast([id], "word", word)).data.invalidTunnelIds).toEqual([]);
    const { socket, frames } = await openRaw(url);
    await until(
      () => messages(frames).length >= 3,
      "three messages",
      () => frames,
    );
    expect(messages(frames).slice(0, 3)).toEqual(
      ["一", "二", "三"].map((word) => `message:${JSON.stringify({ type: "word", content: word })}`),
    );
    socket.close();
    await business.next("close", id);
  });

  test("a hundred pushes to one tunnel arrive in their order, each once", async () => {
    const { chat, id } = await visit();
    for (let n = 0; n < 100; n++) expect((await business.broadcast([id], "word", n)).data.invalidTunnelIds).toEqual([]);
    await until(
      () => words(chat).length >= 100,
      "a hundred words",
      () => words(chat),
    );
    expect(words(chat)).toEqual(Array.from({ length: 100 }, (_, n) => n));
    chat.tunnel.close();
    await business.next("close", id);
  });

  test("content of every shape arrives as it was sent, in both directions", async () => {
    const { chat, id } = await visit();
    const shapes = ["text: with a colon", "", 0, false, null, [1, [2]], { a: { b: "“中文”😀\n" } }, undefined];
    for (const shape of shapes) await business.broadcast([id], "word", shape);
    await until(
      () => words(chat).length >= shapes.length,
      "all words",
      () => words(chat),
    );
    expect(words(chat)).toEqual(shapes);
    for (const shape of shapes) chat.tunnel.emit("anything", shape);
    for (const shape of shapes) {
      const { content } = await business.next("message", id);
      // Of a message without content the SDK hands over the whole text.
      expect(content).toEqual(shape === undefined ? '{"type":"anything"}' : shape);
    }
    chat.tunnel.close();
    await business.next("close", id);
  });

  test("one push reaches many tunnels, also when it names one twice", async () => {
    const visits = [await visit(), await visit(), await visit()];
    const ids = visits.map(({ id }) => id);
    const { data } = await business.broadcast([...ids, ids[0] as string], "word", "hello");
    expect(data.invalidTunnelIds).toEqual([]);
    await until(
      () => visits.every(({ chat }) => words(chat).length > 0),
      "everybody has it",
      () => visits.map(({ chat }) => words(chat)),
    );
    for (const { chat, id } of visits) {
      chat.tunnel.close();
      await business.next("close", id);
    }
  });
});

describe("ids that are none", () => {
  test("unknown, closed and another business server's ids are invalid alike, and the others get the push", async () => {
    const other = await scene.business("qcloud-weapp-server-sdk");
    const [mine, gone, theirs] = [await visit(), await visit(), await visit(other)];
    gone.chat.tunnel.close();
    await business.next("close", gone.id);
    const wrong = ["no-such-tunnel", gone.id, theirs.id];
    const { code, data } = await business.broadcast([...wrong, mine.id], "word", "hello");
    expect(code).toBe(0);
    expect(data.invalidTunnelIds?.toSorted()).toEqual(wrong.toSorted());
    await until(() => words(mine.chat).length === 1, "the word");
    await business.closeTunnel(theirs.id);
    theirs.chat.tunnel.emit("speak", { word: "still here" });
    expect(await other.next("message", theirs.id)).toMatchObject({ content: { word: "still here" } });
    for (const { chat } of [mine, theirs]) chat.tunnel.close();
    await business.next("close", mine.id);
    await other.stop();
  });

  test("a push to nobody is answered", async () => {
    expect(await business.broadcast([], "word", "hello")).toMatchObject({ code: 0, data: { invalidTunnelIds: [] } });
  });

  test("an unknown tunnel's socket is accepted and then closed, so that the client does not wait for ever", async () => {
    const { url } = await unopened();
    const unknown = url.replace(/tunnelId=[^&]*/, "tunnelId=00000000-0000-4000-8000-000000000000");
    const { frames, closed } = await openRaw(unknown);
    await closed;
    expect(messages(frames)).toEqual([]);
  });

  test("a tunnel's address opens one socket only", async () => {
    const { id, url } = await unopened();
    const first = await openRaw(url);
    await business.next("connect", id);
    await (await openRaw(url)).closed;
    expect((await business.broadcast([id], "word", "hello")).data.invalidTunnelIds).toEqual([]);
    await until(() => messages(first.frames).some((frame) => frame.includes("hello")), "the word");
    first.socket.close();
    await business.next("close", id);
  });

  test("an address that nobody opened within its minute opens nothing, and makes no close callback", async () => {
    const { id, url } = await unopened();
    scene.house.clock.forward(61_000);
    await (await openRaw(url)).closed;
    expect((await business.broadcast([id], "word", "hello")).data.invalidTunnelIds).toEqual([id]);
    expect(callbacks()).toEqual([]);
  });
});

describe("the end of a tunnel", () => {
  test("a client's close makes one close callback", async () => {
    const { chat, id } = await visit();
    chat.tunnel.close();
    await business.next("close", id);
    expect((await business.broadcast([id], "word", "hello")).data.invalidTunnelIds).toEqual([id]);
    expect(callbacks()).toEqual([]);
  });

  test("a push of close ends the client's tunnel, which does not come back, and makes one close callback", async () => {
    const { phone, chat, id } = await visit();
    await business.broadcast([id], "word", "the last one");
    await business.closeTunnel(id);
    await chat.next("close");
    expect(words(chat)).toEqual(["the last one"]);
    expect(chat.tunnel.status).toBe("CLOSED");
    await business.next("close", id);
    phone.clock.elapse(60_000);
    expect(phone.requests.filter(({ url }) => url.endsWith("/tunnel"))).toHaveLength(1);
    expect(callbacks()).toEqual([]);
  });

  test("a connection that breaks makes a close callback", async () => {
    const { phone, id } = await visit();
    phone.drop();
    await business.next("close", id);
  });

  test("a phone that has fallen silent makes a close callback after three heartbeats", async () => {
    const { phone, chat, id } = await visit();
    const { phone: lively, chat: other, id: alive } = await visit();
    scene.house.clock.forward(30_000);
    lively.clock.elapse(15_000);
    await until(() => lively.received.includes("pong"), "pong");
    scene.house.clock.forward(16_000);
    await business.next("close", id);
    // Its socket was closed, so it comes back by itself.
    await chat.next("reconnecting");
    phone.clock.stop();
    expect((await business.broadcast([alive], "word", "hello")).data.invalidTunnelIds).toEqual([]);
    other.tunnel.close();
    await business.next("close", alive);
  });
});

describe("heartbeat and reconnecting", () => {
  test("each ping, every 15 seconds, has its pong", async () => {
    const { phone, chat, id } = await visit();
    for (let beats = 1; beats <= 3; beats++) {
      phone.clock.elapse(15_000);
      await until(
        () => phone.received.filter((frame) => frame === "pong").length === beats,
        `pong ${beats}`,
        () => phone.received,
      );
    }
    expect(phone.sent.filter((frame) => frame === "ping")).toHaveLength(3);
    expect(chat.tunnel.status).toBe("ACTIVE");
    chat.tunnel.close();
    await business.next("close", id);
  });

  test("without a pong the client reconnects with a new tunnel, and the old one has its close callback", async () => {
    const { phone, chat, id } = await visit();
    phone.isDeaf = true;
    phone.clock.elapse(15_000);
    phone.clock.elapse(15_000);
    await chat.next("reconnecting");
    phone.isDeaf = false;
    phone.clock.elapse(1_000);
    await chat.next("reconnect");
    await business.next("close", id);
    const { tunnel: fresh } = await business.next("connect");
    expect(fresh).not.toBe(id);
    await business.broadcast([fresh], "word", "welcome back");
    await until(
      () => words(chat).includes("welcome back"),
      "the word",
      () => chat.events,
    );
    chat.tunnel.close();
    await business.next("close", fresh);
  });

  test("what the client says while it reconnects reaches the business server by the new tunnel", async () => {
    const { phone, chat, id } = await visit();
    phone.drop();
    await chat.next("reconnecting");
    chat.tunnel.emit("speak", { word: "meanwhile" });
    phone.clock.elapse(1_000);
    await chat.next("reconnect");
    const { tunnel: fresh } = await business.next("connect");
    expect(await business.next("message", fresh)).toMatchObject({ content: { word: "meanwhile" } });
    chat.tunnel.close();
    await business.next("close", id);
    await business.next("close", fresh);
  });

  test("after five tries in vain the client gives up, and opens again when it is asked to", async () => {
    const { phone, chat, id } = await visit();
    phone.isOnline = false;
    phone.drop();
    await chat.next("reconnecting");
    for (const ms of [1_000, 2_000, 3_000, 4_000, 5_000]) {
      const sent = phone.requests.length;
      await until(() => phone.clock.waitMs <= ms, `a try in ${ms} ms`);
      phone.clock.elapse(ms);
      await until(() => phone.requests.length === sent + 1, "the try");
    }
    await chat.next("close");
    expect(await chat.next("error")).toMatchObject({ code: 2001 });
    await business.next("close", id);
    phone.isOnline = true;
    chat.tunnel.open();
    await chat.next("reconnect");
    const { tunnel: fresh } = await business.next("connect");
    chat.tunnel.close();
    await business.next("close", fresh);
  });
});

describe("settings as they are found in projects", () => {
  afterEach(() => business.configure({}));

  test.each([
    ["with a slash at its end", "/"],
    ["with two slashes at its end", "//"],
    ["with a path", "/channel"],
    ["with a path and a slash at its end", "/wafer/channel/"],
  ])("TunnelServerUrl %s", async (_, path) => {
    await business.configure({ TunnelServerUrl: scene.house.url + path });
    const { chat, id } = await visit();
    await business.broadcast([id], "word", "hello");
    await until(() => words(chat).length === 1, "the word");
    chat.tunnel.close();
    await business.next("close", id);
  });

  test("a host without its port, behind a callback address that was given with the channel", async () => {
    await scene.pin({ host: "biz.example.com", receiveUrl: business.url });
    await business.configure({ ServerHost: "biz.example.com" });
    const { chat, id } = await visit();
    chat.tunnel.close();
    await business.next("close", id);
  });

  test.each([
    ["a host that is not pinned", { ServerHost: "127.0.0.1:1" }],
    ["another key", { TunnelSignatureKey: "another" }],
  ])("with %s there is no tunnel, and the client gets an error", async (_, settings) => {
    await business.configure(settings);
    const chat = (await newPhone()).open(`${business.url}/tunnel`);
    expect(await chat.next("error")).toMatchObject({ code: 1001 });
    expect(chat.tunnel.status).toBe("CLOSED");
  });
});

test("a business server that was away gets what was said meanwhile, in order, and may push before it asks for any tunnel", async () => {
  const port = await freePort();
  const first = await scene.business("qcloud-weapp-server-sdk", { port });
  const { chat, id } = await visit(first);
  await first.stop();
  for (const word of ["一", "二", "三"]) chat.tunnel.emit("say", { word });
  const second = await scene.business("qcloud-weapp-server-sdk", { port });
  expect((await second.broadcast([id], "word", "I am back")).data.invalidTunnelIds).toEqual([]);
  await until(() => words(chat).length === 1, "the word");
  for (const word of ["一", "二", "三"]) expect(await second.next("message", id)).toMatchObject({ content: { word } });
  chat.tunnel.close();
  await second.next("close", id);
  await second.stop();
});
