/** `serverless package` as a stranger runs it: no network, no credentials, nothing at home. */
import { spawn } from "node:child_process";
import { copyFile, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Template } from "../../scripts/settle.ts";

export interface Packaged {
  readonly template: Template;
  /** Function → the path of its zip. */
  readonly artifacts: ReadonlyMap<string, string>;
  readonly said: string;
}

const root = resolve(__dirname, "../..");

/** @throws Error with what it printed */
export async function packageWith(params: Readonly<Record<string, string>>, stage = "dev"): Promise<Packaged> {
  const folder = await mkdtemp(join(tmpdir(), "orderbell-package-"));
  try {
    const home = join(folder, "home");
    // The framework keeps its state beside serverless.yml: here each run has a folder of its own.
    await copyFile(join(root, "serverless.yml"), join(folder, "serverless.yml"));
    for (const name of ["package.json", "apigateway", "db", "scripts", "node_modules"])
      await symlink(join(root, name), join(folder, name));
    const words = Object.entries(params).map(([name, value]) => `--param=${name}=${value}`);
    const child = spawn(
      process.execPath,
      [
        "--require",
        join(__dirname, "_no_network.cjs"),
        join(root, "node_modules/.bin/serverless"),
        "package",
        `--stage=${stage}`,
        `--package=${join(folder, "out")}`,
        ...words,
      ],
      { cwd: folder, env: { PATH: process.env.PATH, HOME: home, TMPDIR: folder }, stdio: ["ignore", "pipe", "pipe"] },
    );
    let said = "";
    child.stdout.on("data", (chunk) => {
      said += chunk;
    });
    child.stderr.on("data", (chunk) => {
      said += chunk;
    });
    const code = await new Promise((done) => child.on("close", done));
    if (code !== 0) throw new Error(said);
    const state = JSON.parse(await readFile(join(folder, "out/serverless-state.json"), "utf8"));
    const functions = Object.entries(state.service.functions as Record<string, { package: { artifact: string } }>);
    const template = await readFile(join(folder, "out/cloudformation-template-update-stack.json"), "utf8");
    return {
      template: JSON.parse(template),
      artifacts: new Map(functions.map(([name, own]) => [name, own.package.artifact])),
      said,
    };
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
