/** Puts orders on a contender, by the generator in a process of its own. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { setPriority } from "node:os";
import { fileURLToPath } from "node:url";
import { ticketFor } from "./_contender.ts";
import { isVoid } from "./_statistics.ts";
import { VoidRound } from "./_workload.ts";
import type { Load, Report, Scene, Shop } from "./generator/generator.ts";
import type { Answer, Call } from "./generator/process.ts";

export type { Load, Report };

/** What a contender says of itself when it is ready. */
export interface OrderServer extends Pick<Scene, "port" | "path" | "kind" | "ready" | "numbered" | "customers"> {
  /** Where the sockets are, if elsewhere. */
  readonly socketPort?: number;
  /** With a token, its socket opens with a ticket for it. */
  readonly shops: readonly (Shop & { readonly kitchenToken?: string })[];
}

export interface OpenLoad {
  run(load: Load): Promise<Report>;
  close(): Promise<void>;
}

/**
 * @param percent of the orders that the generator may have sent late
 * @throws VoidRound when they were more: then the report says nothing about the server
 */
export function requireInTime(report: Report, percent: number): Report {
  const { generatorLate, sent } = report;
  if (isVoid(generatorLate, sent, percent)) throw new VoidRound(`the generator sent ${generatorLate} of ${sent} late`);
  return report;
}

const path = fileURLToPath(new URL("generator/process.ts", import.meta.url));

async function sceneOf(server: OrderServer): Promise<Scene> {
  const { port, socketPort = port, path, kind, ready, numbered, customers, shops } = server;
  const withTickets = shops.map(async ({ kitchenToken, ...shop }) =>
    kitchenToken === undefined
      ? shop
      : { ...shop, token: kitchenToken, protocols: await ticketFor(kitchenToken, port) },
  );
  return { port, socketPort, path, kind, ready, numbered, customers, shops: await Promise.all(withTickets) };
}

/** Opens the kitchens of the contender's shops. */
export async function openLoad(server: OrderServer): Promise<OpenLoad> {
  const child = fork(path, { execArgv: ["--import", "tsx"], stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const exited = once(child, "exit");
  // It stands for many machines of its own; where it may, it goes before the servers.
  try {
    setPriority(child.pid as number, -10);
  } catch {}
  let n = 0;
  async function call(request: { open: Scene } | { run: Load }): Promise<unknown> {
    const own = ++n;
    child.send({ n: own, ...request } as Call);
    const ended = exited.then(() => Promise.reject(new Error("the generator ended")));
    for (;;) {
      const [answer] = (await Promise.race([once(child, "message"), ended])) as [Answer];
      if (answer.n !== own) continue;
      if ("error" in answer) throw new Error(answer.error);
      return answer.result;
    }
  }
  async function close(): Promise<void> {
    child.kill("SIGKILL");
    await exited;
  }
  try {
    await call({ open: await sceneOf(server) });
  } catch (error) {
    await close();
    throw error;
  }
  return { run: async (load) => (await call({ run: load })) as Report, close };
}
