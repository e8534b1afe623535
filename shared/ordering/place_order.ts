/**
 * Places an order: priced by the held menu, stored with its events in one transaction, once per idempotency key; then pushed.
 *
 * On PostgreSQL the usual order is stored optimistically, in one call: all assumptions are checked under the locks, and if one
 * is wrong, nothing is stored. Then, and always on MySQL, it is stored with locks: lock first, decide after, with the reason of
 * each refusal.
 */
import { keyOf } from "../../db/key_of.ts";
import { readKeys, readOrders } from "../../db/orders.ts";
import { readSessions } from "../../db/sessions.ts";
import type { App } from "../app.ts";
import { byHalves } from "../by_halves.ts";
import { AppError, Forbidden, Internal, KeyReused, Overloaded } from "../errors.ts";
import { canonical } from "../json.ts";
import { type Claim, verifyClaim } from "../sessions/session.ts";
import { deliver } from "../streams/deliver.ts";
import type { Order } from "./order.ts";
import { orderOf } from "./order_rows.ts";
import { type OrderRequest, type Outcome, type PricedOrder, pricedOrder, type StoreResult } from "./priced_order.ts";
import { storeOptimistically } from "./store_optimistically.ts";
import { storeWithLocks } from "./store_with_locks.ts";

export interface Placed {
  readonly order: Order;
  /** The order was stored already, by an earlier request with the same key. */
  readonly repeated: boolean;
}

/** How often the menu may change while an order is placed, before the client is told to retry. */
const maxMenuChanges = 8;

/**
 * Places an order and pushes it, or finds the one that the same key placed before.
 * Before any refusal the key is looked up: an order that was stored is returned.
 * @throws an AppError of errors.ts
 */
export async function placeOrder(app: App, asked: OrderRequest): Promise<Placed> {
  const { claim, bill } = asked;
  if (claim.kind === "staff") throw new Forbidden("staff do not order; use a customer's session");
  const bodyHash = app.secrets.hash(canonical(bill));
  for (let tries = 0; ; tries++) {
    try {
      const shop = app.menus.held(bill.shop) ?? (await app.menus.load(bill.shop));
      const priced = pricedOrder(app, asked, bodyHash, shop);
      const written = await app.batches.add(storeBatch, app, priced);
      if (written.kind === "placed") {
        app.orderOwners.set(written.order.id, { shop: written.order.shop, user: written.order.user });
        await written.delivered;
        return { order: written.order, repeated: false };
      }
      if (written.kind === "stored") {
        const stored = await found(app, written.id, written.id === priced.order.id);
        if (stored !== undefined) return stored;
        // The database was restored between the two reads, and has neither order nor key: try again.
        if (tries > maxMenuChanges) throw new Internal(`order ${written.id} of a stored key is missing`);
        continue;
      }
      // The menu is edited again and again: random back-off, so that the two do not collide again.
      if (tries > maxMenuChanges) throw new Overloaded();
      await app.clock.sleep(app.random.fraction() * 10 * tries);
      await app.menus.load(bill.shop);
    } catch (error) {
      if (!(error instanceof AppError) || error.status >= 500) throw error;
      const stored = await lookUp(app, asked, bodyHash);
      if (stored !== undefined) return stored;
      // The held menu may be the reason; a newer one gets one more try.
      if (tries > 0 || !(await menuIsOld(app, bill.shop))) throw error;
    }
  }
}

/** The order under this key, if the customer has one. @throws KeyReused */
async function lookUp(app: App, { claim, key }: OrderRequest, bodyHash: string): Promise<Placed | undefined> {
  const [rows] = await app.db.read([readKeys([{ owner_id: claim.user, idem_key: key }])]);
  const row = rows[0];
  if (row === undefined) return undefined;
  // The key is the customer's: another caller must learn nothing from it.
  await verifyCaller(app, claim);
  if (row.body_hash !== bodyHash) throw new KeyReused();
  return found(app, String(row.result_id), false);
}

async function verifyCaller(app: App, claim: Claim): Promise<void> {
  const [rows] = await app.db.read([readSessions([claim.session])]);
  verifyClaim(claim, rows[0], app.clock.now());
}

async function found(app: App, id: string, mine: boolean): Promise<Placed | undefined> {
  const [orders, lines] = await app.db.read(readOrders([id]));
  if (orders[0] === undefined) return undefined;
  return { order: orderOf(orders[0], lines), repeated: !mine };
}

async function menuIsOld(app: App, shop: string): Promise<boolean> {
  const held = app.menus.held(shop);
  if (held === undefined) return false;
  const loaded = await app.menus.load(shop);
  return loaded.version !== held.version || loaded.versionAt !== held.versionAt;
}

// --- Storing ---------------------------------------------------------------------------------------------------------

/** What became of an order; a commit's pushes are one piece of work for all its orders. */
type Written =
  | Exclude<StoreResult, { kind: "placed" }>
  | { readonly kind: "placed"; readonly order: Order; readonly delivered: Promise<void> };

type WrittenOutcome = PromiseSettledResult<Written>;

/** Stores a batch. Of several orders with one key only the first is tried; the others share its outcome. */
export async function storeBatch(app: App, batch: readonly PricedOrder[]): Promise<WrittenOutcome[]> {
  // With the token's hash: what a forged token claims must not share the outcome of the true one.
  const nameOf = ({ key, claim }: PricedOrder) => keyOf(key.owner_id, key.idem_key, claim.hash);
  const firstOf = new Map<string, PricedOrder>();
  for (const priced of batch) if (!firstOf.has(nameOf(priced))) firstOf.set(nameOf(priced), priced);
  const firsts = [...firstOf.values()];
  const stored = await store(app, firsts);
  const outcomes = new Map(firsts.map((priced, at) => [priced, stored[at] as WrittenOutcome]));
  return batch.map((priced) => {
    const first = firstOf.get(nameOf(priced)) as PricedOrder;
    const outcome = outcomes.get(first) as WrittenOutcome;
    if (priced === first || outcome.status === "rejected" || outcome.value.kind !== "placed") return outcome;
    if (priced.key.body_hash !== first.key.body_hash) return { status: "rejected", reason: new KeyReused() };
    return { status: "fulfilled", value: { kind: "stored", id: outcome.value.order.id } };
  });
}

/** Optimistically if the engine can and nothing is unusual; else with locks; and if that fails for an unforeseen reason, by halves. */
const store = (app: App, batch: readonly PricedOrder[]): Promise<WrittenOutcome[]> =>
  byHalves(batch, async (part) =>
    pushed(app, (await storeOptimistically(app, part)) ?? (await storeWithLocks(app, part))),
  );

/** Begins to push what one commit stored. The next batch does not wait for it, its own orders do. */
function pushed(app: App, outcomes: readonly Outcome[]): WrittenOutcome[] {
  const placed = outcomes.flatMap((outcome) =>
    outcome.status === "fulfilled" && outcome.value.kind === "placed" ? [outcome.value.changed] : [],
  );
  const events = placed.flatMap((changed) => changed.events);
  const delivered = deliver(app, { events, subscribers: placed[0]?.subscribers ?? [] });
  return outcomes.map((outcome) =>
    outcome.status === "fulfilled" && outcome.value.kind === "placed"
      ? { status: "fulfilled", value: { kind: "placed", order: outcome.value.order, delivered } }
      : (outcome as WrittenOutcome),
  );
}
