/** The role matrix of the HTTP API: who may call which route, and the code for everybody else. */
import { type Scope, shopScopes } from "../shared/sessions/api_key.ts";
import { readsNothing } from "./attacks/_scene.ts";

/**
 * Every kind of caller. `neighbour` is the owner of another shop, `other` a customer without an order here. Each key has every scope:
 * `key` is bound to no shop, the others to another one.
 */
export const comers = [
  "nobody",
  "customer",
  "other",
  "owner",
  "cashier",
  "kitchen",
  "neighbour",
  "key",
  "neighbourKey",
  "revokedKey",
] as const;
export type Comer = (typeof comers)[number];

const [guests, counter] = [
  ["customer", "other"],
  ["owner", "cashier"],
] as const;
const staff = [...counter, "kitchen"] as const;
export const people = [...guests, ...staff, "neighbour"] as const;

export const database = "/v1/database/instances/{instance}/databases/{database}";
const documents = `${database}/collections/{collection}/documents`;

/** Route → who is served; the others are refused with this code, or with 401 when they have no session at all. */
export const routeRights: Readonly<Record<string, { readonly for: readonly Comer[]; readonly else: string }>> = {
  "GET /login": { for: comers, else: "" },
  "POST /login": { for: comers, else: "" },
  "POST /login/guest": { for: comers, else: "" },
  "POST /login/staff": { for: comers, else: "" },
  "POST /login/token": { for: comers, else: "" },
  "GET /get_shop_info": { for: comers, else: "" },
  "GET /shops/{shop}/board": { for: comers, else: "" },
  "GET /session": { for: people, else: "" },
  "DELETE /session": { for: people, else: "" },
  "GET /examples/session": { for: people, else: "" },
  "POST /session/ticket": { for: [...people, "key", "neighbourKey"], else: "" },
  "POST /introspect": { for: ["key", "neighbourKey"], else: "API_KEY_INVALID" },
  "POST /mina_auth": { for: ["key", "neighbourKey"], else: "API_KEY_INVALID" },
  "POST /mina_auth/": { for: ["key", "neighbourKey"], else: "API_KEY_INVALID" },
  "GET /weapp/login": { for: comers, else: "" },
  "POST /weapp/login": { for: comers, else: "" },
  // Whoever has no account at WeChat is told so.
  "GET /weapp/user": { for: comers, else: "" },
  "POST /weapp/user": { for: comers, else: "" },
  // Whoever has no channel's key is told so, with HTTP 200.
  "POST /get/wsurl": { for: comers, else: "" },
  "POST /ws/push": { for: comers, else: "" },
  "POST /ws/log": { for: comers, else: "" },
  "POST /bill": { for: guests, else: "FORBIDDEN" },
  "GET /orders": { for: people, else: "" },
  "GET /orders/{id}": { for: ["customer", ...staff], else: "ORDER_UNKNOWN" },
  "POST /orders/{id}/{action}": { for: staff, else: "ORDER_UNKNOWN" },
  "PUT /orders/{id}/lines/{line}": { for: staff, else: "ORDER_UNKNOWN" },
  "GET /shops/{shop}/orders": { for: staff, else: "FORBIDDEN" },
  "PUT /shops/{shop}/open": { for: staff, else: "FORBIDDEN" },
  "GET /shops/{shop}/menu": { for: staff, else: "FORBIDDEN" },
  "PUT /shops/{shop}/menu": { for: ["owner"], else: "FORBIDDEN" },
  "PUT /shops/{shop}/settings": { for: ["owner"], else: "FORBIDDEN" },
  "PUT /shops/{shop}/dishes/{dish}": { for: ["owner"], else: "FORBIDDEN" },
  "DELETE /shops/{shop}/dishes/{dish}": { for: ["owner"], else: "FORBIDDEN" },
  "PUT /shops/{shop}/dishes/{dish}/price": { for: ["owner"], else: "FORBIDDEN" },
  "PUT /shops/{shop}/dishes/{dish}/sold_out": { for: staff, else: "FORBIDDEN" },
  "PUT /shops/{shop}/dishes/{dish}/stock": { for: staff, else: "FORBIDDEN" },
  "POST /shops/{shop}/dishes/{dish}/stock": { for: staff, else: "FORBIDDEN" },
  "GET /shops/{shop}/tables": { for: staff, else: "FORBIDDEN" },
  "POST /shops/{shop}/tables": { for: ["owner"], else: "FORBIDDEN" },
  "DELETE /shops/{shop}/tables/{table}": { for: ["owner"], else: "FORBIDDEN" },
  "GET /shops/{shop}/devices": { for: ["owner"], else: "FORBIDDEN" },
  "DELETE /shops/{shop}/devices/{device}": { for: ["owner"], else: "FORBIDDEN" },
  "POST /shops/{shop}/pairing": { for: ["owner"], else: "FORBIDDEN" },
  "GET /shops/{shop}/audit": { for: ["owner"], else: "FORBIDDEN" },
  "GET /shops/{shop}/report": { for: counter, else: "FORBIDDEN" },
  "POST /shops/{shop}/pictures": { for: ["owner"], else: "FORBIDDEN" },
  "GET /files": { for: [...people, "nobody", "key", "neighbourKey"], else: "API_KEY_INVALID" },
  "POST /files": { for: [...people, "key", "neighbourKey"], else: "" },
  // A private one of a customer's, for the shop.
  "GET /files/{id}": { for: ["customer", ...staff], else: "FILE_UNKNOWN" },
  "DELETE /files/{id}": { for: ["customer", "owner"], else: "FILE_UNKNOWN" },
  "POST /files/{id}/parts": { for: ["customer", "owner"], else: "FILE_UNKNOWN" },
  "POST /files/{id}/complete": { for: ["customer", "owner"], else: "FILE_UNKNOWN" },
  "GET /files/{id}/{name}": { for: comers, else: "" },
  "POST /notify": { for: [...staff, "key"], else: "FORBIDDEN" },
  "POST /rooms": { for: people, else: "" },
  "POST /rooms/{room}/messages": { for: ["key"], else: "API_KEY_INVALID" },
  // Whoever has a session and the grant.
  "GET /rooms/{room}/messages": { for: people, else: "" },
  "GET /rooms/{room}/members": { for: people, else: "" },
  "POST /rooms/{room}/grants": { for: ["customer"], else: "FORBIDDEN" },
  "DELETE /rooms/{room}/grants": { for: ["customer"], else: "FORBIDDEN" },
  "POST /games": { for: people, else: "" },
  // Its players.
  "GET /games/{game}": { for: ["customer"], else: "GAME_UNKNOWN" },
  "POST /games/{game}/moves": { for: ["customer"], else: "GAME_UNKNOWN" },
  "GET /events": { for: staff, else: "STREAM_FORBIDDEN" },
  // An error has the status 200 and a code.
  "POST /web": { for: [...people, "key"], else: "DATABASE_PERMISSION_DENIED" },
  [`GET ${documents}`]: { for: [...people, "key"], else: "DATABASE_PERMISSION_DENIED" },
  [`POST ${documents}`]: { for: [...people, "key"], else: "DATABASE_PERMISSION_DENIED" },
  [`PATCH ${documents}`]: { for: [...people, "key"], else: "DATABASE_PERMISSION_DENIED" },
  [`GET ${documents}/{document}`]: { for: ["customer", "owner", "key"], else: "DOCUMENT_UNKNOWN" },
  [`POST ${documents}/remove`]: { for: [...people, "key"], else: "DATABASE_PERMISSION_DENIED" },
  [`POST ${documents}/aggregations`]: { for: [...people, "key"], else: "DATABASE_PERMISSION_DENIED" },
  // Who they are said to be is enough: these say nothing of a document.
  [`POST ${database}/collections`]: { for: [...people, "key", "neighbourKey"], else: "" },
  [`POST ${database}/transactions`]: { for: [...people, "key", "neighbourKey"], else: "" },
  [`POST ${database}/transactions/{transaction}/commit`]: { for: [...people, "key", "neighbourKey"], else: "" },
  [`POST ${database}/transactions/{transaction}/rollback`]: { for: [...people, "key", "neighbourKey"], else: "" },
  [`POST ${database}/commands`]: { for: [], else: "NOT_SUPPORTED" },
  // `owner` administers collections. A list has an outcome each, and this is the first.
  "POST /v1/storages/get-objects-upload-info": { for: [...people, "key"], else: "SESSION_MISSING" },
  "POST /v1/storages/get-objects-download-info": {
    for: [...people, "nobody", "key", "neighbourKey"],
    else: "INVALID_ACCESS_TOKEN",
  },
  "POST /v1/storages/delete-objects": { for: ["customer", "owner", "key"], else: "STORAGE_EXCEED_AUTHORITY" },
  "POST /v1/storages/copy-objects": { for: [], else: "NOT_SUPPORTED" },
  "PUT /v1/storages/objects/{ticket}": { for: comers, else: "" },
  "POST /v1/storages/objects/{ticket}": { for: comers, else: "" },
  "GET /v1/storages/objects/{address}/{name}": { for: comers, else: "" },
  "HEAD /v1/storages/objects/{address}/{name}": { for: comers, else: "" },
  "GET /collections": { for: ["owner", "key"], else: "FORBIDDEN" },
  "POST /auth/v1/signin/anonymously": { for: comers, else: "" },
  "POST /auth/v1/token": { for: comers, else: "" },
  "POST /auth/v1/revoke": { for: comers, else: "" },
  "GET /auth/v1/user/me": { for: people, else: "" },
  "POST /auth/v1/user/signout": { for: people, else: "" },
  [readsNothing]: { for: comers, else: "" },
};

const edits = ["GET /shops/{shop}/menu", "PUT /shops/{shop}/menu", "PUT /shops/{shop}/dishes/{dish}"];
const dishes = ["DELETE ", "PUT /price", "PUT /sold_out", "PUT /stock", "POST /stock"].map((edit) => {
  const [method, path] = edit.split(" ");
  return `${method} /shops/{shop}/dishes/{dish}${path}`;
});

const files = ["GET /files", "POST /files", "GET /files/{id}", "DELETE /files/{id}"].concat(
  ["parts", "complete"].map((what) => `POST /files/{id}/${what}`),
);

/** Route → the scopes of which a key needs one. No other route takes a key, but for collections, which take it as a visitor. */
export const keyRights: Readonly<Record<string, readonly Scope[]>> = {
  "POST /introspect": ["introspect"],
  "POST /mina_auth": ["sessions"],
  "POST /mina_auth/": ["sessions"],
  "POST /notify": ["notify"],
  "POST /rooms/{room}/messages": ["publish"],
  "POST /session/ticket": ["orders:read"],
  "GET /events": ["orders:read"],
  "GET /orders/{id}": ["orders:read"],
  "GET /shops/{shop}/orders": ["orders:read"],
  "POST /orders/{id}/{action}": ["orders:step", "orders:paid"],
  ...Object.fromEntries(
    [...edits, ...dishes, "POST /shops/{shop}/pictures", ...files].map((route) => [route, ["menu:write"]]),
  ),
};

/** Whether a key of another shop gets as far as the shop's own rights. */
export const isOfShop = (route: string) =>
  keyRights[route]?.some((scope) => (shopScopes as readonly Scope[]).includes(scope)) === true;

/** Nobody, and a key that gives no rights, may read what anybody may; notes are private. */
const visitors = {
  nobody: "DATABASE_PERMISSION_DENIED",
  neighbourKey: "DATABASE_PERMISSION_DENIED",
  revokedKey: "INVALID_ACCESS_TOKEN",
} as const;
const keys = {
  key: "INVALID_ACCESS_TOKEN",
  neighbourKey: "INVALID_ACCESS_TOKEN",
  revokedKey: "INVALID_ACCESS_TOKEN",
} as const;

/** Exceptions to the table's code: a customer may see the order, so it gets FORBIDDEN for a step of staff. */
export const exceptions: Readonly<Record<string, Partial<Record<Comer, string>>>> = {
  "POST /orders/{id}/{action}": { customer: "FORBIDDEN" },
  "PUT /orders/{id}/lines/{line}": { customer: "FORBIDDEN" },
  ...Object.fromEntries(["GET", "POST", "PATCH"].map((method) => [`${method} ${documents}`, visitors] as const)),
  [`GET ${documents}/{document}`]: visitors,
  [`POST ${documents}/remove`]: visitors,
  [`POST ${documents}/aggregations`]: visitors,
  // There the key stands in the header, which CloudBase's clients do not use.
  "POST /web": { ...visitors, revokedKey: "API_KEY_INVALID" },
  [`POST ${database}/collections`]: { revokedKey: "INVALID_ACCESS_TOKEN" },
  [`POST ${database}/transactions`]: { revokedKey: "INVALID_ACCESS_TOKEN" },
  [`POST ${database}/transactions/{transaction}/commit`]: { revokedKey: "INVALID_ACCESS_TOKEN" },
  [`POST ${database}/transactions/{transaction}/rollback`]: { revokedKey: "INVALID_ACCESS_TOKEN" },
  [`POST ${database}/commands`]: {
    nobody: "NOT_SUPPORTED",
    key: "NOT_SUPPORTED",
    neighbourKey: "NOT_SUPPORTED",
    revokedKey: "INVALID_ACCESS_TOKEN",
  },
  "GET /files/{id}": { nobody: "FILE_UNKNOWN" },
  ...Object.fromEntries(
    ["DELETE /files/{id}", "POST /files/{id}/parts", "POST /files/{id}/complete"].map((route) => [
      route,
      { cashier: "FORBIDDEN", kitchen: "FORBIDDEN" },
    ]),
  ),
  "POST /v1/storages/get-objects-upload-info": { neighbourKey: "SESSION_MISSING", revokedKey: "INVALID_ACCESS_TOKEN" },
  "POST /v1/storages/get-objects-download-info": { revokedKey: "INVALID_ACCESS_TOKEN" },
  "POST /v1/storages/delete-objects": {
    nobody: "STORAGE_EXCEED_AUTHORITY",
    neighbourKey: "STORAGE_EXCEED_AUTHORITY",
    revokedKey: "INVALID_ACCESS_TOKEN",
  },
  "POST /v1/storages/copy-objects": {
    nobody: "NOT_SUPPORTED",
    key: "NOT_SUPPORTED",
    neighbourKey: "NOT_SUPPORTED",
    revokedKey: "INVALID_ACCESS_TOKEN",
  },
  "GET /auth/v1/user/me": keys,
  "POST /auth/v1/user/signout": keys,
  // A revoked key, and another shop's key.
  "POST /notify": { revokedKey: "API_KEY_INVALID", neighbourKey: "FORBIDDEN" },
  "GET /collections": { revokedKey: "API_KEY_INVALID", neighbourKey: "FORBIDDEN" },
};
