/** The client for WeChat: behind a proxy, which axios supports and Node's `fetch` does not; and on connections that were closed meanwhile. */
import { Agent, createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { wechatClient } from "../../functions/_wechat_client.ts";

describe("The client for WeChat behind a proxy", () => {
  const asked: string[] = [];
  const before = { ...process.env };
  let proxy: Server;

  beforeAll(async () => {
    proxy = createServer();
    proxy.on("connect", (request, socket) => {
      asked.push(`CONNECT ${request.url}`);
      socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    Object.assign(process.env, { HTTPS_PROXY: address, https_proxy: address, NO_PROXY: "", no_proxy: "" });
  });
  afterAll(async () => {
    process.env = before;
    await new Promise((resolve) => proxy.close(resolve));
  });

  it("opens a tunnel through HTTPS_PROXY, so that the proxy sees no secret", async () => {
    await expect(wechatClient("https://wechat.invalid").get("/sns/jscode2session?secret=s")).rejects.toThrow();
    expect(asked).toEqual(["CONNECT wechat.invalid:443"]);
  });
});

describe("The client for WeChat on a kept connection", () => {
  let server: Server;
  let answered = 0;
  const ofConnection = new WeakMap<Socket, number>();
  let opened = 0;

  /** Answers one request on each connection and closes it at the next, as a server does whose patience ends at that moment. */
  beforeAll(async () => {
    server = createServer({ keepAliveTimeout: 60_000 }, ({ socket }, response) => {
      const nth = (ofConnection.get(socket) ?? 0) + 1;
      ofConnection.set(socket, nth);
      if (nth > 1 || answered === 3) return void socket.destroy();
      answered += 1;
      response.end("{}");
    });
    server.on("connection", () => {
      opened += 1;
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it("asks again over a new one, and once only", async () => {
    const client = wechatClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const agent = new Agent({ keepAlive: true });
    for (let nth = 1; nth <= 3; nth++) expect((await client.get("/", { httpAgent: agent })).status).toBe(200);
    expect([answered, opened]).toEqual([3, 3]);
    await expect(client.get("/", { httpAgent: agent })).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(opened).toBe(4);
    agent.destroy();
  });
});
