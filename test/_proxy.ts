/** A network that a test can cut: a TCP proxy in front of a database, which also counts round trips. */

import type { AddressInfo } from "node:net";
import { connect, createServer, type Socket } from "node:net";

export interface Wire {
  readonly port: number;
  /** Times that the client sent something after the server had. */
  trips(): number;
  /** Cuts every connection and takes no new ones. */
  cut(): void;
  /** Takes connections again. */
  mend(): void;
  /** Swallows what the server says, without closing anything. */
  silence(silent: boolean): void;
  /** The WebSockets of now stay open and carry nothing any more, as when a phone changes its network. New ones work. */
  lose(): void;
  /** Holds the server's answers back for so long. */
  lag(ms: number): void;
  close(): Promise<void>;
}

/**
 * @param firstLagMs how long the server's answers are held back: with it a request that comes in several pieces counts as one trip,
 *   though the server answers its first piece before the last has come
 */
export async function startProxy(
  server: { readonly host: string; readonly port: number },
  firstLagMs = 0,
): Promise<Wire> {
  const open = new Set<Socket>();
  const sockets = new Set<Socket>();
  const dead = new Set<Socket>();
  let trips = 0;
  let broken = false;
  let silent = false;
  let lagMs = firstLagMs;

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
        // Of a dead connection neither side hears that the other has closed it.
        if (dead.has(client) && !broken) return;
        client.destroy();
        database.destroy();
      });
    }
    client.on("data", (chunk) => {
      if (dead.has(client)) return;
      if (turned) trips += 1;
      turned = false;
      database.write(chunk);
    });
    let lost = false;
    const answer = (chunk: Buffer) => {
      if (dead.has(client)) return;
      if (!turned && chunk.toString("latin1", 0, 12) === "HTTP/1.1 101") sockets.add(client);
      turned = true;
      lost ||= silent;
      // TCP loses no bytes in the middle: after swallowed bytes the connection ends when the network works again.
      if (!lost) client.write(chunk);
      else if (!silent) client.destroy();
    };
    // While something is held back, all that follows waits behind it: bytes never overtake.
    const held: Buffer[] = [];
    database.on("data", (chunk) => {
      if (lagMs === 0 && held.length === 0) {
        answer(chunk);
        return;
      }
      held.push(chunk);
      setTimeout(() => answer(held.shift() as Buffer), lagMs);
    });
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
    lose() {
      for (const socket of sockets) dead.add(socket);
    },
    lag(ms) {
      lagMs = ms;
    },
    close: () =>
      new Promise((resolve) => {
        cut();
        proxy.close(() => resolve());
      }),
  };
}
