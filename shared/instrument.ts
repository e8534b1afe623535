/** Port to what measures this process. It wraps parts from outside: where nothing measures, nothing is wrapped and nothing is called. */
import type { Database } from "../db/database.ts";
import type { Batches } from "./batch.ts";
import type { LogLevel } from "./config.ts";
import type { Fields } from "./log.ts";
import type { Outbound } from "./outbound.ts";
import type { Push } from "./pushes.ts";

export interface Instrument {
  /** Is told of each line of the log, whatever its level, before it is written or not. Must not throw. */
  readonly line?: (level: LogLevel, event: string, fields: Fields) => void;
  readonly database?: <D extends Database>(database: D) => D;
  /** @param of what is worked on together: orders, or sessions, tickets and positions */
  readonly batches?: (batches: Batches, of: "orders" | "arrivals") => Batches;
  /** Pushes of this process's own commits. */
  readonly push?: (push: Push) => Push;
  readonly outbound?: (outbound: Outbound) => Outbound;
}

/** Wraps a part by each instrument that has something to wrap it with. */
export function instrumented<T, I extends Instrument>(
  instruments: readonly I[],
  part: T,
  wrap: (instrument: I, part: T) => T | undefined,
): T {
  return instruments.reduce<T>((inner, instrument) => wrap(instrument, inner) ?? inner, part);
}
