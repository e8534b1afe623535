/** Load client with many WebSockets, in a process of its own: its side in the generator. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

export interface Client {
  /** Session token: each time before the socket opens, it is exchanged for a ticket. Without it no subprotocol is offered. */
  readonly token?: string;
  /** The streams that it asks for once the socket is open; without any it sends `hello`. */
  readonly streams?: readonly { readonly stream: string; readonly grant?: string }[];
  readonly hello?: string;
}

export interface OpenOptions {
  readonly port: number;
  readonly clients: readonly Client[];
  /** Source addresses, 127.0.0.1, 127.0.1.1 and so on: each has 28,000 ports, and a server may count by network. */
  readonly sources?: number;
  /** Clients on their way at once. */
  readonly width?: number;
  /** `follow`: each client keeps the protocol: it takes what continues its history, and asks for what it lacks. */
  readonly mode?: "count" | "follow";
}

export interface Opened {
  readonly open: number;
  readonly failed: number;
  readonly errors: readonly string[];
  /** Milliseconds from the beginning until each client was live, ascending. */
  readonly liveMs: readonly number[];
}

/** What one message did: when it was due, how many have it, when the last one had it. */
export interface Message {
  readonly seq: number;
  readonly due: number;
  readonly count: number;
  readonly lastAt: number;
}

export interface Ledger {
  readonly frames: number;
  readonly bytes: number;
  /** Numbers that were jumped over, and frames whose number was not above the one before, at any socket. */
  readonly gaps: number;
  readonly doubles: number;
  readonly pings: number;
  readonly closed: number;
  /** Frames that are no events: type → how many. */
  readonly others: Readonly<Record<string, number>>;
  readonly errors: readonly string[];
  readonly messages: readonly Message[];
}

/** Of a client that follows: where it is in each stream, and what it took on the way there. */
export interface Followed {
  readonly client: number;
  readonly stream: string;
  readonly seq: number;
  readonly tag: string;
  /** Events since the first position, which had `from`. */
  readonly from: number;
  readonly taken: number;
}

export type Command =
  | { readonly do: "open"; readonly options: OpenOptions }
  | { readonly do: "begin" }
  | { readonly do: "frames" }
  | { readonly do: "ledger" }
  | { readonly do: "check"; readonly on: boolean }
  | { readonly do: "cut" }
  | { readonly do: "return"; readonly width: number }
  | { readonly do: "followed" };

export class Sockets {
  readonly #child: ChildProcess;
  #waiting: { resolve(answer: unknown): void; reject(error: Error): void } | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor() {
    this.#child = fork("bench/_sockets_worker.ts", {
      execArgv: ["--import", "tsx", "--max-old-space-size=4096"],
      serialization: "advanced",
    });
    this.#child.on("message", (message: { answer?: unknown; failed?: string }) => {
      if (message.failed === undefined) this.#waiting?.resolve(message.answer);
      else this.#waiting?.reject(new Error(message.failed));
    });
    this.#child.on("exit", () => this.#waiting?.reject(new Error("the load client ended; see its output above")));
  }

  /** One command at a time. */
  #ask<T>(command: Command): Promise<T> {
    const answer = this.#turn.then(
      () =>
        new Promise<T>((resolve, reject) => {
          this.#waiting = { resolve: resolve as (answer: unknown) => void, reject };
          this.#child.send(command);
        }),
    );
    this.#turn = answer.catch(() => {});
    return answer;
  }

  /** Opens a socket for each client, and waits until each has the answers to its first message. */
  open(options: OpenOptions): Promise<Opened> {
    return this.#ask({ do: "open", options });
  }

  /** Begins a ledger: from here on each socket's next number must be the one after its last. */
  begin(): Promise<void> {
    return this.#ask({ do: "begin" });
  }

  /** Events since `begin`, over all sockets. */
  frames(): Promise<number> {
    return this.#ask({ do: "frames" });
  }

  /** Waits for so many events, and then for the few that might be too many. @returns whether they came */
  async until(frames: number, timeoutMs: number): Promise<boolean> {
    const end = performance.now() + timeoutMs;
    while ((await this.frames()) < frames) {
      if (performance.now() > end) return false;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
    return true;
  }

  ledger(): Promise<Ledger> {
    return this.#ask({ do: "ledger" });
  }

  /** Whether each client that follows checks its streams as often as the server asks. */
  check(on: boolean): Promise<void> {
    return this.#ask({ do: "check", on });
  }

  /** Cuts all sockets at once, without a word. */
  cut(): Promise<void> {
    return this.#ask({ do: "cut" });
  }

  /** All come back, so many on their way at once, and catch up from where they were. */
  return(width: number): Promise<Opened> {
    return this.#ask({ do: "return", width });
  }

  followed(): Promise<readonly Followed[]> {
    return this.#ask({ do: "followed" });
  }

  async close(): Promise<void> {
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await gone;
  }
}

/** How many files a process may have open, as the kernel tells of this one. */
export async function openFilesLimit(): Promise<number> {
  const { readFile } = await import("node:fs/promises");
  const line = (await readFile("/proc/self/limits", "utf8"))
    .split("\n")
    .find((one) => one.startsWith("Max open files"));
  return Number(/\d+/.exec(line ?? "")?.[0] ?? 0);
}
