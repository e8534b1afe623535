/** Port to the gateway that holds the sockets: subscriptions, pushes, and closing. */
import type { Row } from "../db/database.ts";
import type { Statement } from "../db/sql.ts";

/**
 * `gone`: the connection does not exist (any more, or not yet). `throttled`: it exists but accepts no more now.
 * Neither is an error.
 */
export type Sent = "sent" | "gone" | "throttled";

/** A connection with the rights that were checked for it. */
export interface Subscriber {
  readonly connection: string;
  readonly session: string;
  /** When the session expires, ms. Nothing is pushed after it. */
  readonly until: number;
}

/** The grant by which a subscriber reads a room: valid until then, while the room's grants have this version. */
export interface Grant {
  readonly version: number;
  readonly until: number;
}

/** Outcome of a push. A frame queued for a slow subscriber counts as sent. */
export interface Published {
  /** All subscribers, also those whose rights have ended. */
  readonly readers: number;
  readonly sent: number;
  /** Subscribers whose sockets are closed. */
  readonly gone: number;
}

/** A frame for one connection. */
export interface Addressed {
  readonly connection: string;
  readonly frame: string;
}

/**
 * What the frames of a push are: events with numbers from `first` on; `anew`: the head of another history, so that what readers
 * were sent before says nothing about what they have.
 */
export type Numbering = { readonly first: number } | "anew";

/** The answer to a resume or a check of one stream, and its place among the pushes to that socket. */
export interface Answering {
  /** Up to which number a reader that has this one was sent the events. They may be on their way, so they are no gap. */
  sentUpTo(seq: number): number;
  /** Sends the answer behind the pushes that wait for a slow reader. */
  send(frame: string): void;
  /**
   * The answer was sent, or there is none: pushes go on behind its number. `more`: the reader asks for the rest first, so nothing
   * is pushed until then. To be called once, in the turn of the event loop in which the answer was sent.
   */
  goOn(answer?: { readonly seq: number; readonly more: boolean }): void;
}

export interface Gateway {
  /**
   * Where this process holds the sockets: the answer comes before the pushes that follow it, and no push repeats what it holds. To be
   * called between `subscribe` and the read of the backlog. Elsewhere readers drop doubles, and ask when something comes early.
   */
  answering?(connection: string, stream: string, type: "resume" | "check"): Answering;

  /** Sets the connection's rights, after its session was verified. */
  renew(subscriber: Subscriber): Promise<void>;

  /**
   * Subscribes the connection to the stream, while its grant is valid if it needs one. `number` is the message's `n`.
   * `left`: a later message has left the stream already, or there is no such connection. `full`: the connection has its maximum of streams.
   */
  subscribe(connection: string, stream: string, number: number, grant?: Grant): Promise<"subscribed" | "left" | "full">;

  /** Unsubscribes. A `subscribe` with a lower number that arrives later has no effect; one with the same number is undone. */
  unsubscribe(connection: string, stream: string, number: number): Promise<void>;

  /**
   * Statements to run right after a commit, in the same round trip: `publish` takes their rows to know who is entitled.
   * A publisher commits, then reads the subscribers; a subscriber subscribes, then reads the backlog. So one sees the other.
   */
  subscribers(streams: readonly string[]): Statement[];

  /**
   * Sends the frames, in this order, to every subscriber whose session and grant are valid at this moment. The others get an
   * error and are unsubscribed. Never throws because of a subscriber.
   */
  publish(
    stream: string,
    frames: readonly string[],
    subscribers: readonly Row[][],
    numbering?: Numbering,
  ): Promise<Published>;

  /**
   * Sends each connection frames of its own, those of one connection in this order, if its session is valid at this moment; else it
   * closes the connection. A frame for a reader that is too slow may be left out: each frame has a number of its watch, and a
   * client that lacks one asks. Never throws because of a connection.
   * @param rows what the caller has read of these connections already, if the gateway knows them
   */
  publishEach(frames: readonly Addressed[], rows?: readonly Row[]): Promise<Published>;

  /** @param gateway where the connection is, if it is a tunnel's: those are not in the table of connections */
  send(connection: string, frame: string, gateway?: string): Promise<Sent>;

  /**
   * Where this process holds the sockets: finds connections whose session or grant has ended though nothing is pushed to them.
   * `publish` verifies by itself.
   */
  verify?(): Promise<void>;

  /** Closes the socket if it is there. @param gateway as for `send` */
  close(connection: string, gateway?: string): Promise<void>;
}
