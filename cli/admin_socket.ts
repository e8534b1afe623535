/** Local sockets of running servers: through them the command line calls `admin` and follows the log. One JSON text per line. */
import { createHash } from "node:crypto";
import { chmodSync, lstatSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { createConnection, createServer, type Socket } from "node:net";
import { hostname, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { makeRandom, systemClock } from "../functions/_app.ts";
import type { AdminAnswer, AdminEvent } from "../functions/admin.ts";
import { ConfigError } from "../shared/config.ts";
import type { Kept, LogFiles } from "./log_files.ts";

/** Operating systems cut the path of a socket at about a hundred bytes. */
const maxPathBytes = 100;
const random = makeRandom(systemClock);
const isWindows = process.platform === "win32";
const short = (text: string, length: number) => createHash("sha256").update(text).digest("hex").slice(0, length);

/** The folder with the sockets of the servers that run on one ORDERBELL_HOME. Each server's socket has a random name. */
interface SocketFolder {
  readonly folder: string;
  /** Begins the name of every server's socket. */
  readonly prefix: string;
}

/** @param temporary the system's folder for temporary files @throws ConfigError when our folder in it is not private to this user */
function socketFolderOf(home: string, temporary = tmpdir()): SocketFolder {
  if (isWindows) return { folder: "\\\\.\\pipe\\", prefix: `orderbell-${short(resolve(home), 16)}-` };
  const inHome = { folder: resolve(home), prefix: "admin-" };
  const path = nameIn(inHome);
  if (Buffer.byteLength(path) <= maxPathBytes) return inHome;
  const folder = privateFolder(join(temporary, `orderbell-${process.getuid?.() ?? 0}`), path);
  return { folder, prefix: `${short(resolve(home), 16)}-` };
}

/** Any user may create a folder in the one for temporary files; the owner of ours could answer instead of the server. */
function privateFolder(folder: string, path: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const stat = lstatSync(folder);
  if (stat.isDirectory() && stat.uid === process.getuid?.() && (stat.mode & 0o077) === 0) return folder;
  throw new ConfigError(
    "ORDERBELL_HOME",
    `makes a socket's path of more than ${maxPathBytes} bytes (${path}), and ${folder} is not a folder of this user alone; choose a shorter path, or remove that folder`,
  );
}

/** Part of the name: a socket of this machine that does not answer is dead, one of another machine may be alive. */
const machine = () => `${short(hostname(), 8)}-`;
const nameIn = ({ folder, prefix }: SocketFolder) => join(folder, `${prefix}${machine()}${random.secret(6)}.sock`);

/** @returns a path that no other server has @throws ConfigError */
export const newSocketPath = (home: string, temporary?: string): string => nameIn(socketFolderOf(home, temporary));

function pathsIn({ folder, prefix }: SocketFolder): string[] {
  try {
    const names = readdirSync(folder).filter((name) => name.startsWith(prefix) && name.endsWith(".sock"));
    return names.toSorted().map((name) => join(folder, name));
  } catch {
    // There is no such folder yet.
    return [];
  }
}

/** Paths of the servers that run on this folder, and of those that were killed. */
export const socketPaths = (home: string): string[] => pathsIn(socketFolderOf(home));

/** Removes the files that killed servers have left. */
async function removeDead(socketFolder: SocketFolder): Promise<void> {
  const ours = pathsIn({ ...socketFolder, prefix: socketFolder.prefix + machine() });
  await Promise.all(
    ours.map(async (path) => {
      const found = await connectTo(path);
      if (found === "refused") rmSync(path, { force: true });
      else if (found !== "unknown") found.destroy();
    }),
  );
}

export interface AdminSocket {
  /** Sends a line of the log to every follower. */
  write(line: string): void;
  close(): Promise<void>;
}

const maxLines = 200;

/** @param call the `admin` function @param files where the log is kept, if it is */
export async function listenForAdmin(
  home: string,
  call: (event: AdminEvent) => Promise<AdminAnswer>,
  files?: LogFiles,
): Promise<AdminSocket> {
  const socketFolder = socketFolderOf(home);
  const path = nameIn(socketFolder);
  if (!isWindows) {
    mkdirSync(home, { recursive: true, mode: 0o700 });
    await removeDead(socketFolder);
  }
  const followers = new Set<Socket>();
  const open = new Set<Socket>();
  const lastLines: string[] = [];

  /** A line that is no command is answered with an error. */
  async function answerTo(line: string): Promise<AdminAnswer> {
    try {
      return await call(JSON.parse(line));
    } catch {
      return { error: { code: "MALFORMED", message: "this is not a command" } };
    }
  }

  /** First where the lines so far are kept, or those that are not; then each line as it comes. */
  async function follow(socket: Socket): Promise<void> {
    const begin = (kept: Kept | null) => {
      socket.write(`${JSON.stringify({ kept })}\n${kept === null ? lastLines.join("") : ""}`);
      followers.add(socket);
    };
    if (files === undefined) begin(null);
    else await files.settle(begin);
  }

  async function tellKept(socket: Socket): Promise<void> {
    const tell = (kept: Kept | null) => socket.write(`${JSON.stringify({ kept })}\n`);
    if (files === undefined) tell(null);
    else await files.settle(tell);
  }

  const server = createServer((socket) => {
    open.add(socket);
    socket.on("close", () => {
      open.delete(socket);
      followers.delete(socket);
    });
    socket.on("error", () => socket.destroy());
    createInterface({ input: socket }).on("line", (line) => {
      if (line === "tail") return void follow(socket);
      if (line === "kept") return void tellKept(socket);
      void answerTo(line).then((answer) => socket.write(`${JSON.stringify(answer)}\n`));
    });
  });
  // Renamed only when it answers, and only to its owner: other servers remove sockets that do not answer.
  const temporaryPath = isWindows ? path : path.replace(/sock$/, "new");
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(temporaryPath, resolve);
  });
  if (!isWindows) {
    chmodSync(temporaryPath, 0o600);
    renameSync(temporaryPath, path);
  }

  return {
    write(line) {
      lastLines.push(line);
      if (lastLines.length > maxLines) lastLines.shift();
      for (const socket of followers) socket.write(line);
    },
    async close() {
      if (!isWindows) rmSync(path, { force: true });
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** @returns "refused" if no process listens there any more */
async function connectTo(path: string): Promise<Socket | "refused" | "unknown"> {
  const socket = createConnection(path);
  return new Promise((resolve) => {
    socket.once("connect", () => resolve(socket));
    socket.once("error", ({ code }: NodeJS.ErrnoException) => resolve(code === "ECONNREFUSED" ? "refused" : "unknown"));
  });
}

/** Connects to every server that runs on this folder. */
async function connect(home: string): Promise<Socket[]> {
  const found = await Promise.all(socketPaths(home).map(connectTo));
  return found.filter((one) => typeof one !== "string");
}

/** The server ended before it answered; the command may have been done or not. */
export class ServerEnded extends Error {
  override readonly name = "ServerEnded";
}

/** Asks a server that runs on this folder; undefined when none does. @throws ServerEnded */
export async function askServer(home: string, event: AdminEvent): Promise<AdminAnswer | undefined> {
  const sockets = await connect(home);
  // Any of them will do: they share the database, and each reads what the others did.
  const [socket] = sockets;
  try {
    if (socket === undefined) return undefined;
    return await new Promise<AdminAnswer>((resolve, reject) => {
      const ended = () =>
        reject(new ServerEnded("the server ended before it answered; check whether the command was done"));
      socket.once("close", ended).once("error", ended);
      createInterface({ input: socket }).once("line", (line) => resolve(JSON.parse(line)));
      socket.write(`${JSON.stringify(event)}\n`);
    });
  } finally {
    for (const one of sockets) one.destroy();
  }
}

export interface Follower {
  /** Where the lines so far are, of all servers that keep them; called once, before the first line. */
  kept(files: readonly Kept[]): void;
  line(text: string): void;
}

/** Follows the log of the servers that run on this folder until they end. @returns false when none runs */
export async function followLog(home: string, { kept, line }: Follower): Promise<boolean> {
  const sockets = await connect(home);
  const files: Kept[] = [];
  // Lines of one server wait until all have said where theirs are.
  let waiting: string[] | undefined = [];
  let left = sockets.length;
  const begun = (file: Kept | null) => {
    if (file !== null) files.push(file);
    left -= 1;
    if (left > 0 || waiting === undefined) return;
    kept(files);
    for (const text of waiting) line(text);
    waiting = undefined;
  };
  const ended = sockets.map((socket) => {
    let isBegun = false;
    const begin = (file: Kept | null) => {
      if (!isBegun) begun(file);
      isBegun = true;
    };
    socket.on("error", () => socket.destroy());
    // Line by line, as two servers may write at the same time.
    createInterface({ input: socket }).on("line", (text) => {
      if (!isBegun) begin((JSON.parse(text) as { kept?: Kept | null }).kept ?? null);
      else if (waiting === undefined) line(text);
      else waiting.push(text);
    });
    socket.write("tail\n");
    return new Promise<void>((resolve) =>
      socket.once("close", () => {
        begin(null);
        resolve();
      }),
    );
  });
  await Promise.all(ended);
  return sockets.length > 0;
}

/** Has the servers that run on this folder write the lines that wait. @returns where they are */
export async function settleLogs(home: string): Promise<Kept[]> {
  const sockets = await connect(home);
  const answers = sockets.map(
    (socket) =>
      new Promise<Kept[]>((resolve) => {
        socket.once("close", () => resolve([])).once("error", () => resolve([]));
        createInterface({ input: socket }).once("line", (line) => {
          const { kept } = JSON.parse(line) as { kept: Kept | null };
          resolve(kept === null ? [] : [kept]);
        });
        socket.write("kept\n");
      }),
  );
  try {
    return (await Promise.all(answers)).flat();
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}
