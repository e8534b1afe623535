/** Types of events that webhooks can ask for, and the streams that hold them. */

/** Of a shop's stream: all its events. Of a customer's: notifications alone, as orders are in the shop's too. */
export const shopTypes = [
  "order.placed",
  "order.changed",
  "order.escalated",
  "shop.opened",
  "shop.closed",
  "menu.changed",
  "dish.changed",
  "kitchen.live",
  "kitchen.offline",
] as const;

/** Events of sockets; stored only where a webhook asks for them. */
export const connectionTypes = ["connection.opened", "connection.closed"] as const;
export type ConnectionType = (typeof connectionTypes)[number];

export const webhookTypes = [...shopTypes, "notification", "room.message", ...connectionTypes] as const;
export type WebhookType = (typeof webhookTypes)[number];

/** Kind of stream → type of event there → its name to webhooks. */
const names: Readonly<Record<string, ReadonlyMap<string, WebhookType>>> = {
  shop: new Map([...shopTypes, "notification" as const].map((type) => [type, type])),
  user: new Map([["notification", "notification"]]),
  room: new Map([["message", "room.message"]]),
  connections: new Map(connectionTypes.map((type) => [type, type])),
};

const kindOf = (stream: string) => stream.split(":", 1)[0] ?? "";

/** The name to webhooks of an event of this stream; nothing if it is of no type that they can ask for. */
export const webhookTypeOf = (stream: string, type: string): WebhookType | undefined =>
  names[kindOf(stream)]?.get(type);

/** Kinds of streams with the types of events there that have one of these names to webhooks. */
export const kindsOf = (wanted: ReadonlySet<string>): { kind: string; types: string[] }[] =>
  Object.entries(names)
    .map(([kind, types]) => ({ kind, types: [...types].filter(([, name]) => wanted.has(name)).map(([type]) => type) }))
    .filter(({ types }) => types.length > 0);

/** Events of sockets: of a shop's staff, and of everybody else. */
export const connectionsStream = (shop: string | null) => (shop === null ? "connections" : `connections:${shop}`);
