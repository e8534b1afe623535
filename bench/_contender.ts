/** Starts a contender: a process of its own on a database of its own, which prints one line of JSON when it is ready. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type EngineName, freshDatabase } from "./_database.ts";

export interface Running {
  readonly port: number;
  stop(): Promise<void>;
}

/** @param script its file in `bench/`, which is given the database's address and these arguments */
export async function start<T extends object>(
  script: string,
  engine: EngineName,
  ...args: readonly (string | number)[]
): Promise<T & Running> {
  const database = await freshDatabase(engine);
  const child: ChildProcess = spawn(
    process.execPath,
    ["--import", "tsx", `bench/${script}.ts`, database.url, ...args.map(String)],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const exited = once(child, "exit");
  const stop = async () => {
    child.kill("SIGKILL");
    await exited;
    await database.remove();
  };
  let line = "";
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    line += chunk.toString();
    if (line.endsWith("\n")) return { ...JSON.parse(line), stop };
  }
  await stop();
  throw new Error(`bench/${script}.ts ended before it was ready; see its output above`);
}

/** A ticket is valid once, for 30 seconds, so it is fetched just before its socket opens. @returns the socket's subprotocols */
export async function ticketFor(token: string, port: number): Promise<string[]> {
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`http://127.0.0.1:${port}/session/ticket`, { method: "POST", headers });
  if (response.status !== 201) throw new Error(`no ticket: ${response.status} ${await response.text()}`);
  const { ticket } = (await response.json()) as { ticket: string };
  return ["orderbell.v1", `ticket.${ticket}`];
}
