/** The port to whatever holds the sockets: the way back out, and who reads what. */
import type { Row } from "../db/database.ts";
import type { Statement } from "../db/sql.ts";

/**
 * `gone`: the connection does not exist (any more, or not yet). `throttled`: it exists and cannot take more now.
 * Both are answers, not errors.
 */
export type Sent = "sent" | "gone" | "throttled";

/** A connection with the rights that were checked for it. */
export interface Reader {
  readonly connection: string;
  readonly session: string;
  /** When the session expires, ms. Nothing is pushed after it. */
  readonly until: number;
}

export interface Gateway {
  /** The connection goes on with these rights: its session was looked at just now. */
  renew(reader: Reader): Promise<void>;

  /**
   * Enters the connection as a reader of the stream. `number` is the client's growing one.
   * `left`: a later message has left the stream already, or there is no such connection. `full`: the connection reads as many streams as it may.
   */
  subscribe(connection: string, stream: string, number: number): Promise<"subscribed" | "left" | "full">;

  /** Leaves; a `subscribe` with a lower number that arrives later has no effect. With the same number it takes that one back. */
  unsubscribe(connection: string, stream: string, number: number): Promise<void>;

  /**
   * What to read right after a commit, in the same trip, so that `publish` knows who is entitled at this moment.
   * A publisher commits and then looks who reads; a reader is entered and then reads the backlog: one of the two sees the other.
   */
  audience(streams: readonly string[]): Statement[];

  /** Sends the frames, in this order, to every reader of the stream. Never throws because of a reader. */
  publish(stream: string, frames: readonly string[], audience: readonly Row[][]): Promise<void>;

  send(connection: string, frame: string): Promise<Sent>;

  /** Closes the socket if it is there. */
  close(connection: string): Promise<void>;
}
