/**
 * Bounds of HTTP connections that wait: for the rest of a request, or for the next one. Each kind has a bound for all and
 * for one network. A new connection is always accepted; the one that has waited longest is closed for it.
 */
import type { Socket } from "node:net";
import { addressOf, networkOf } from "../../shared/address.ts";

export interface HttpConnectionLimits {
  /** Connections whose request is not complete yet. */
  readonly receivingPerNetwork: number;
  readonly receiving: number;
  /** Connections that have had an answer. */
  readonly idlePerNetwork: number;
  readonly idle: number;
  /** The longest time for which a connection may send nothing. */
  readonly headersMs: number;
}

export interface HttpConnectionsOptions {
  readonly limits: HttpConnectionLimits;
  /** A proxy carries many clients, and limits them itself. */
  readonly isTrusted: (address: string) => boolean;
}

const sweepMs = 500;
/** Surplus connections of a network are closed only after this many sweeps: a short burst is not an attack. */
const graceSweeps = 2;

type Kind = "receiving" | "idle";

interface HttpConnection {
  /** The socket to close; with TLS not the one that was accepted. */
  socket: Socket;
  readonly name: string;
  readonly network: string;
  /** The number of the sweep after which it began to wait. */
  since: number;
  /** Undefined while a function works on its request. */
  kind: Kind | undefined;
  working: number;
}

/** In the order in which they began to wait. */
type Queue = Map<string, HttpConnection>;

export class HttpConnections {
  /** By the peer's address and port: with TLS two objects stand for one connection. */
  readonly #byName = new Map<string, HttpConnection>();
  readonly #names = new WeakMap<Socket, string>();
  readonly #queues: Readonly<Record<Kind, { size: number; readonly networks: Map<string, Queue> }>> = {
    receiving: { size: 0, networks: new Map() },
    idle: { size: 0, networks: new Map() },
  };
  readonly #options: HttpConnectionsOptions;
  readonly #sweepTimer: NodeJS.Timeout;
  readonly #silentSweeps: number;
  #sweeps = 0;
  /** One listener for all sockets: a WebSocket keeps nothing of this. */
  readonly #closed: (this: Socket) => void;

  constructor(options: HttpConnectionsOptions) {
    const { headersMs } = options.limits;
    const everyMs = Math.min(sweepMs, headersMs / 3);
    this.#options = options;
    this.#silentSweeps = headersMs / everyMs;
    const own = this;
    this.#closed = function closed() {
      if (own.#of(this)?.socket === this) own.remove(this);
    };
    this.#sweepTimer = setInterval(() => this.#sweep(), everyMs).unref();
  }

  /** With TLS called once more after the handshake: the socket is then another object. */
  add(socket: Socket): void {
    const { remoteAddress = "", remotePort } = socket;
    const name = `${remoteAddress} ${remotePort}`;
    this.#names.set(socket, name);
    socket.on("close", this.#closed);
    const known = this.#byName.get(name);
    if (known !== undefined) {
      known.socket = socket;
      return;
    }
    const address = addressOf(remoteAddress) ?? "";
    const network = this.#options.isTrusted(address) ? "" : networkOf(address);
    const connection: HttpConnection = { socket, name, network, since: 0, kind: undefined, working: 0 };
    this.#byName.set(name, connection);
    this.#enter(connection, "receiving");
    if (this.#queues.receiving.size > this.#options.limits.receiving) this.#evictFromLargest("receiving");
  }

  /** The connection is no longer one for HTTP requests. */
  remove(socket: Socket): void {
    const connection = this.#of(socket);
    socket.off("close", this.#closed);
    this.#names.delete(socket);
    if (connection === undefined) return;
    this.#leave(connection);
    this.#byName.delete(connection.name);
  }

  /** Its request is complete and is served. @returns to be called when the request has its answer */
  beginWork(socket: Socket): () => void {
    const connection = this.#of(socket);
    if (connection === undefined) return () => {};
    this.#leave(connection);
    connection.working += 1;
    return () => {
      connection.working -= 1;
      this.markIdle(socket);
    };
  }

  /** A request has begun, and more of it is to come. */
  markReceiving(socket: Socket): void {
    const connection = this.#of(socket);
    if (connection === undefined || connection.working > 0) return;
    this.#leave(connection);
    this.#enter(connection, "receiving");
  }

  /** Its request has arrived; it waits for the rest of the answer, or for the next request. */
  markIdle(socket: Socket): void {
    const connection = this.#of(socket);
    if (connection === undefined || connection.working > 0) return;
    // Its function and its answer ended almost together.
    if (connection.kind === "idle" && connection.since === this.#sweeps) return;
    this.#leave(connection);
    this.#enter(connection, "idle");
    const { size, networks } = this.#queues.idle;
    const own = networks.get(connection.network)?.size ?? 0;
    const { idle, idlePerNetwork } = this.#options.limits;
    if (size > idle) this.#evictFromLargest("idle");
    else if (connection.network !== "" && own > idlePerNetwork) this.#evictOldest("idle", connection.network);
  }

  close(): void {
    clearInterval(this.#sweepTimer);
  }

  #of(socket: Socket): HttpConnection | undefined {
    return this.#byName.get(this.#names.get(socket) ?? "");
  }

  #enter(connection: HttpConnection, kind: Kind): void {
    const queue = this.#queues[kind];
    connection.kind = kind;
    connection.since = this.#sweeps;
    queue.size += 1;
    queue.networks.set(
      connection.network,
      (queue.networks.get(connection.network) ?? new Map()).set(connection.name, connection),
    );
  }

  #leave(connection: HttpConnection): void {
    if (connection.kind === undefined) return;
    const queue = this.#queues[connection.kind];
    const own = queue.networks.get(connection.network);
    connection.kind = undefined;
    if (own?.delete(connection.name) !== true) return;
    queue.size -= 1;
    if (own.size === 0) queue.networks.delete(connection.network);
  }

  /** The oldest of the network that has most. */
  #evictFromLargest(kind: Kind): void {
    let most = "";
    let size = 0;
    for (const [network, own] of this.#queues[kind].networks) if (own.size > size) [most, size] = [network, own.size];
    this.#evictOldest(kind, most);
  }

  #evictOldest(kind: Kind, network: string): void {
    const [first] = this.#queues[kind].networks.get(network)?.values() ?? [];
    if (first !== undefined) this.#evict(first);
  }

  #evict({ socket }: HttpConnection): void {
    this.remove(socket);
    socket.destroy();
  }

  #sweep(): void {
    const { receivingPerNetwork } = this.#options.limits;
    this.#sweeps += 1;
    for (const [network, own] of this.#queues.receiving.networks) {
      let surplus = network === "" ? 0 : own.size - receivingPerNetwork;
      for (const connection of [...own.values()]) {
        const age = this.#sweeps - connection.since;
        const silent = age > this.#silentSweeps && connection.socket.bytesRead === 0;
        if (silent || (surplus > 0 && age > graceSweeps)) this.#evict(connection);
        surplus -= 1;
        if (surplus <= 0 && age <= this.#silentSweeps) break;
      }
    }
  }
}
