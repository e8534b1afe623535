/** A shop: making, opening and closing it, and `changeShop`, through which all of its data is changed. */
import type { Row } from "../../db/database.ts";
import { readSession } from "../../db/sessions.ts";
import { insertMenu, insertShop, lockShop, readShop, setOpen } from "../../db/shops.ts";
import type { Statement } from "../../db/sql.ts";
import type { App } from "../app.ts";
import { auditEntry, type Operator, sessionOf } from "../audit.ts";
import { businessDay } from "../day.ts";
import { InvalidInput, ShopUnknown } from "../errors.ts";
import type { Menu, Settings } from "../menu.ts";
import type { Names } from "../protocol.ts";
import { aliveOf, type Staff } from "../sessions/session.ts";
import { type Changed, change, type NewEvent } from "../streams/change.ts";
import { deliver } from "../streams/deliver.ts";
import { refresh } from "./public_state.ts";

/** Who changes a shop: its staff, an operator, or the server itself. */
export type ShopActor = Staff | Operator | null;

/** A shop row with its JSON read. */
export interface Shop {
  readonly id: string;
  readonly names: Names;
  readonly zone: string;
  readonly rolloverMinutes: number;
  readonly open: boolean;
  readonly live: boolean;
  readonly version: number;
  readonly settings: Settings;
}

export function shopOf(row: Row): Shop {
  return {
    id: String(row.id),
    names: JSON.parse(String(row.names)),
    zone: String(row.zone),
    rolloverMinutes: Number(row.rollover_minutes),
    open: row.is_open === 1,
    live: row.live === 1,
    version: Number(row.menu_version),
    settings: JSON.parse(String(row.settings)),
  };
}

const emptyMenu: Menu = { categories: [], dishes: [] };

export interface NewShopRequest {
  readonly id: string;
  readonly names: Names;
  readonly zone: string;
  readonly rolloverMinutes: number;
  readonly settings: Settings;
}

/** Makes a shop, closed, with an empty menu and its streams. @param audit written with it */
export async function createShop(app: App, asked: NewShopRequest, audit: readonly Statement[] = []): Promise<void> {
  const now = app.clock.now();
  try {
    businessDay(now, asked.zone, asked.rolloverMinutes);
  } catch {
    throw new InvalidInput("zone", "is not a time zone such as Asia/Shanghai");
  }
  const { id, names, settings } = asked;
  await change(app, {
    locks: [
      insertShop({ ...asked, names: JSON.stringify(names), settings: JSON.stringify(settings), at: now }),
      insertMenu(id, 1, JSON.stringify(emptyMenu), null, now),
    ],
    streams: [`shop:${id}`, `menu:${id}`, `board:${id}`],
    decide: () => ({ writes: audit, result: undefined }),
    repeatable: false,
  });
  await refresh(app, id);
}

/** @throws ShopUnknown */
export async function knownShop(app: App, shop: string): Promise<Shop> {
  const [rows] = await app.db.read([readShop(shop)]);
  if (rows[0] === undefined) throw new ShopUnknown(shop);
  return shopOf(rows[0]);
}

export interface ShopEdit<T> {
  readonly actor: ShopActor;
  readonly shop: string;
  readonly locks?: readonly Statement[];
  readonly reads?: readonly Statement[];
  readonly repeatable?: boolean;
  /** @param rows of `locks`, then of `reads` */
  decide(shop: Shop, rows: Row[][]): ShopOutcome<T>;
}

/** Writes need a row in `audit`: the type allows none without it. */
export type ShopOutcome<T> = { readonly result: T } & (
  | { readonly writes?: undefined; readonly events?: undefined; readonly audit?: undefined }
  | {
      readonly writes: readonly Statement[];
      readonly events?: readonly Omit<NewEvent, "stream">[];
      readonly audit: readonly [action: string, detail: object];
    }
);

/** Changes a shop under its lock, which re-checks the actor's session: it may have been revoked. @throws ShopUnknown */
export async function changeShop<T>(
  app: App,
  { actor, shop, locks = [], reads = [], ...edit }: ShopEdit<T>,
): Promise<T> {
  const now = app.clock.now();
  const stream = `shop:${shop}`;
  const session = sessionOf(actor);
  const changed: Changed<T> = await change(app, {
    locks: [lockShop(shop), ...locks],
    streams: [stream],
    reads: [...(session === null ? [] : [readSession(session)]), ...reads],
    decide([rows, ...locked], read) {
      if (rows?.[0] === undefined) throw new ShopUnknown(shop);
      if (session !== null) aliveOf(read[0]?.[0] as Row, now);
      const all = [...locked, ...read.slice(session === null ? 0 : 1)];
      const { writes, events = [], audit, result } = edit.decide(shopOf(rows[0]), all);
      if (audit === undefined) return { result };
      const [action, detail] = audit;
      const line = auditEntry(app, actor, { shop, action, detail });
      return { writes: [...writes, ...line], events: events.map((event) => ({ ...event, stream })), result };
    },
    repeatable: edit.repeatable ?? true,
  });
  await deliver(app, changed);
  return changed.result;
}

/** Opens or closes the shop (营业 / 打烊). A repeated call changes nothing. */
export function openShop(app: App, actor: ShopActor, shop: string, open: boolean): Promise<Shop> {
  return changeShop(app, {
    actor,
    shop,
    decide(now) {
      if (now.open === open) return { result: now };
      return {
        writes: [setOpen(shop, open)],
        events: [{ type: open ? "shop.opened" : "shop.closed", data: { open } }],
        audit: [open ? "open" : "close", {}],
        result: { ...now, open },
      };
    },
  });
}
