/** Logs what readers have: a position in a check or a resume is the last event that this reader has handled. */
import type { Gateway, Subscriber } from "../gateway.ts";
import type { Log } from "../log.ts";
import { Recent } from "../recent.ts";
import { kindOf } from "./authority.ts";

/** Readers remembered; of one that was forgotten the next position is logged once more. */
const maxReaders = 20_000;

const positions = new WeakMap<Gateway, Recent<string, number>>();

interface Position {
  readonly stream: string;
  readonly seq: number;
}

/**
 * Logs a reader's position when it is later than the one before on this connection, so that an order has one line for each screen.
 * In memory: a process that does not know the reader yet logs its position. Streams of kitchens and customers only.
 */
export function logAcknowledged(
  { gateway, log }: { gateway: Gateway; log: Log },
  { connection, session }: Subscriber,
  type: "resume" | "check",
  { stream, seq }: Position,
): void {
  const { kind } = kindOf(stream);
  if (kind !== "shop" && kind !== "user") return;
  const known = positions.get(gateway) ?? new Recent<string, number>(maxReaders);
  positions.set(gateway, known);
  const reader = `${connection} ${stream}`;
  const before = known.get(reader);
  if (before === seq) return;
  known.set(reader, seq);
  // The line of a resume names the position that it came from.
  if (type === "check") log.info("acknowledged", { connection, session, stream, seq });
}
