/** Types of the owner's routes, as in apigateway/openapi.yaml. */
import type { DishOption, Names, Dish as PublicDish } from "../../clients/types.ts";

export type { Names, Role, Service, Status } from "../../clients/types.ts";

export type Option = DishOption;
export type Choice = DishOption["choices"][number];

/** A shop with the data that only its staff may see. */
export interface Dish extends PublicDish {
  dailyStock: number | null;
  available: boolean;
  station?: string;
}

export interface Category {
  id: string;
  names: Names;
}

export interface Menu {
  categories: Category[];
  dishes: Dish[];
}

export interface Delivery {
  feeFen: number;
  minimumFen: number;
  freeFromFen?: number;
}

export interface Settings {
  services: { table: boolean; pickup: boolean; delivery: Delivery | null };
  escalateAfterSec: number;
  expireAfterSec: number;
  refuseWhenOffline: boolean;
  guests: "take" | "counter" | "refuse";
  /** Left out: the default. Null: no limit. */
  limits: { perSession?: number | null; perTable?: number | null; perAddress?: number | null; perShop?: number | null };
  notice?: Names;
}

export interface DishToday {
  dish: string;
  left: number | null;
  soldOut: boolean;
}

/** `GET /shops/{shop}/menu` */
export interface Shop {
  shop: string;
  names: Names;
  open: boolean;
  live: boolean;
  version: number;
  settings: Settings;
  menu: Menu;
  day: string;
  today: DishToday[];
}

export interface Report {
  day: string;
  orders: number;
  totalFen: number;
  paidFen: number;
  /** Of orders that nobody accepted in time. */
  expiredFen: number;
  byStatus: Record<string, number>;
  byService: Record<string, number>;
  byHour: { hour: number; orders: number; totalFen: number }[];
  dishes: { dish: string; names: Names; quantity: number; totalFen: number }[];
}

export interface Table {
  token: string;
  label: string;
}

export interface Device {
  id: string;
  device: string;
  role: "owner" | "cashier" | "kitchen";
  createdAt: string;
  seenAt: string;
  /** It has a connection now. */
  online: boolean;
  expiresAt: string;
}

/** A change of the shop: by a device, or on the command line. */
export interface Change {
  id: string;
  at: string;
  action: string;
  detail: Readonly<Record<string, unknown>>;
  device: { id: string; name: string | null; role: Device["role"] | null } | null;
  operator: string | null;
}

/** JSON; a date is `{"$date": milliseconds}`. */
export type Fields = { readonly [name: string]: unknown };
export type StoredDocument = Fields & { readonly _id: string; readonly _openid?: string };

/** Who watches a collection. */
export interface Watcher {
  user: string | null;
  kind: "wechat" | "guest" | "staff" | "own" | "key";
  query: string;
  since: string;
}

/** A collection, as `GET /collections` tells. */
export interface Collection {
  name: string;
  /** A preset, `RULES`, or `BUILT_IN` for orderbell's own data, which are not written here. */
  permission: "READONLY" | "PRIVATE" | "ADMINWRITE" | "ADMINONLY" | "RULES" | "BUILT_IN";
  indexes: string[];
  /** Null: not counted. */
  documents: number | null;
  bytes: number | null;
  watches: number;
  watchers: Watcher[];
}
