/** `serverless package` on a fresh machine: no network, no credentials, an empty home. */
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { copyFile, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { parse } from "yaml";
import { buildAll, type Packed, type Variant } from "../../scripts/build.ts";
import type { Template } from "../../scripts/resolve_conditions.ts";

export interface Packaged {
  readonly template: Template;
  /** Function → its zip. */
  readonly zips: ReadonlyMap<string, Uint8Array>;
  readonly said: string;
}

const root = resolve(__dirname, "../..");
const compiled = join(process.env.ORDERBELL_TEST_FOLDER as string, "compiled");
mkdirSync(compiled, { recursive: true });
/** Packages built in this run: the first test that needs a variant builds it for all. */
export const buildCache = join(process.env.ORDERBELL_TEST_FOLDER as string, "built");
/** Declared by the functions of all these tests, so that they are built once. */
const collectionsFile = join(__dirname, "_collections.yml");

/**
 * Builds the functions, or takes what was built in this run. Two test files that need the same at once would both build it: one
 * waits for the other.
 */
export async function builtOnce(
  variant: Variant,
  folder: string,
  besideDriver: Readonly<Record<string, Uint8Array>> = {},
): Promise<Packed[]> {
  const lock = `${buildCache}.lock`;
  while (!locked(lock)) await new Promise((resolve) => setTimeout(resolve, 50));
  try {
    const collections = readFileSync(collectionsFile, "utf8");
    return await buildAll(variant, folder, { cache: buildCache, collections, besideDriver });
  } finally {
    rmSync(lock);
  }
}

/** A link to the number of its process: made and read at once. */
function locked(path: string): boolean {
  try {
    symlinkSync(String(process.pid), path);
    return true;
  } catch {
    try {
      process.kill(Number(readlinkSync(path)), 0);
    } catch (error) {
      // A worker that was killed holds nothing.
      if ((error as NodeJS.ErrnoException).code === "ESRCH") rmSync(path, { force: true });
    }
    return false;
  }
}

/** What this project is called: a shop of one's own that was made from it has another name, and the same tests. */
export const service: string = parse(readFileSync(join(root, "serverless.yml"), "utf8")).service;

/** The project in a folder of its own, because the framework keeps its state beside serverless.yml. Its owner removes it. */
export async function newProject(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "orderbell-package-"));
  await copyFile(join(root, "serverless.yml"), join(folder, "serverless.yml"));
  for (const name of ["package.json", "apigateway", "db", "scripts", "node_modules"])
    await symlink(join(root, name), join(folder, name));
  return folder;
}

/** Runs `serverless` there, with nothing at home. @param environment without it there is no network @returns what it printed */
export async function serverless(
  folder: string,
  words: readonly string[],
  environment?: Readonly<Record<string, string>>,
  cache = buildCache,
): Promise<{ code: number | null; said: string }> {
  const child = spawn(
    process.execPath,
    [
      ...(environment === undefined ? ["--require", join(__dirname, "_no_network.cjs")] : []),
      join(root, "node_modules/.bin/serverless"),
      ...words,
    ],
    {
      cwd: folder,
      env: {
        PATH: process.env.PATH,
        HOME: join(folder, "home"),
        // What was compiled once serves everybody: TypeScript, and the framework's own schema.
        TMPDIR: compiled,
        SLS_SCHEMA_CACHE_BASE_DIR: compiled,
        COLLECTIONS_FILE: collectionsFile,
        ...(cache === "" ? {} : { ORDERBELL_BUILD_CACHE: cache }),
        ...environment,
      },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => {
      said += chunk;
    });
  return { code: await new Promise((done) => child.on("close", done)), said };
}

const auroras = ["aurora-postgres", "aurora-mysql"];
const variantFor = (database = "url"): Variant => ({
  engine: database === "aurora-mysql" ? "mysql" : "postgres",
  network: auroras.includes(database),
});

/** @param cache where the functions may lie built already; empty to build them @throws Error with what it printed */
export async function packageWith(
  params: Readonly<Record<string, string>>,
  stage = "dev",
  cache = buildCache,
): Promise<Packaged> {
  const folder = await newProject();
  try {
    if (cache !== "" && ["url", ...auroras].includes(params.database ?? "url"))
      await builtOnce(variantFor(params.database), join(folder, "built"));
    const given = Object.entries(params).map(([name, value]) => `--param=${name}=${value}`);
    const out = join(folder, "out");
    const words = ["package", `--stage=${stage}`, `--package=${out}`, ...given];
    const { code, said } = await serverless(folder, words, undefined, cache);
    if (code !== 0) throw new Error(said);
    const state = JSON.parse(await readFile(join(out, "serverless-state.json"), "utf8"));
    const functions = Object.entries(state.service.functions as Record<string, { package: { artifact: string } }>);
    const zips = functions.map(
      async ([name, own]) => [name, await readFile(join(out, basename(own.package.artifact)))] as const,
    );
    const template = await readFile(join(out, "cloudformation-template-update-stack.json"), "utf8");
    return { template: JSON.parse(template), zips: new Map(await Promise.all(zips)), said };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The template as text in which only what the time of packaging decided is left out, with its parts in one order. */
export function normal(template: Template): string {
  const sorted = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(sorted);
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(entries.map(([name, one]) => [name, sorted(one)]));
  };
  return JSON.stringify(sorted(template), null, 1).replace(/\d{13}-\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>");
}
