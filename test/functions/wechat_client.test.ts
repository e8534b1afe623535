/** The client for WeChat in a network with a proxy as its only way out: axios supports that, Node's `fetch` does not. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
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
