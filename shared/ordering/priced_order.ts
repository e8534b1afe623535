/** A priced order: complete except for its number, and not yet stored. */
import type { IdempotencyKey } from "../../db/orders.ts";
import type { App } from "../app.ts";
import { businessDay } from "../day.ts";
import { EventTooLarge, GuestsRefused, OrderTooLarge } from "../errors.ts";
import { limitsOf, type ShopMenu } from "../menu.ts";
import { maxEventBytes, type OrderEvent } from "../protocol.ts";
import type { Claim } from "../sessions/session.ts";
import type { Delivery } from "../streams/change.ts";
import { eventData } from "../streams/change.ts";
import { type Order, orderView } from "./order.ts";
import { type Bill, type Line, priceOf } from "./price.ts";

export interface OrderRequest {
  readonly claim: Claim;
  readonly bill: Bill;
  readonly key: string;
  /** The client's network address. */
  readonly address: string;
}

/** An order that is priced and not yet stored. Its number is drawn in the flight. */
export interface PricedOrder {
  readonly order: Order;
  readonly claim: Claim;
  readonly shop: ShopMenu;
  readonly key: IdempotencyKey;
  /** The data of `order.placed` for each kind of reader, with an empty number. */
  readonly texts: Readonly<Record<"staff" | "customer", string>>;
}

/** The result of storing an order. */
export type StoreResult =
  | { readonly kind: "placed"; readonly order: Order; readonly changed: Delivery }
  | { readonly kind: "stored"; readonly id: string }
  | { readonly kind: "menuMoved" };

/** The same, or the reason of its refusal. */
export type Outcome = PromiseSettledResult<StoreResult>;

/** Nothing to deliver. */
export const nothing: Delivery = { events: [], subscribers: [] };

/**
 * Prices a request by the menu that this process holds.
 * @throws GuestsRefused, OrderTooLarge, and what `priceOf` throws
 */
export function pricedOrder(
  app: App,
  { claim, bill, key, address }: OrderRequest,
  bodyHash: string,
  shop: ShopMenu,
): PricedOrder {
  const now = app.clock.now();
  const { settings } = shop;
  if (claim.kind === "guest" && settings.guests === "refuse") throw new GuestsRefused(shop.id);
  const price = priceOf(bill, shop);
  const byTable = price.tableLabel !== null && limitsOf(settings).perTable !== null;
  const order: Order = {
    id: app.random.id(),
    shop: shop.id,
    user: claim.user,
    session: claim.session,
    guest: claim.kind === "guest",
    addressHash: byTable ? null : app.secrets.hashAddress(address),
    widerHash: byTable ? null : app.secrets.hashWiderNetwork(address),
    day: businessDay(now, shop.zone, shop.rolloverMinutes),
    dayNumber: 0,
    // Drawn when it is stored: see `numberPlace` in db/orders.ts.
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
    stationsDone: [],
    expireAt: now + settings.expireAfterSec * 1_000,
    updatedAt: now,
    lines: price.lines.map(lineOf),
  };
  return {
    order,
    claim,
    shop,
    texts: { staff: staffText(order), customer: JSON.stringify(placedEvent(order, "customer")) },
    key: { owner_id: claim.user, idem_key: key, body_hash: bodyHash, result_id: order.id, created_at: now },
  };
}

/** Field by field: a copy by spreading is a slow object, and its JSON takes twice as long. */
const lineOf = ({ line, dish, names, options, station, quantity, unitFen, totalFen, counted, note }: Line) => ({
  line,
  dish,
  names,
  options,
  station,
  quantity,
  unitFen,
  totalFen,
  counted,
  note,
  struck: false,
});

/** Refused before anything is written; 2 KB are left for what later steps add. @throws OrderTooLarge */
function staffText(order: Order): string {
  try {
    return eventData(placedEvent(order, "staff"), maxEventBytes - 2_048);
  } catch (error) {
    throw error instanceof EventTooLarge ? new OrderTooLarge("the order is too large; shorten the notes") : error;
  }
}

export const placedEvent = (order: Order, reader: "staff" | "customer"): OrderEvent => ({
  action: "place",
  order: orderView(order, reader),
});

/** The streams of a new order, the kitchen's and its customer's, each with its kind of reader. */
export const readersOf = (order: Order) =>
  [
    [`shop:${order.shop}`, "staff"],
    [`user:${order.user}`, "customer"],
  ] as const;
