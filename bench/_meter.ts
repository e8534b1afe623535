/** A wire between a client and a server that counts bytes and WebSocket frames in both directions. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { readFrames } from "./_frames.ts";

export interface Traffic {
  readonly bytes: number;
  readonly frames: number;
}

export interface Meter {
  readonly port: number;
  /** So far, in both directions, of all connections. */
  traffic(): Traffic;
  /** Resolves with the next frame that the client, or the server, sends. */
  nextFrame(): Promise<void>;
  close(): void;
}

export async function startMeter(port: number): Promise<Meter> {
  const open = new Set<Socket>();
  let [bytes, frames] = [0, 0];
  let waiting: (() => void)[] = [];
  const countFrame = () => {
    frames += 1;
    for (const one of waiting.splice(0)) one();
  };

  const server = createServer((client) => {
    const target = connect(port, "127.0.0.1");
    let isWebSocket = false;
    const pipe = (from: Socket, to: Socket) => {
      const unfinished = { rest: undefined };
      open.add(from);
      from.setNoDelay(true);
      from.on("error", () => {});
      from.on("close", () => to.destroy());
      from.on("data", (chunk) => {
        bytes += chunk.length;
        to.write(chunk);
        let rest = chunk;
        if (!isWebSocket && chunk.toString("latin1", 0, 12) === "HTTP/1.1 101") {
          isWebSocket = true;
          rest = chunk.subarray(chunk.indexOf("\r\n\r\n") + 4);
        }
        if (isWebSocket) readFrames(unfinished, rest, countFrame);
      });
    };
    pipe(client, target);
    pipe(target, client);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    traffic: () => ({ bytes, frames }),
    nextFrame: () =>
      new Promise((resolve) => {
        waiting = [...waiting, resolve];
      }),
    close() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
