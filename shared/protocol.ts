/**
 * Types of the socket's messages. docs/protocol.md specifies them; a test compares the two.
 * Imports nothing of Node, so that the clients share it.
 */
import type { Action, Service, Status } from "./order_states.ts";

/** The WebSocket subprotocol; the one-time ticket travels beside it as `ticket.<ticket>`. */
export const subprotocol = "orderbell.v1";
export const ticketPrefix = "ticket.";

/** Every message fits into one WebSocket frame of AWS. */
export const maxFrameBytes = 32 * 1024;
export const maxEventBytes = 24 * 1024;
export const maxStreamsPerMessage = 20;
/** What a member of a room says about itself. */
export const maxMemberBytes = 1_024;

/** Characters of a dish's description, and of a shop's notice, in each language. */
export const maxDescription = 300;

/** A reader's position: it has all events up to `seq`; `tag` is that event's. */
export interface Position {
  epoch: string;
  seq: number;
  tag: string;
}

export interface StreamPosition extends Position {
  stream: string;
}

/** A request to read a stream. Without `seq`: from now on. With `seq` 0 and no epoch: from the beginning. */
export interface StreamRequest {
  stream: string;
  epoch?: string | undefined;
  seq?: number | undefined;
  tag?: string | undefined;
  /** For rooms: the signed grant. */
  grant?: string | undefined;
}

/** `n` grows with each message of a client: AWS may run two of them in either order, and the higher one wins. */
interface FromClient {
  n: number;
}

export type ClientMessage =
  | (FromClient & { type: "resume"; streams: StreamRequest[] })
  | (FromClient & { type: "check"; streams: StreamRequest[] })
  | (FromClient & { type: "leave"; streams: string[] })
  | (FromClient & { type: "publish"; stream: string; id: string; after?: string; grant?: string; data: unknown })
  /** Makes the caller a member of the room, or keeps it one: `id` names this tab or device among the caller's own. */
  | (FromClient & { type: "enter"; stream: string; id: string; grant?: string; data: Record<string, unknown> })
  | (FromClient & { type: "exit"; stream: string; id: string; grant?: string })
  | (FromClient & { type: "auth"; token: string });

export interface StreamEvent {
  seq: number;
  tag: string;
  /** The tag of the previous event of the stream; empty for the first. A reader with another tag there has another history. */
  prev: string;
  event: string;
  /** RFC 3339, UTC. */
  at: string;
  data: unknown;
}

export type ResetReason = "epoch" | "tag" | "ahead" | "trimmed";

export type ServerMessage =
  /** The answer to resume, and to a check that found a gap. seq and tag are the reader's position after `events`. */
  | (StreamPosition & {
      type: "resumed";
      n: number;
      events: StreamEvent[];
      more: boolean;
      head: number;
      checkMs: number;
    })
  | (StreamPosition & StreamEvent & { type: "event" })
  /** The stream's head. A reader that lacks an event asks for it. */
  | (StreamPosition & { type: "head" })
  /** No event is missing on these streams. */
  | { type: "checked"; n: number; streams: { stream: string; seq: number; checkMs: number }[] }
  /** The position is of another history or too old: fetch the snapshot, then resume from its position. */
  | (StreamPosition & { type: "reset"; n: number; reason: ResetReason })
  | (StreamPosition & { type: "published"; n: number; id: string })
  /** To be said again every `checkMs`. */
  | { type: "entered"; n: number; id: string; stream: string; checkMs: number }
  | { type: "authorized"; n: number; until: string }
  | { type: "error"; n?: number; code: string; message: string; retry: boolean; stream?: string; id?: string };

export const clientMessageTypes = ["resume", "check", "leave", "publish", "enter", "exit", "auth"] as const;
export const serverMessageTypes = [
  "resumed",
  "event",
  "head",
  "checked",
  "reset",
  "published",
  "entered",
  "authorized",
  "error",
] as const;

/**
 * Kinds of streams: `shop:{id}` kitchen, `user:{id}` one customer, `menu:{id}` and `board:{id}` public, `room:{id}` free use,
 * `presence:{id}` who is in that room.
 */
export const streamKinds = ["shop", "user", "menu", "board", "room", "presence"] as const;
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
  presence: ["member.joined", "member.changed", "member.left"],
} as const satisfies Record<StreamKind, readonly string[]>;
export type EventType = (typeof eventTypes)[StreamKind][number];

// --- Data of events and answers -------------------------------------------------------------------------------------

/** A text in the languages that the shop has. */
export interface Names {
  zh?: string | undefined;
  en?: string | undefined;
}

/** An order as a reader sees it. Fields for staff only are optional. */
export interface OrderView {
  /** The pickup number, such as A017. */
  number: string;
  id: string;
  shop: string;
  /** The shop's business day. */
  day: string;
  status: Status;
  /** Grows by one with every change: of two views, the higher one is newer. */
  version: number;
  payment: "unpaid" | "paid";
  service: Service;
  /** The table's label. */
  table: string | null;
  /** As the customer gave it; null when there is none, or after it was removed. */
  delivery: { name: string; phone: string; address: string } | null;
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
  /** Stations that have finished their part; null stands for dishes without a station. */
  stationsDone?: readonly (string | null)[];
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
  /** The cause: an action, or `place`, `expire`, `escalate`, `strike`, `unstrike`, `station`, `unstation`. */
  action: Action | "place" | "expire" | "escalate" | "strike" | "unstrike" | "station" | "unstation";
  order: OrderView;
}

/** Data of `menu.state`: the whole state each time, so that the last event is enough. */
export interface MenuState {
  open: boolean;
  /** A kitchen screen is connected. */
  live: boolean;
  /** Of the menu: fetch it again when this has changed. */
  version: number;
  soldOut: string[];
}

/** Data of `board.state`: today's pickup numbers, oldest first; no private data. */
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

/** Data of `member.joined` and `member.changed`. */
export interface MemberView {
  user: string;
  /** As the tab or device that changed it last says. */
  data: Record<string, unknown>;
  /** Tabs and devices of this user in the room. */
  connections: number;
  since: string;
}

/** Data of `message`. */
export interface MessageView {
  /** The sender's own, unique among its messages in the room. */
  id: string;
  /** The user's id, or that of a back end's key. */
  sender: string;
  data: unknown;
}

/** Data of each type of event, as docs/protocol.md has it. */
export interface EventData {
  "order.placed": OrderEvent;
  "order.changed": OrderEvent;
  "order.escalated": OrderEvent;
  "shop.opened": { open: boolean };
  "shop.closed": { open: boolean };
  "menu.changed": { version: number };
  /** `left`: portions of today; null when they are not counted. */
  "dish.changed": { dish: string; left: number | null; soldOut: boolean };
  "kitchen.live": { live: boolean };
  "kitchen.offline": { live: boolean };
  notification: Notification;
  "menu.state": MenuState;
  "board.state": BoardState;
  message: MessageView;
  "member.joined": MemberView;
  "member.changed": MemberView;
  "member.left": Pick<MemberView, "user">;
}

/** An event of such a stream: `event` says what `data` is. */
export type EventOf<Kind extends StreamKind> = {
  [Type in (typeof eventTypes)[Kind][number]]: Omit<StreamEvent, "event" | "data"> & {
    event: Type;
    data: EventData[Type];
  };
}[(typeof eventTypes)[Kind][number]];
