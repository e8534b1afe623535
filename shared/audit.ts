/**
 * The audit: who changed what, and when. An entry is written in the transaction of its change. It holds ids, roles, counts and the
 * names of devices and keys; no secret, and nothing of a customer.
 */
import * as v from "valibot";
import type { Row } from "../db/database.ts";
import { insertAudit, readAudit } from "../db/shops.ts";
import type { Statement } from "../db/sql.ts";
import type { App } from "./app.ts";
import { iso } from "./day.ts";

/** Somebody without a session: the command line's user and machine such as `li@counter`, or a key. */
export interface Operator {
  readonly operator: string;
}

/** Who changes something. Null: the server itself, such as the demo. */
export type Actor = { readonly id: string } | Operator | null;

/** What was changed. */
export interface Audited {
  /** Absent for what belongs to no shop. */
  readonly shop?: string | undefined;
  /** Such as `menu.import`. */
  readonly action: string;
  readonly detail: object;
}

/** The session of who changes something, if it is one. */
export const sessionOf = (actor: Actor): string | null => (actor !== null && "id" in actor ? actor.id : null);

const maxActor = 160;

/** The statements that write an entry, for the transaction of its change. */
export function auditEntry(app: App, actor: Actor, { shop = "", action, detail }: Audited): Statement[] {
  return insertAudit(app.db.dialect, {
    id: app.random.id(),
    shop,
    session: sessionOf(actor),
    actor: actor !== null && "operator" in actor ? actor.operator.slice(0, maxActor) : null,
    action,
    detail: JSON.stringify(detail),
    at: app.clock.now(),
  });
}

/** An entry as owners and operators see it. */
export interface AuditView {
  readonly id: string;
  readonly at: string;
  readonly shop: string | null;
  readonly action: string;
  readonly detail: Readonly<Record<string, unknown>>;
  /** The device whose session made the change. */
  readonly device: { readonly id: string; readonly name: string | null; readonly role: string | null } | null;
  /** Who made it without a session. */
  readonly operator: string | null;
}

export interface AuditFilter {
  readonly shop?: string | undefined;
  /** The id of the entry behind which to go on. */
  readonly before?: string | undefined;
  readonly limit: number;
}

/** Entries, the newest first. `more`: there are older ones. */
export async function listAudit(
  app: App,
  { shop, before, limit }: AuditFilter,
): Promise<{ entries: AuditView[]; more: boolean }> {
  const [rows] = await app.db.read([readAudit(shop, before, limit + 1)]);
  return { entries: rows.slice(0, limit).map(auditView), more: rows.length > limit };
}

const detailShape = v.record(v.string(), v.unknown());

function auditView(row: Row): AuditView {
  const session = row.session_id;
  const text = (value: unknown) => (value === null || value === undefined ? null : String(value));
  return {
    id: String(row.id),
    at: iso(Number(row.at)),
    shop: row.shop_id === "" ? null : String(row.shop_id),
    action: String(row.action),
    detail: v.parse(detailShape, JSON.parse(String(row.detail))),
    device: session === null ? null : { id: String(session), name: text(row.device), role: text(row.role) },
    operator: text(row.actor),
  };
}
