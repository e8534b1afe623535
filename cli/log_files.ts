/**
 * The log kept in ORDERBELL_HOME/logs, for `tail` and `why`. Each server appends to files of its own, and begins the next one when a file
 * is full. A file keeps its name until it is removed, so a reader needs no lock.
 */
import { appendFileSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { basename, join } from "node:path";

export interface LogFilesOptions {
  readonly home: string;
  /** What all files in the folder may take together; 0 keeps none. */
  readonly keepBytes: number;
  /** Part of the files' names: no two servers have the same. */
  readonly name: string;
  readonly now: () => number;
  /** The log could not be written; said once until it can be again. @param code such as `ENOSPC` */
  readonly onFailure: (code: string) => void;
}

/** Where the lines so far are. */
export interface Kept {
  /** Its name in the folder. */
  readonly file: string;
  readonly bytes: number;
}

export interface LogFiles {
  write(line: string): void;
  /** Writes what waits, then calls `then` in the same turn: no line comes in between. */
  settle(then: (kept: Kept) => void): Promise<void>;
}

export const logFolderOf = (home: string): string => join(home, "logs");

/** Files in which the bytes are kept, so that removing the oldest one frees a part of them. */
const files = 8;
/** Lines wait for each other so long: a call of the system for each would cost more than they do. */
const waitMs = 200;
const maxWaitingCharacters = 256 * 1_024;

/** @returns undefined when none are kept */
export function openLogFiles({ home, keepBytes, name, now, onFailure }: LogFilesOptions): LogFiles | undefined {
  if (keepBytes === 0) return undefined;
  const folder = logFolderOf(home);
  const begun = new Date(now()).toISOString().replace(/[:.]/g, "-");
  let count = 0;
  let path = nextPath();
  let waiting = "";
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let hasFailed = false;

  function nextPath(): string {
    count += 1;
    return join(folder, `${begun}-${name}-${String(count).padStart(4, "0")}.jsonl`);
  }

  /** By its path: a file that another server has removed as the oldest one is made anew. */
  async function append(): Promise<void> {
    while (waiting !== "") {
      const text = take();
      try {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        await appendFile(path, text, { mode: 0o600 });
        hasFailed = false;
        beginNextIfFull();
      } catch (error) {
        if (!hasFailed) onFailure(String((error as NodeJS.ErrnoException).code));
        hasFailed = true;
      }
    }
  }

  function beginNextIfFull(): void {
    if (bytesOf(path) * files < keepBytes) return;
    path = nextPath();
    removeOldest(folder, keepBytes);
  }

  function take(): string {
    clearTimeout(timer);
    timer = undefined;
    const text = waiting;
    waiting = "";
    return text;
  }

  function start(): void {
    running ??= append().finally(() => {
      running = undefined;
    });
  }

  function appendNow(): void {
    const text = take();
    if (text === "") return;
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      appendFileSync(path, text, { mode: 0o600 });
    } catch {
      // The process ends, or the next lines meet the same error and say it.
    }
  }

  process.on("exit", appendNow);
  return {
    write(line) {
      // A disk that takes nothing must not fill the memory instead.
      if (waiting.length > 16 * maxWaitingCharacters) return;
      waiting += line;
      if (waiting.length > maxWaitingCharacters) start();
      else timer ??= setTimeout(start, waitMs).unref();
    },
    async settle(then) {
      while (running !== undefined) await running;
      appendNow();
      then({ file: basename(path), bytes: bytesOf(path) });
      beginNextIfFull();
    },
  };
}

function bytesOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** The paths of all files, the oldest first. */
export function logPaths(folder: string): string[] {
  try {
    const paths = readdirSync(folder)
      .filter((name) => name.endsWith(".jsonl"))
      .map((name) => join(folder, name));
    const changedAt = new Map(paths.map((path) => [path, statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0]));
    return paths.toSorted((a, b) => (changedAt.get(a) ?? 0) - (changedAt.get(b) ?? 0) || (a < b ? -1 : 1));
  } catch {
    // There is no such folder yet.
    return [];
  }
}

function removeOldest(folder: string, keepBytes: number): void {
  const paths = logPaths(folder);
  let bytes = paths.reduce((sum, path) => sum + bytesOf(path), 0);
  for (const path of paths) {
    if (bytes <= keepBytes) break;
    bytes -= bytesOf(path);
    rmSync(path, { force: true });
  }
}
