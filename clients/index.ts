/** Exports that are the same on every platform. */
import type { ApiRequest } from "./api.ts";
import type { WatchChange } from "./watch.ts";

export {
  type Api,
  ApiError,
  type ApiRequest,
  type ErrorCode,
  isSignedOut,
  makeApi,
  mayRetry,
  noAnswer,
} from "./api.ts";
export type { ErrorExtras, Routes } from "./api_types.ts";
export { type Channel, openChannel, type State, type Subscription } from "./channel.ts";
export { asUser, type Client, type ClientOptions, type CoreOptions, makeClient } from "./client.ts";
export type { BillListener } from "./outbox.ts";
export { looksLikePhone, maxPhoneLength } from "./phone.ts";
export { type Logger, memoryStore, type Platform, type Reason, type Store } from "./platform.ts";
export type { RouteOf } from "./routes.ts";
export type { SessionListener } from "./session.ts";
export type * from "./types.ts";
export type { Watch, WatchChange, Watches } from "./watch.ts";

/** @deprecated Write `ApiRequest`. Removed in 0.4.0. */
export type Ask = ApiRequest;

/** @deprecated Write `WatchChange`. Removed in 0.4.0. */
export type Change = WatchChange;
