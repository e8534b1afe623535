/** Quotas: how much one user or shop, the guests of one network, and all together have of a purpose. Counted under locks, so that no race passes them. */
import type { Row } from "../../db/database.ts";
import type { Dialect } from "../../db/dialect.ts";
import { addToCount, countNetwork, everybody, lockCount, readCount } from "../../db/files.ts";
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

/** The guests of one network are not more people than this, and those of the wider network around it. */
const networkTimes = 5;
const widerTimes = 25;
const dayMs = 24 * 3_600_000;

/** A guest's network. Anybody can be many guests: they must not fill what all have together with places that stay empty. */
export interface Network {
  readonly address_hash: string | null;
  readonly wider_hash: string | null;
}

/** Read behind the lock of all, which every place of the purpose takes. */
export const readNetwork = ({ address_hash, wider_hash }: Network, purpose: string, now: number): Statement[] => [
  countNetwork("address_hash", address_hash ?? "", purpose, now - dayMs),
  countNetwork("wider_hash", wider_hash ?? "", purpose, now - dayMs),
];

/** @param counted the rows of `readNetwork` @throws FilesFull */
export function throwIfNetworkFull(
  purpose: Purpose,
  counted: readonly (readonly Row[] | undefined)[],
  more: Amount,
): void {
  for (const [at, times] of [networkTimes, widerTimes].entries()) {
    const { files, bytes } = amountOf(counted[at]);
    const most = { files: times * purpose.perUser.files, bytes: times * purpose.perUser.bytes };
    if (files + more.files > most.files || bytes + more.bytes > most.bytes)
      throw new FilesFull(purpose.name, "network", most.bytes, most.files);
  }
}

const amountOf = (rows: readonly Row[] | undefined): Amount => ({
  files: Number(rows?.[0]?.files ?? 0),
  bytes: Number(rows?.[0]?.bytes ?? 0),
});

/** @param counted the rows of `readCounts` @throws FilesFull */
export function throwIfFull(purpose: Purpose, counted: readonly (readonly Row[] | undefined)[], more: Amount): void {
  const [own, all] = [amountOf(counted[0]), amountOf(counted[1])];
  const { perUser, total } = purpose;
  if (own.files + more.files > perUser.files || own.bytes + more.bytes > perUser.bytes)
    throw new FilesFull(purpose.name, "user", perUser.bytes, perUser.files);
  if (all.bytes + more.bytes > total.bytes) throw new FilesFull(purpose.name, "all", total.bytes);
}
