/** The command line for tests: as a process, and within this one. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { main } from "../../cli/main.ts";
import { layTables } from "../_demo_home.ts";
import { program } from "../_programs.ts";

export const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly cwd?: string;
}

const homes: string[] = [];

/** A folder of its own. */
export async function newHome(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), "orderbell-cli-"));
  homes.push(home);
  return home;
}

/** A folder of its own in which the demo has its tables. */
export async function newDemoHome(): Promise<string> {
  const home = await newHome();
  layTables(home);
  return home;
}

/** Nothing of this machine's environment reaches the process but what it needs to run. */
const environmentOf = (more: Readonly<Record<string, string>> = {}) => ({ PATH: process.env.PATH ?? "", ...more });

export interface Process {
  readonly child: ChildProcess;
  readonly pid: number;
  /** What it has printed. */
  out(): string;
  err(): string;
  /** Waits until it has printed this. Fails with what there is when it ends before. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  readonly ended: Promise<number | null>;
  /** Ends it and waits. */
  kill(signal: NodeJS.Signals): Promise<number | null>;
}

const living = new Set<Process>();

/** Starts `orderbell` and does not wait. test/readme.test.ts starts it as people do. */
export function launch(argv: readonly string[], { environment, cwd = root, input }: RunOptions = {}): Process {
  const child = spawn(process.execPath, [...program("test/cli/_program.ts"), ...argv], {
    cwd,
    env: environmentOf(environment),
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin?.end(input ?? "");
  let [out, err] = ["", ""];
  const looks = new Set<() => void>();
  const look = () => {
    for (const one of [...looks]) one();
  };
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    out += text;
    look();
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    err += text;
    look();
  });
  let over = false;
  const ended = once(child, "close").then(([code]) => {
    over = true;
    living.delete(own);
    look();
    return code as number | null;
  });
  const own: Process = {
    child,
    pid: child.pid as number,
    out: () => out,
    err: () => err,
    ended,
    printed: (pattern) =>
      new Promise((resolve, reject) => {
        const check = () => {
          const found = pattern.exec(out);
          if (found !== null || over) looks.delete(check);
          if (found !== null) resolve(found);
          else if (over) reject(new Error(`it ended without printing ${pattern}: ${out}${err}`));
        };
        looks.add(check);
        check();
      }),
    kill(signal) {
      child.kill(signal);
      return ended;
    },
  };
  living.add(own);
  return own;
}

/** Runs `orderbell` in a process of its own until it ends. */
export async function orderbell(argv: readonly string[], options: RunOptions = {}): Promise<Run> {
  const run = launch(argv, options);
  const code = await run.ended;
  return { code, out: run.out(), err: run.err() };
}

/** The same in this process: quicker, where the process itself does not matter. Not two at a time. */
export async function within(argv: readonly string[], environment: Readonly<Record<string, string>>): Promise<Run> {
  let [out, err] = ["", ""];
  const spies = [
    jest.spyOn(process.stdout, "write").mockImplementation((text) => {
      out += text;
      return true;
    }),
    jest.spyOn(process.stderr, "write").mockImplementation((text) => {
      // What Node says of jest's own switches is not ours.
      if (!String(text).includes("ExperimentalWarning")) err += text;
      return true;
    }),
  ];
  try {
    return { code: await main(argv, environment), out, err };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

export interface Demo extends Process {
  readonly url: string;
  readonly pairingCode: string;
}

/** `orderbell start` on this folder, ready. */
export async function startDemo(
  home: string,
  argv: readonly string[] = ["--port", "0"],
  environment: Readonly<Record<string, string>> = {},
): Promise<Demo> {
  const own = launch(["start", ...argv], {
    environment: { ORDERBELL_HOME: home, LOG_LEVEL: "debug", CHECK_SHOP_MS: "500", COALESCE_MS: "40", ...environment },
  });
  await own.printed(/Ctrl-C stops/);
  const [, url = "", code = ""] = (await own.printed(/kitchen +(\S+?)\/kitchen#pair=(\S+)/)) as string[];
  return { ...own, url, pairingCode: code };
}

/** Ends what a test left running, and removes its folders. */
export async function cleanUp(): Promise<void> {
  for (const one of [...living]) await one.kill("SIGKILL");
  for (const home of homes.splice(0)) await rm(home, { recursive: true, force: true });
}
