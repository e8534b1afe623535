/** The customer's page is light: what must be there before the first dish, and everything of it, compressed. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

export interface PageSize {
  /** Script and style that index.html loads before the menu is seen, with one dictionary: bytes after gzip. */
  readonly firstBytes: number;
  /** With what is fetched after that: the SDK, checkout, orders, account. */
  readonly allBytes: number;
  readonly files: Readonly<Record<string, number>>;
}

export const maxFirstBytes = 25 * 1024;
export const maxAllBytes = 36 * 1024;

const root = fileURLToPath(new URL("../", import.meta.url));
const importPattern = /(?:from|import)\s*\(?\s*["'`]\.\/([\w.-]+)["'`]/g;

/** Builds the pages with Vite and weighs the customer's. @throws when the build fails, or is not what is expected here */
export function pageSize(): PageSize {
  const folder = mkdtempSync(join(tmpdir(), "orderbell-size-"));
  try {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(root, "node_modules/vite/bin/vite.js"), "build", "--outDir", folder, "--emptyOutDir", "--logLevel", "warn"],
      { cwd: root, env: { ...process.env, NODE_OPTIONS: "", NODE_ENV: "production" }, encoding: "utf8" },
    );
    if (status !== 0) throw new Error(`the pages were not built: ${stdout}${stderr}`);
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
  // What a script of the page names otherwise: styles that come with what is fetched later.
  for (const name of readdirSync(join(folder, "assets")))
    if (name.endsWith(".css") && [...all].some((script) => script.endsWith(".js") && text(script).includes(name)))
      all.add(name);

  const files = Object.fromEntries([...all].map((name) => [name, gzipSync(text(name), { level: 9 }).length]));
  const bytes = (name: string) => files[name] ?? 0;
  const dictionaries = [...all].filter((name) => /^words\.(zh|en)/.test(name)).sort((a, b) => bytes(b) - bytes(a));
  if (dictionaries.length !== 2) throw new Error(`two dictionaries were expected, there are ${dictionaries.length}`);
  // A reader has one language: the larger dictionary counts.
  const [larger = "", smaller = ""] = dictionaries;
  first.add(larger);
  all.delete(smaller);
  const sum = (names: Set<string>) => [...names].reduce((total, name) => total + bytes(name), 0);
  return { firstBytes: sum(first), allBytes: sum(all), files };
}

const kb = (bytes: number) => `${(bytes / 1024).toFixed(1)} KB`;

/** @returns what is too heavy */
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
