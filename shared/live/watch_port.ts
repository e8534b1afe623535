/** The port behind which watches are kept: in the memory of the process that holds the sockets, or in rows. */
import type { App } from "../app.ts";
import type { WatchReceiver } from "../pushes.ts";
import type { Caller } from "./caller.ts";
import type { Order } from "./sort.ts";

/** What a watch asks for, as its signed `queryID` says it. */
export interface WatchSpec {
  readonly collection: string;
  /** JSON text, as the client sent it. */
  readonly query: string;
  readonly order: Order;
  readonly limit: number | undefined;
  /** The client sorts its list by itself: the order of its documents is not kept. */
  readonly sorts: boolean;
  /** The time at which the watch began: what `serverDate` means in its query for ever. Milliseconds. */
  readonly at: number;
}

/** INIT_WATCH or REBUILD_WATCH of a client who may. */
export interface Opening {
  readonly connection: string;
  readonly watchId: string;
  readonly requestId: string;
  readonly queryId: string;
  readonly spec: WatchSpec;
  readonly caller: Caller;
  /** The client's last event, when it rebuilds. Undefined: INIT_WATCH. */
  readonly after: number | undefined;
}

/** A watch, for the owner's page. */
export interface Watcher {
  readonly collection: string;
  readonly user: string | null;
  /** Of the session. */
  readonly kind: string;
  readonly query: string;
  /** When its connection asked for it, in milliseconds. */
  readonly since: number;
}

export interface Watches {
  /**
   * Keeps the watch, reads its list, answers with it, and goes on with what changes. A second one of the same connection and
   * `watchId` takes the place of the first.
   * @throws AppError to refuse it; then there is no such watch
   */
  open(app: App, opening: Opening): Promise<void>;

  /**
   * What a client at `eventId` is told in CHECK_EVENT: the same when it lacks nothing that is committed, else `eventId + 1`, so that
   * it asks for its list anew. Never more: the vendor's client stops checking until it has reached the number.
   */
  check(app: App, watch: { connection: string; watchId: string; queryId: string }, eventId: number): Promise<number>;

  close(app: App, connection: string, watchId: string): Promise<void>;

  /** Ends all watches of a connection that is closed. */
  forget(app: App, connection: string): Promise<void>;

  /** Collection → number of watches. */
  counts(app: App): Promise<ReadonlyMap<string, number>>;

  /** At most 1,000, newest first. */
  watchers(app: App): Promise<readonly Watcher[]>;
}

/** Whether who follows streams keeps the watches. The functions of the cloud need not know the class that keeps them in memory. */
export const isWatches = (receiver: WatchReceiver): receiver is WatchReceiver & Watches => "open" in receiver;
