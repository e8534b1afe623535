/** The words of apigateway/openapi.yaml, in types; what streams carry too stands in shared/protocol.ts. */
import type {
  Action,
  BoardState,
  Names,
  Notification,
  OrderView,
  Service,
  Status,
  StreamPosition,
} from "../shared/protocol.ts";

export type {
  Action,
  BoardState,
  LineView,
  MenuState,
  Names,
  Notification,
  OrderEvent,
  OrderView,
  Position,
  Service,
  Status,
  StreamEvent,
  StreamPosition,
} from "../shared/protocol.ts";

export type Role = "owner" | "cashier" | "kitchen";

/** Whoever has the token is this user. It is told once, when the session begins, and kept in the store. */
export interface Session {
  id: string;
  token: string;
  kind: "wechat" | "guest" | "staff";
  /** RFC 3339. Moves on by itself while the session is used. */
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
  /** Dishes for less are not delivered. */
  minimumFen: number;
  freeFromFen?: number;
}

/** What anyone may know of a shop. */
export interface ShopBrief {
  id: string;
  names: Names;
  /** IANA, such as Asia/Shanghai. */
  zone: string;
  open: boolean;
  /** A kitchen screen is connected. */
  live: boolean;
  /** Orders are refused while none is. */
  needsKitchen: boolean;
  guests: "take" | "counter" | "refuse";
  services: { table: boolean; pickup: boolean; delivery: DeliveryTerms | null };
  notice: Names | null;
}

export interface ShopInfo {
  shop: ShopBrief;
  menu: Menu;
  /** Dishes that cannot be had today any more. */
  soldOut: string[];
  /** The table that was asked for. */
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
  /** A path. */
  picture?: string;
  priceFen: number;
  /** Per portion, for pickup and delivery. */
  packingFen: number;
  options: DishOption[];
}

export interface DishOption {
  id: string;
  names: Names;
  /** So many choices must be taken, and so many may. */
  min: number;
  max: number;
  choices: { id: string; names: Names; priceFen: number; available: boolean }[];
}

/** What `POST /bill` takes. */
export interface Bill {
  shop: string;
  lines: {
    dish: string;
    quantity: number;
    options?: { option: string; choices: string[] }[];
    note?: string;
  }[];
  service: Service;
  /** The code that was scanned; goes with service `table`, and only with it. */
  table?: string;
  /** Goes with service `delivery`, and only with it. */
  delivery?: { name: string; phone: string; address: string };
  note?: string;
  /** What the page showed; another total is `PRICE_CHANGED`. */
  expectedTotalFen?: number;
}

/** A bill that has no answer yet. */
export interface PendingBill {
  /** The idempotency key. */
  key: string;
  bill: Bill;
  /** When it was submitted, ms. */
  at: number;
  /** Whose it is. */
  user: string;
}

/** One step in an order's history. */
export interface Step {
  version: number;
  action: Action | "place" | "expire" | "escalate" | "strike" | "unstrike";
  from: Status | null;
  to: Status;
  by: Role | "customer" | "system" | "shop";
  reason: string | null;
  at: string;
}

export interface OrdersQuery {
  /** Staff: the shop's orders. Without: one's own. */
  shop?: string;
  /** With `shop` only. */
  status?: readonly Status[];
  /** With `shop` only: the business day, such as 2026-11-21. */
  day?: string;
  /** The id of an order: those older than it. */
  before?: string;
}

/** A page of orders, newest first, a hundred at most. */
export interface Orders {
  orders: OrderView[];
  /** There are older ones. */
  more: boolean;
  /** With `shop`. */
  shop?: ShopBrief;
  /** Without `shop`: what was told to the customer lately. */
  notifications?: Notification[];
  /** On the first page. */
  position?: StreamPosition;
}

export interface Board {
  shop: ShopBrief;
  board: BoardState;
  position: StreamPosition;
}
