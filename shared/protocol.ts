/**
 * The messages of the socket, in types. docs/protocol.md is the law; a test holds the two together.
 * This file is free of Node and of other files of ours, so that the clients share it.
 */

/** The WebSocket subprotocol; the one-time ticket travels beside it as `ticket.<ticket>`. */
export const subprotocol = "orderbell.v1";
export const ticketPrefix = "ticket.";

/** Everything in or out fits into one frame of AWS. */
export const maxFrameBytes = 32 * 1024;
export const maxEventBytes = 24 * 1024;
export const maxStreamsPerMessage = 20;

/** Where a reader stands: it has everything up to `seq`, and `tag` is that of the event with this number. */
export interface Position {
  epoch: string;
  seq: number;
  tag: string;
}

export interface StreamPosition extends Position {
  stream: string;
}

/** What a reader asks for. Without `seq`: from now on. With `seq` 0 and no epoch: from the beginning. */
export interface Ask {
  stream: string;
  epoch?: string | undefined;
  seq?: number | undefined;
  tag?: string | undefined;
  /** For rooms: the signed grant. */
  grant?: string | undefined;
}

/** Every message of a client carries `n`, which grows: AWS may run two of them in either order, and the higher one wins. */
interface FromClient {
  n: number;
}

export type ClientMessage =
  | (FromClient & { type: "resume"; streams: Ask[] })
  | (FromClient & { type: "check"; streams: Ask[] })
  | (FromClient & { type: "leave"; streams: string[] })
  | (FromClient & { type: "publish"; stream: string; id: string; after?: string; grant?: string; data: unknown })
  | (FromClient & { type: "auth"; token: string });

export interface StreamEvent {
  seq: number;
  tag: string;
  event: string;
  /** RFC 3339, UTC. */
  at: string;
  data: unknown;
}

export type ResetReason = "epoch" | "tag" | "ahead" | "trimmed";

export type ServerMessage =
  /** The answer to resume, and to a check that lacks something. seq and tag are where the reader stands after `events`. */
  | (StreamPosition & {
      type: "resumed";
      n: number;
      events: StreamEvent[];
      more: boolean;
      head: number;
      checkMs: number;
    })
  | (StreamPosition & StreamEvent & { type: "event" })
  /** You should be here by now. Whoever lacks something asks for it. */
  | (StreamPosition & { type: "head" })
  /** Nothing is lacking on these streams. */
  | { type: "checked"; n: number; streams: { stream: string; seq: number; checkMs: number }[] }
  /** The position is of another history or too old: take the snapshot, then resume from where that stands. */
  | (StreamPosition & { type: "reset"; n: number; reason: ResetReason })
  | (StreamPosition & { type: "published"; n: number; id: string })
  | { type: "authorized"; n: number; until: string }
  | { type: "error"; n?: number; code: string; message: string; retry: boolean; stream?: string; id?: string };

export const clientMessageTypes = ["resume", "check", "leave", "publish", "auth"] as const;
export const serverMessageTypes = [
  "resumed",
  "event",
  "head",
  "checked",
  "reset",
  "published",
  "authorized",
  "error",
] as const;

/** Kinds of streams: `shop:{id}` kitchen, `user:{id}` one customer, `menu:{id}` and `board:{id}` public, `room:{id}` free use. */
export const streamKinds = ["shop", "user", "menu", "board", "room"] as const;
export type StreamKind = (typeof streamKinds)[number];

/** Types of events, by kind of stream. */
export const eventTypes = {
  shop: [
    "order.placed",
    "order.changed",
    "order.escalated",
    "shop.opened",
    "shop.closed",
    "menu.changed",
    "dish.changed",
    "kitchen.live",
    "kitchen.offline",
    "notification",
  ],
  user: ["order.placed", "order.changed", "notification"],
  menu: ["menu.state"],
  board: ["board.state"],
  room: ["message"],
} as const satisfies Record<StreamKind, readonly string[]>;

// --- What events and answers carry ---------------------------------------------------------------------------------

/** A text in the languages that the shop has. */
export interface Names {
  zh?: string | undefined;
  en?: string | undefined;
}

export const services = ["table", "pickup", "delivery"] as const;
export type Service = (typeof services)[number];

export const statuses = [
  "placed",
  "accepted",
  "cooking",
  "ready",
  "delivering",
  "completed",
  "rejected",
  "cancelled",
  "expired",
] as const;
export type Status = (typeof statuses)[number];

/** Steps that people ask for, each a route `POST /orders/{id}/{action}`. Expiring and escalating belong to the clock. */
export const actions = [
  "accept",
  "cook",
  "ready",
  "deliver",
  "complete",
  "reject",
  "cancel",
  "recall",
  "paid",
] as const;
export type Action = (typeof actions)[number];

/** An order as a reader sees it. What staff alone see is optional here. */
export interface OrderView {
  /** The pickup number, such as A017. */
  number: string;
  id: string;
  shop: string;
  /** The shop's business day. */
  day: string;
  status: Status;
  /** Grows by one with every change: of two views, the higher one is the truth. */
  version: number;
  payment: "unpaid" | "paid";
  service: Service;
  /** The table's label. */
  table: string | null;
  delivery?: { name: string; phone: string; address: string } | null;
  guest?: boolean;
  /** The customer's id, for notifications. */
  customer?: string;
  lines: LineView[];
  note: string;
  itemsFen: number;
  packingFen: number;
  deliveryFen: number;
  totalFen: number;
  reason: string | null;
  placedAt: string;
  acceptedAt: string | null;
  readyAt: string | null;
  completedAt: string | null;
  endedAt: string | null;
  escalatedAt?: string | null;
  expireAt: string;
  updatedAt: string;
}

export interface LineView {
  line: number;
  dish: string;
  names: Names;
  options: readonly { option: string; names: Names; choice: string; choiceNames: Names; priceFen: number }[];
  quantity: number;
  unitFen: number;
  totalFen: number;
  note: string;
  station?: string | null;
  struck?: boolean;
}

/** Data of `order.placed`, `order.changed`, `order.escalated`. */
export interface OrderEvent {
  /** What happened: an action, or `place`, `expire`, `escalate`, `strike`, `unstrike`. */
  action: Action | "place" | "expire" | "escalate" | "strike" | "unstrike";
  order: OrderView;
}

/** Data of `menu.state`: all of it each time, so that the last one is enough. */
export interface MenuState {
  open: boolean;
  /** A kitchen screen is connected. */
  live: boolean;
  /** Fetch the menu again when this grows. */
  version: number;
  soldOut: string[];
}

/** Data of `board.state`: the pickup numbers of today, oldest first, nothing private. */
export interface BoardState {
  preparing: string[];
  ready: string[];
}

export interface Notification {
  id: string;
  title: string;
  body: string;
  at: string;
  /** The order it is about. */
  order?: string;
}
