/** The ordinary order on PostgreSQL: everything in one trip, taking for granted what this process holds, and checking it there. */
import { ConstraintFailed, GuardFailed, type Row } from "../db/database.ts";
import type { NewRow } from "../db/dialect.ts";
import { notAsHeld, type OneTrip, oneTrip } from "../db/orders.ts";
import type { App } from "./app.ts";
import type { StoredEvent } from "./change.ts";
import { type Draft, type Outcome, placedEvent, readersOf, rowsOf } from "./draft.ts";
import { limitsOf } from "./menu.ts";

/** @returns undefined when something is not as it was taken to be: then nothing was stored */
export async function storeInOneTrip(app: App, drafts: readonly Draft[]): Promise<Outcome[] | undefined> {
  if (!app.db.dialect.oneTrip) return undefined;
  const plan = planOf(app, drafts);
  const streams = plan.heads.map(({ name }) => name);
  const statements = oneTrip(app.db.dialect, plan);
  try {
    const { rows, after } = await app.db.flight({ statements, after: app.gateway.audience(streams), repeatable: true });
    const [events, epochs, numbers] = rows.slice(-3) as [Row[], Row[], Row[]];
    const epochOf = new Map(epochs.map(({ name, epoch }) => [name, String(epoch)]));
    const numberOf = new Map(numbers.map((row) => [row.id, row]));
    const orderOfTag = new Map(plan.events.map(({ tag, order_id }) => [tag, order_id]));
    const stored: StoredEvent[] = events.map((row) => ({
      stream: String(row.stream),
      epoch: epochOf.get(row.stream ?? "") ?? "",
      seq: Number(row.seq),
      tag: String(row.tag),
      type: String(row.type),
      data: String(row.data),
      at: Number(row.at),
      about: orderOfTag.get(String(row.tag)),
    }));
    return drafts.map(({ order }) => {
      const row = numberOf.get(order.id) as Row;
      const placed = { ...order, number: String(row.number), dayNumber: Number(row.day_number) };
      const changed = { events: stored.filter(({ about }) => about === order.id), audience: after };
      return { status: "fulfilled", value: { kind: "placed", order: placed, changed } };
    });
  } catch (error) {
    const unusual =
      (error instanceof GuardFailed && error.guard === notAsHeld) ||
      // The key is there already, or fewer portions are left than asked.
      error instanceof ConstraintFailed;
    if (unusual) return undefined;
    throw error;
  }
}

function planOf(app: App, drafts: readonly Draft[]): OneTrip {
  const now = app.clock.now();
  const dishes = new Map<string, OneTrip["dishes"][number]>();
  const days = new Map<string, OneTrip["days"][number]>();
  const events: { stream: string; tag: string; type: string; at: number; order_id: string; rest: string }[] = [];
  const ranks: number[] = [];
  for (const { order, shop } of drafts) {
    for (const { dish, quantity } of order.lines.filter(({ counted }) => counted)) {
      const name = `${order.shop}\n${dish}\n${order.day}`;
      const stock = shop.dishes.get(dish)?.dailyStock ?? null;
      const sold = (dishes.get(name)?.sold ?? 0) + quantity;
      dishes.set(name, { shop_id: order.shop, dish_id: dish, day: order.day, stock, sold });
    }
    const name = `${order.shop}\n${order.day}`;
    const orders = (days.get(name)?.orders ?? 0) + 1;
    days.set(name, { shop_id: order.shop, day: order.day, orders });
    ranks.push(orders);
    for (const [stream, reader] of readersOf(order)) {
      const { number: _, ...rest } = placedEvent(order, reader).order;
      // Behind the number: `,"id":…}}`
      const text = `,${JSON.stringify(rest).slice(1)}}`;
      events.push({ stream, tag: app.random.tag(), type: "order.placed", at: now, order_id: order.id, rest: text });
    }
  }
  const counts = new Map<string, number>();
  const numbered = events.map((event) => {
    const seq = (counts.get(event.stream) ?? 0) + 1;
    counts.set(event.stream, seq);
    return { ...event, seq };
  });
  const tags = new Map(events.map(({ stream, tag }) => [stream, tag]));
  const siblings = countSiblings(drafts);
  return {
    keys: drafts.map(({ key }) => key),
    dishes: [...dishes.values()],
    days: [...days.values()],
    heads: [...counts].map(([name, seq]) => ({
      name,
      epoch: app.random.tag(),
      seq,
      tag: tags.get(name) as string,
      changed_at: now,
    })),
    checks: drafts.map((draft, at) => checkOf(draft, siblings[at] as Siblings)),
    orders: drafts.map((draft, at) => {
      const total = days.get(`${draft.order.shop}\n${draft.order.day}`)?.orders ?? 0;
      return rowsOf({ ...draft.order, dayNumber: (ranks[at] as number) - total });
    }),
    events: numbered.map((event) => ({ ...event, seq: event.seq - (counts.get(event.stream) as number) })),
    now,
    screensSince: now - app.config.screenMs,
  };
}

type Siblings = Record<"session" | "table" | "address" | "shop", number>;

/** For each order: how many of the batch up to and with it share its session, table, address, shop. */
function countSiblings(drafts: readonly Draft[]): Siblings[] {
  const seen = new Map<string, number>();
  const count = (...parts: (string | null)[]) => {
    const name = JSON.stringify(parts);
    seen.set(name, (seen.get(name) ?? 0) + 1);
    return seen.get(name) as number;
  };
  return drafts.map(({ order: { shop, session, tableToken, addressHash } }) => ({
    session: count("session", shop, session),
    table: count("table", shop, tableToken),
    address: count("address", shop, addressHash),
    shop: count("shop", shop),
  }));
}

/** A limit in the row is how many may wait already, so that with the batch's own it is not passed. */
function checkOf({ order, claim, shop }: Draft, siblings: Siblings): NewRow {
  const limits = limitsOf(shop.settings);
  const room = (limit: number | null, own: number) => (limit === null ? null : limit - own);
  return {
    shop: shop.id,
    menu_version: shop.version,
    day: order.day,
    dishes: JSON.stringify(order.lines.map(({ dish }) => dish)),
    session: claim.session,
    owner: claim.user,
    token_hash: claim.hash,
    kind: claim.kind,
    table_token: order.tableToken,
    address_hash: order.addressHash,
    needs_screen: shop.settings.refuseWhenOffline,
    per_session: room(limits.perSession, siblings.session),
    per_table: order.tableToken === null ? null : room(limits.perTable, siblings.table),
    per_address: room(limits.perAddress, siblings.address),
    per_shop: room(limits.perShop, siblings.shop),
  };
}
