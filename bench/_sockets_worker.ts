/** Load client with many WebSockets: raw sockets that share one read buffer, of whose frames only headers, number and stamp are read. */
import { connect, type Socket } from "node:net";
import { monotonicMs } from "./_clock.ts";
import { clientFrame, opcodes, readFrames, type Unfinished } from "./_frames.ts";
import type { Client, Command, Followed, Ledger, Message, OpenOptions } from "./_sockets.ts";

interface StreamState {
  readonly stream: string;
  readonly grant: string | undefined;
  /** Undefined before the first answer. */
  at: { epoch: string; seq: number; tag: string } | undefined;
  from: number;
  taken: number;
  asked: boolean;
  /** Early events, until the answer has come. */
  held: Event[];
}

interface Peer extends Unfinished {
  readonly nth: number;
  readonly client: Client;
  readonly streams: readonly StreamState[];
  socket: Socket | undefined;
  /** Still to be answered before it is live. */
  missing: number;
  live: (error?: string) => void;
  /** Count mode: the number of its last event. */
  last: number;
  n: number;
}

const shared = Buffer.allocUnsafe(256 * 1_024);
const key = "dGhlIHNhbXBsZSBub25jZQ==";

let options: OpenOptions;
let peers: Peer[] = [];
let errors: string[] = [];

const sourceOf = (nth: number) => `127.0.${nth % (options.sources ?? 1)}.1`;

function note(error: string): void {
  if (errors.length < 10) errors.push(error);
}

// --- HTTP ----------------------------------------------------------------------------------------------------------

/** A ticket over a connection of the client's own, as after a lost network: nothing is kept from before. */
function ticketFor(peer: Peer): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect({ port: options.port, host: "127.0.0.1", localAddress: sourceOf(peer.nth), noDelay: true });
    socket.setEncoding("latin1");
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("closed without a ticket")));
    socket.on("data", (part: string) => {
      text += part;
      const ticket = /"ticket":"([^"]+)"/.exec(text)?.[1];
      if (ticket !== undefined) resolve(ticket);
      else if (/^HTTP\/1\.1 [^2]/.test(text)) reject(new Error(`no ticket: ${text.slice(0, 60)}`));
      else return;
      socket.destroy();
    });
    socket.write(
      `POST /session/ticket HTTP/1.1\r\nhost: 127.0.0.1:${options.port}\r\nauthorization: Bearer ${peer.client.token}\r\ncontent-length: 0\r\n\r\n`,
    );
  });
}

// --- Opening -------------------------------------------------------------------------------------------------------

/** Resolves when the client is live: its socket is open, and what it asked for is answered to the end. */
async function goLive(peer: Peer): Promise<void> {
  const ticket = peer.client.token === undefined ? undefined : await ticketFor(peer);
  peer.rest = undefined;
  await new Promise<void>((resolve, reject) => {
    // The socket before may still be closing: each attempt has its own.
    const live = (error?: string) => (error === undefined ? resolve() : reject(new Error(error)));
    peer.live = live;
    let head = "";
    const socket = connect({
      port: options.port,
      host: "127.0.0.1",
      localAddress: sourceOf(peer.nth),
      noDelay: true,
      onread: {
        buffer: shared,
        callback(bytes: number, buffer: Uint8Array) {
          let chunk = (buffer as Buffer).subarray(0, bytes);
          if (peer.socket !== socket) {
            head += chunk.toString("latin1");
            const end = head.indexOf("\r\n\r\n");
            if (end < 0) return true;
            if (!head.startsWith("HTTP/1.1 101")) {
              live(`no upgrade: ${head.slice(0, 40)}`);
              return true;
            }
            chunk = Buffer.from(head.slice(end + 4), "latin1");
            peer.socket = socket;
            greet(peer);
          }
          receive(peer, chunk);
          return true;
        },
      },
    });
    peer.socket = undefined;
    socket.on("error", (error) => live(String(error)));
    socket.on("close", () => {
      live("closed");
      if (peer.socket !== socket) return;
      peer.socket = undefined;
      counts.closed += 1;
    });
    const offered = ticket === undefined ? "" : `sec-websocket-protocol: orderbell.v1, ticket.${ticket}\r\n`;
    socket.write(
      `GET /pgws HTTP/1.1\r\nhost: 127.0.0.1:${options.port}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${key}\r\n${offered}\r\n`,
    );
  });
}

function greet(peer: Peer): void {
  peer.n = 0;
  peer.missing = Math.max(1, peer.streams.length);
  if (peer.streams.length === 0) peer.socket?.write(clientFrame(peer.client.hello ?? "resume"));
  else resume(peer, peer.streams);
}

function resume(peer: Peer, streams: readonly StreamState[]): void {
  peer.n += 1;
  for (const state of streams) state.asked = true;
  const asked = streams.map(({ stream, grant, at }) => ({ stream, grant, ...(options.mode === "follow" ? at : {}) }));
  peer.socket?.write(clientFrame(JSON.stringify({ type: "resume", n: peer.n, streams: asked })));
}

/** All clients check once in this time, evenly spread. */
const checkMs = 25_000;
const checkTurns = 250;
let checking: NodeJS.Timeout | undefined;

function check(on: boolean): void {
  clearInterval(checking);
  let turn = 0;
  if (on)
    checking = setInterval(() => {
      const size = Math.ceil(peers.length / checkTurns);
      for (const peer of peers.slice(turn * size, (turn + 1) * size)) sendCheck(peer);
      turn = (turn + 1) % checkTurns;
    }, checkMs / checkTurns);
}

function sendCheck(peer: Peer): void {
  if (peer.streams.length === 0) return;
  peer.n += 1;
  const streams = peer.streams.map(({ stream, grant, at }) => ({ stream, grant, ...at }));
  peer.socket?.write(clientFrame(JSON.stringify({ type: "check", n: peer.n, streams })));
}

function answered(peer: Peer): void {
  peer.missing -= 1;
  if (peer.missing === 0) peer.live();
}

/** Opens these clients, `width` of them at a time. @returns when each was live */
async function openAll(which: readonly Peer[], width: number) {
  const liveMs: number[] = [];
  const begun = monotonicMs();
  let [next, failed] = [0, 0];
  await Promise.all(
    Array.from({ length: Math.min(width, which.length) }, async () => {
      for (let peer = which[next++]; peer !== undefined; peer = which[next++]) {
        try {
          await goLive(peer);
          liveMs.push(monotonicMs() - begun);
        } catch (error) {
          failed += 1;
          note(String(error));
        }
      }
    }),
  );
  return { open: liveMs.length, failed, errors, liveMs };
}

// --- Receiving -----------------------------------------------------------------------------------------------------

const emptyCounts = () => ({ frames: 0, bytes: 0, gaps: 0, doubles: 0, pings: 0, closed: 0 });
let counts = emptyCounts();
let others: Record<string, number> = {};
let base = 1;
let messages: { seq: number; due: number; count: number; lastAt: number }[] = [];
let chunkAt = 0;

function receive(peer: Peer, chunk: Buffer): void {
  chunkAt = monotonicMs();
  counts.bytes += chunk.length;
  readFrames(peer, chunk, (opcode, buffer, start, end) => {
    if (opcode === opcodes.text) receiveText(peer, buffer, start, end);
    else if (opcode === opcodes.ping) {
      counts.pings += 1;
      peer.socket?.write(clientFrame(buffer.subarray(start, end), opcodes.pong));
    } else if (opcode === opcodes.close) {
      note(`close ${end - start >= 2 ? buffer.readUInt16BE(start) : ""}`);
      peer.socket?.end(clientFrame(buffer.subarray(start, end), opcodes.close));
    }
  });
}

function receiveText(peer: Peer, buffer: Buffer, start: number, end: number): void {
  // `{"type":"event"` and no other type begins so.
  const isEvent = buffer[start + 9] === 0x65 && buffer[start + 10] === 0x76;
  if (isEvent && options.mode !== "follow") countEvent(peer, buffer, start, end);
  else receiveMessage(peer, buffer.toString("utf8", start, end));
}

/** Where the number was in the last event, from its beginning, and the stamp, from its end: almost always there again. */
let seqHint = 0;
let dueHint = 0;

function seqOf(buffer: Buffer, start: number): number {
  let at = start + seqHint;
  if (buffer[at] !== 0x22 || buffer[at + 1] !== 0x73 || buffer[at + 5] !== 0x3a) {
    at = buffer.indexOf('"seq":', start, "latin1");
    seqHint = at - start;
  }
  let seq = 0;
  for (let digit = at + 6; ; digit++) {
    const code = buffer[digit] as number;
    if (code < 0x30 || code > 0x39) return seq;
    seq = seq * 10 + code - 0x30;
  }
}

/** The stamp `due 123.456` in the event. */
function dueOf(buffer: Buffer, start: number, end: number): number {
  let at = end - dueHint;
  if (buffer.toString("latin1", at, at + 4) !== "due ") {
    at = buffer.indexOf("due ", start, "latin1");
    if (at < 0 || at >= end) return Number.NaN;
    dueHint = end - at;
  }
  return Number.parseFloat(buffer.toString("latin1", at + 4, Math.min(end, at + 24)));
}

function countEvent(peer: Peer, buffer: Buffer, start: number, end: number): void {
  counts.frames += 1;
  const seq = seqOf(buffer, start);
  if (seq > peer.last) {
    counts.gaps += seq - peer.last - 1;
    peer.last = seq;
  } else counts.doubles += 1;
  const nth = seq - base;
  if (nth < 0) return;
  let message = messages[nth];
  if (message === undefined) {
    message = { seq, due: dueOf(buffer, start, end), count: 0, lastAt: 0 };
    messages[nth] = message;
  }
  message.count += 1;
  message.lastAt = chunkAt;
}

// --- Following -----------------------------------------------------------------------------------------------------

interface Event {
  readonly epoch: string;
  readonly seq: number;
  readonly tag: string;
  readonly prev: string;
}

// biome-ignore lint/suspicious/noExplicitAny: frames of the server, whose form docs/protocol.md says
type Frame = any;

function receiveMessage(peer: Peer, text: string): void {
  const frame: Frame = JSON.parse(text);
  const state = peer.streams.find(({ stream }) => stream === frame.stream);
  if (frame.type === "event" && state !== undefined) {
    counts.frames += 1;
    takePushed(peer, state, frame);
    return;
  }
  others[frame.type] = (others[frame.type] ?? 0) + 1;
  if (frame.type === "error") {
    note(text);
    peer.live(text);
  }
  if (frame.type === "resumed") resumed(peer, state, frame);
  if (frame.type === "reset") note(text);
}

function resumed(peer: Peer, state: StreamState | undefined, frame: Frame): void {
  peer.last = Math.max(peer.last, frame.seq);
  if (options.mode !== "follow" || state === undefined) {
    answered(peer);
    return;
  }
  if (state.at === undefined) {
    state.at = { epoch: frame.epoch, seq: frame.seq, tag: frame.tag };
    state.from = frame.seq;
  } else for (const event of frame.events) take(state, frame.epoch, event);
  state.asked = false;
  if (frame.more || !takeHeld(state)) resume(peer, [state]);
  else answered(peer);
}

/** @returns whether nothing is missing before what was held */
function takeHeld(state: StreamState): boolean {
  const held = state.held.toSorted((a, b) => a.seq - b.seq);
  state.held = [];
  return held.every((event) => event.seq <= (state.at?.seq ?? 0) || take(state, event.epoch, event));
}

/** Takes what continues the history. @returns whether it did */
function take(state: StreamState, epoch: string, { seq, tag, prev }: Omit<Event, "epoch">): boolean {
  const { at } = state;
  // A stream of a user begins with its first event, which then says its epoch.
  const isSame = at?.epoch === epoch || at?.epoch === "";
  if (at === undefined || !isSame || seq !== at.seq + 1 || prev !== at.tag) return false;
  state.at = { epoch, seq, tag };
  state.taken += 1;
  return true;
}

function takePushed(peer: Peer, state: StreamState, frame: Frame): void {
  if (state.at === undefined || frame.seq <= state.at.seq) {
    counts.doubles += 1;
    return;
  }
  if (!state.asked && take(state, frame.epoch, frame)) return;
  state.held.push(frame);
  if (state.asked) return;
  counts.gaps += 1;
  peer.missing += 1;
  resume(peer, [state]);
}

// --- Commands ------------------------------------------------------------------------------------------------------

function newPeer(client: Client, nth: number): Peer {
  const streams = (client.streams ?? []).map(({ stream, grant }) => ({
    stream,
    grant,
    at: undefined,
    from: 0,
    taken: 0,
    asked: false,
    held: [],
  }));
  return { nth, client, streams, rest: undefined, socket: undefined, missing: 0, live: () => {}, last: 0, n: 0 };
}

function begin(): void {
  counts = emptyCounts();
  others = {};
  errors = [];
  base = Math.max(0, ...peers.map(({ last }) => last)) + 1;
  messages = [];
}

const ledger = (): Ledger => ({ ...counts, others, errors, messages: messages.filter(Boolean) as Message[] });

function cut(): void {
  for (const peer of peers) {
    const { socket } = peer;
    peer.socket = undefined;
    socket?.destroy();
  }
}

const followed = (): Followed[] =>
  peers.flatMap(({ nth, streams }) =>
    streams.map(({ stream, at, from, taken }) => ({
      client: nth,
      stream,
      seq: at?.seq ?? -1,
      tag: at?.tag ?? "",
      from,
      taken,
    })),
  );

async function run(command: Command): Promise<unknown> {
  switch (command.do) {
    case "open": {
      options = command.options;
      const added = options.clients.map((client, nth) => newPeer(client, peers.length + nth));
      peers = [...peers, ...added];
      return openAll(added, options.width ?? 64);
    }
    case "begin":
      return begin();
    case "frames":
      return counts.frames;
    case "ledger":
      return ledger();
    case "check":
      return check(command.on);
    case "cut":
      return cut();
    case "return":
      return openAll(peers, command.width);
    case "followed":
      return followed();
  }
}

process.on("message", (command: Command) => {
  run(command).then(
    (answer) => process.send?.({ answer }),
    (error) => process.send?.({ failed: String(error?.stack ?? error) }),
  );
});
process.on("disconnect", () => process.exit());
