/** Quotas: how much one user or shop, and how much all together, have of a purpose. Counted under locks, so that no race passes them. */
import type { Row } from "../../db/database.ts";
import type { Dialect } from "../../db/dialect.ts";
import { addToCount, everybody, lockCount, readCount } from "../../db/files.ts";
import type { Statement } from "../../db/sql.ts";
import { FilesFull } from "../errors.ts";
import type { Purpose } from "../purpose.ts";

export interface Amount {
  readonly files: number;
  readonly bytes: number;
}

/** Locks both counts: that of the holder first, in every flight. */
export const lockCounts = (dialect: Dialect, holder: string, purpose: string): Statement[] => [
  ...lockCount(dialect, holder, purpose),
  ...lockCount(dialect, everybody, purpose),
];

/** Read behind the locks. */
export const readCounts = (holder: string, purpose: string): Statement[] => [
  readCount(holder, purpose),
  readCount(everybody, purpose),
];

export const addToCounts = (holder: string, purpose: string, amount: Amount): Statement[] => [
  addToCount(holder, purpose, amount),
  addToCount(everybody, purpose, amount),
];

/** @param counted the rows of `readCounts` @throws FilesFull */
export function throwIfFull(purpose: Purpose, counted: readonly (readonly Row[] | undefined)[], more: Amount): void {
  const [own, all] = counted.map((rows) => ({
    files: Number(rows?.[0]?.files ?? 0),
    bytes: Number(rows?.[0]?.bytes ?? 0),
  }));
  const { perUser, total } = purpose;
  if ((own?.files ?? 0) + more.files > perUser.files || (own?.bytes ?? 0) + more.bytes > perUser.bytes)
    throw new FilesFull(purpose.name, "user", perUser.bytes, perUser.files);
  if ((all?.bytes ?? 0) + more.bytes > total.bytes) throw new FilesFull(purpose.name, "all", total.bytes);
}
