/** Processor time of a process, and of a database's backends, by /proc. */
import { readFileSync } from "node:fs";
import { type EngineName, query } from "./_database.ts";

/** Of user and system time. Linux counts in hundredths of a second for every program, whatever the kernel's own tick is. */
const tickMs = 10;

/** @returns milliseconds since the process began; NaN where there is no /proc, or no such process */
export function processorMs(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) * tickMs;
  } catch {
    return Number.NaN;
  }
}

/** Processes that serve this database: its connections' backends, or the one process of MariaDB. PGlite is part of the server. */
export async function databasePids(engine: EngineName, url: string): Promise<number[]> {
  if (engine === "pglite") return [];
  if (engine === "mysql") {
    const [[row] = []] = await query(url, "SELECT @@pid_file AS path");
    return [Number(readFileSync(String(row?.path), "utf8"))];
  }
  const name = new URL(url).searchParams.get("application_name");
  const [rows = []] = await query(
    url,
    `SELECT pid FROM pg_stat_activity WHERE application_name = '${name}' AND pid <> pg_backend_pid()`,
  );
  return rows.map(({ pid }) => Number(pid));
}

export interface DatabaseTime {
  /** Milliseconds since the watch began; NaN if none of its processes could be read. */
  spentMs(): Promise<number>;
  stop(): void;
}

const sampleMs = 200;

/** Samples a database's processes: a backend may end with its connection, and others begin. */
export async function watchDatabase(engine: EngineName, url: string): Promise<DatabaseTime> {
  const from = new Map<number, number>();
  const last = new Map<number, number>();
  const sample = () => {
    for (const pid of from.keys()) {
      const ms = processorMs(pid);
      if (Number.isFinite(ms)) last.set(pid, ms);
    }
  };
  for (const pid of await databasePids(engine, url)) from.set(pid, processorMs(pid));
  sample();
  const timer = setInterval(sample, sampleMs);
  return {
    async spentMs() {
      // What began since then has spent all its time since then.
      for (const pid of await databasePids(engine, url)) if (!from.has(pid)) from.set(pid, 0);
      sample();
      if (last.size === 0) return Number.NaN;
      return [...last].reduce((sum, [pid, ms]) => sum + ms - (from.get(pid) ?? 0), 0);
    },
    stop: () => clearInterval(timer),
  };
}
