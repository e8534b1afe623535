/** A child process's side of _business.ts: says its port, takes settings, makes pushes, and tells what its handlers were called with. */
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { BusinessEvent, FromChild, Room, Settings, ToChild, Tunnels } from "./_business.ts";

const say = (message: FromChild) => void process.send?.(message);

export async function serveTest(
  server: Server,
  configure: (settings: Settings) => void | Promise<void>,
  tunnels: () => Tunnels,
): Promise<void> {
  process.on("message", async ({ id, action, given }: ToChild) => {
    try {
      const value =
        action === "configure"
          ? await configure(given[0] as Settings)
          : await (tunnels()[action] as (...given: readonly unknown[]) => Promise<unknown>)(...given);
      say({ answerTo: id, value });
    } catch (error) {
      say({ answerTo: id, error: String(error) });
    }
  });
  process.on("disconnect", () => process.exit(0));
  server.listen(Number(process.argv[2]), "127.0.0.1", () => say({ port: (server.address() as AddressInfo).port }));
}

/** The same room, whose every call is told. What a push answers or how it fails is told too. */
export function told(room: Room): Room {
  const tell = (event: BusinessEvent) => say({ event });
  const after = async (tunnel: string, work: Promise<unknown>) => {
    try {
      const content = await work;
      if (content !== undefined) tell({ type: "pushed", tunnel, content });
    } catch (error) {
      tell({ type: "failed", tunnel, content: String(error) });
    }
  };
  return {
    onRequest(tunnel, user) {
      tell({ type: "request", tunnel, content: user });
      room.onRequest(tunnel, user);
    },
    onConnect(tunnel) {
      tell({ type: "connect", tunnel });
      return after(tunnel, room.onConnect(tunnel));
    },
    onMessage(tunnel, messageType, content) {
      tell({ type: "message", tunnel, messageType, content });
      return after(tunnel, room.onMessage(tunnel, messageType, content));
    },
    onClose(tunnel) {
      tell({ type: "close", tunnel });
      return after(tunnel, room.onClose(tunnel));
    },
  };
}
