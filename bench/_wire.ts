/** A proxy before a database that counts statements and round trips: a round trip begins when the client speaks after the server has. */

import type { AddressInfo } from "node:net";
import { connect, createServer, type Socket } from "node:net";

export interface Wire {
  readonly statements: number;
  readonly roundTrips: number;
  /** The address through it. */
  through(url: string): string;
  close(): void;
}

/** Cuts a client's bytes into messages. @returns how many of them are statements, and the bytes of the last, incomplete one */
export type Cut = (data: Buffer) => readonly [statements: number, rest: Buffer];

/** Messages have a type and a length; a statement is `Q` or `E` (Execute). The first message has no type. */
export function postgresCut(): Cut {
  let started = false;
  return (data) => {
    let at = 0;
    let count = 0;
    for (;;) {
      const head = started ? 1 : 0;
      if (data.length < at + head + 4) break;
      const end = at + head + data.readUInt32BE(at + head);
      if (data.length < end) break;
      if (started && (data[at] === 0x51 || data[at] === 0x45)) count += 1;
      started = true;
      at = end;
    }
    return [count, data.subarray(at)];
  };
}

/** Packets have a length of three bytes and a number; a command has number 0: 3 is a query, 23 executes a prepared one. */
export function mysqlCut(): Cut {
  return (data) => {
    let at = 0;
    let count = 0;
    while (data.length >= at + 4) {
      const end = at + 4 + data.readUIntLE(at, 3);
      if (data.length < end) break;
      if (data[at + 3] === 0 && (data[at + 4] === 3 || data[at + 4] === 23)) count += 1;
      at = end;
    }
    return [count, data.subarray(at)];
  };
}

/** @param url of the database, which must be reached without TLS */
export async function openWire(url: string): Promise<Wire> {
  const { hostname, port, protocol } = new URL(url);
  const isMysql = protocol.startsWith("mysql");
  const counts = { statements: 0, roundTrips: 0 };
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ host: hostname, port: Number(port || (isMysql ? 3306 : 5432)), noDelay: true });
    const cut = isMysql ? mysqlCut() : postgresCut();
    let rest: Buffer = Buffer.alloc(0);
    let clientSpeaks = false;
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on("error", () => {});
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
    client.on("data", (chunk) => {
      const [statements, left] = cut(rest.length === 0 ? chunk : Buffer.concat([rest, chunk]));
      rest = left;
      counts.statements += statements;
      if (!clientSpeaks) counts.roundTrips += 1;
      clientSpeaks = true;
      upstream.write(chunk);
    });
    upstream.on("data", (chunk) => {
      clientSpeaks = false;
      client.write(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const own = (server.address() as AddressInfo).port;
  return {
    get statements() {
      return counts.statements;
    },
    get roundTrips() {
      return counts.roundTrips;
    },
    through(address) {
      const changed = new URL(address);
      changed.port = String(own);
      return changed.href;
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
