/** Made by scripts/api_types.ts from apigateway/openapi.yaml and shared/errors.ts; `npm run check` compares them. */

/** Codes of the server's errors. */
export type ServerCode =
  | "MALFORMED"
  | "INVALID_INPUT"
  | "IDEMPOTENCY_KEY_MISSING"
  | "BODY_TOO_LARGE"
  | "MEDIA_TYPE_UNSUPPORTED"
  | "ROUTE_UNKNOWN"
  | "UPGRADE_REQUIRED"
  | "SESSION_MISSING"
  | "SESSION_INVALID"
  | "SESSION_EXPIRED"
  | "SESSION_ENDED"
  | "TICKET_INVALID"
  | "PAIRING_CODE_INVALID"
  | "API_KEY_INVALID"
  | "GRANT_INVALID"
  | "TOKEN_INVALID"
  | "LOGIN_CODE_INVALID"
  | "LOGIN_CODE_USED"
  | "LOGIN_DATA_INVALID"
  | "LOGIN_BLOCKED"
  | "LOGIN_TOO_OFTEN"
  | "APP_UNKNOWN"
  | "FORBIDDEN"
  | "GUESTS_REFUSED"
  | "STREAM_FORBIDDEN"
  | "CONFIRM_AT_COUNTER"
  | "ROOMS_OFF"
  | "TOO_MANY_SESSIONS"
  | "TOO_MANY_CONNECTIONS"
  | "TOO_MANY_STREAMS"
  | "TOO_MANY_UNACCEPTED"
  | "PUBLISH_TOO_FAST"
  | "TOO_MANY_ROOMS"
  | "TOO_MANY_MEMBERS"
  | "SHOP_UNKNOWN"
  | "ORDER_UNKNOWN"
  | "DISH_UNKNOWN"
  | "TABLE_UNKNOWN"
  | "DEVICE_UNKNOWN"
  | "USER_UNKNOWN"
  | "STREAM_UNKNOWN"
  | "GAME_UNKNOWN"
  | "CONNECTION_UNKNOWN"
  | "KEY_REUSED"
  | "SHOP_CLOSED"
  | "KITCHEN_OFFLINE"
  | "SOLD_OUT"
  | "DISH_UNAVAILABLE"
  | "PRICE_CHANGED"
  | "OPTIONS_INVALID"
  | "SERVICE_NOT_OFFERED"
  | "BELOW_MINIMUM"
  | "ORDER_TOO_LARGE"
  | "EVENT_TOO_LARGE"
  | "STEP_NOT_ALLOWED"
  | "ORDER_CHANGED"
  | "VERSION_MISMATCH"
  | "STOCK_BELOW_SOLD"
  | "STOCK_ABOVE_LIMIT"
  | "NO_STOCK_COUNT"
  | "MENU_INVALID"
  | "PUBLISH_OUT_OF_ORDER"
  | "FRAME_TOO_LARGE"
  | "SLOW_READER"
  | "NOT_SUPPORTED"
  | "COLLECTION_UNKNOWN"
  | "DOCUMENT_UNKNOWN"
  | "DOCUMENT_EXISTS"
  | "TOO_MANY_DOCUMENTS"
  | "TOO_MANY_WATCHES"
  | "COLLECTION_FULL"
  | "OWNER_FULL"
  | "TRANSACTION_UNKNOWN"
  | "DATABASE_TRANSACTION_CONFLICT"
  | "PURPOSE_UNKNOWN"
  | "FILE_UNKNOWN"
  | "FILE_TYPE_REFUSED"
  | "FILE_TOO_LARGE"
  | "FILES_FULL"
  | "FILE_NOT_STORED"
  | "FILE_CONTENT_WRONG"
  | "TOKEN_KEYS_AWAY"
  | "WECHAT_AWAY"
  | "WECHAT_MISCONFIGURED"
  | "DATABASE_AWAY"
  | "FILES_AWAY"
  | "OVERLOADED"
  | "ROOMS_FULL"
  | "STOPPING"
  | "INTERNAL";

/** Codes that collections have beside them: those that apps for CloudBase compare with. */
export type CloudbaseCode =
  | "DATABASE_PERMISSION_DENIED"
  | "INVALID_PARAM"
  | "DATABASE_COLLECTION_NOT_EXIST"
  | "DATABASE_TRANSACTION_CONFLICT"
  | "ACCESS_TOKEN_EXPIRED"
  | "INVALID_ACCESS_TOKEN"
  | "INVALID_REFRESH_TOKEN"
  | "MALFORMED"
  | "BODY_TOO_LARGE"
  | "MEDIA_TYPE_UNSUPPORTED"
  | "SESSION_MISSING"
  | "NOT_SUPPORTED"
  | "DOCUMENT_UNKNOWN"
  | "DOCUMENT_EXISTS"
  | "TOO_MANY_DOCUMENTS"
  | "COLLECTION_FULL"
  | "OWNER_FULL"
  | "TRANSACTION_UNKNOWN"
  | "TOO_MANY_SESSIONS"
  | "EVENT_TOO_LARGE"
  | "STORAGE_EXCEED_AUTHORITY"
  | "STORAGE_FILE_NONEXIST"
  | "FILE_TOO_LARGE"
  | "FILE_TYPE_REFUSED"
  | "FILES_FULL"
  | "FILES_AWAY"
  | "PURPOSE_UNKNOWN"
  | "DATABASE_AWAY"
  | "INTERNAL";

/** Further members of an error, by its code. */
export interface ErrorExtras {
  INVALID_INPUT: { field: string; errors?: string[] };
  TOO_MANY_UNACCEPTED: { of: "session" | "table" | "address" | "shop"; limit: number };
  TOO_MANY_ROOMS: { of: "user" | "address"; limit: number };
  DISH_UNKNOWN: { dish: string };
  SOLD_OUT: { dish: string; left: number };
  DISH_UNAVAILABLE: { dish: string };
  PRICE_CHANGED: { totalFen: number };
  OPTIONS_INVALID: { dish: string };
  BELOW_MINIMUM: { minimumFen: number };
  STEP_NOT_ALLOWED: {
    orderStatus:
      | "placed"
      | "accepted"
      | "cooking"
      | "ready"
      | "delivering"
      | "completed"
      | "rejected"
      | "cancelled"
      | "expired";
  };
  ORDER_CHANGED: { version: number };
  VERSION_MISMATCH: { version: string };
  STOCK_BELOW_SOLD: { dish: string; left: number };
  STOCK_ABOVE_LIMIT: { dish: string; left: number };
  NO_STOCK_COUNT: { dish: string };
  MENU_INVALID: { errors: string[] };
  NOT_SUPPORTED: { field: string; what: string };
  DOCUMENT_UNKNOWN: { id: string };
  DOCUMENT_EXISTS: { id: string };
  TOO_MANY_WATCHES: { limit: number };
  COLLECTION_FULL: { limit: number };
  OWNER_FULL: { limit: number };
  FILE_TYPE_REFUSED: { types: string[] };
  FILE_TOO_LARGE: { maxBytes: number };
  FILES_FULL: { of: "user" | "network" | "all"; maxFiles: number | null; maxBytes: number };
  FILE_NOT_STORED: { stored: StoredPart[] };
  WECHAT_MISCONFIGURED: { errcode: number };
}

/** Body and answer of each route. */
export interface Routes {
  "GET /login": { body: undefined; answer: Begun };
  "POST /login": {
    body: { code: string; appid?: string; encryptedData?: string; iv?: string; rawData?: string; signature?: string };
    answer: Begun;
  };
  "POST /login/guest": { body: { [name: string]: unknown }; answer: Begun };
  "POST /login/staff": { body: { pairingCode: string }; answer: Begun };
  "POST /login/token": { body: { token: string }; answer: Begun };
  "GET /session": { body: undefined; answer: { session: Session; user: User } };
  "DELETE /session": { body: undefined; answer: undefined };
  "POST /session/ticket": { body: undefined; answer: { ticket: string; expiresAt: string; socket: string } };
  "GET /examples/session": {
    body: undefined;
    answer: {
      rows: {
        table: "sessions" | "users" | "wechat_accounts" | "own_accounts";
        row: { [name: string]: string | number | null };
      }[];
      environment: { since: string; requests: number; connection: number; connections: number };
    };
  };
  "POST /introspect": {
    body: undefined;
    answer:
      | { active: false }
      | {
          active: true;
          token_type: "Bearer";
          sub: string;
          sid: string;
          kind: "wechat" | "guest" | "staff" | "own";
          iat: number;
          exp: number;
          shop?: string;
          role?: "owner" | "cashier" | "kitchen";
        };
  };
  "GET /get_shop_info": { body: undefined; answer: ShopInfo | { shops: Shop[]; more: boolean } };
  "GET /shops/{shop}/board": { body: undefined; answer: { shop: Shop; board: Board; position: Position } };
  "POST /bill": { body: Bill; answer: { order: CustomerOrder } };
  "GET /orders": {
    body: undefined;
    answer: { orders: CustomerOrder[]; more: boolean; notifications: Notification[]; position?: Position };
  };
  "GET /orders/{id}": { body: undefined; answer: { order: CustomerOrder | StaffOrder; history: Step[] } };
  "POST /orders/{id}/{action}": {
    body: { version?: number; reason?: string; station?: string | null };
    answer: { order: CustomerOrder | StaffOrder };
  };
  "PUT /orders/{id}/lines/{line}": { body: { struck: boolean }; answer: { order: StaffOrder } };
  "GET /shops/{shop}/orders": {
    body: undefined;
    answer: { shop: Shop; orders: StaffOrder[]; more: boolean; position?: Position };
  };
  "PUT /shops/{shop}/open": { body: Open; answer: Open };
  "GET /shops/{shop}/menu": {
    body: undefined;
    answer: {
      shop: string;
      names: Names;
      open: boolean;
      live: boolean;
      version: number;
      settings: StoredSettings;
      menu: StoredMenu;
      day: string;
      today: DishToday[];
    };
  };
  "PUT /shops/{shop}/menu": { body: Menu; answer: { version: number } };
  "PUT /shops/{shop}/settings": {
    body: { settings: Settings; names?: Names };
    answer: { version: number; settings: StoredSettings; names: Names };
  };
  "PUT /shops/{shop}/dishes/{dish}": { body: EditedDish; answer: { version: number; dish: StoredDish } };
  "DELETE /shops/{shop}/dishes/{dish}": { body: undefined; answer: { version: number } };
  "PUT /shops/{shop}/dishes/{dish}/price": {
    body: { priceFen: number };
    answer: { version: number; priceFen: number };
  };
  "PUT /shops/{shop}/dishes/{dish}/sold_out": { body: { soldOut: boolean }; answer: DishToday };
  "PUT /shops/{shop}/dishes/{dish}/stock": { body: { left: number }; answer: DishToday };
  "POST /shops/{shop}/dishes/{dish}/stock": { body: { delta: number }; answer: DishToday };
  "GET /shops/{shop}/tables": { body: undefined; answer: Tables };
  "POST /shops/{shop}/tables": { body: { labels: string[] }; answer: Tables };
  "DELETE /shops/{shop}/tables/{table}": { body: undefined; answer: undefined };
  "GET /shops/{shop}/devices": { body: undefined; answer: { devices: Device[]; more: boolean } };
  "DELETE /shops/{shop}/devices/{device}": { body: undefined; answer: undefined };
  "GET /shops/{shop}/audit": { body: undefined; answer: { entries: AuditEntry[]; more: boolean } };
  "POST /shops/{shop}/pairing": {
    body: { role: "owner" | "cashier" | "kitchen"; device: string };
    answer: { pairingCode: string; expiresAt: string };
  };
  "GET /shops/{shop}/report": { body: undefined; answer: Report };
  "GET /files": { body: undefined; answer: { files: File[]; more: boolean } };
  "POST /files": {
    body: {
      purpose: string;
      name: string;
      type: string;
      bytes: number;
      visibility?: "private" | "unlisted" | "public";
      by?: "put" | "form" | "parts";
      shop?: string;
      of?: string;
      about?: About;
    };
    answer: { file: File; upload: UploadRequest | UploadForm | UploadParts };
  };
  "GET /files/{id}": { body: undefined; answer: { file: File; address: { url: string; expiresAt: string } | null } };
  "DELETE /files/{id}": { body: undefined; answer: undefined };
  "POST /files/{id}/parts": {
    body: { parts: number[] };
    answer: {
      uploads: { part: number; method: "PUT"; url: string; headers: { [name: string]: string } }[];
      stored: StoredPart[];
    };
  };
  "POST /files/{id}/complete": { body: undefined; answer: { file: File } };
  "GET /files/{id}/{name}": { body: undefined; answer: undefined };
  "POST /shops/{shop}/pictures": {
    body: { type: "image/jpeg" | "image/png" | "image/webp"; bytes: number };
    answer: { upload: UploadRequest; picture: string };
  };
  "POST /notify": {
    body:
      | { user: string; shop?: string; title: string; body?: string; order?: string }
      | { user?: string; shop: string; title: string; body?: string; order?: string };
    answer: Notified;
  };
  "POST /rooms": {
    body: { grantSec?: number };
    answer: { room: { id: string; stream: string }; grant: string; expiresAt: string };
  };
  "GET /rooms/{room}/messages": {
    body: undefined;
    answer: {
      messages: { seq: number; at: string; id: string; sender: string; data: unknown }[];
      more: boolean;
      position: { stream: string; epoch: string; seq: number; tag: string };
    };
  };
  "POST /rooms/{room}/messages": {
    body: { id: string; data: unknown };
    answer: { message: { stream: string; id: string; epoch: string; seq: number; tag: string } };
  };
  "GET /rooms/{room}/members": {
    body: undefined;
    answer: { members: Member[]; position: { stream: string; epoch: string; seq: number; tag: string } };
  };
  "POST /rooms/{room}/grants": {
    body: { right?: "read" | "write"; user?: string; grantSec?: number };
    answer: { grant: string; expiresAt: string };
  };
  "DELETE /rooms/{room}/grants": { body: undefined; answer: undefined };
  "POST /games": { body: undefined; answer: GameAnswer };
  "GET /games/{game}": { body: undefined; answer: GameAnswer };
  "POST /games/{game}/moves": { body: GameChoose | GameAgain | GameOther; answer: GameAnswer };
  "GET /events": { body: undefined; answer: Polled | Reset };
  "POST /web": {
    body: { action: string; access_token?: string | null; [name: string]: unknown };
    answer: {
      requestId: string;
      code?:
        | "DATABASE_PERMISSION_DENIED"
        | "INVALID_PARAM"
        | "DATABASE_COLLECTION_NOT_EXIST"
        | "DATABASE_TRANSACTION_CONFLICT"
        | "ACCESS_TOKEN_EXPIRED"
        | "INVALID_ACCESS_TOKEN"
        | "INVALID_REFRESH_TOKEN"
        | "MALFORMED"
        | "BODY_TOO_LARGE"
        | "MEDIA_TYPE_UNSUPPORTED"
        | "SESSION_MISSING"
        | "NOT_SUPPORTED"
        | "DOCUMENT_UNKNOWN"
        | "DOCUMENT_EXISTS"
        | "TOO_MANY_DOCUMENTS"
        | "COLLECTION_FULL"
        | "OWNER_FULL"
        | "TRANSACTION_UNKNOWN"
        | "TOO_MANY_SESSIONS"
        | "EVENT_TOO_LARGE"
        | "STORAGE_EXCEED_AUTHORITY"
        | "STORAGE_FILE_NONEXIST"
        | "FILE_TOO_LARGE"
        | "FILE_TYPE_REFUSED"
        | "FILES_FULL"
        | "FILES_AWAY"
        | "PURPOSE_UNKNOWN"
        | "DATABASE_AWAY"
        | "INTERNAL";
      message?: string;
      [name: string]: unknown;
    };
  };
  "GET /collections": { body: undefined; answer: { collections: CollectionSummary[] } };
  "GET /healthz": { body: undefined; answer: { status: "ok"; connections: number } };
}

export type About = { [name: string]: string | number | boolean };

export type AuditEntry = {
  id: string;
  at: string;
  action: string;
  detail: { [name: string]: unknown };
  device: { id: string; name: string | null; role: "owner" | "cashier" | "kitchen" | null } | null;
  operator: string | null;
};

export type Begun = {
  session: {
    id: string;
    token: string;
    kind: "wechat" | "guest" | "staff" | "own";
    expiresAt: string;
    shop?: string;
    role?: "owner" | "cashier" | "kitchen";
    device?: string;
  };
  user: User;
};

export type Bill =
  | {
      shop: string;
      lines: { dish: string; quantity: number; options?: { option: string; choices: string[] }[]; note?: string }[];
      service: "table";
      table: string;
      delivery?: undefined;
      note?: string;
      expectedTotalFen?: number;
    }
  | {
      shop: string;
      lines: { dish: string; quantity: number; options?: { option: string; choices: string[] }[]; note?: string }[];
      service: "pickup";
      table?: undefined;
      delivery?: undefined;
      note?: string;
      expectedTotalFen?: number;
    }
  | {
      shop: string;
      lines: { dish: string; quantity: number; options?: { option: string; choices: string[] }[]; note?: string }[];
      service: "delivery";
      table?: undefined;
      delivery: { name: string; phone: string; address: string };
      note?: string;
      expectedTotalFen?: number;
    };

export type Board = { preparing: string[]; ready: string[] };

export type Category = { id: string; names: Names };

export type Choice = { id: string; names: Names; priceFen: number; available?: boolean; default?: boolean };

export type CollectionSummary = {
  name: string;
  permission: "READONLY" | "PRIVATE" | "ADMINWRITE" | "ADMINONLY" | "RULES" | "BUILT_IN";
  indexes: string[];
  documents: number | null;
  bytes: number | null;
  watches: number;
  watchers: { user: string | null; kind: "wechat" | "guest" | "staff" | "own" | "key"; query: string; since: string }[];
};

export type CustomerOrder = OrderCommon & { lines: LineCommon[] };

export type DeliveryTerms = { feeFen: number; minimumFen: number; freeFromFen?: number } | null;

export type Description = { zh?: string; en?: string };

export type Device = {
  id: string;
  device: string;
  role: "owner" | "cashier" | "kitchen";
  createdAt: string;
  seenAt: string;
  expiresAt: string;
  online: boolean;
};

export type DishToday = {
  dish: string;
  stock: number | null;
  sold: number;
  left: number | null;
  soldOut: boolean;
  etag: string;
};

export type EditedDish = {
  id: string;
  category: string;
  names: Names;
  description?: Description;
  picture?: string;
  priceFen: number;
  packingFen?: number;
  dailyStock?: number | null;
  available?: boolean;
  station?: string;
  options?: Option[];
};

export type Event =
  | {
      seq: number;
      tag: string;
      prev: string;
      event: "order.placed" | "order.changed" | "order.escalated";
      at: string;
      data: {
        action:
          | "accept"
          | "cook"
          | "ready"
          | "deliver"
          | "complete"
          | "reject"
          | "cancel"
          | "recall"
          | "paid"
          | "place"
          | "expire"
          | "escalate"
          | "strike"
          | "unstrike"
          | "station"
          | "unstation";
        order: CustomerOrder | StaffOrder;
      };
    }
  | { seq: number; tag: string; prev: string; event: "shop.opened" | "shop.closed"; at: string; data: Open }
  | { seq: number; tag: string; prev: string; event: "menu.changed"; at: string; data: { version: number } }
  | {
      seq: number;
      tag: string;
      prev: string;
      event: "dish.changed";
      at: string;
      data: { dish: string; left: number | null; soldOut: boolean };
    }
  | {
      seq: number;
      tag: string;
      prev: string;
      event: "kitchen.live" | "kitchen.offline";
      at: string;
      data: { live: boolean };
    }
  | { seq: number; tag: string; prev: string; event: "notification"; at: string; data: Notification }
  | {
      seq: number;
      tag: string;
      prev: string;
      event: "menu.state";
      at: string;
      data: { open: boolean; live: boolean; version: number; soldOut: string[] };
    }
  | { seq: number; tag: string; prev: string; event: "board.state"; at: string; data: Board }
  | {
      seq: number;
      tag: string;
      prev: string;
      event: "message";
      at: string;
      data: { id: string; sender: string; data: unknown };
    }
  | { seq: number; tag: string; prev: string; event: "member.joined" | "member.changed"; at: string; data: Member }
  | { seq: number; tag: string; prev: string; event: "member.left"; at: string; data: { user: string } };

export type File = {
  id: string;
  purpose: string;
  name: string;
  type: string;
  bytes: number;
  visibility: "private" | "unlisted" | "public";
  state: "waiting" | "stored";
  shop: string | null;
  of: string | null;
  about: About | null;
  createdAt: string;
  storedAt: string | null;
  path: string | null;
};

export type Game = {
  id: string;
  players: (string | null)[];
  status: "waiting" | "playing" | "over" | "ended";
  version: number;
  round: number;
  chosen: boolean[];
  wins: number[];
  last: null | { round: number; choices: ("rock" | "paper" | "scissors")[]; winner: 0 | 1 | null };
  again: boolean[];
  winner: 0 | 1 | null;
  left: 0 | 1 | null;
  room: string;
  you: 0 | 1;
  choice: "rock" | "paper" | "scissors" | null;
};

export type GameAgain = { move: "again"; round: number };

export type GameAnswer = { game: Game; grant: string; expiresAt: string };

export type GameChoose = { move: "choose"; round: number; choice: "rock" | "paper" | "scissors" };

export type GameOther = { move: "leave" | "check" };

export type Limits = {
  perSession?: number | null;
  perTable?: number | null;
  perAddress?: number | null;
  perShop?: number | null;
};

export type LineCommon = {
  line: number;
  dish: string;
  names: Names;
  options: { option: string; names: Names; choice: string; choiceNames: Names; priceFen: number }[];
  quantity: number;
  unitFen: number;
  totalFen: number;
  note: string;
};

export type Member = { user: string; data: { [name: string]: unknown }; connections: number; since: string };

export type Menu = { categories: Category[]; dishes: EditedDish[] };

export type Names = { zh?: string; en?: string };

export type Notification = { id: string; title: string; body: string; at: string; order?: string };

export type Notified = { notification: Notification };

export type Open = { open: boolean };

export type Option = { id: string; names: Names; min: number; max: number; choices: Choice[] };

export type OrderCommon = {
  number: string;
  id: string;
  shop: string;
  day: string;
  status:
    | "placed"
    | "accepted"
    | "cooking"
    | "ready"
    | "delivering"
    | "completed"
    | "rejected"
    | "cancelled"
    | "expired";
  version: number;
  payment: "unpaid" | "paid";
  service: "table" | "pickup" | "delivery";
  table: string | null;
  delivery: { name: string; phone: string; address: string } | null;
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
  expireAt: string;
  updatedAt: string;
};

export type Polled = {
  stream: string;
  epoch: string;
  seq: number;
  tag: string;
  events: Event[];
  more: boolean;
  head: number;
  checkMs: number;
  pauseMs: number;
};

export type Position = { stream: string; epoch: string; seq: number; tag: string };

export type PublicDish = {
  id: string;
  category: string;
  names: Names;
  description?: Description;
  picture?: string;
  priceFen: number;
  packingFen: number;
  options: Option[];
};

export type Report = {
  shop: string;
  day: string;
  zone: string;
  orders: number;
  totalFen: number;
  paidFen: number;
  expiredFen: number;
  byStatus: { [name: string]: number };
  byService: { [name: string]: number };
  byHour: { hour: number; orders: number; totalFen: number }[];
  dishes: { dish: string; names: Names; quantity: number; totalFen: number }[];
};

export type Reset = {
  stream: string;
  epoch: string;
  seq: number;
  tag: string;
  reset: "epoch" | "tag" | "ahead" | "trimmed";
  checkMs: number;
};

export type Services = { table?: boolean; pickup?: boolean; delivery?: DeliveryTerms };

export type Session = {
  id: string;
  kind: "wechat" | "guest" | "staff" | "own";
  user: { id: string };
  shop: string | null;
  role: "owner" | "cashier" | "kitchen" | null;
  device: string | null;
  createdAt: string;
  expiresAt: string;
};

export type Settings = {
  services: Services;
  escalateAfterSec?: number;
  expireAfterSec?: number;
  refuseWhenOffline?: boolean;
  guests?: "take" | "counter" | "refuse";
  limits?: Limits;
  notice?: Description;
};

export type Shop = {
  id: string;
  names: Names;
  zone: string;
  open: boolean;
  live: boolean;
  needsKitchen: boolean;
  guests: "take" | "counter" | "refuse";
  services: StoredServices;
  notice: Description | null;
};

export type ShopInfo = {
  shop: Shop;
  menu: { version: number; categories: Category[]; dishes: PublicDish[] };
  soldOut: string[];
  table: Table | null;
  position: Position;
};

export type StaffOrder = OrderCommon & {
  escalatedAt: string | null;
  stationsDone: (string | null)[];
  lines: (LineCommon & { station: string | null; struck: boolean })[];
  guest: boolean;
  customer: string;
};

export type Step = {
  version: number;
  action:
    | "accept"
    | "cook"
    | "ready"
    | "deliver"
    | "complete"
    | "reject"
    | "cancel"
    | "recall"
    | "paid"
    | "place"
    | "expire"
    | "escalate"
    | "strike"
    | "unstrike"
    | "station"
    | "unstation";
  from:
    | "placed"
    | "accepted"
    | "cooking"
    | "ready"
    | "delivering"
    | "completed"
    | "rejected"
    | "cancelled"
    | "expired"
    | null;
  to: "placed" | "accepted" | "cooking" | "ready" | "delivering" | "completed" | "rejected" | "cancelled" | "expired";
  by: "owner" | "cashier" | "kitchen" | "key" | "customer" | "system" | "shop";
  key?: string;
  reason: string | null;
  at: string;
};

export type StoredDish = {
  id: string;
  category: string;
  names: Names;
  description?: Description;
  picture?: string;
  priceFen: number;
  packingFen: number;
  dailyStock: number | null;
  available: boolean;
  station?: string;
  options: Option[];
};

export type StoredMenu = { categories: Category[]; dishes: StoredDish[] };

export type StoredPart = { part: number; bytes: number };

export type StoredServices = { table: boolean; pickup: boolean; delivery: DeliveryTerms };

export type StoredSettings = {
  services: StoredServices;
  escalateAfterSec: number;
  expireAfterSec: number;
  refuseWhenOffline: boolean;
  guests: "take" | "counter" | "refuse";
  limits: Limits;
  notice?: Description;
};

export type Table = { token: string; label: string };

export type Tables = { tables: Table[] };

export type UploadForm = { method: "POST"; url: string; fields: { [name: string]: string }; fileField: "file" };

export type UploadParts = { partBytes: number; parts: number };

export type UploadRequest = { method: "PUT"; url: string; headers: { [name: string]: string } };

export type User = { id: string; profile?: { nickName?: string; avatarUrl?: string } };
