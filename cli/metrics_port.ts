/** The port for Prometheus alone: GET /metrics, and nothing else. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Scrape } from "../apigateway/local/http.ts";

export interface MetricsPort {
  readonly url: string;
  close(): Promise<void>;
}

/** @throws the error of `listen` */
export async function openMetricsPort(host: string, port: number, scrape: Scrape): Promise<MetricsPort> {
  const server = createServer(({ method, url = "", headers }, response) => {
    const [path] = url.split("?");
    if (method !== "GET" || path !== "/metrics") return void response.writeHead(404).end();
    scrape(headers.authorization).then(
      (answer) => response.writeHead(answer.status, answer.headers).end(answer.body),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  // A process that could not start ends although this is open.
  server.unref();
  const { port: own } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${own}/metrics`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
