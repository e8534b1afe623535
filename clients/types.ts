/** Types of apigateway/openapi.yaml's bodies; those that streams carry too are in shared/protocol.ts. */
import type { Action, Actor, Role, Status } from "../shared/order_states.ts";
import type { BoardState, Names, Notification, OrderView, StreamPosition } from "../shared/protocol.ts";

export type { Action, Role, Service, Status } from "../shared/order_states.ts";
export type {
  BoardState,
  EventOf,
  LineView,
  MenuState,
  Names,
  Notification,
  OrderEvent,
  OrderView,
  Position,
  StreamEvent,
  StreamPosition,
} from "../shared/protocol.ts";

/** A session. Its token proves the user; the server returns it only once, when the session begins, and the SDK stores it. */
export interface Session {
  id: string;
  token: string;
  kind: "wechat" | "guest" | "staff" | "own";
  /** RFC 3339. Extended by the server while the session is used. */
  expiresAt: string;
  user: User;
  /** Staff only. */
  shop?: string;
  role?: Role;
  device?: string;
}

export interface User {
  id: string;
  profile?: { nickName?: string; avatarUrl?: string };
}

export interface DeliveryTerms {
  feeFen: number;
  /** The least sum of dishes for a delivery. */
  minimumFen: number;
  freeFromFen?: number;
}

/** A shop's public data. */
export interface ShopBrief {
  id: string;
  names: Names;
  /** IANA, such as Asia/Shanghai. */
  zone: string;
  open: boolean;
  /** A kitchen screen is connected. */
  live: boolean;
  /** Orders are refused while no kitchen screen is connected. */
  needsKitchen: boolean;
  guests: "take" | "counter" | "refuse";
  services: { table: boolean; pickup: boolean; delivery: DeliveryTerms | null };
  notice: Names | null;
}

export interface ShopInfo {
  shop: ShopBrief;
  menu: Menu;
  /** Dishes that are sold out today. */
  soldOut: string[];
  /** The table of the request's code. */
  table: { token: string; label: string } | null;
  position: StreamPosition;
}

export interface Menu {
  version: number;
  categories: { id: string; names: Names }[];
  dishes: Dish[];
}

export interface Dish {
  id: string;
  category: string;
  names: Names;
  description?: Names;
  /** The path of its picture. */
  picture?: string;
  priceFen: number;
  /** Per portion, for pickup and delivery. */
  packingFen: number;
  options: DishOption[];
}

export interface DishOption {
  id: string;
  names: Names;
  /** The least and the largest number of choices. */
  min: number;
  max: number;
  /** `default`: chosen in advance, as most people want it. */
  choices: { id: string; names: Names; priceFen: number; available: boolean; default?: boolean }[];
}

interface AnyBill {
  shop: string;
  lines: {
    dish: string;
    quantity: number;
    options?: { option: string; choices: string[] }[];
    note?: string;
  }[];
  note?: string;
  /** The total that the page showed; if the server's differs, the error is `PRICE_CHANGED`. */
  expectedTotalFen?: number;
}

/** The body of `POST /bill`. `table` is the scanned code. */
export type Bill =
  | (AnyBill & { service: "pickup"; table?: undefined; delivery?: undefined })
  | (AnyBill & { service: "table"; table: string; delivery?: undefined })
  | (AnyBill & {
      service: "delivery";
      delivery: { name: string; phone: string; address: string };
      table?: undefined;
    });

/** A bill that has no answer yet. */
export interface PendingBill {
  /** The idempotency key. */
  key: string;
  bill: Bill;
  /** The time it was submitted, ms. */
  at: number;
  /** The user it belongs to. */
  user: string;
}

/** One step in an order's history. */
export interface Step {
  version: number;
  action: Action | "place" | "expire" | "escalate" | "strike" | "unstrike" | "station" | "unstation";
  from: Status | null;
  to: Status;
  by: Actor | "shop";
  /** For staff, with `by: "key"`: the name of the other back end's key. */
  key?: string;
  reason: string | null;
  at: string;
}

export interface OrdersQuery {
  /** For staff: the shop's orders. Without it: one's own. */
  shop?: string | undefined;
  /** With `shop` only. */
  status?: readonly Status[];
  /** The business day, with `shop` only; such as 2026-11-21. */
  day?: string;
  /** The id of an order; only older ones are returned. */
  before?: string;
}

/** A page of orders, newest first, a hundred at most. */
export interface Orders {
  orders: OrderView[];
  /** There are older ones. */
  more: boolean;
  /** The stream's position, with `shop`. */
  shop?: ShopBrief;
  /** Recent notifications to the customer, without `shop`. */
  notifications?: Notification[];
  /** The stream's position, on the first page. */
  position?: StreamPosition;
}

export interface Board {
  shop: ShopBrief;
  board: BoardState;
  position: StreamPosition;
}
