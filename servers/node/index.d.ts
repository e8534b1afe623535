/** For business servers beside orderbell: webhooks, sessions, notifications. No dependency. */

/** An event as orderbell sends it: CloudEvents 1.0. docs/webhooks.md has the types with their data. */
export interface OrderbellEvent {
  readonly specversion: "1.0";
  /** The same at every try: skip what you have. */
  readonly id: string;
  /** `/shops/{shop}`, `/users/{user}`, `/rooms/{room}`, `/connections`. */
  readonly source: string;
  /** Such as `com.orderbell.order.placed`. */
  readonly type: string;
  readonly subject?: string;
  /** RFC 3339, UTC. */
  readonly time: string;
  readonly datacontenttype: "application/json";
  /** Events of one key come in the order of `sequence`, which compares as text. */
  readonly partitionkey: string;
  readonly sequence: string;
  readonly data: unknown;
}

/** The request is no webhook of orderbell: answer it with 401. */
export declare class WebhookInvalid extends Error {
  readonly name: "WebhookInvalid";
}

/** orderbell has refused a request. `code` is one of its error codes, and `status` the HTTP status. */
export declare class OrderbellError extends Error {
  readonly name: "OrderbellError";
  readonly status: number;
  readonly code: string;
}

/**
 * The event, if the request is signed with the secret and not older than five minutes.
 * @param body the bytes as they came, or their text: not what a parser made of them
 * @param headers of Node's `http` (names in lower case), or of `fetch`
 * @param secrets as `npx orderbell webhook add` printed it; several while one replaces another
 * @throws WebhookInvalid
 */
export declare function verifyWebhook(
  body: string | Uint8Array,
  headers: Readonly<Record<string, string | readonly string[] | undefined>> | { get(name: string): string | null },
  secrets: string | readonly string[],
  options?: { readonly now?: number },
): OrderbellEvent;

/** Whose token it is. */
export interface Session {
  readonly user: string;
  readonly session: string;
  readonly kind: "wechat" | "guest" | "staff" | "own";
  /** Staff only. */
  readonly shop: string | null;
  readonly role: string | null;
  readonly expiresAt: Date;
}

export interface Notice {
  /** To one customer, or … */
  readonly user?: string;
  /** … to a shop's kitchen; with `user`: which shop's customer it is. */
  readonly shop?: string;
  readonly title: string;
  readonly body?: string;
  readonly order?: string;
}

export interface Notification {
  readonly id: string;
  readonly title: string;
  readonly body: string;
  readonly at: string;
  readonly order?: string;
}

/** Where a message stands in its room. */
export interface Published {
  readonly stream: string;
  readonly id: string;
  readonly epoch: string;
  readonly seq: number;
  readonly tag: string;
}

export interface Orderbell {
  /** Nothing if the token is not alive. @throws OrderbellError, and what `fetch` throws */
  verifySession(token: string | undefined): Promise<Session | undefined>;
  /** Puts a message into a room. The same id again is one message. @throws OrderbellError, and what `fetch` throws */
  publish(room: string, id: string, data: unknown): Promise<Published>;
  /** The same key again is one notification. @throws OrderbellError, and what `fetch` throws */
  notify(notice: Notice, idempotencyKey: string): Promise<Notification>;
}

export declare function connectOrderbell(options: {
  readonly url: string;
  /** An API key with the scopes `introspect`, `notify` and `publish`: `npx orderbell keys add`. */
  readonly key: string;
  readonly timeoutMs?: number;
  readonly fetch?: typeof fetch;
}): Orderbell;
