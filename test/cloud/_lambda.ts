/** Lambda on this machine: each function's zip unpacked alone, one environment per concurrent event, frozen in between. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { unzipSync } from "fflate";
import { note } from "../_printed.ts";

export interface LambdaOptions {
  /** Function → its zip. */
  readonly zips: ReadonlyMap<string, Uint8Array>;
  /** What the function finds in its environment. */
  readonly environmentOf: (name: string) => Record<string, string>;
}

interface Reply {
  readonly answer?: unknown;
  readonly error?: { readonly name: string; readonly message: string };
  readonly pending: readonly string[];
}

export interface Environment {
  readonly name: string;
  /** Files that loading the handler loaded, relative to the zip. */
  readonly loaded: readonly string[];
  readonly process: ChildProcess;
  invoke(event: unknown): Promise<Reply>;
}

export interface Lambda {
  /** @throws FunctionError when the handler threw */
  invoke(name: string, event: unknown): Promise<unknown>;
  readonly environments: readonly Environment[];
  /** What was still going on when a handler had answered: `name: resource`. */
  readonly pending: readonly string[];
  /** Every line that functions printed. */
  readonly lines: readonly string[];
  /** Resolves when no event is running. */
  idle(): Promise<void>;
  close(): void;
}

export class FunctionError extends Error {
  override readonly name = "FunctionError";
}

export function startLambda({ zips, environmentOf }: LambdaOptions): Lambda {
  const root = mkdtempSync(join(tmpdir(), "orderbell-lambda-"));
  const unpacked = new Map<string, string>();
  const free = new Map<string, Environment[]>();
  const environments: Environment[] = [];
  const pending: string[] = [];
  const lines: string[] = [];
  const running = new Set<Promise<unknown>>();

  function folderOf(name: string): string {
    const known = unpacked.get(name);
    if (known !== undefined) return known;
    const zip = zips.get(name);
    if (zip === undefined) throw new TypeError(`there is no zip of "${name}"`);
    const folder = join(root, name);
    for (const [path, bytes] of Object.entries(unzipSync(zip))) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), bytes);
    }
    unpacked.set(name, folder);
    return folder;
  }

  async function start(name: string): Promise<Environment> {
    const folder = folderOf(name);
    // Only what Lambda gives: no NODE_PATH, no package of this project within reach.
    const env = { PATH: process.env.PATH ?? "", TZ: "UTC", ...environmentOf(name) };
    const child = spawn(process.execPath, [join(__dirname, "_environment.cjs"), folder, `functions/${name}.js`], {
      cwd: folder,
      env,
      stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"],
    });
    const [, out, err, answers, events] = child.stdio as unknown as [null, Readable, Readable, Readable, Writable];
    for (const stream of [out, err])
      createInterface({ input: stream }).on("line", (line) => {
        lines.push(line);
        note(`${line}\n`);
      });
    events.on("error", () => {});
    const replies: unknown[] = [];
    let look = () => {};
    createInterface({ input: answers }).on("line", (line) => {
      replies.push(JSON.parse(line));
      look();
    });
    let gone = false;
    child.on("close", () => {
      gone = true;
      look();
    });
    const next = <T>() =>
      new Promise<T>((resolve, reject) => {
        look = () => {
          if (replies.length > 0) resolve(replies.shift() as T);
          else if (gone) reject(new FunctionError(`the environment of ${name} ended: ${lines.slice(-3).join(" ")}`));
        };
        look();
      });
    const { loaded } = await next<{ loaded: string[] }>();
    const environment: Environment = {
      name,
      loaded,
      process: child,
      invoke(event) {
        events.write(`${JSON.stringify(event)}\n`);
        return next<Reply>();
      },
    };
    environments.push(environment);
    return environment;
  }

  async function run(name: string, event: unknown): Promise<unknown> {
    const environment = free.get(name)?.pop() ?? (await start(name));
    const reply = await environment.invoke(event);
    pending.push(...reply.pending.map((resource) => `${name}: ${resource}`));
    free.set(name, [...(free.get(name) ?? []), environment]);
    if (reply.error !== undefined) throw new FunctionError(`${name}: ${reply.error.name}: ${reply.error.message}`);
    return reply.answer;
  }

  return {
    environments,
    pending,
    lines,
    invoke(name, event) {
      const work = run(name, event);
      const quiet = work.then(
        () => {},
        () => {},
      );
      running.add(quiet);
      void quiet.then(() => running.delete(quiet));
      return work;
    },
    async idle() {
      while (running.size > 0) await Promise.all(running);
    },
    close() {
      for (const { process: child } of environments) child.kill("SIGKILL");
      rmSync(root, { recursive: true, force: true });
    },
  };
}
