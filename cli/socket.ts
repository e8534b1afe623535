/** The local socket of a running server: the command line asks `admin` through it and follows the log. One JSON text per line. */
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { createConnection, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import type { AdminAnswer, AdminEvent } from "../functions/admin.ts";

/** Systems cut the path of a socket at about a hundred bytes. */
const maxPathBytes = 100;

export function socketPath(home: string): string {
  const name = createHash("sha256").update(resolve(home)).digest("hex").slice(0, 16);
  if (process.platform === "win32") return `\\\\.\\pipe\\orderbell-${name}`;
  const path = join(resolve(home), "admin.sock");
  if (Buffer.byteLength(path) <= maxPathBytes) return path;
  const folder = join(tmpdir(), `orderbell-${process.getuid?.() ?? 0}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return join(folder, `${name}.sock`);
}

export interface AdminSocket {
  /** Hands a line of the log to whoever follows. */
  write(line: string): void;
  close(): Promise<void>;
}

const keptLines = 200;

/** @param call the `admin` function */
export async function listen(home: string, call: (event: AdminEvent) => Promise<AdminAnswer>): Promise<AdminSocket> {
  const path = socketPath(home);
  mkdirSync(home, { recursive: true, mode: 0o700 });
  if (process.platform !== "win32") rmSync(path, { force: true });
  const followers = new Set<Socket>();
  const open = new Set<Socket>();
  const kept: string[] = [];

  /** Whatever was said: it cannot end the server. */
  async function answerTo(line: string): Promise<AdminAnswer> {
    try {
      return await call(JSON.parse(line));
    } catch {
      return { error: { code: "MALFORMED", message: "this is not a command" } };
    }
  }

  const server = createServer((socket) => {
    open.add(socket);
    socket.on("close", () => {
      open.delete(socket);
      followers.delete(socket);
    });
    socket.on("error", () => socket.destroy());
    createInterface({ input: socket }).on("line", (line) => {
      if (line === "tail") {
        socket.write(kept.join(""));
        followers.add(socket);
        return;
      }
      void answerTo(line).then((answer) => socket.write(`${JSON.stringify(answer)}\n`));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  if (process.platform !== "win32") chmodSync(path, 0o600);

  return {
    write(line) {
      kept.push(line);
      if (kept.length > keptLines) kept.shift();
      for (const socket of followers) socket.write(line);
    },
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Undefined when no server listens there. */
async function connect(home: string): Promise<Socket | undefined> {
  const socket = createConnection(socketPath(home));
  return new Promise((resolve) => {
    socket.once("connect", () => resolve(socket));
    socket.once("error", () => resolve(undefined));
  });
}

/** Asks the server that runs on this folder; undefined when none does. */
export async function askServer(home: string, event: AdminEvent): Promise<AdminAnswer | undefined> {
  const socket = await connect(home);
  if (socket === undefined) return undefined;
  try {
    return await new Promise<AdminAnswer>((resolve, reject) => {
      createInterface({ input: socket }).once("line", (line) => resolve(JSON.parse(line)));
      socket.once("close", () => reject(new Error("the server closed the connection")));
      socket.write(`${JSON.stringify(event)}\n`);
    });
  } finally {
    socket.destroy();
  }
}

/** Follows the log of the server that runs on this folder until it ends. @returns false when none runs */
export async function follow(home: string, write: (text: string) => void): Promise<boolean> {
  const socket = await connect(home);
  if (socket === undefined) return false;
  socket.setEncoding("utf8").on("data", write);
  socket.write("tail\n");
  await new Promise((resolve) => socket.once("close", resolve));
  return true;
}
