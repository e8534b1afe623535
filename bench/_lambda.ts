/** Environments of Lambda on this machine: a process for each that is needed at once, frozen between an answer and the next event. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { unzipSync } from "fflate";

interface Environment {
  readonly process: ChildProcess;
  /** Of its code, at its start. */
  readonly loadMs: number;
  invoke(event: unknown): Promise<Reply>;
}

interface Reply {
  readonly answer?: unknown;
  readonly error?: { readonly name: string; readonly message: string };
}

const environmentScript = fileURLToPath(new URL("../test/cloud/_environment.cjs", import.meta.url));

export class Lambda {
  readonly #root = mkdtempSync(join(tmpdir(), "orderbell-bench-lambda-"));
  readonly #variables: Readonly<Record<string, string>>;
  readonly #free = new Map<string, Environment[]>();
  readonly #all: Environment[] = [];

  constructor(zips: ReadonlyMap<string, Uint8Array>, variables: Readonly<Record<string, string>>) {
    this.#variables = variables;
    for (const [name, zip] of zips)
      for (const [path, bytes] of Object.entries(unzipSync(zip))) {
        const file = join(this.#root, name, path);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, bytes);
      }
  }

  async start(name: string): Promise<Environment> {
    const folder = join(this.#root, name);
    // What Lambda gives, and nothing of this project within reach.
    const env = { PATH: process.env.PATH ?? "", TZ: "UTC", AWS_LAMBDA_FUNCTION_NAME: name, ...this.#variables };
    const child = spawn(process.execPath, [environmentScript, folder, `functions/${name}.js`], {
      cwd: folder,
      env,
      stdio: ["ignore", "ignore", "inherit", "pipe", "pipe"],
    });
    const [, , , answers, events] = child.stdio as unknown as [null, null, null, Readable, Writable];
    events.on("error", () => {});
    const lines = createInterface({ input: answers })[Symbol.asyncIterator]();
    const next = async <T>() => {
      const { value, done } = await lines.next();
      if (done) throw new Error(`an environment of ${name} ended`);
      return JSON.parse(value) as T;
    };
    const { loadMs } = await next<{ loadMs: number }>();
    const environment: Environment = {
      process: child,
      loadMs,
      invoke(event) {
        events.write(`${JSON.stringify(event)}\n`);
        return next<Reply>();
      },
    };
    this.#all.push(environment);
    return environment;
  }

  /** @throws what the function threw, as text */
  async invoke(name: string, event: unknown): Promise<unknown> {
    const environment = this.#free.get(name)?.pop() ?? (await this.start(name));
    const { answer, error } = await environment.invoke(event);
    this.#free.set(name, [...(this.#free.get(name) ?? []), environment]);
    if (error !== undefined) throw new Error(`${name}: ${error.name}: ${error.message}`);
    return answer;
  }

  close(): void {
    for (const { process: child } of this.#all) child.kill("SIGKILL");
    rmSync(this.#root, { recursive: true, force: true });
  }
}
