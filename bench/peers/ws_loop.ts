/**
 * Peer: the smallest fan-out, one `ws.send` for each reader; `framed` frames a message once and writes it to each. Nothing is stored.
 * With `pings` each reader is pinged every 25 s, as the documentation of `ws` advises.
 */
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import { serverFrame } from "../_frames.ts";

const [, how = "plain"] = process.argv.slice(2);
const readers = new Set<WebSocket>();
let seq = 0;

function sendToAll(data: string): void {
  seq += 1;
  const event = Buffer.from(
    `{"type":"event","stream":"room","seq":${seq},"event":"message","at":"${new Date().toISOString()}","data":${data}}`,
  );
  if (how === "framed") {
    const frame = serverFrame(event);
    for (const reader of readers) (reader as unknown as { _socket: Socket })._socket.write(frame);
  } else for (const reader of readers) reader.send(event, { binary: false });
}

/** The pings of all are spread over the time. */
const pingMs = 25_000;
if (how === "pings") setInterval(pingSome, pingMs / 250);
let pinged: IterableIterator<WebSocket> = readers.values();
let due = 0;
function pingSome(): void {
  for (due += readers.size / 250; due >= 1; due--) {
    let next = pinged.next();
    if (next.done) {
      pinged = readers.values();
      next = pinged.next();
    }
    next.value?.ping();
  }
}

const server = createServer();
new WebSocketServer({ server, path: "/pgws", perMessageDeflate: false }).on("connection", (socket) => {
  socket.on("close", () => readers.delete(socket));
  socket.on("message", (data) => {
    const text = data.toString();
    if (text !== "resume") return sendToAll(text);
    readers.add(socket);
    socket.send(`{"type":"resumed","seq":${seq}}`);
  });
});
server.listen({ port: 0, host: "127.0.0.1", backlog: 4_096 }, () => {
  process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port })}\n`);
});
