/**
 * Peer `null`, which proves the generator: it answers and pushes at once, stores nothing and parses next to nothing. What the generator
 * measures against it is the generator. In the tests it lies.
 */
import { createHash } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { serverFrame } from "../_frames.ts";
import type { OrderServer } from "../_load.ts";
import { anonymous, sayReady } from "./_ready.ts";

/** What it does wrong, to every hundredth order; a head after each is right. */
export type Lie = "loses" | "doubles" | "reorders" | "heads";

const answer = Buffer.from("HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}");
const note = Buffer.from('"note":"');
const lengthName = Buffer.from("Content-Length: ");

const acceptOf = (head: string) =>
  createHash("sha1")
    .update(`${/Sec-WebSocket-Key: (.+)/i.exec(head)?.[1]?.trim()}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest("base64");

/** Pushes go to one kitchen, whoever the order is for. */
export function nullServer(lie?: Lie): Server {
  let kitchen: Socket | undefined;
  let seq = 0;
  let held: Buffer | undefined;

  function push(body: Buffer): void {
    seq += 1;
    const from = body.indexOf(note);
    const frame = serverFrame(Buffer.from(`{"seq":${seq},${body.toString("latin1", from, from + 21)}}`));
    const lies = seq % 100 === 50;
    if (lies && lie === "loses") return;
    if (lies && lie === "reorders") {
      held = frame;
      return;
    }
    kitchen?.write(frame);
    if (lies && lie === "doubles") kitchen?.write(frame);
    if (lie === "heads") kitchen?.write(serverFrame(Buffer.from(`{"type":"head","seq":${seq}}`)));
    if (held !== undefined) kitchen?.write(held);
    held = undefined;
  }

  return createServer({ noDelay: true }, (socket) => {
    let rest: Buffer | undefined;
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      const data = rest === undefined ? chunk : Buffer.concat([rest, chunk]);
      rest = undefined;
      if (kitchen === socket) return;
      const end = data.indexOf("\r\n\r\n");
      if (end >= 0 && data[0] === 71) {
        kitchen = socket;
        const accept = acceptOf(data.toString("latin1", 0, end));
        const head = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
        socket.write(Buffer.concat([Buffer.from(head), serverFrame(Buffer.from('{"type":"resumed"}'))]));
        return;
      }
      const at = data.indexOf(lengthName);
      const length = at < 0 ? 0 : Number.parseInt(data.toString("latin1", at + lengthName.length, end), 10);
      if (end < 0 || data.length < end + 4 + length) {
        rest = data;
        return;
      }
      socket.write(answer);
      push(data.subarray(end + 4));
    });
  });
}

export const nullScene: Omit<OrderServer, "port"> = {
  path: "/",
  kind: "plain",
  ready: "resumed",
  numbered: true,
  ...anonymous(1, () => ({ path: "/" })),
};

if (process.argv[1] === fileURLToPath(import.meta.url)) sayReady(nullServer(), nullScene);
