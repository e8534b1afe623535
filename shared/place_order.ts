/**
 * Placing an order: priced by the held menu, stored with its events in one transaction, once per idempotency key.
 *
 * On PostgreSQL the ordinary order is one trip: everything that was taken for granted is checked behind the locks, and if
 * anything is not so, nothing is stored and the careful road is taken. The careful road locks first and decides then, on
 * every engine; it knows the reason of each refusal.
 */
import type { Row } from "../db/database.ts";
import { readKeys, readOrders } from "../db/orders.ts";
import { readSessions } from "../db/sessions.ts";
import type { App } from "./app.ts";
import type { Delivery } from "./deliver.ts";
import { type Asked, draftOf, nothing } from "./draft.ts";
import { AppError, Forbidden, Internal, KeyReused, Overloaded } from "./errors.ts";
import { type Order, orderOf } from "./order.ts";
import { type Claim, confirm } from "./session.ts";

export interface Placed {
  readonly order: Order;
  /** The order was there already: the same key came before. */
  readonly repeated: boolean;
  readonly changed: Delivery;
}

/** How often a menu may move under an order before the caller is asked to come again. */
const maxMoves = 8;

/**
 * Places an order, or finds the one that the same key placed before.
 * Whatever the reason to refuse, the key is looked at first: what was stored wins.
 * @throws every refusal of errors.ts that names the thing itself
 */
export async function placeOrder(app: App, asked: Asked): Promise<Placed> {
  const { claim, bill } = asked;
  if (claim.kind === "staff") throw new Forbidden("staff do not order; use a customer's session");
  const bodyHash = app.secrets.hash(canonical(bill));
  for (let tries = 0; ; tries++) {
    try {
      const shop = app.menus.held(bill.shop) ?? (await app.menus.load(bill.shop));
      const draft = draftOf(app, asked, bodyHash, shop);
      const written = await app.orders.write(draft);
      if (written.kind === "placed") return { order: written.order, repeated: false, changed: written.changed };
      if (written.kind === "stored") return await found(app, written.id, written.id === draft.order.id);
      // Somebody edits the menu again and again: a breath, so that the two do not stay in step.
      if (tries > maxMoves) throw new Overloaded();
      await app.clock.sleep(app.random.fraction() * 10 * tries);
      await app.menus.load(bill.shop);
    } catch (refusal) {
      if (!(refusal instanceof AppError) || refusal.status >= 500) throw refusal;
      const stored = await lookUp(app, asked, bodyHash);
      if (stored !== undefined) return stored;
      // The held menu may be the reason; a newer one gets one more try.
      if (tries > 0 || !(await menuIsOld(app, bill.shop))) throw refusal;
    }
  }
}

/** The order under this key, if the customer has one. @throws KeyReused */
async function lookUp(app: App, { claim, key }: Asked, bodyHash: string): Promise<Placed | undefined> {
  const [rows] = await app.db.read([readKeys([{ owner_id: claim.user, idem_key: key }])]);
  const row = rows?.[0];
  if (row === undefined) return undefined;
  // The key is the customer's: who cannot prove to be that customer learns nothing from it.
  await proveClaim(app, claim);
  if (row.body_hash !== bodyHash) throw new KeyReused();
  return found(app, String(row.result_id), false);
}

async function proveClaim(app: App, claim: Claim): Promise<void> {
  const [rows] = await app.db.read([readSessions([claim.session])]);
  confirm(claim, rows?.[0], app.clock.now());
}

async function found(app: App, id: string, mine: boolean): Promise<Placed> {
  const [orders, lines] = (await app.db.read(readOrders([id]))) as [Row[], Row[]];
  if (orders[0] === undefined) throw new Internal(`order ${id} of a stored key is missing`);
  return { order: orderOf(orders[0], lines), repeated: !mine, changed: nothing };
}

async function menuIsOld(app: App, shop: string): Promise<boolean> {
  const held = app.menus.held(shop);
  return held !== undefined && (await app.menus.load(shop)).version !== held.version;
}

/** The same text for the same body, whatever the order of its fields. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part) =>
    part !== null && typeof part === "object" && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
