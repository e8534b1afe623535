/** Connections of this process and their subscriptions: in memory, because the sockets are here. */
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { AppError } from "../../shared/errors.ts";
import { errorFrame } from "../../shared/frame.ts";
import type { Grant, Sent } from "../../shared/gateway.ts";
import type { ConnectionInfo } from "./build_events.ts";
import type { Caller } from "./caller_cache.ts";
import { type FrameBatch, frameBatch } from "./frame_batch.ts";
import { FrameLengths } from "./frame_lengths.ts";
import type { Handshake } from "./socket_functions.ts";
import { Subscription } from "./subscription.ts";

/** An open socket. There are many, so what all clients have alike is held once. */
export class Connection {
  readonly socket: WebSocket;
  /** The stream below the WebSocket, to write frames as they are. */
  readonly raw: Duplex;
  readonly info: ConnectionInfo;
  readonly kind: Caller["kind"];
  readonly lengths = new FrameLengths();
  lastActiveAt: number;
  /** As the session was when it was last read. */
  session: string | undefined = undefined;
  until = Number.POSITIVE_INFINITY;
  /** Stream → its subscription. */
  readonly streams = new Map<string, Subscription<Connection>>();

  constructor(socket: WebSocket, raw: Duplex, { info, caller }: Pick<Handshake, "info" | "caller">, now: number) {
    this.socket = socket;
    this.raw = raw;
    this.info = {
      ...info,
      domainName: shared(info.domainName),
      sourceIp: shared(info.sourceIp),
      userAgent: shared(info.userAgent),
      requestId: "",
    };
    this.kind = caller.kind;
    this.lastActiveAt = now;
  }

  get id(): string {
    return this.info.connectionId;
  }
}

/** Texts that many connections have, such as the name of a browser. */
const texts = new Map<string, string>();
const maxTexts = 1_000;

function shared(text: string): string {
  const known = texts.get(text);
  if (known !== undefined) return known;
  if (texts.size >= maxTexts) texts.clear();
  texts.set(text, text);
  return text;
}

/** Faults that a test may have in pushes: dropped, or delivered later (and so in another order). */
export interface PushFaults {
  push?(connection: string, frame: string): "drop" | number | undefined;
}

export interface ConnectionsOptions {
  readonly maxStreams: number;
  /** Bytes that may wait for a reader; AWS says 429 beyond its buffer. */
  readonly maxBufferBytes: number;
  readonly faults: PushFaults;
  readonly now: () => number;
}

export class Connections {
  readonly #byId = new Map<string, Connection>();
  readonly #readers = new Map<string, Set<Subscription<Connection>>>();
  readonly #corked = new Set<Duplex>();
  readonly #options: ConnectionsOptions;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#byId.size;
  }

  all(): IterableIterator<Connection> {
    return this.#byId.values();
  }

  get(id: string): Connection | undefined {
    return this.#byId.get(id);
  }

  add(connection: Connection): void {
    this.#byId.set(connection.id, connection);
  }

  remove({ id, streams }: Connection): void {
    const connection = this.#byId.get(id);
    if (connection === undefined) return;
    this.#byId.delete(id);
    for (const [stream, subscription] of streams) this.#leave(subscription, stream);
  }

  // --- Subscriptions -----------------------------------------------------------------------------------------------

  subscribe(id: string, stream: string, number: number, grant?: Grant): "subscribed" | "left" | "full" {
    const connection = this.#byId.get(id);
    if (connection === undefined) return "left";
    const before = connection.streams.get(stream);
    if (before !== undefined && before.number > number) return before.active ? "subscribed" : "left";
    if (before?.active === true) {
      before.number = number;
      before.grant = grant;
      return "subscribed";
    }
    if (countActive(connection) >= this.#options.maxStreams) return "full";
    const subscription = new Subscription(connection, number, grant);
    this.#note(connection, stream, subscription);
    const readers = this.#readers.get(stream);
    if (readers === undefined) this.#readers.set(stream, new Set([subscription]));
    else readers.add(subscription);
    return "subscribed";
  }

  unsubscribe(id: string, stream: string, number: number): void {
    const connection = this.#byId.get(id);
    const before = connection?.streams.get(stream);
    if (connection === undefined || (before !== undefined && before.number > number)) return;
    if (before !== undefined) this.#leave(before, stream);
    const ended = before ?? new Subscription(connection, number, undefined);
    ended.number = number;
    ended.active = false;
    this.#note(connection, stream, ended);
  }

  /** Numbers of ended subscriptions are kept for messages that overtake each other, but not for ever. */
  #note({ streams }: Connection, stream: string, subscription: Subscription<Connection>): void {
    streams.set(stream, subscription);
    if (streams.size <= 5 * this.#options.maxStreams) return;
    for (const [name, one] of streams) if (!one.active && one.number < subscription.number) streams.delete(name);
  }

  #leave(subscription: Subscription<Connection>, stream: string): void {
    subscription.active = false;
    const readers = this.#readers.get(stream);
    readers?.delete(subscription);
    if (readers?.size === 0) this.#readers.delete(stream);
  }

  readersOf(stream: string): Subscription<Connection>[] {
    return [...(this.#readers.get(stream) ?? [])];
  }

  countReaders(stream: string): number {
    return this.#readers.get(stream)?.size ?? 0;
  }

  /** The connection's active subscription to the stream. */
  subscription(id: string, stream: string): Subscription<Connection> | undefined {
    const subscription = this.#byId.get(id)?.streams.get(stream);
    return subscription?.active === true ? subscription : undefined;
  }

  /** Streams with a subscriber here. */
  streams(): string[] {
    return [...this.#readers.keys()];
  }

  isRead(stream: string): boolean {
    return this.#readers.has(stream);
  }

  // --- Sending -----------------------------------------------------------------------------------------------------

  /** "gone" before the connection is open and after it is closed, as at AWS. */
  send(id: string, frame: string | Buffer): Sent {
    const connection = this.#byId.get(id);
    return connection === undefined ? "gone" : this.sendTo(connection, frameBatch([frame]));
  }

  /** Sends all frames of the batch, or none. */
  sendTo(connection: Connection, frames: FrameBatch): Sent {
    const { socket, raw } = connection;
    if (socket.readyState !== socket.OPEN) return "gone";
    if (raw.writableLength > this.#options.maxBufferBytes) return "throttled";
    if (this.#options.faults.push === undefined) this.#write(connection, frames.bytes);
    else this.#sendWithFaults(connection, frames);
    return "sent";
  }

  #sendWithFaults(connection: Connection, { texts }: FrameBatch): void {
    for (const text of texts) {
      const { bytes } = frameBatch([text]);
      const fault = this.#options.faults.push?.(connection.id, text.toString());
      if (fault === undefined) {
        this.#write(connection, bytes);
        continue;
      }
      for (const subscription of connection.streams.values()) subscription.forget();
      if (typeof fault === "number") setTimeout(() => this.#write(connection, bytes), fault);
    }
  }

  /**
   * All frames of one turn of the event loop leave in one system call per socket. Frames are written past `ws`, which would make the
   * header anew for each reader; it holds nothing back itself, as nothing is compressed.
   */
  #write(connection: Connection, bytes: Buffer): void {
    const { socket, raw } = connection;
    if (socket.readyState !== socket.OPEN) return;
    connection.lastActiveAt = this.#options.now();
    if (this.#corked.size === 0) setImmediate(() => this.#uncork());
    if (!this.#corked.has(raw)) {
      this.#corked.add(raw);
      raw.cork();
    }
    raw.write(bytes);
  }

  #uncork(): void {
    const corked = [...this.#corked];
    this.#corked.clear();
    for (const raw of corked) raw.uncork();
  }
}

function countActive({ streams }: Connection): number {
  let count = 0;
  for (const { active } of streams.values()) if (active) count += 1;
  return count;
}

/** Sends the error and closes. `ws` cuts a peer that has stopped reading. */
export function closeWithError({ socket }: Connection, error: AppError): void {
  if (socket.readyState !== socket.OPEN) return;
  socket.send(errorFrame(error));
  socket.close(1008);
}
