/** The port to the database. Everything above speaks only to this; the engines stand beside it, one file each. */
import type { Dialect } from "./dialect.ts";
import type { Statement } from "./sql.ts";

/** A row as every engine gives it: text, integers as numbers, null. Flags are 0 and 1. */
export type Row = Record<string, string | number | null>;

export interface Database {
  readonly dialect: Dialect;

  /** One statement by itself; several see one snapshot (REPEATABLE READ, READ ONLY). Result k is the rows of statement k. */
  read(statements: readonly Statement[]): Promise<Row[][]>;

  /**
   * One transaction, stored whole or not at all.
   *
   * The list is sent in one go. Whatever fails, guard or statement, takes everything back and is thrown.
   * Deadlocks and lock time-outs repeat the whole flight up to three times.
   */
  flight(flight: Flight): Promise<Landed>;

  close(): Promise<void>;
}

export interface Flight {
  readonly statements: readonly Statement[];
  /**
   * Given what the statements returned (their locks are held), names the statements that end the transaction.
   * Pure and synchronous: nothing is awaited while locks are held, and it may run again when the flight is repeated.
   * What it throws takes everything back.
   */
  readonly decide?: (rows: Row[][]) => readonly Statement[];
  /** Read after the commit, in the same trip: who subscribes *now*, after our change is visible. */
  readonly after?: readonly Statement[];
  /** Whether the flight may be repeated when the connection broke and nobody knows if it was stored. */
  readonly repeatable?: boolean;
}

export interface Landed {
  /** Rows of `statements`. */
  readonly rows: Row[][];
  /** Rows of what `decide` named. */
  readonly decided: Row[][];
  /** Rows of `after`. */
  readonly after: Row[][];
}

/** What migrations need beside the port: plain text, one at a time, alone in the database. */
export interface Migrator {
  /** Runs `work` while nobody else's `alone` runs on this database, in any process. */
  alone<T>(work: (run: (text: string) => Promise<Row[]>) => Promise<T>): Promise<T>;
}

/** A guard did not hold. `name` is the guard's. */
export class GuardFailed extends Error {
  override readonly name = "GuardFailed";
  readonly guard: string;
  constructor(guard: string) {
    super(`guard "${guard}" did not hold`);
    this.guard = guard;
  }
}

/** A unique key or a CHECK refused the row. */
export class ConstraintFailed extends Error {
  override readonly name = "ConstraintFailed";
  readonly kind: "unique" | "check";
  constructor(kind: "unique" | "check", cause: unknown) {
    // The engine's own message quotes the row, which may hold personal data: only the kind is repeated here.
    super(`a ${kind} constraint refused the row`, { cause });
    this.kind = kind;
  }
}

/** The statement lost against another flight; repeated by the driver, and thrown only when three repeats lost as well. */
export class FlightLost extends Error {
  override readonly name = "FlightLost";
  constructor(cause: unknown) {
    super("the flight lost to others three times", { cause });
  }
}

/** The database cannot be reached or dropped the connection. `sent` says whether the flight may have been stored. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
  readonly sent: boolean;
  constructor(sent: boolean, cause: unknown) {
    super("the database cannot be reached", { cause });
    this.sent = sent;
  }
}
