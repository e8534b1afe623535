/** Checks the compressed size of the customer's page: of what loads before the first dish, and of everything. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

export interface PageSize {
  /** Bytes after gzip of scripts and styles that index.html loads before the menu is visible, with one language. */
  readonly firstBytes: number;
  /** The same with everything that is loaded later: the SDK, checkout, orders, account. */
  readonly allBytes: number;
  readonly files: Readonly<Record<string, number>>;
}

export const maxFirstBytes = 25 * 1024;
export const maxAllBytes = 39 * 1024;

const root = fileURLToPath(new URL("../", import.meta.url));
const importPattern = /(?:from|import)\s*\(?\s*["'`]\.\/([\w.-]+)["'`]/g;

/** @throws with Vite's message */
export function buildPagesInto(folder: string): void {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, "node_modules/vite/bin/vite.js"), "build", "--outDir", folder, "--emptyOutDir", "--logLevel", "warn"],
    { cwd: root, env: { ...process.env, NODE_OPTIONS: "", NODE_ENV: "production" }, encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`the pages were not built: ${stdout}${stderr}`);
}

/** Builds the pages with Vite and measures the customer's. @throws when the build fails, or has an unexpected form */
export function pageSize(): PageSize {
  const folder = mkdtempSync(join(tmpdir(), "orderbell-size-"));
  try {
    buildPagesInto(folder);
    return weigh(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function weigh(folder: string): PageSize {
  const html = readFileSync(join(folder, "index.html"), "utf8");
  const text = (name: string) => readFileSync(join(folder, "assets", name), "utf8");
  const named = [...html.matchAll(/(?:src|href)="\/assets\/([^"]+\.(?:js|css))"/g)].map(([, name = ""]) => name);
  const first = new Set(named);
  const all = new Set(named);
  for (const name of all)
    if (name.endsWith(".js")) for (const [, other = ""] of text(name).matchAll(importPattern)) all.add(other);
  // Other files that a script names: styles of parts that are loaded later.
  for (const name of readdirSync(join(folder, "assets")))
    if (name.endsWith(".css") && [...all].some((script) => script.endsWith(".js") && text(script).includes(name)))
      all.add(name);

  const files = Object.fromEntries([...all].map((name) => [name, gzipSync(text(name), { level: 9 }).length]));
  const bytes = (name: string) => files[name] ?? 0;
  const dictionaries = [...all].filter((name) => /^words\.(zh|en)/.test(name)).sort((a, b) => bytes(b) - bytes(a));
  if (dictionaries.length !== 2) throw new Error(`two dictionaries were expected, there are ${dictionaries.length}`);
  // A page loads one language: the larger one counts.
  const [larger = "", smaller = ""] = dictionaries;
  first.add(larger);
  all.delete(smaller);
  const sum = (names: Set<string>) => [...names].reduce((total, name) => total + bytes(name), 0);
  return { firstBytes: sum(first), allBytes: sum(all), files };
}

const kb = (bytes: number) => `${(bytes / 1024).toFixed(1)} KB`;

/** @returns a line for each size above its limit */
export function checkPageSize(): string[] {
  const { firstBytes, allBytes, files } = pageSize();
  const list = Object.entries(files).map(([name, bytes]) => `${name} ${kb(bytes)}`);
  const say = (what: string, bytes: number, max: number) =>
    bytes <= max ? [] : [`${what}: ${kb(bytes)} after gzip, at most ${kb(max)}: ${list.join(", ")}`];
  return [
    ...say("the customer's page before the first dish", firstBytes, maxFirstBytes),
    ...say("the customer's page in all", allBytes, maxAllBytes),
  ];
}
