/** Describes what a result was measured on: machine, kernel, disk, databases with their durability, versions, commit. */
import { spawnSync } from "node:child_process";
import { closeSync, fdatasyncSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { cpus, loadavg, release, totalmem, type } from "node:os";
import { fileURLToPath } from "node:url";
import { type DatabaseReport, describeDatabase } from "./_database.ts";
import { peerVersions } from "./_peers.ts";
import { ascending, at } from "./_statistics.ts";

export interface Machine {
  readonly at: string;
  readonly commit: string;
  /** Files differ from the commit. */
  readonly changed: boolean;
  readonly processor: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly kernel: string;
  /** Runnable processes before the run; the machine is quiet when it is about 0. */
  readonly load: number;
  readonly node: string;
  /** 8 KB written and forced to the disk of this folder. */
  readonly fdatasyncMs: { readonly p50: number; readonly p99: number };
  readonly databases: Readonly<Record<string, DatabaseReport>>;
  readonly versions: Readonly<Record<string, string>>;
}

const root = fileURLToPath(new URL("..", import.meta.url));

const git = (...args: string[]) => spawnSync("git", args, { cwd: root, encoding: "utf8" }).stdout?.trim() ?? "";

function fdatasyncMs(): Machine["fdatasyncMs"] {
  const path = fileURLToPath(new URL(`fdatasync-${process.pid}.tmp`, import.meta.url));
  const file = openSync(path, "w");
  const page = Buffer.alloc(8_192, 1);
  try {
    const times = Array.from({ length: 200 }, () => {
      const from = performance.now();
      writeSync(file, page, 0, page.length, 0);
      fdatasyncSync(file);
      return performance.now() - from;
    });
    const sorted = ascending(times);
    return { p50: at(sorted, 0.5), p99: at(sorted, 0.99) };
  } finally {
    closeSync(file);
    rmSync(path);
  }
}

function ownVersions(): Record<string, string> {
  const { dependencies } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
  const names = ["pg", "mysql2", "ws", "@electric-sql/pglite"];
  return Object.fromEntries(names.map((name) => [name, dependencies[name]]));
}

export async function describeMachine(): Promise<Machine> {
  const databases: Record<string, DatabaseReport> = {};
  for (const engine of ["postgres", "mysql", "pglite"] as const) databases[engine] = await describeDatabase(engine);
  return {
    at: new Date().toISOString(),
    commit: git("rev-parse", "--short", "HEAD"),
    changed: git("status", "--porcelain", "--", ".", ":!bench/results", ":!docs/pictures") !== "",
    processor: cpus()[0]?.model ?? "?",
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: `${type()} ${release()}`,
    load: loadavg()[0] ?? 0,
    node: process.version,
    fdatasyncMs: fdatasyncMs(),
    databases,
    versions: { ...ownVersions(), ...peerVersions() },
  };
}
