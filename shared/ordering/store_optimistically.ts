/** Stores the usual order on PostgreSQL in one trip: by the state this process holds, which is checked there under the locks. */
import { ConstraintFailed, GuardFailed, type Row } from "../../db/database.ts";
import type { NewRow } from "../../db/dialect.ts";
import { keyOf } from "../../db/key_of.ts";
import { notAsExpected, type OptimisticPlan, optimisticFlight } from "../../db/orders.ts";
import { eventOf } from "../../db/streams.ts";
import type { App } from "../app.ts";
import { limitsOf } from "../menu.ts";
import { recallMs } from "../order_states.ts";
import type { StoredEvent } from "../streams/change.ts";
import { rowsOf } from "./order_rows.ts";
import { type Outcome, type PricedOrder, readersOf } from "./priced_order.ts";

/** @returns undefined when an assumption was wrong: then nothing was stored */
export async function storeOptimistically(app: App, batch: readonly PricedOrder[]): Promise<Outcome[] | undefined> {
  if (!app.db.dialect.chainsNumbers) return undefined;
  const plan = planOf(app, batch);
  const streams = plan.heads.map(({ name }) => name);
  const statements = optimisticFlight(app.db.dialect, plan);
  try {
    const { rows, after } = await app.db.flight({
      statements,
      after: app.gateway.subscribers(streams),
      repeatable: true,
    });
    const [events, epochs, numbers] = rows.slice(-3) as [Row[], Row[], Row[]];
    const epochOf = new Map(epochs.map(({ name, epoch }) => [name, String(epoch)]));
    const numberOf = new Map(numbers.map((row) => [row.id, row]));
    const orderOfTag = new Map(plan.events.map(({ tag, order_id }) => [tag, order_id]));
    const stored: StoredEvent[] = events.map((row) => ({
      epoch: epochOf.get(row.stream ?? "") ?? "",
      ...eventOf(row),
      about: orderOfTag.get(String(row.tag)),
    }));
    return batch.map(({ order }) => {
      const row = numberOf.get(order.id) as Row;
      const placed = { ...order, number: String(row.number), dayNumber: Number(row.day_number) };
      const changed = { events: stored.filter(({ about }) => about === order.id), subscribers: after };
      return { status: "fulfilled", value: { kind: "placed", order: placed, changed } };
    });
  } catch (error) {
    const unusual =
      (error instanceof GuardFailed && error.guard === notAsExpected) ||
      // The key is there already, or fewer portions are left than asked.
      error instanceof ConstraintFailed;
    if (unusual) return undefined;
    throw error;
  }
}

function planOf(app: App, batch: readonly PricedOrder[]): OptimisticPlan {
  const now = app.clock.now();
  const dishes = new Map<string, OptimisticPlan["dishes"][number]>();
  const days = new Map<string, OptimisticPlan["days"][number]>();
  const events: { stream: string; tag: string; type: string; data: string; at: number; order_id: string }[] = [];
  const ranks: number[] = [];
  for (const { order, shop, texts } of batch) {
    for (const { dish, quantity } of order.lines.filter(({ counted }) => counted)) {
      const name = keyOf(order.shop, dish, order.day);
      const stock = shop.dishes.get(dish)?.dailyStock ?? null;
      const sold = (dishes.get(name)?.sold ?? 0) + quantity;
      dishes.set(name, { shop_id: order.shop, dish_id: dish, day: order.day, stock, sold });
    }
    const name = keyOf(order.shop, order.day);
    const orders = (days.get(name)?.orders ?? 0) + 1;
    days.set(name, { shop_id: order.shop, day: order.day, orders });
    ranks.push(orders);
    for (const [stream, reader] of readersOf(order)) {
      events.push({
        stream,
        tag: app.random.tag(),
        type: "order.placed",
        data: texts[reader],
        at: now,
        order_id: order.id,
      });
    }
  }
  const counts = new Map<string, number>();
  const tags = new Map<string, string>();
  const numbered = events.map((event) => {
    const seq = (counts.get(event.stream) ?? 0) + 1;
    counts.set(event.stream, seq);
    // The tag before the first one is known to the stream's row only.
    const prev = tags.get(event.stream) ?? null;
    tags.set(event.stream, event.tag);
    return { ...event, seq, prev };
  });
  const siblings = countSiblings(batch);
  return {
    keys: batch.map(({ key }) => key),
    dishes: [...dishes.values()],
    days: [...days.values()],
    heads: [...counts].map(([name, seq]) => ({
      name,
      epoch: app.random.tag(),
      seq,
      tag: tags.get(name) as string,
      changed_at: now,
    })),
    checks: batch.map((priced, at) => checkOf(priced, siblings[at] as Siblings)),
    orders: batch.map((priced, at) => {
      const total = days.get(keyOf(priced.order.shop, priced.order.day))?.orders ?? 0;
      return rowsOf({ ...priced.order, dayNumber: (ranks[at] as number) - total });
    }),
    events: numbered.map((event) => ({ ...event, seq: event.seq - (counts.get(event.stream) as number) })),
    now,
    screensSince: now - app.config.screenMs,
    endedSince: now - recallMs,
  };
}

type Siblings = Record<"session" | "table" | "address" | "wider" | "shop", number>;

/** For each order: the number of orders of the batch, up to and including it, with its session, table, address, shop. */
function countSiblings(batch: readonly PricedOrder[]): Siblings[] {
  const counts = new Map<string, number>();
  const count = (...parts: (string | null)[]) => {
    const name = keyOf(...parts);
    const total = (counts.get(name) ?? 0) + 1;
    counts.set(name, total);
    return total;
  };
  return batch.map(({ order: { shop, session, tableToken, addressHash, widerHash } }) => ({
    session: count("session", shop, session),
    table: count("table", shop, tableToken),
    address: count("address", shop, addressHash),
    wider: count("wider", shop, widerHash),
    shop: count("shop", shop),
  }));
}

/** A limit in the row is the number that may wait already, so that with those of the batch it is not exceeded. */
function checkOf({ order, claim, shop }: PricedOrder, siblings: Siblings): NewRow {
  const limits = limitsOf(shop.settings);
  const allowed = (limit: number | null, own: number) => (limit === null ? null : limit - own);
  return {
    shop: shop.id,
    menu_version: shop.version,
    menu_at: shop.versionAt,
    day: order.day,
    dishes: JSON.stringify(order.lines.map(({ dish }) => dish)),
    session: claim.session,
    owner: claim.user,
    token_hash: claim.hash,
    kind: claim.kind,
    table_token: order.tableToken,
    address_hash: order.addressHash,
    wider_hash: order.widerHash,
    needs_screen: shop.settings.refuseWhenOffline,
    per_session: allowed(limits.perSession, siblings.session),
    per_table: order.tableToken === null ? null : allowed(limits.perTable, siblings.table),
    per_address: order.addressHash === null ? null : allowed(limits.perAddress, siblings.address),
    per_wider: order.widerHash === null ? null : allowed(limits.perWider, siblings.wider),
    per_shop: allowed(limits.perShop, siblings.shop),
  };
}
