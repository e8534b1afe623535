/** The app that each function is given: every dependency on the outside world is a member of it. */
import type { Database } from "../db/database.ts";
import type { Batches } from "./batch.ts";
import type { Config } from "./config.ts";
import type { FileStore } from "./file_store.ts";
import type { Gateway } from "./gateway.ts";
import type { HeadWatcher } from "./head_watcher.ts";
import type { Lanes } from "./lanes.ts";
import type { Log } from "./log.ts";
import type { Menus } from "./menu.ts";
import type { Outbound } from "./outbound.ts";
import type { Pages } from "./page_files.ts";
import type { Pushes, WatchReceiver } from "./pushes.ts";
import type { Recent } from "./recent.ts";
import type { Secrets } from "./secrets.ts";
import type { Signal } from "./signal.ts";
import type { Turns } from "./turns.ts";
import type { WebhookWatch } from "./webhook_watch.ts";
import type { Wechat } from "./wechat.ts";

export interface App {
  readonly config: Config;
  readonly db: Database;
  readonly gateway: Gateway;
  /** The bytes of files. */
  readonly store: FileStore;
  readonly pages: Pages;
  /** Where this process holds the sockets. In the cloud no state of pushes is kept. */
  readonly pushes: Pushes | undefined;
  /** Watches of collections, likewise. */
  readonly watches: WatchReceiver | undefined;
  readonly wechat: Wechat;
  /** The way to other people's servers, in the functions that have one. */
  readonly outbound: Outbound;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly invoke: Invoke;
  /** Menus held in memory, with their version. */
  readonly menus: Menus;
  /** Orders that wait for the next flight. */
  readonly batches: Batches;
  /** Sessions, tickets and positions that wait for the next read or flight: those of staff apart from guests'. */
  readonly arrivals: Batches;
  /** Shop and customer of orders, by id: they never change. An order that is here need not exist any more. */
  readonly orderOwners: Recent<string, OrderOwners>;
  /** Where frames of one tunnel wait for those before them. */
  readonly turns: Turns;
  /** Tells waiting polls of new events. */
  readonly headWatcher: HeadWatcher;
  /** What webhooks ask for, and streams with new events for them. */
  readonly webhooks: WebhookWatch;
  /** Deliveries to webhooks: a lane for each webhook. */
  readonly webhookLanes: Lanes;
}

export interface OrderOwners {
  readonly shop: string;
  readonly user: string;
}

export interface Clock {
  /** Milliseconds since 1970, UTC. */
  now(): number;
  /** Ends early when the signal aborts, so that a finished function leaves no timer behind. */
  sleep(ms: number, signal?: Signal): Promise<void>;
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

/** Starts another function. Waits until the start is certain, not for its end. */
export type Invoke = <Name extends keyof Started>(name: Name, event: Started[Name]) => Promise<void>;

/** The functions that others start, with what each is told. */
export interface Started {
  readonly fan_out: FanOut;
  readonly call_back: CallBack;
}

/** What `call_back` is told. All of it stands in the database too: the event only says where to look now. */
export interface CallBack {
  /** Tunnels with a socket to open, frames to send or callbacks to make. */
  readonly tunnels?: readonly string[];
  /** A socket that was accepted without a tunnel: a client hangs for ever where the handshake is refused. */
  readonly refused?: { readonly connection: string; readonly gateway: string };
  /** Streams with new events, for every webhook that reads them. */
  readonly streams?: readonly string[];
  /** Streams that these webhooks are to go on with. */
  readonly webhooks?: readonly WebhookStream[];
}

export interface WebhookStream {
  readonly webhook: string;
  readonly stream: string;
}

/** Input of `fan_out`: shops whose public state may have changed, rooms with new events, and what is watched. */
export interface FanOut {
  readonly shops: readonly string[];
  readonly rooms: readonly Range[];
  /** Streams with new events that somebody watches in a collection. */
  readonly watched?: readonly string[];
  /** A share of the watches of these groups. */
  readonly watches?: WatchShare;
}

/** Events of groups of watches, already counted, for a share of those who watch. */
export interface WatchShare {
  readonly stream: string;
  readonly groups: readonly {
    readonly id: string;
    /** Of the group, before these events. */
    readonly counter: number;
    /** Pieces of the events' text, between which the id is put; the events of one id in each. */
    readonly parts: readonly (readonly string[])[];
  }[];
  readonly share: Share;
}

export interface Range {
  readonly stream: string;
  readonly after: number;
  readonly upTo: number;
  /** Only this share of the stream's subscribers. */
  readonly share?: Share;
}

/** One of `of` parts of the subscribers, or of those who watch. */
export interface Share {
  readonly at: number;
  readonly of: number;
}
