/** Installs the packages of `bench/peers/` on first use: they have a lock file of their own and do not grow the project's. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const peersFolder = fileURLToPath(new URL("peers/", import.meta.url));

/** Contenders that run with the project's own packages. */
const own = ["bare", "bare_counter", "null", "orderbell"];

export const needsPackages = (contender: string) => !own.includes(contender);

let problem: string | undefined | "unknown" = "unknown";

/** @returns why they cannot be used; undefined when they are there */
export async function installPeers(): Promise<string | undefined> {
  if (problem !== "unknown") return problem;
  problem = undefined;
  const installed = `${peersFolder}node_modules/.package-lock.json`;
  const lock = `${peersFolder}package-lock.json`;
  if (existsSync(installed) && statSync(installed).mtimeMs > statSync(lock).mtimeMs) return undefined;
  console.log("  installs the packages of bench/peers");
  const { status, stderr, error } = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts"], {
    cwd: peersFolder,
    encoding: "utf8",
    shell: process.platform === "win32",
    timeout: 300_000,
  });
  if (status !== 0) problem = `npm ci in bench/peers: ${(error?.message ?? stderr).trim().split("\n")[0]}`;
  return problem;
}

/** Versions of the peers by name, as their lock file has them. */
export function peerVersions(): Record<string, string> {
  const path = `${peersFolder}package-lock.json`;
  if (!existsSync(path)) return {};
  const { packages } = JSON.parse(readFileSync(path, "utf8")) as {
    packages: Record<string, { version?: string; dependencies?: Record<string, string> }>;
  };
  return Object.fromEntries(
    Object.keys(packages[""]?.dependencies ?? {}).map((name) => [
      name,
      packages[`node_modules/${name}`]?.version ?? "?",
    ]),
  );
}
