/** Who is connected to this process, and what they read: in memory, because the sockets are here. */
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { Sent } from "../gateway.ts";

export interface Connection {
  readonly id: string;
  readonly socket: WebSocket;
  /** What is below the WebSocket, to write several frames in one system call. */
  readonly raw: Duplex;
  readonly connectedAt: number;
  readonly sourceIp: string;
  readonly userAgent: string;
  lastActiveAt: number;
  /** From the last look at the session. */
  session: string | undefined;
  until: number;
  /** Stream → the number of the client's message that entered or left it last. */
  readonly streams: Map<string, { number: number; active: boolean }>;
}

/** What a test may do to pushes: drop them, or deliver them later (and so in another order). */
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
  readonly #readers = new Map<string, Set<Connection>>();
  readonly #published = new Map<string, number>();
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
    for (const stream of streams.keys()) this.#leave(connection, stream);
  }

  // --- Who reads what ----------------------------------------------------------------------------------------------

  subscribe(id: string, stream: string, number: number): "subscribed" | "left" | "full" {
    const connection = this.#byId.get(id);
    if (connection === undefined) return "left";
    const before = connection.streams.get(stream);
    if (before !== undefined && before.number > number) return before.active ? "subscribed" : "left";
    const active = [...connection.streams.values()].filter((one) => one.active).length;
    if (before?.active !== true && active >= this.#options.maxStreams) return "full";
    this.#note(connection, stream, number, true);
    const readers = this.#readers.get(stream) ?? new Set();
    this.#readers.set(stream, readers.add(connection));
    return "subscribed";
  }

  unsubscribe(id: string, stream: string, number: number): void {
    const connection = this.#byId.get(id);
    const before = connection?.streams.get(stream);
    if (connection === undefined || (before !== undefined && before.number > number)) return;
    this.#note(connection, stream, number, false);
    this.#leave(connection, stream);
  }

  /** Numbers of streams that were left are kept for messages that overtake each other, but not for ever. */
  #note({ streams }: Connection, stream: string, number: number, active: boolean): void {
    streams.set(stream, { number, active });
    if (streams.size <= 5 * this.#options.maxStreams) return;
    for (const [name, one] of streams) if (!one.active && one.number < number) streams.delete(name);
  }

  #leave(connection: Connection, stream: string): void {
    const readers = this.#readers.get(stream);
    readers?.delete(connection);
    if (readers?.size !== 0) return;
    this.#readers.delete(stream);
    this.#published.delete(stream);
  }

  readersOf(stream: string): Connection[] {
    return [...(this.#readers.get(stream) ?? [])];
  }

  /** Streams that somebody here reads. */
  streams(): string[] {
    return [...this.#readers.keys()];
  }

  /** The highest number that this process has pushed on a stream. */
  published(stream: string): number {
    return this.#published.get(stream) ?? 0;
  }

  notePublished(stream: string, seq: number): void {
    if (this.#readers.has(stream)) this.#published.set(stream, Math.max(seq, this.published(stream)));
  }

  // --- Sending -----------------------------------------------------------------------------------------------------

  /** Gone before the connection is open and after it is closed, as AWS says. */
  send(id: string, frame: string | Buffer): Sent {
    const connection = this.#byId.get(id);
    if (connection === undefined || connection.socket.readyState !== connection.socket.OPEN) return "gone";
    if (connection.socket.bufferedAmount > this.#options.maxBufferBytes) return "throttled";
    const fault = this.#options.faults.push?.(id, frame.toString());
    if (fault === "drop") return "sent";
    if (typeof fault === "number") setTimeout(() => this.#write(connection, frame), fault);
    else this.#write(connection, frame);
    return "sent";
  }

  /** All frames of one turn of the event loop leave in one system call per socket. */
  #write(connection: Connection, frame: string | Buffer): void {
    if (connection.socket.readyState !== connection.socket.OPEN) return;
    connection.lastActiveAt = this.#options.now();
    if (this.#corked.size === 0) setImmediate(() => this.#uncork());
    if (!this.#corked.has(connection.raw)) {
      this.#corked.add(connection.raw);
      connection.raw.cork();
    }
    connection.socket.send(frame, { binary: false });
  }

  #uncork(): void {
    const corked = [...this.#corked];
    this.#corked.clear();
    for (const raw of corked) raw.uncork();
  }
}
