/** An order on its way into the database: priced, complete but for its number, and not yet stored. */
import type { IdempotencyKey, OrderRows } from "../db/orders.ts";
import type { App } from "./app.ts";
import { eventData } from "./change.ts";
import { businessDay } from "./day.ts";
import type { Delivery } from "./deliver.ts";
import { EventTooLarge, GuestsRefused, OrderTooLarge } from "./errors.ts";
import type { ShopMenu } from "./menu.ts";
import { type Order, orderView } from "./order.ts";
import { type Bill, priceOf } from "./price.ts";
import { maxEventBytes, type OrderEvent } from "./protocol.ts";
import type { Claim } from "./session.ts";

export interface Asked {
  readonly claim: Claim;
  readonly bill: Bill;
  readonly key: string;
  /** The client's network address. */
  readonly address: string;
}

/** An order that is priced and not yet stored. Its number is drawn in the flight. */
export interface Draft {
  readonly order: Order;
  readonly claim: Claim;
  readonly shop: ShopMenu;
  readonly key: IdempotencyKey;
}

/** What became of a draft. */
export type Written =
  | { readonly kind: "placed"; readonly order: Order; readonly changed: Delivery }
  | { readonly kind: "stored"; readonly id: string }
  | { readonly kind: "menuMoved" };

/** Stored, found, or refused. */
export type Outcome = PromiseSettledResult<Written>;

/** Nothing to deliver. */
export const nothing: Delivery = { events: [], audience: [] };

/**
 * Prices what was asked by the menu that this process holds.
 * @throws GuestsRefused, OrderTooLarge, and what `priceOf` throws
 */
export function draftOf(app: App, { claim, bill, key, address }: Asked, bodyHash: string, shop: ShopMenu): Draft {
  const now = app.clock.now();
  const { settings } = shop;
  if (claim.kind === "guest" && settings.guests === "refuse") throw new GuestsRefused(shop.id);
  const price = priceOf(bill, shop);
  const order: Order = {
    id: app.random.id(),
    shop: shop.id,
    user: claim.user,
    session: claim.session,
    guest: claim.kind === "guest",
    addressHash: app.secrets.hashAddress(address),
    day: businessDay(now, shop.zone, shop.rolloverMinutes),
    dayNumber: 0,
    number: "",
    service: bill.service,
    tableToken: bill.table ?? null,
    tableLabel: price.tableLabel,
    delivery: bill.delivery ?? null,
    note: bill.note,
    menuVersion: shop.version,
    itemsFen: price.itemsFen,
    packingFen: price.packingFen,
    deliveryFen: price.deliveryFen,
    totalFen: price.totalFen,
    status: "placed",
    version: 1,
    payment: "unpaid",
    paidAt: null,
    reason: null,
    placedAt: now,
    acceptedAt: null,
    readyAt: null,
    completedAt: null,
    endedAt: null,
    escalateAt: now + settings.escalateAfterSec * 1_000,
    escalatedAt: null,
    expireAt: now + settings.expireAfterSec * 1_000,
    updatedAt: now,
    lines: price.lines.map((line) => ({ ...line, struck: false })),
  };
  // Refused before anything is written, with room for what later steps add.
  try {
    eventData(placedEvent(order, "staff"), maxEventBytes - 2_048);
  } catch (error) {
    throw error instanceof EventTooLarge ? new OrderTooLarge("the order is too large; shorten the notes") : error;
  }
  return {
    order,
    claim,
    shop,
    key: { owner_id: claim.user, idem_key: key, body_hash: bodyHash, result_id: order.id, created_at: now },
  };
}

export const placedEvent = (order: Order, reader: "staff" | "customer"): OrderEvent => ({
  action: "place",
  order: orderView(order, reader),
});

/** Whom a new order concerns: the kitchen and its customer. */
export const readersOf = (order: Order) =>
  [
    [`shop:${order.shop}`, "staff"],
    [`user:${order.user}`, "customer"],
  ] as const;

/** The order as rows of its three tables. */
export function rowsOf(order: Order): OrderRows {
  return {
    order: {
      id: order.id,
      shop_id: order.shop,
      user_id: order.user,
      session_id: order.session,
      is_guest: order.guest,
      address_hash: order.addressHash,
      day: order.day,
      day_number: order.dayNumber,
      number: order.number,
      service: order.service,
      table_token: order.tableToken,
      table_label: order.tableLabel,
      delivery: order.delivery === null ? null : JSON.stringify(order.delivery),
      note: order.note,
      menu_version: order.menuVersion,
      items_fen: order.itemsFen,
      packing_fen: order.packingFen,
      delivery_fen: order.deliveryFen,
      total_fen: order.totalFen,
      status: order.status,
      version: order.version,
      payment: order.payment,
      placed_at: order.placedAt,
      escalate_at: order.escalateAt,
      expire_at: order.expireAt,
      updated_at: order.updatedAt,
    },
    lines: order.lines.map(({ line, dish, names, options, station, quantity, unitFen, totalFen, counted, note }) => ({
      order_id: order.id,
      line_no: line,
      dish_id: dish,
      names: JSON.stringify(names),
      options: JSON.stringify(options),
      station,
      quantity,
      unit_fen: unitFen,
      total_fen: totalFen,
      counted,
      note,
    })),
    history: {
      order_id: order.id,
      version: 1,
      action: "place",
      to_status: "placed",
      actor: "customer",
      session_id: order.session,
      at: order.placedAt,
    },
  };
}
