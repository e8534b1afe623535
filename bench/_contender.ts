/** Starts a contender: a process of its own on a database of its own, which prints one line of JSON when it is ready. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type EngineName, freshDatabase } from "./_database.ts";

export interface Running {
  readonly port: number;
  readonly pid: number;
  /** Address of its database. */
  readonly database: string;
  stop(): Promise<void>;
}

export interface StartOptions {
  readonly engine?: EngineName;
  /** Without one it gets no database, and an empty address. */
  readonly needsDatabase?: boolean;
  readonly args?: readonly (string | number)[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Address under which it reaches its database, such as that of a proxy which counts. */
  readonly by?: (url: string) => string;
}

/** @param script its file in `bench/`, `.ts` unless it says otherwise, which is given the database's address and these arguments */
export async function startContender<T extends object>(
  script: string,
  options: StartOptions = {},
): Promise<T & Running> {
  const { engine = "postgres", needsDatabase = true, args = [], environment = {}, by = (url) => url } = options;
  const database = needsDatabase ? await freshDatabase(engine) : { url: "", remove: async () => {} };
  const file = /\.m?[jt]s$/.test(script) ? script : `${script}.ts`;
  const child: ChildProcess = spawn(
    process.execPath,
    ["--import", "tsx", `bench/${file}`, by(database.url), ...args.map(String)],
    { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, ...environment } },
  );
  const exited = once(child, "exit");
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= (async () => {
      child.kill("SIGKILL");
      await exited;
      await database.remove();
    })();
    return stopped;
  };
  let text = "";
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    text += chunk.toString();
    const line = text.split("\n").find((one) => one.startsWith("{") && text.includes(`${one}\n`));
    if (line !== undefined) return { ...JSON.parse(line), pid: child.pid as number, database: database.url, stop };
  }
  await stop();
  throw new Error(`bench/${file} ended before it was ready; see its output above`);
}

/** A ticket is valid once, for 30 seconds, so it is fetched just before its socket opens. @returns the socket's subprotocols */
export async function ticketFor(token: string, port: number): Promise<string[]> {
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`http://127.0.0.1:${port}/session/ticket`, { method: "POST", headers });
  if (response.status !== 201) throw new Error(`no ticket: ${response.status} ${await response.text()}`);
  const { ticket } = (await response.json()) as { ticket: string };
  return ["orderbell.v1", `ticket.${ticket}`];
}
