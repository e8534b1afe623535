/** Stand-in for the @connections of API Gateway: each post takes 20 ms, and some are answered 429. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { monotonicMs } from "./_clock.ts";

/** Of so many posts one is told to come later. */
const throttledOf = 20;
const postMs = 20;

export interface Posts {
  readonly url: string;
  /** Connection → how often a message was taken for it. */
  readonly taken: ReadonlyMap<string, number>;
  readonly throttled: number;
  /** When the last one was taken. */
  readonly lastAt: number;
  close(): Promise<void>;
}

export async function startPosts(): Promise<Posts> {
  const taken = new Map<string, number>();
  let [count, throttled, lastAt] = [0, 0, 0];
  const server = createServer((request, response) => {
    request.resume();
    const id = decodeURIComponent(request.url?.split("/").at(-1) ?? "");
    setTimeout(() => {
      count += 1;
      if (count % throttledOf === 0) {
        throttled += 1;
        response.writeHead(429).end('{"message":"Too Many Requests"}');
        return;
      }
      taken.set(id, (taken.get(id) ?? 0) + 1);
      lastAt = monotonicMs();
      response.writeHead(200).end();
    }, postMs);
  });
  await new Promise<void>((resolve) => server.listen({ port: 0, host: "127.0.0.1", backlog: 4_096 }, resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/bench`,
    taken,
    get throttled() {
      return throttled;
    },
    get lastAt() {
      return lastAt;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
