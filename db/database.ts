/** The port to the database. All other code uses only this; each engine has a file beside it. */
import type { Dialect } from "./dialect.ts";
import type { Explained } from "./explain.ts";
import type { Statement } from "./sql.ts";

/** A row as every engine gives it: text, integers as numbers, null. Flags are 0 and 1. */
export type Row = Record<string, string | number | null>;

/** The rows of each statement: a tuple as long as the tuple of statements, so that no result needs a cast. */
export type RowsOf<S extends readonly Statement[]> = { -readonly [K in keyof S]: Row[] };

/** Types an engine's `read` by the length of its list: it gives back as many lists of rows as it was given statements. */
export const readTyped = (read: (statements: readonly Statement[]) => Promise<Row[][]>): Database["read"] =>
  read as Database["read"];

export interface Database {
  readonly dialect: Dialect;

  /** One statement by itself; several see one snapshot (REPEATABLE READ, READ ONLY). Result k is the rows of statement k. */
  read<const S extends readonly Statement[]>(statements: S): Promise<RowsOf<S>>;

  /**
   * One transaction, stored whole or not at all.
   *
   * The list is sent in one go. If a guard or a statement fails, everything is rolled back and the error is thrown.
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
   * An error that it throws rolls everything back.
   */
  readonly decide?: (rows: Row[][]) => readonly Statement[];
  /** Read after the commit, in the same trip: who subscribes *now*, after our change is visible. */
  readonly after?: readonly Statement[];
  /** The flight may be repeated when the connection broke and it is unknown whether it was committed. */
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

/** Needed by migrations beside the port: plain text, one statement at a time, alone in the database. */
export interface Migrator {
  /**
   * Runs `work` while no other `alone` runs on this database, in any process. No time limit but the caller's.
   * On PostgreSQL all of it is one transaction, so that no lock or setting stays on a connection that a pooler gives to another client.
   * @throws LockTaken when `wait.maxWaitMs` ends first
   */
  alone<T>(work: (run: (text: string) => Promise<Row[]>) => Promise<T>, wait?: LockWait): Promise<T>;
  /** Connects once, waits up to `timeoutMs` for the answer, and disconnects: it wakes a paused database. @throws ConnectionLost */
  probe(timeoutMs: number): Promise<void>;
}

export interface LockWait {
  /** Without it, no limit. */
  readonly maxWaitMs?: number | undefined;
  /** Called once, when another migration is running: a sentence that says since when. */
  readonly onWait?: ((sentence: string) => void) | undefined;
}

/** Another migration has not finished in time. */
export class LockTaken extends Error {
  override readonly name = "LockTaken";
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

/** A deadlock, a lock time-out or a failed serialization; repeated by the driver, and thrown only when three repeats failed as well. */
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
  /** For the operator: it names host, user and database, so it must not be sent to a client. */
  readonly reason: string | undefined;
  /** Wrong address, password or certificate: waiting is of no use. */
  readonly lasting: boolean;
  constructor(sent: boolean, cause: unknown, explained?: Explained, mayLast = true) {
    super("the database cannot be reached", { cause });
    this.sent = sent;
    this.reason = explained?.sentence;
    this.lasting = !sent && mayLast && explained?.lasting === true;
  }
}
