/** The part that is the same on every platform. */
export { type Api, ApiError, type Ask, isSignedOut, makeApi, mayRetry, noAnswer } from "./api.ts";
export { type Channel, openChannel, type State, type Subscription } from "./channel.ts";
export { type Client, type ClientOptions, type CoreOptions, makeClient } from "./client.ts";
export type { HearBill } from "./outbox.ts";
export { memoryStore, type Platform, type Store } from "./platform.ts";
export type { HearSession } from "./session.ts";
export type * from "./types.ts";
export type { Change, Watch, Watches } from "./watch.ts";
