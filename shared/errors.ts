/**
 * Errors that callers receive, each with a stable code.
 *
 * The code is the contract: a client acts on it, the message is for people. Codes are never renamed.
 * Imports nothing of Node, so that the clients can share the list of codes.
 */

/** The base of all errors for callers. `status` is HTTP's; `retry` says whether the same request may succeed later unchanged. */
export class AppError extends Error {
  readonly code: Code;
  readonly status: number;
  readonly retry: boolean;
  /** Seconds for `Retry-After`, where waiting helps. */
  readonly retryAfterSec: number | undefined;
  /** Further members of the problem document for the caller, such as the new total. */
  readonly extra: Readonly<Record<string, unknown>>;
  /** The quota that is used up until `retryAfterSec` have passed. */
  readonly quota: Quota | undefined;

  constructor(code: Code, message: string, options: ErrorDetails = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.status = statusOf[code];
    this.retryAfterSec = options.retryAfterSec;
    this.retry = options.retryAfterSec !== undefined || retryable.has(code);
    this.extra = options.extra ?? {};
    this.quota = options.quota;
  }
}

/** A limit on how much one caller may do. */
export interface Quota {
  /** Letters, digits and dashes. */
  readonly name: string;
  readonly limit: number;
  /** Of a sliding window; without it the limit holds at any moment. */
  readonly windowSec?: number;
  /** Requests, if it is absent. */
  readonly unit?: "content-bytes" | "concurrent-requests";
}

interface ErrorDetails {
  cause?: unknown;
  quota?: Quota;
  retryAfterSec?: number;
  extra?: Record<string, unknown>;
}

/** code → HTTP status. */
export const statusOf = {
  // Requests
  MALFORMED: 400,
  INVALID_INPUT: 400,
  IDEMPOTENCY_KEY_MISSING: 400,
  BODY_TOO_LARGE: 413,
  MEDIA_TYPE_UNSUPPORTED: 415,
  ROUTE_UNKNOWN: 404,
  UPGRADE_REQUIRED: 426,
  // Authentication
  SESSION_MISSING: 401,
  SESSION_INVALID: 401,
  SESSION_EXPIRED: 401,
  SESSION_ENDED: 401,
  TICKET_INVALID: 401,
  PAIRING_CODE_INVALID: 401,
  API_KEY_INVALID: 401,
  GRANT_INVALID: 403,
  TOKEN_INVALID: 401,
  LOGIN_CODE_INVALID: 401,
  LOGIN_CODE_USED: 401,
  LOGIN_DATA_INVALID: 401,
  LOGIN_BLOCKED: 403,
  LOGIN_TOO_OFTEN: 429,
  APP_UNKNOWN: 400,
  // Permissions and limits
  FORBIDDEN: 403,
  GUESTS_REFUSED: 403,
  STREAM_FORBIDDEN: 403,
  CONFIRM_AT_COUNTER: 403,
  ROOMS_OFF: 403,
  TOO_MANY_SESSIONS: 429,
  TOO_MANY_CONNECTIONS: 429,
  TOO_MANY_STREAMS: 429,
  TOO_MANY_UNACCEPTED: 429,
  PUBLISH_TOO_FAST: 429,
  TOO_MANY_ROOMS: 429,
  TOO_MANY_MEMBERS: 429,
  // Shops, orders, streams
  SHOP_UNKNOWN: 404,
  ORDER_UNKNOWN: 404,
  DISH_UNKNOWN: 404,
  TABLE_UNKNOWN: 404,
  DEVICE_UNKNOWN: 404,
  USER_UNKNOWN: 404,
  STREAM_UNKNOWN: 404,
  GAME_UNKNOWN: 404,
  CONNECTION_UNKNOWN: 404,
  KEY_REUSED: 422,
  SHOP_CLOSED: 409,
  KITCHEN_OFFLINE: 409,
  SOLD_OUT: 409,
  DISH_UNAVAILABLE: 409,
  PRICE_CHANGED: 409,
  OPTIONS_INVALID: 422,
  SERVICE_NOT_OFFERED: 422,
  BELOW_MINIMUM: 422,
  ORDER_TOO_LARGE: 422,
  EVENT_TOO_LARGE: 422,
  STEP_NOT_ALLOWED: 409,
  ORDER_CHANGED: 409,
  VERSION_MISMATCH: 412,
  STOCK_BELOW_SOLD: 409,
  STOCK_ABOVE_LIMIT: 409,
  NO_STOCK_COUNT: 409,
  MENU_INVALID: 422,
  PUBLISH_OUT_OF_ORDER: 409,
  FRAME_TOO_LARGE: 413,
  SLOW_READER: 429,
  // Collections
  NOT_SUPPORTED: 422,
  COLLECTION_UNKNOWN: 404,
  DOCUMENT_UNKNOWN: 404,
  DOCUMENT_EXISTS: 409,
  TOO_MANY_DOCUMENTS: 422,
  TOO_MANY_WATCHES: 429,
  COLLECTION_FULL: 422,
  OWNER_FULL: 422,
  TRANSACTION_UNKNOWN: 404,
  DATABASE_TRANSACTION_CONFLICT: 409,
  // Files
  PURPOSE_UNKNOWN: 400,
  FILE_UNKNOWN: 404,
  FILE_TYPE_REFUSED: 415,
  FILE_TOO_LARGE: 413,
  FILES_FULL: 409,
  FILE_NOT_STORED: 409,
  FILE_CONTENT_WRONG: 400,
  // The server and its dependencies
  TOKEN_KEYS_AWAY: 503,
  WECHAT_AWAY: 503,
  WECHAT_MISCONFIGURED: 502,
  DATABASE_AWAY: 503,
  FILES_AWAY: 503,
  OVERLOADED: 503,
  ROOMS_FULL: 503,
  STOPPING: 503,
  INTERNAL: 500,
} as const;

export type Code = keyof typeof statusOf;
export const codes = Object.keys(statusOf) as readonly Code[];

/** Codes after which the same request may succeed later, unchanged. */
const retryable: ReadonlySet<Code> = new Set<Code>([
  "TOKEN_KEYS_AWAY",
  "WECHAT_AWAY",
  "DATABASE_AWAY",
  "FILES_AWAY",
  "OVERLOADED",
  "STOPPING",
  "CONNECTION_UNKNOWN",
  "PUBLISH_OUT_OF_ORDER",
  "PUBLISH_TOO_FAST",
  "SLOW_READER",
]);

// --- Requests ------------------------------------------------------------------------------------------------------

/** The body is not UTF-8, not JSON, or nested too deep. */
export class Malformed extends AppError {
  constructor(what: string) {
    super("MALFORMED", what);
  }
}

/** A field is missing, of the wrong type, out of range, too long or unknown. `field` is its path, such as `lines.0.quantity`. */
export class InvalidInput extends AppError {
  constructor(field: string, reason: string) {
    super("INVALID_INPUT", field === "" ? reason : `"${field}": ${reason}`, { extra: { field } });
  }
}

export class IdempotencyKeyMissing extends AppError {
  constructor() {
    super("IDEMPOTENCY_KEY_MISSING", 'the header "Idempotency-Key" is missing: 8 to 64 of A-Z a-z 0-9 . _ ~ : -');
  }
}

export class BodyTooLarge extends AppError {
  constructor(maxBytes: number) {
    super("BODY_TOO_LARGE", `the body is larger than ${maxBytes} bytes`);
  }
}

export class MediaTypeUnsupported extends AppError {
  constructor(type: string, expected: string) {
    super("MEDIA_TYPE_UNSUPPORTED", `"${type.slice(0, 80)}" is not accepted here; send ${expected}`);
  }
}

export class RouteUnknown extends AppError {
  constructor(method: string, path: string) {
    super("ROUTE_UNKNOWN", `there is no route ${method} ${path.slice(0, 200)}`);
  }
}

export class UpgradeRequired extends AppError {
  constructor() {
    super(
      "UPGRADE_REQUIRED",
      "/pgws opens by an upgrade to WebSocket; a proxy in front must pass the headers Upgrade and Connection on",
    );
  }
}

// --- Authentication ------------------------------------------------------------------------------------------------

export class SessionMissing extends AppError {
  constructor() {
    super("SESSION_MISSING", 'the header "Authorization: Bearer <token>" is missing');
  }
}

/** The token is unknown. */
export class SessionInvalid extends AppError {
  constructor() {
    super("SESSION_INVALID", "the session token is not valid");
  }
}

export class SessionExpired extends AppError {
  constructor() {
    super("SESSION_EXPIRED", "the session has expired; log in again");
  }
}

/** Signed out, or revoked by staff. */
export class SessionEnded extends AppError {
  constructor() {
    super("SESSION_ENDED", "the session was ended; log in again");
  }
}

export class TicketInvalid extends AppError {
  constructor() {
    super("TICKET_INVALID", "the ticket is unknown, used or older than 30 seconds; fetch a new one");
  }
}

export class PairingCodeInvalid extends AppError {
  constructor() {
    super("PAIRING_CODE_INVALID", "the pairing code is unknown, used or older than 10 minutes; ask for a new one");
  }
}

/** The key is unknown or revoked, lacks a scope, or the route takes another credential; the reason says which. */
export class ApiKeyInvalid extends AppError {
  constructor(reason: string) {
    super("API_KEY_INVALID", reason);
  }
}

export class GrantInvalid extends AppError {
  constructor() {
    super("GRANT_INVALID", "the room's grant is missing, forged, expired or withdrawn");
  }
}

/** The token of a shop's own user; the reason names the claim or header. */
export class TokenInvalid extends AppError {
  constructor(reason: string) {
    super("TOKEN_INVALID", `the token is not taken: ${reason}`);
  }
}

export class LoginCodeInvalid extends AppError {
  constructor() {
    super(
      "LOGIN_CODE_INVALID",
      "WeChat does not know this code: expired, used, or of another app; call wx.login again",
    );
  }
}

/** The code was received before. It is never sent to WeChat twice. */
export class LoginCodeUsed extends AppError {
  constructor() {
    super("LOGIN_CODE_USED", "this code was used; call wx.login again");
  }
}

/** Signature, decryption or watermark is wrong: usually a newer login replaced the session_key, so not an attack. */
export class LoginDataInvalid extends AppError {
  constructor(which: "signature" | "encryptedData") {
    super("LOGIN_DATA_INVALID", `the ${which} does not fit this login; call wx.login and read the data again`);
  }
}

export class LoginBlocked extends AppError {
  constructor() {
    super("LOGIN_BLOCKED", "WeChat has blocked this user as high risk");
  }
}

/** WeChat's own, as its errcode 45011 says. */
const wechatLogins: Quota = { name: "wechat-logins", limit: 100, windowSec: 60 };

export class LoginTooOften extends AppError {
  /** @param waitMs for a network that sent too many wrong codes; without it WeChat itself has refused */
  constructor(waitMs?: number, quota: Quota = wechatLogins) {
    const retryAfterSec = waitMs === undefined ? 60 : Math.max(1, Math.ceil(waitMs / 1_000));
    const reason =
      waitMs === undefined
        ? "WeChat allows 100 logins a minute for one user"
        : `too many codes from this network that WeChat does not know; try again in ${retryAfterSec} s`;
    super("LOGIN_TOO_OFTEN", reason, { retryAfterSec, quota });
  }
}

/** No mini-program of this app id was added, or several were and the request names none. */
export class AppUnknown extends AppError {
  constructor(reason: string) {
    super("APP_UNKNOWN", reason);
  }
}

// --- Permissions and limits ----------------------------------------------------------------------------------------

export class Forbidden extends AppError {
  constructor(what: string) {
    super("FORBIDDEN", what);
  }
}

export class GuestsRefused extends AppError {
  constructor(shop: string) {
    super("GUESTS_REFUSED", `shop "${shop}" takes no orders from guests`);
  }
}

export class StreamForbidden extends AppError {
  constructor(stream: string) {
    super("STREAM_FORBIDDEN", `this session may not do that on stream "${stream}"`);
  }
}

/** Only owner or cashier may accept a guest's order, not the kitchen, and no back end. */
export class ConfirmAtCounter extends AppError {
  constructor(order: string) {
    super("CONFIRM_AT_COUNTER", `order "${order}" is a guest's; owner or cashier must accept it`);
  }
}

/** @param waitMs until another one is allowed */
export class TooManySessions extends AppError {
  constructor(waitMs: number, quota: Quota) {
    const retryAfterSec = Math.max(1, Math.ceil(waitMs / 1_000));
    super("TOO_MANY_SESSIONS", `too many new visitors from this network; try again in ${retryAfterSec} s`, {
      retryAfterSec,
      quota,
    });
  }
}

export class TooManyConnections extends AppError {
  constructor(limit: number) {
    super("TOO_MANY_CONNECTIONS", `a session has at most ${limit} connections; the oldest gave way`);
  }
}

export class TooManyStreams extends AppError {
  constructor(limit: number) {
    super("TOO_MANY_STREAMS", `a connection reads at most ${limit} streams`);
  }
}

/** Protects from spam: this session, table, address or shop has too many orders not accepted yet. */
export class TooManyUnaccepted extends AppError {
  constructor(of: "session" | "table" | "address" | "shop", limit: number) {
    super("TOO_MANY_UNACCEPTED", `${limit} orders of this ${of} are waiting to be accepted`, {
      retryAfterSec: 60,
      extra: { of, limit },
      quota: { name: `unaccepted-${of}`, limit },
    });
  }
}

export class PublishTooFast extends AppError {
  /** @param what such as "20 messages to one room" */
  constructor(what: string, quota: Quota) {
    super("PUBLISH_TOO_FAST", `a sender may publish ${what} a second`, { retryAfterSec: 1, quota });
  }
}

/** The room is full of people. */
export class TooManyMembers extends AppError {
  /** @param what such as "a room has at most 200 members" */
  constructor(what: string) {
    super("TOO_MANY_MEMBERS", what);
  }
}

/** The operator of this server has switched rooms off. */
export class RoomsOff extends AppError {
  constructor() {
    super("ROOMS_OFF", "rooms are switched off on this server");
  }
}

/** @param waitMs until another one is allowed */
export class TooManyRooms extends AppError {
  constructor(of: "user" | "address", waitMs: number, quota: Quota) {
    const { limit } = quota;
    const retryAfterSec = Math.max(1, Math.ceil(waitMs / 1_000));
    const who = of === "user" ? "a user makes" : "a network's users make";
    super("TOO_MANY_ROOMS", `${who} at most ${limit} rooms an hour; try again in ${retryAfterSec} s`, {
      retryAfterSec,
      extra: { of, limit },
      quota,
    });
  }
}

/** All rooms together have reached their limit of bytes. */
export class RoomsFull extends AppError {
  constructor() {
    super("ROOMS_FULL", "all rooms together hold as much as they may; old messages make room by and by", {
      retryAfterSec: 600,
    });
  }
}

// --- Shops, orders, streams ----------------------------------------------------------------------------------------

export class ShopUnknown extends AppError {
  constructor(shop: string) {
    super("SHOP_UNKNOWN", `there is no shop "${shop}"`);
  }
}

export class OrderUnknown extends AppError {
  constructor(order: string) {
    super("ORDER_UNKNOWN", `there is no order "${order}"`);
  }
}

export class DishUnknown extends AppError {
  constructor(dish: string) {
    super("DISH_UNKNOWN", `there is no dish "${dish}" on the menu`, { extra: { dish } });
  }
}

export class TableUnknown extends AppError {
  constructor() {
    super("TABLE_UNKNOWN", "the table code is not one of this shop's; scan it again");
  }
}

export class DeviceUnknown extends AppError {
  constructor(device: string) {
    super("DEVICE_UNKNOWN", `there is no device "${device}"`);
  }
}

export class UserUnknown extends AppError {
  /** @param shop where the user would have to have ordered; undefined where any user will do */
  constructor(user: string, shop?: string) {
    super(
      "USER_UNKNOWN",
      shop === undefined ? `there is no user "${user}"` : `no user "${user}" has ordered at shop "${shop}"`,
    );
  }
}

/** There is none, or the caller is none of its players. */
export class GameUnknown extends AppError {
  constructor(game: string) {
    super("GAME_UNKNOWN", `you play no game ${game}`);
  }
}

export class StreamUnknown extends AppError {
  constructor(stream: string) {
    super("STREAM_UNKNOWN", `there is no stream "${stream}"`);
  }
}

/** The gateway has a connection without a row: it was swept, or the database was restored. */
export class ConnectionUnknown extends AppError {
  constructor() {
    super("CONNECTION_UNKNOWN", "this connection is not registered; connect again");
  }
}

export class KeyReused extends AppError {
  constructor() {
    super("KEY_REUSED", "this Idempotency-Key was used with another body");
  }
}

export class ShopClosed extends AppError {
  constructor(shop: string) {
    super("SHOP_CLOSED", `shop "${shop}" is closed`);
  }
}

export class KitchenOffline extends AppError {
  constructor(shop: string) {
    super("KITCHEN_OFFLINE", `no kitchen screen of shop "${shop}" is connected`);
  }
}

/** `left` is how many portions remain, so that the page can correct the cart. */
export class SoldOut extends AppError {
  constructor(dish: string, left: number) {
    super("SOLD_OUT", `dish "${dish}" is sold out or fewer than asked are left`, { extra: { dish, left } });
  }
}

export class DishUnavailable extends AppError {
  constructor(dish: string) {
    super("DISH_UNAVAILABLE", `dish "${dish}" is not on sale`, { extra: { dish } });
  }
}

export class PriceChanged extends AppError {
  constructor(expectedTotalFen: number, totalFen: number) {
    super("PRICE_CHANGED", `the total is ${totalFen} fen, not ${expectedTotalFen}`, { extra: { totalFen } });
  }
}

export class OptionsInvalid extends AppError {
  constructor(dish: string, reason: string) {
    super("OPTIONS_INVALID", `dish "${dish}": ${reason}`, { extra: { dish } });
  }
}

export class ServiceNotOffered extends AppError {
  constructor(service: string) {
    super("SERVICE_NOT_OFFERED", `this shop does not offer "${service}"`);
  }
}

export class BelowMinimum extends AppError {
  constructor(minimumFen: number) {
    super("BELOW_MINIMUM", `delivery starts at ${minimumFen} fen`, { extra: { minimumFen } });
  }
}

export class OrderTooLarge extends AppError {
  constructor(reason: string) {
    super("ORDER_TOO_LARGE", reason);
  }
}

export class EventTooLarge extends AppError {
  constructor(maxBytes: number) {
    super("EVENT_TOO_LARGE", `an event carries at most ${maxBytes} bytes of data`);
  }
}

/** The step is not possible in the order's state. `orderStatus` lets the page show that state at once; `status` is HTTP's. */
export class StepNotAllowed extends AppError {
  constructor(action: string, status: string) {
    super("STEP_NOT_ALLOWED", `"${action}" is not possible when the order is "${status}"`, {
      extra: { orderStatus: status },
    });
  }
}

/** The request names an older version of the order: another change came first. */
export class OrderChanged extends AppError {
  constructor(version: number) {
    super("ORDER_CHANGED", `the order is at version ${version} by now`, { extra: { version } });
  }
}

export class VersionMismatch extends AppError {
  constructor(version: string) {
    super("VERSION_MISMATCH", `"If-Match" names another version; now it is ${version}`, { extra: { version } });
  }
}

export class StockBelowSold extends AppError {
  constructor(dish: string, left: number) {
    super("STOCK_BELOW_SOLD", `dish "${dish}" has only ${left} portions left to take away`, { extra: { dish, left } });
  }
}

/** `left` is what the change would have led to. */
export class StockAboveLimit extends AppError {
  constructor(dish: string, left: number, limit: number) {
    super("STOCK_ABOVE_LIMIT", `dish "${dish}" would have ${left} portions; at most ${limit}`, {
      extra: { dish, left },
    });
  }
}

/** A delta needs a count to change: the dish has no daily stock. */
export class NoStockCount extends AppError {
  constructor(dish: string) {
    super("NO_STOCK_COUNT", `dish "${dish}" is not counted; set its dailyStock first`, { extra: { dish } });
  }
}

/** The menu contradicts itself; `errors` has all contradictions, with line numbers if it was read from a file. */
export class MenuInvalid extends AppError {
  constructor(errors: readonly string[]) {
    super("MENU_INVALID", errors[0] ?? "the menu is not valid", { extra: { errors } });
  }
}

/** The message names a predecessor that has not arrived. AWS may run two frames of one sender in either order. */
export class PublishOutOfOrder extends AppError {
  constructor() {
    super("PUBLISH_OUT_OF_ORDER", "the message named in `after` has not arrived yet; send again");
  }
}

export class FrameTooLarge extends AppError {
  constructor(maxBytes: number) {
    super("FRAME_TOO_LARGE", `a frame has at most ${maxBytes} bytes`);
  }
}

export class SlowReader extends AppError {
  constructor() {
    super("SLOW_READER", "this connection did not read what was sent; connect again and resume");
  }
}

// --- Collections ----------------------------------------------------------------------------------------------------

/** The client of another service can ask for it, and this server does not do it. `at` is the path in the request. */
export class NotSupported extends AppError {
  constructor(what: string, at = "") {
    super("NOT_SUPPORTED", `${at === "" ? "" : `"${at}": `}${what.slice(0, 60)} is not supported here`, {
      extra: { field: at, what: what.slice(0, 60) },
    });
  }
}

/** No collection of this name was declared. */
export class CollectionUnknown extends AppError {
  constructor(collection: string) {
    super("COLLECTION_UNKNOWN", `there is no collection "${collection.slice(0, 60)}"; collections.yml declares them`);
  }
}

/** There is no document with this `_id` that the caller may read. */
export class DocumentUnknown extends AppError {
  constructor(collection: string, id: string) {
    super("DOCUMENT_UNKNOWN", `"${collection}" has no document with the _id "${id}"`, { extra: { id } });
  }
}

/** Lines of an import are no documents of the collection; `errors` has them with their lines. */
export class DocumentsInvalid extends AppError {
  constructor(errors: readonly string[]) {
    super("INVALID_INPUT", errors[0] ?? "the documents are not valid", { extra: { field: "", errors } });
  }
}

/** A new document's `_id` is taken. */
export class DocumentExists extends AppError {
  constructor(collection: string, id: string) {
    super("DOCUMENT_EXISTS", `"${collection}" has a document with the _id "${id}" already`, { extra: { id } });
  }
}

/** A read, a write or a watch concerns more documents than one request may. */
export class TooManyDocuments extends AppError {
  constructor(what: string) {
    super("TOO_MANY_DOCUMENTS", `${what}; narrow the query`);
  }
}

/** One connection may not watch more. */
export class TooManyWatches extends AppError {
  constructor(limit: number) {
    super("TOO_MANY_WATCHES", `a connection has at most ${limit} watches; close one first`, { extra: { limit } });
  }
}

/** The collection has as many documents as its declaration allows. */
export class CollectionFull extends AppError {
  constructor(collection: string, limit: number) {
    super("COLLECTION_FULL", `"${collection}" holds at most ${limit} documents`, { extra: { limit } });
  }
}

/** One owner has as many documents of the collection as one may have. */
export class OwnerFull extends AppError {
  constructor(collection: string, limit: number) {
    super("OWNER_FULL", `"${collection}" holds at most ${limit} documents of one owner`, { extra: { limit } });
  }
}

/** Unknown, ended, expired, or somebody else's. */
export class TransactionUnknown extends AppError {
  constructor() {
    super("TRANSACTION_UNKNOWN", "the transaction has ended or is older than 30 seconds; start a new one");
  }
}

/** Another commit changed what the transaction had read. The whole transaction may be run again. */
export class TransactionConflict extends AppError {
  constructor(collection: string) {
    super(
      "DATABASE_TRANSACTION_CONFLICT",
      `another commit changed "${collection}" meanwhile; run the transaction again`,
    );
  }
}

// --- Files ---------------------------------------------------------------------------------------------------------

/** No purpose of this name was declared. */
export class PurposeUnknown extends AppError {
  constructor(purpose: string) {
    super("PURPOSE_UNKNOWN", `there is no purpose "${purpose.slice(0, 60)}"; files.yml declares them`);
  }
}

/** There is no such file that the caller may see, or its bytes are not there. */
export class FileUnknown extends AppError {
  constructor(file: string) {
    super("FILE_UNKNOWN", `there is no file "${file}"`);
  }
}

/** The purpose does not take this type. `types` are those that it takes. */
export class FileTypeRefused extends AppError {
  constructor(type: string, types: readonly string[]) {
    super("FILE_TYPE_REFUSED", `"${type.slice(0, 80)}" is not accepted here`, { extra: { types } });
  }
}

export class FileTooLarge extends AppError {
  constructor(maxBytes: number) {
    super("FILE_TOO_LARGE", `a file has at most ${maxBytes} bytes here`, { extra: { maxBytes } });
  }
}

/** The quota of one user or shop is used up, that of a network's guests for a day, or that of all together. Removing files makes room. */
export class FilesFull extends AppError {
  constructor(purpose: string, of: "user" | "network" | "all", maxBytes: number, maxFiles: number | null = null) {
    const whose = { user: "yours", network: "those of your network's guests in a day", all: "all together" }[of];
    const files = maxFiles === null ? "" : `${maxFiles} files and `;
    super("FILES_FULL", `files of the purpose "${purpose}", ${whose}, are at most ${files}${maxBytes} bytes`, {
      extra: { of, maxFiles, maxBytes },
    });
  }
}

/** The bytes, or some parts, are not there yet. `stored` has the parts that are. */
export class FileNotStored extends AppError {
  constructor(stored: readonly { readonly part: number; readonly bytes: number }[]) {
    super("FILE_NOT_STORED", "the file's bytes are not there yet; upload them, then complete it", {
      extra: { stored },
    });
  }
}

/** What was uploaded is not what was declared. It was removed. */
export class FileContentWrong extends AppError {
  constructor(reason: string) {
    super("FILE_CONTENT_WRONG", `${reason}; the upload was removed`);
  }
}

// --- The server and its dependencies -------------------------------------------------------------------------------

/** The issuer's public keys could not be fetched. @param reason a status or a short code */
export class TokenKeysAway extends AppError {
  constructor(reason: string, cause?: unknown) {
    super("TOKEN_KEYS_AWAY", `the keys of USER_TOKEN_KEYS cannot be fetched (${reason})`, { retryAfterSec: 5, cause });
  }
}

export class WechatAway extends AppError {
  constructor(cause?: unknown) {
    super("WECHAT_AWAY", "WeChat does not answer", { retryAfterSec: 2, cause });
  }
}

/** An answer came, and it is not WeChat's: a proxy's page, or a truncated answer. */
export class WechatAnswerInvalid extends WechatAway {
  constructor() {
    super(new Error("an answer that is not WeChat's"));
  }
}

/** WeChat rejects this server's credentials. `errcode` is WeChat's. */
export class WechatMisconfigured extends AppError {
  constructor(errcode: number) {
    super("WECHAT_MISCONFIGURED", `WeChat refuses this app's credentials (errcode ${errcode})`, { extra: { errcode } });
  }
}

export class DatabaseAway extends AppError {
  constructor(cause?: unknown, retryAfterSec = 3) {
    super("DATABASE_AWAY", "the database cannot answer now; try the same request again", { retryAfterSec, cause });
  }
}

/** The files' storage does not answer, or refuses this server. */
export class FilesAway extends AppError {
  constructor(cause?: unknown) {
    super("FILES_AWAY", "the storage of files cannot answer now; try the same request again", {
      retryAfterSec: 3,
      cause,
    });
  }
}

export class Overloaded extends AppError {
  constructor() {
    super("OVERLOADED", "too many requests at once", { retryAfterSec: 1 });
  }
}

export class Stopping extends AppError {
  constructor() {
    super("STOPPING", "this server is stopping; connect again", { retryAfterSec: 1 });
  }
}

/** An unexpected failure. The cause goes to the log, never to the caller. */
export class Internal extends AppError {
  constructor(cause?: unknown) {
    super("INTERNAL", "something went wrong on our side", { cause });
  }
}
