/** Calls to other people's servers: only where they may go, to the address that was checked, bounded in size and time. */
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { makeOutbound } from "../../functions/_outbound.ts";
import { askOutside, outsideOutbound } from "../../functions/ask_outside.ts";
import { isInternal } from "../../shared/networks.ts";
import { OutboundFailed, OutboundRefused } from "../../shared/outbound.ts";

let server: Server;
let host: string;
let seen: string[] = [];
let answer: RequestListener = (_, response) => void response.end("ok");

beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      seen.push(`${request.method} ${request.url} ${Buffer.concat(chunks)}`);
      answer(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  seen = [];
  answer = (_, response) => void response.end("ok");
});

const now = () => performance.now();
const open = (networks = ["127.0.0.0/8"]) => makeOutbound({ networks, now, keepAlive: false });
const asked = (more: object = {}) => ({
  headers: { "x-a": "1" },
  body: "你好",
  hosts: [host],
  timeoutMs: 500,
  ...more,
});

describe("a call to another server", () => {
  it("is one POST, and any status is an answer", async () => {
    answer = (_, response) => void response.writeHead(418).end("teapot");
    expect(await open().post(`http://${host}/a?b=1`, asked())).toMatchObject({ status: 418, text: "teapot" });
    expect(seen).toEqual(["POST /a?b=1 你好"]);
  });

  it("follows no redirection", async () => {
    answer = (_, response) => void response.writeHead(302, { location: `http://${host}/secret` }).end();
    expect(await open().post(`http://${host}/`, asked())).toMatchObject({ status: 302 });
    expect(seen).toHaveLength(1);
  });

  it.each([
    [
      "more than 64 KB",
      (() => (_, response) => void response.end("x".repeat(65_537))) as () => RequestListener,
      "TOO_LARGE",
    ],
    ["nothing", (() => () => {}) as () => RequestListener, "TIMEOUT"],
    [
      "a drop now and then",
      (() => (_, response) => {
        response.writeHead(200);
        const dripping = setInterval(() => response.write("x"), 50);
        response.once("close", () => clearInterval(dripping));
      }) as () => RequestListener,
      "TIMEOUT",
    ],
    [
      "headers without end",
      (() => (request) => {
        request.socket.write("HTTP/1.1 200 OK\r\n");
        const more = setInterval(() => request.socket.write(`x: ${"x".repeat(1_000)}\r\n`), 1);
        request.socket.on("error", () => {}).once("close", () => clearInterval(more));
      }) as () => RequestListener,
      "HPE_HEADER_OVERFLOW",
    ],
    [
      "promises of an answer without end",
      (() => (request) => {
        const more = setInterval(() => request.socket.write("HTTP/1.1 100 Continue\r\n\r\n"), 20);
        request.socket.on("error", () => {}).once("close", () => clearInterval(more));
      }) as () => RequestListener,
      "TIMEOUT",
    ],
    [
      "half an answer",
      (() => (request, response) => {
        response.writeHead(200, { "content-length": "100" });
        response.write("x");
        setTimeout(() => request.socket.destroy(), 20);
      }) as () => RequestListener,
      "ECONNRESET",
    ],
  ])("that is answered by %s fails with its reason", async (_, make, reason) => {
    answer = make();
    await expect(open().post(`http://${host}/`, asked())).rejects.toMatchObject({ name: "OutboundFailed", reason });
  });

  it("to a port where nobody listens fails", async () => {
    const call = open().post("http://127.0.0.1:1/", asked({ hosts: ["127.0.0.1:1"] }));
    await expect(call).rejects.toThrow(OutboundFailed);
  });

  it("on a connection that its server has just closed is made once more", async () => {
    const outbound = makeOutbound({ networks: ["127.0.0.0/8"], now, keepAlive: true });
    await outbound.post(`http://${host}/1`, asked());
    server.closeIdleConnections();
    expect(await outbound.post(`http://${host}/2`, asked())).toMatchObject({ status: 200 });
    expect(seen.map((one) => one.split(" ")[1])).toEqual(["/1", "/2"]);
  });

  it.each([
    ["this machine", () => `http://${host}/`, []],
    ["this machine by its name", () => `http://localhost:${host.split(":")[1]}/`, []],
    ["this machine in IPv6", () => `http://[::1]:${host.split(":")[1]}/`, ["127.0.0.0/8"]],
    ["this machine in IPv6 that holds IPv4", () => `http://[::ffff:127.0.0.1]:${host.split(":")[1]}/`, []],
    ["this machine as one number", () => `http://2130706433:${host.split(":")[1]}/`, []],
    ["this machine in octal digits", () => `http://0177.0.0.01:${host.split(":")[1]}/`, []],
    ["this machine in hexadecimal digits", () => `http://0x7f.0x1:${host.split(":")[1]}/`, []],
    ["this machine behind a translator", () => "http://[64:ff9b::7f00:1]/", []],
    ["this machine behind a network's own translator", () => "http://[64:ff9b:1::7f00:1]/", ["127.0.0.0/8"]],
    ["a cloud's own secrets in IPv6", () => "http://[fd00:ec2::254]/", []],
    ["a cloud's own secrets", () => "http://169.254.169.254/", []],
    ["a private network", () => "http://10.0.0.5/", ["10.1.0.0/16"]],
  ])("never reaches %s unless its network is configured", async (_, url, networks) => {
    const target = new URL(url());
    // A busy machine looks a name up slowly.
    const call = open(networks).post(url(), asked({ hosts: [target.host], timeoutMs: 60_000 }));
    await expect(call).rejects.toThrow(/private network/);
    expect(seen).toEqual([]);
  });

  it("reaches a configured network by a name too", async () => {
    const named = `localhost:${host.split(":")[1]}`;
    const outbound = open(["127.0.0.0/8", "::1"]);
    const call = await outbound.post(`http://${named}/`, asked({ hosts: [named] })).catch((error) => error);
    // Where a machine's localhost is IPv6 first, nobody listens there; it is not refused either way.
    expect(call).not.toBeInstanceOf(OutboundRefused);
  });

  it("ends when its caller stops", async () => {
    answer = () => {};
    const stop = new AbortController();
    const call = open().post(`http://${host}/`, asked({ timeoutMs: 10_000 }), stop.signal);
    setTimeout(() => stop.abort(), 50);
    await expect(call).rejects.toThrow(OutboundFailed);
  });

  it("is the same through the function that stands outside of a network", async () => {
    const outside = outsideOutbound(async (question) => JSON.parse(JSON.stringify(await askOutside(open())(question))));
    expect(await outside.post(`http://${host}/`, asked())).toMatchObject({ status: 200, text: "ok" });
    await expect(outside.post(`http://${host}/`, asked({ hosts: ["other.example"] }))).rejects.toThrow(OutboundRefused);
    answer = () => {};
    await expect(outside.post(`http://${host}/`, asked())).rejects.toMatchObject({ reason: "TIMEOUT" });
  });
});

describe("an address that the internet does not route to", () => {
  it.each([
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fc00::1",
    "fe80::1",
    "ff02::1",
    "2002:7f00:1::",
    "64:ff9b:1::7f00:1",
    "::ffff:0:7f00:1",
    "::127.0.0.1",
    "fec0::1",
    "5f00::1",
    "2001:2::1",
  ])("is internal: %s", (address) => {
    expect(isInternal(address)).toBe(true);
  });

  it.each(["1.1.1.1", "172.32.0.1", "192.169.0.1", "2606:4700:4700::1111"])("is not %s", (address) => {
    expect(isInternal(address)).toBe(false);
  });
});
