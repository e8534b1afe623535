/** Connections of this process and their subscriptions: in memory, because the sockets are here. */
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { AppError } from "../../shared/errors.ts";
import { errorFrame } from "../../shared/frame.ts";
import type { Grant, Sent } from "../../shared/gateway.ts";

export interface Connection {
  readonly id: string;
  readonly socket: WebSocket;
  /** The stream below the WebSocket, to write several frames in one system call. */
  readonly raw: Duplex;
  readonly connectedAt: number;
  readonly sourceIp: string;
  readonly userAgent: string;
  lastActiveAt: number;
  /** As the session was when it was last read. */
  session: string | undefined;
  until: number;
  /** Stream → its subscription, with the number of the client's message that changed it last. */
  readonly streams: Map<string, Subscription>;
}

/** A connection's subscription to a stream; one that is not active has ended. */
export interface Subscription {
  readonly number: number;
  readonly active: boolean;
  readonly grant: Grant | undefined;
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
  readonly #readers = new Map<string, Set<Connection>>();
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

  // --- Subscriptions -----------------------------------------------------------------------------------------------

  subscribe(id: string, stream: string, number: number, grant?: Grant): "subscribed" | "left" | "full" {
    const connection = this.#byId.get(id);
    if (connection === undefined) return "left";
    const before = connection.streams.get(stream);
    if (before !== undefined && before.number > number) return before.active ? "subscribed" : "left";
    const active = [...connection.streams.values()].filter((one) => one.active).length;
    if (before?.active !== true && active >= this.#options.maxStreams) return "full";
    this.#setSubscription(connection, stream, { number, active: true, grant });
    const readers = this.#readers.get(stream) ?? new Set();
    this.#readers.set(stream, readers.add(connection));
    return "subscribed";
  }

  unsubscribe(id: string, stream: string, number: number): void {
    const connection = this.#byId.get(id);
    const before = connection?.streams.get(stream);
    if (connection === undefined || (before !== undefined && before.number > number)) return;
    this.#setSubscription(connection, stream, { number, active: false, grant: undefined });
    this.#leave(connection, stream);
  }

  /** Numbers of ended subscriptions are kept for messages that overtake each other, but not for ever. */
  #setSubscription({ streams }: Connection, stream: string, subscription: Subscription): void {
    streams.set(stream, subscription);
    if (streams.size <= 5 * this.#options.maxStreams) return;
    for (const [name, one] of streams) if (!one.active && one.number < subscription.number) streams.delete(name);
  }

  #leave(connection: Connection, stream: string): void {
    const readers = this.#readers.get(stream);
    readers?.delete(connection);
    if (readers?.size === 0) this.#readers.delete(stream);
  }

  readersOf(stream: string): Connection[] {
    return [...(this.#readers.get(stream) ?? [])];
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

/** Sends the error and closes. `ws` cuts a peer that has stopped reading. */
export function closeWithError({ socket }: Connection, error: AppError): void {
  if (socket.readyState !== socket.OPEN) return;
  socket.send(errorFrame(error));
  socket.close(1008);
}
