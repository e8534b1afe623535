/** Business servers with Wafer's server SDKs as they come from the registry, in processes of their own: both keep their settings for the process. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { note } from "../_printed.ts";
import { program } from "../_programs.ts";
import { until } from "../_until.ts";

export type ServerSdk = "qcloud-weapp-server-sdk" | "wafer-node-sdk";

// --- What the child processes share --------------------------------------------------------------------------------

export type User = Readonly<Record<string, unknown>>;

/** The channel's answer to a push, as the SDK passes it through. */
export interface Pushed {
  readonly code: number;
  readonly data: { readonly invalidTunnelIds?: readonly string[] };
}

/** The tunnel calls of either SDK. */
export interface Tunnels {
  broadcast(tunnels: readonly string[], type: string, content: unknown): Promise<Pushed>;
  closeTunnel(tunnel: string): Promise<Pushed>;
}

/** Handlers of tunnel events. What they return is what the SDK's calls return. */
export interface Room {
  onRequest(tunnel: string, user: User): void;
  onConnect(tunnel: string): Promise<unknown>;
  onMessage(tunnel: string, type: string, content: unknown): Promise<unknown>;
  onClose(tunnel: string): Promise<unknown>;
}

export interface BusinessEvent {
  readonly type: "request" | "connect" | "message" | "close" | "pushed" | "failed";
  readonly tunnel: string;
  readonly messageType?: string;
  readonly content?: unknown;
}

/** Settings of either SDK, and what a test wants of the server besides. */
export interface Settings {
  /** Of the SDK, by its names. */
  readonly sdk: Readonly<Record<string, unknown>>;
  /** Where `api.weixin.qq.com` is for wafer-node-sdk, which has the host in its code. */
  readonly wechatUrl: string;
  /** Answers a callback only after its handler, as the SDKs of PHP, Java and C# do. */
  readonly answersLast?: boolean;
}

// --- The test's side -----------------------------------------------------------------------------------------------

export interface Business {
  /** As the channel calls it: 127.0.0.1 with the port. */
  readonly host: string;
  readonly url: string;
  readonly events: BusinessEvent[];
  /** Takes the next event that fits out. */
  next(type: BusinessEvent["type"], tunnel?: string): Promise<BusinessEvent>;
  broadcast: Tunnels["broadcast"];
  closeTunnel: Tunnels["closeTunnel"];
  /** Changes settings of the SDK while it runs. */
  configure(sdk: Settings["sdk"]): Promise<void>;
  stop(): Promise<void>;
}

/** @param settingsOf gives the settings once the port is known */
export async function startBusiness(
  sdk: ServerSdk,
  settingsOf: (port: number) => Settings | Promise<Settings>,
  port = 0,
): Promise<Business> {
  const child = spawn(process.execPath, ["--no-deprecation", ...program(`test/wafer/_${sdk}.ts`), String(port)], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    // JSON would make null of undefined.
    serialization: "advanced",
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk) => {
      printed += chunk;
      note(String(chunk));
    });
  const events: BusinessEvent[] = [];
  const answers = new Map<number, (answer: Answer) => void>();
  let calls = 0;
  const ready = new Promise<number>((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`the business server ended with ${code}: ${printed}`)));
    child.on("message", (message: FromChild) => {
      if ("port" in message) resolve(message.port);
      else if ("event" in message) events.push(message.event);
      else answers.get(message.answerTo)?.(message);
    });
  });
  const listensAt = await ready;
  const ask = async (action: ToChild["action"], ...given: unknown[]): Promise<unknown> => {
    const id = calls++;
    const answered = new Promise<Answer>((resolve) => answers.set(id, resolve));
    child.send({ id, action, given } satisfies ToChild);
    const { value, error } = await answered;
    if (error !== undefined) throw new Error(error);
    return value;
  };
  const settings = await settingsOf(listensAt);
  await ask("configure", settings);
  const host = `127.0.0.1:${listensAt}`;
  return {
    host,
    url: `http://${host}`,
    events,
    async next(type, tunnel) {
      const at = () => events.findIndex((one) => one.type === type && (tunnel ?? one.tunnel) === one.tunnel);
      await until(
        () => at() >= 0,
        `"${type}" at the business server`,
        () => [events, printed],
      );
      return events.splice(at(), 1)[0] as BusinessEvent;
    },
    broadcast: (...given) => ask("broadcast", ...given) as Promise<Pushed>,
    closeTunnel: (...given) => ask("closeTunnel", ...given) as Promise<Pushed>,
    async configure(sdk) {
      await ask("configure", { ...settings, sdk: { ...settings.sdk, ...sdk } });
    },
    stop: () => stop(child),
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

export interface ToChild {
  readonly id: number;
  readonly action: "configure" | "broadcast" | "closeTunnel";
  readonly given: readonly unknown[];
}

interface Answer {
  readonly answerTo: number;
  readonly value?: unknown;
  readonly error?: string;
}

export type FromChild = { readonly port: number } | { readonly event: BusinessEvent } | Answer;
