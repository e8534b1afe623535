/** Servers beside the shared ones: a pooler, and databases with TLS. Each has a folder and a port of its own. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { chmod, chown, mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface OwnServer {
  readonly port: number;
  readonly folder: string;
  readonly child: ChildProcess;
  stop(): Promise<void>;
}

/** Database servers refuse to run as root. */
const nobody = (() => {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync("id", [flag, "nobody"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
})();

const programs = [
  ...["/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/opt/homebrew/bin"],
  ...versionsOf("/usr/lib/postgresql").map((version) => `/usr/lib/postgresql/${version}/bin`),
];
function versionsOf(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).toSorted((a, b) => Number(b) - Number(a)) : [];
}

export const programAt = (name: string): string | undefined =>
  programs.map((folder) => join(folder, name)).find((path) => existsSync(path));

/**
 * A port for a server that is started, killed and started again. It is below those that the system gives by itself (from 32,768 on
 * Linux): meanwhile another test's server or connection would take one of them, and its server would answer in place of this one.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer().listen(randomInt(10_000, 32_000), "127.0.0.1");
    const free = await once(server, "listening").then(
      () => true,
      () => false,
    );
    if (!free) continue;
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, "close");
    return port;
  }
}

/** A folder that belongs to the user the server runs as. */
export async function ownFolder(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `orderbell-${name}-`));
  await chmod(folder, 0o700);
  if (nobody !== undefined) await chown(folder, nobody.uid, nobody.gid);
  return folder;
}

export async function writeOwn(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600 });
  if (nobody !== undefined) await chown(path, nobody.uid, nobody.gid);
}

export const runOwn = (program: string, args: readonly string[]) =>
  void execFileSync(program, args, { stdio: "pipe", cwd: "/", ...nobody });

/** Starts it and waits until it listens. */
export async function startOwn(
  program: string,
  args: readonly string[],
  folder: string,
  port: number,
): Promise<OwnServer> {
  const child = spawn(program, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"], ...nobody });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (said += chunk));
  const kill = () => void child.kill("SIGKILL");
  process.once("exit", kill);
  while (!(await listens(port))) {
    if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}: ${said}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    port,
    folder,
    child,
    async stop() {
      process.removeListener("exit", kill);
      const ended = once(child, "close");
      child.kill("SIGKILL");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

/** PgBouncer in transaction mode, as strict as it comes: no setting of a session passes. */
export async function startPgbouncer(postgresUrl: string, more: readonly string[] = []): Promise<OwnServer> {
  const program = programAt("pgbouncer");
  if (program === undefined) throw new Error("pgbouncer is not installed");
  const { hostname, port: behind, username, password } = new URL(postgresUrl);
  const [folder, port] = [await ownFolder("pgbouncer"), await freePort()];
  const secret = password === "" ? "" : ` password=${decodeURIComponent(password)}`;
  await writeOwn(
    join(folder, "pgbouncer.ini"),
    [
      "[databases]",
      `* = host=${hostname} port=${behind || 5_432} user=${decodeURIComponent(username)}${secret}`,
      "[pgbouncer]",
      "listen_addr = 127.0.0.1",
      `listen_port = ${port}`,
      "unix_socket_dir =",
      "auth_type = any",
      "pool_mode = transaction",
      "max_client_conn = 500",
      "default_pool_size = 10",
      // A database that a test removes must not be held by the pool for long.
      "server_idle_timeout = 5",
      ...more,
      "",
    ].join("\n"),
  );
  return startOwn(program, [join(folder, "pgbouncer.ini")], folder, port);
}

/** What a provider with an authority of its own has: PostgreSQL with TLS, which takes plain text too. */
export async function startTlsPostgres({ key, cert }: Certificate): Promise<OwnServer> {
  const [initdb, postgres] = [programAt("initdb"), programAt("postgres")];
  if (initdb === undefined || postgres === undefined) throw new Error("PostgreSQL is not installed");
  const [folder, port] = [await ownFolder("postgres"), await freePort()];
  const data = join(folder, "data");
  await writeOwn(join(folder, "key.pem"), key);
  await writeOwn(join(folder, "cert.pem"), cert);
  runOwn(initdb, [
    "--pgdata",
    data,
    "--username",
    "postgres",
    "--auth",
    "trust",
    "--no-sync",
    "--no-locale",
    "--encoding=UTF8",
  ]);
  const settings = {
    port,
    listen_addresses: "127.0.0.1",
    unix_socket_directories: folder,
    fsync: "off",
    ssl: "on",
    ssl_cert_file: join(folder, "cert.pem"),
    ssl_key_file: join(folder, "key.pem"),
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  return startOwn(postgres, ["-D", data, ...args], folder, port);
}

/** The same of MariaDB. */
export async function startTlsMariadb({ key, cert }: Certificate): Promise<OwnServer> {
  const [install, server] = [programAt("mariadb-install-db"), programAt("mariadbd")];
  if (install === undefined || server === undefined) throw new Error("MariaDB is not installed");
  const [folder, port] = [await ownFolder("mariadb"), await freePort()];
  const data = join(folder, "data");
  await writeOwn(join(folder, "key.pem"), key);
  await writeOwn(join(folder, "cert.pem"), cert);
  runOwn(install, [
    "--no-defaults",
    `--datadir=${data}`,
    "--auth-root-authentication-method=normal",
    "--skip-test-db",
    "--skip-name-resolve",
  ]);
  return startOwn(
    server,
    [
      "--no-defaults",
      `--datadir=${data}`,
      `--port=${port}`,
      "--bind-address=127.0.0.1",
      `--socket=${join(folder, "socket")}`,
      `--pid-file=${join(folder, "pid")}`,
      `--ssl-cert=${join(folder, "cert.pem")}`,
      `--ssl-key=${join(folder, "key.pem")}`,
      "--skip-name-resolve",
      "--innodb-flush-log-at-trx-commit=0",
    ],
    folder,
    port,
  );
}

interface Certificate {
  readonly key: string;
  readonly cert: string;
}
