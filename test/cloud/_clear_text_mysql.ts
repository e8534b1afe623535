/**
 * A MySQL server that asks for the password in clear text, as RDS does with IAM database authentication. It records the
 * password and refuses it. As much of MySQL's client/server protocol 4.1 as this needs.
 */
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { newCertificate } from "../_certificate.ts";

export interface ClearTextMysql {
  readonly port: number;
  /** The certificate that a client may trust. */
  readonly ca: string;
  /** Passwords, as they came. */
  readonly heard: string[];
  offersTls(offers: boolean): void;
  close(): Promise<void>;
}

/** Connect with a database, protocol 4.1, transactions, a password of 20 bytes, a plugin for it. */
const capabilities = 0x8 | 0x200 | 0x2000 | 0x8000 | 0x80000;
const tlsCapability = 0x800;
const headerBytes = 4;
/** A request for TLS is a header and 32 bytes. */
const tlsRequestBytes = headerBytes + 32;

export async function startClearTextMysql(): Promise<ClearTextMysql> {
  const { key, cert } = await newCertificate();
  const heard: string[] = [];
  const open = new Set<Socket>();
  const held = <S extends Socket>(socket: S): S => {
    open.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => open.delete(socket));
    return socket;
  };
  let offers = true;

  // Inside of TLS: the user name, the password in clear text, and the refusal.
  const inside = createTlsServer({ key, cert }, (socket) => {
    held(socket);
    let greeted = false;
    onPackets(socket, (payload, number) => {
      if (!greeted) {
        greeted = true;
        socket.write(packet(number + 1, Buffer.from("\xfemysql_clear_password\0", "latin1")));
      } else {
        heard.push(payload.toString("utf8", 0, payload.length - 1));
        socket.end(packet(number + 1, Buffer.from("\xff\x15\x04#28000Access denied", "latin1")));
      }
    });
  });
  const insidePort = await listens(inside);

  const outside = createServer((client) => {
    held(client).write(packet(0, greeting(capabilities | (offers ? tlsCapability : 0))));
    const begun: Buffer[] = [];
    const begin = (chunk: Buffer) => {
      begun.push(chunk);
      const bytes = Buffer.concat(begun);
      if (bytes.length < tlsRequestBytes) return;
      client.off("data", begin);
      if (bytes.readUIntLE(0, 3) + headerBytes !== tlsRequestBytes) {
        heard.push(`outside of TLS: ${bytes}`);
        client.destroy();
        return;
      }
      const wire = held(connect(insidePort, "127.0.0.1"));
      wire.on("close", () => client.destroy());
      wire.write(bytes.subarray(tlsRequestBytes));
      client.pipe(wire).pipe(client);
    };
    client.on("data", begin);
  });
  return {
    port: await listens(outside),
    ca: cert,
    heard,
    offersTls(next) {
      offers = next;
    },
    async close() {
      for (const socket of open) socket.destroy();
      for (const server of [outside, inside]) await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function listens(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

function packet(number: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeUIntLE(payload.length, 0, 3);
  header.writeUInt8(number, 3);
  return Buffer.concat([header, payload]);
}

function onPackets(socket: Socket, take: (payload: Buffer, number: number) => void): void {
  let bytes: Buffer = Buffer.alloc(0);
  socket.on("data", (chunk) => {
    bytes = Buffer.concat([bytes, chunk as Buffer]);
    while (bytes.length >= headerBytes && bytes.length >= headerBytes + bytes.readUIntLE(0, 3)) {
      const end = headerBytes + bytes.readUIntLE(0, 3);
      take(bytes.subarray(headerBytes, end), bytes.readUInt8(3));
      bytes = bytes.subarray(end);
    }
  });
}

/** Handshake V10: version, connection, a challenge in two pieces, and what the server can. */
function greeting(can: number): Buffer {
  const fixed = Buffer.alloc(4 + 8 + 1 + 2 + 1 + 2 + 2 + 1 + 10);
  fixed.writeUInt32LE(1, 0);
  fixed.fill("c", 4, 12);
  fixed.writeUInt16LE(can & 0xffff, 13);
  fixed.writeUInt8(0xff, 15);
  fixed.writeUInt16LE(2, 16);
  fixed.writeUInt16LE(can >>> 16, 18);
  fixed.writeUInt8(21, 20);
  return Buffer.concat([
    Buffer.from("\x0a8.0.40\0", "latin1"),
    fixed,
    Buffer.from(`${"c".repeat(12)}\0mysql_native_password\0`, "latin1"),
  ]);
}
