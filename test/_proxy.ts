/** A wire that a test can cut: a TCP proxy in front of a database, which also counts how often the talk turned around. */

import type { AddressInfo } from "node:net";
import { connect, createServer, type Socket } from "node:net";

export interface Wire {
  readonly port: number;
  /** Times that the client said something after the server had. */
  trips(): number;
  /** Cuts every connection and takes no new ones. */
  cut(): void;
  /** Takes connections again. */
  mend(): void;
  /** Swallows what the server says, without closing anything. */
  silence(silent: boolean): void;
  close(): Promise<void>;
}

/**
 * @param lagMs how long the server's answers are held back: with it a request that comes in several pieces counts as one trip,
 *   though the server answers its first piece before the last has come
 */
export async function startProxy(server: { readonly host: string; readonly port: number }, lagMs = 0): Promise<Wire> {
  const open = new Set<Socket>();
  let trips = 0;
  let broken = false;
  let silent = false;

  const proxy = createServer((client) => {
    if (broken) {
      client.destroy();
      return;
    }
    const database = connect(server.port, server.host);
    let turned = true;
    for (const socket of [client, database]) {
      open.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => {});
      socket.on("close", () => {
        open.delete(socket);
        client.destroy();
        database.destroy();
      });
    }
    client.on("data", (chunk) => {
      if (turned) trips += 1;
      turned = false;
      database.write(chunk);
    });
    const answer = (chunk: Buffer) => {
      turned = true;
      if (!silent) client.write(chunk);
    };
    database.on("data", (chunk) => (lagMs === 0 ? answer(chunk) : setTimeout(answer, lagMs, chunk)));
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const cut = () => {
    broken = true;
    for (const socket of open) socket.destroy();
  };
  return {
    port: (proxy.address() as AddressInfo).port,
    trips: () => trips,
    cut,
    mend() {
      broken = false;
    },
    silence(on) {
      silent = on;
    },
    close: () =>
      new Promise((resolve) => {
        cut();
        proxy.close(() => resolve());
      }),
  };
}
