/** What a function is given: everything of the outside world, and nothing else comes in another way. */
import type { Gateway } from "../apigateway/gateway.ts";
import type { Database } from "../db/database.ts";
import type { Config } from "./config.ts";
import type { Files } from "./files.ts";
import type { Log } from "./log.ts";
import type { Menus } from "./menu.ts";
import type { Pages } from "./page_files.ts";
import type { Secrets } from "./secrets.ts";
import type { Orders } from "./store_orders.ts";
import type { Wechat } from "./wechat.ts";

export interface App {
  readonly config: Config;
  readonly db: Database;
  readonly gateway: Gateway;
  readonly files: Files;
  readonly pages: Pages;
  readonly wechat: Wechat;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly invoke: Invoke;
  /** Menus held with their version. */
  readonly menus: Menus;
  /** Where orders wait for the next flight. */
  readonly orders: Orders;
}

export interface Clock {
  /** Milliseconds since 1970, UTC. */
  now(): number;
  /** Ends early when the signal says so: a function that has returned leaves nothing behind. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface Random {
  /** A sortable id of 26 characters (ULID). */
  id(): string;
  /** Unguessable text of `bytes` random bytes in base64url. */
  secret(bytes: number): string;
  /** A few characters for epochs and tags. */
  tag(): string;
  /** From 0 to just below 1, for jitter. */
  fraction(): number;
}

/** Starts another function and does not wait for its end; it waits until the start is certain. */
export type Invoke = (name: "fan_out", event: FanOut) => Promise<void>;

/** What `fan_out` is told: public state of these shops may have changed; these rooms have new events. */
export interface FanOut {
  readonly shops: readonly string[];
  readonly rooms: readonly { readonly stream: string; readonly after: number; readonly upTo: number }[];
}
