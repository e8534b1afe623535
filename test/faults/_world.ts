/** The machines of a fault run: server processes on one database, a proxy before and behind each, and the faults. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { migrate } from "../../db/migrate.ts";
import { openPglite } from "../../db/pglite.ts";
import type { Engine, TestDatabase } from "../_engines.ts";
import { testKeys } from "../_house.ts";
import { freePort } from "../_own_servers.ts";
import { program } from "../_programs.ts";
import { startProxy, type Wire } from "../_proxy.ts";
import { type DatabaseAdmin, namedAddress, openAdmin } from "./_admin.ts";
import type { Ledger } from "./_ledger.ts";
import type { Fault } from "./_plan.ts";
import type { Weather } from "./_server.ts";

/** Intervals of a check are short here, so that a round has many. */
export const checkMs = { shop: 1_000, other: 1_500 };

const environment = {
  ...testKeys,
  LOG_LEVEL: "warn",
  CHECK_SHOP_MS: String(checkMs.shop),
  CHECK_OTHER_MS: String(checkMs.other),
  COALESCE_MS: "40",
};

export interface Storage {
  /** For this process; closed before the servers open it, where the engine is embedded. */
  readonly db: TestDatabase;
  /** Opens it again once the servers are gone. */
  reopen(): Promise<TestDatabase>;
  readonly url: string;
  remove(): Promise<void>;
}

/** A database that several processes can open: a folder for PGlite. */
export async function openStorage(engine: Engine): Promise<Storage> {
  if (engine.name !== "pglite") {
    const db = await engine.open();
    return { db, url: db.url, reopen: async () => db, remove: () => db.remove() };
  }
  const directory = await mkdtemp(join(tmpdir(), "orderbell-faults-"));
  const open = async (): Promise<TestDatabase> => {
    const embedded = await openPglite({ directory });
    return { ...embedded, url: "", remove: () => embedded.close() };
  };
  const db = await open();
  await migrate(db);
  return {
    db,
    reopen: open,
    url: `pglite:${directory}`,
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

interface Process {
  /** Where people reach it. */
  readonly people: Wire;
  readonly database: Wire | undefined;
  readonly port: number;
  child: ChildProcess | undefined;
  /** How far its wall clock is off. */
  clockMs: number;
}

export class World {
  readonly #engine: Engine;
  readonly #storage: Storage;
  readonly #ledger: Ledger;
  readonly #processes: Process[] = [];
  readonly #admin: DatabaseAdmin | undefined;
  readonly #environment: Readonly<Record<string, string>>;
  /** Running faults that end by themselves. */
  readonly #mending = new Set<Promise<void>>();
  #copiedAtMs: number | undefined;
  #lines = "";

  /** @param more settings of the servers */
  constructor(engine: Engine, storage: Storage, ledger: Ledger, more: Readonly<Record<string, string>> = {}) {
    this.#environment = { ...environment, ...more };
    this.#engine = engine;
    this.#storage = storage;
    this.#ledger = ledger;
    this.#admin = engine.name === "pglite" ? undefined : openAdmin(engine.name, storage.url);
  }

  async start(processes: number): Promise<void> {
    for (let at = 0; at < processes; at++) {
      const port = await freePort();
      const database = this.#admin === undefined ? undefined : await startProxy(this.#engine.server);
      const people = await startProxy({ host: "127.0.0.1", port });
      const process: Process = { people, database, port, child: undefined, clockMs: 0 };
      this.#processes.push(process);
      await this.#run(process);
    }
  }

  /** The addresses that people know. */
  urls(): string[] {
    return this.#processes.map(({ people }) => `http://127.0.0.1:${people.port}`);
  }

  /** Forbidden lines of the servers' logs. */
  get surprises(): string[] {
    return this.#lines.split("\n").filter((line) => line.includes('"code":"INTERNAL"') || /^\w*Error\b/.test(line));
  }

  /** Causes a fault; a fault for a while ends by itself. */
  async break(fault: Fault): Promise<void> {
    if (fault.kind === "copy") {
      this.#copiedAtMs = Date.now();
      await this.#admin?.copy();
    } else if (fault.kind === "restore") await this.#restore();
    else if (fault.kind === "terminate") await this.#admin?.endConnections();
    else this.#breakProcess(fault, this.#processes[fault.process] as Process);
  }

  #breakProcess(fault: Exclude<Fault, { kind: "copy" | "restore" | "terminate" }>, process: Process): void {
    if (fault.kind === "kill" || fault.kind === "stop") {
      const { child } = process;
      if (child === undefined) return;
      child.kill("SIGCONT");
      child.kill(fault.kind === "kill" ? "SIGKILL" : "SIGTERM");
      process.child = undefined;
      this.#mend(async () => {
        if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
        await pause(fault.forMs);
        await this.#run(process);
      });
    } else if (fault.kind === "freeze") {
      const { child } = process;
      child?.kill("SIGSTOP");
      this.#mendAfter(fault.forMs, () => void child?.kill("SIGCONT"));
    } else if (fault.kind === "weather") {
      const { lost, delayed, delayMs } = fault;
      const { child } = process;
      tell(child, { weather: { lost, delayed, delayMs } });
      this.#mendAfter(fault.forMs, () => tell(child, { weather: null }));
    } else if (fault.kind === "clock") {
      process.clockMs += fault.byMs;
      tell(process.child, { clockMs: process.clockMs });
    } else this.#breakWire(fault, fault.wire === "people" ? process.people : process.database);
  }

  #breakWire(fault: Extract<Fault, { kind: "cut" | "silence" | "lag" }>, wire: Wire | undefined): void {
    if (wire === undefined) return;
    if (fault.kind === "cut") {
      wire.cut();
      this.#mendAfter(fault.forMs, () => wire.mend());
    } else if (fault.kind === "silence") {
      wire.silence(true);
      this.#mendAfter(fault.forMs, () => wire.silence(false));
    } else {
      wire.lag(fault.lagMs);
      this.#mendAfter(fault.forMs, () => wire.lag(0));
    }
  }

  /** Every process loses its database for the moment in which it goes back; sockets stay, and orders go on coming. */
  async #restore(): Promise<void> {
    if (this.#admin === undefined || this.#copiedAtMs === undefined) return;
    const wires = this.#processes.flatMap(({ database }) => (database === undefined ? [] : [database]));
    for (const wire of wires) wire.cut();
    await this.#admin.restore();
    this.#ledger.excuse(this.#copiedAtMs, Date.now());
    for (const wire of wires) wire.mend();
  }

  #mend(work: () => Promise<void>): void {
    const mending = work().finally(() => this.#mending.delete(mending));
    this.#mending.add(mending);
  }

  #mendAfter(ms: number, work: () => void): void {
    this.#mend(() => pause(ms).then(work));
  }

  /** Everything works again; clocks stay as they are, as clocks do. */
  async mended(): Promise<void> {
    await Promise.all(this.#mending);
    for (const { people, database } of this.#processes) {
      people.mend();
      database?.mend();
    }
  }

  async stop(): Promise<void> {
    await this.mended();
    await Promise.all(
      this.#processes.map(async ({ child }) => {
        if (child === undefined) return;
        const gone = once(child, "exit");
        child.kill("SIGTERM");
        await gone;
      }),
    );
    for (const { people, database } of this.#processes) {
      await people.close();
      await database?.close();
    }
    await this.#admin?.close();
  }

  async #run(process: Process): Promise<void> {
    const url = namedAddress(this.#storage.url);
    if (process.database !== undefined) url.host = `127.0.0.1:${process.database.port}`;
    const address = process.database === undefined ? this.#storage.url : url.href;
    // The database may be away when a process is started: it ends, and its manager starts it again.
    for (;;) {
      const child = spawn(
        processPath,
        [...program("test/faults/_server.ts"), address, String(process.port), String(process.clockMs)],
        {
          env: { ...globalThis.process.env, NODE_OPTIONS: "", ...this.#environment },
          stdio: ["ignore", "ignore", "pipe", "ipc"],
        },
      );
      child.stderr?.on("data", (chunk: Buffer) => {
        this.#lines += chunk.toString();
      });
      const ready = once(child, "message").then(() => true);
      const ended = once(child, "exit").then(() => false);
      if (await Promise.race([ready, ended])) {
        process.child = child;
        return;
      }
    }
  }
}

const processPath = globalThis.process.execPath;

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

function tell(child: ChildProcess | undefined, told: { clockMs: number } | { weather: Weather | null }): void {
  if (child?.connected) child.send(told, () => {});
}
