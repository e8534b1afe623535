/** Statements that read what is stored of one order's way, for `orderbell why`. */
import { type Sql, sql } from "./sql.ts";

export function readOrderFacts(order: string): Sql {
  return sql`SELECT shop_id, user_id, session_id, day, number, service, status, placed_at, escalate_at FROM orders WHERE id = ${order}`;
}

/** Every step with its actor; without reasons, which people type. */
export function readSteps(order: string): Sql {
  return sql`SELECT version, action, from_status, to_status, actor, session_id, at FROM order_history
    WHERE order_id = ${order} ORDER BY version`;
}

/** Events of these streams that hold the order, from this time on, without their data. */
export function readEventsOfOrder(
  order: string,
  streams: readonly [string, string],
  since: number,
  limit: number,
): Sql {
  return sql`SELECT stream, seq, type, at FROM events WHERE stream IN (${streams[0]}, ${streams[1]}) AND at >= ${since}
    AND data LIKE ${`%"${order}"%`} ORDER BY at, stream, seq LIMIT ${limit}`;
}

/** The staff sessions of a shop, also those that have ended. */
export function readDeviceNames(shop: string): Sql {
  return sql`SELECT id, device, role FROM sessions WHERE shop_id = ${shop} AND kind = 'staff' ORDER BY created_at`;
}
