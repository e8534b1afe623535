/** An event of a stream as a CloudEvent 1.0 in its JSON form. */
import type { WebhookType } from "../webhook_types.ts";
import { webhookTypeOf } from "../webhook_types.ts";

/** Members in the order in which they are sent. */
export interface CloudEvent {
  readonly specversion: "1.0";
  /** The same at every try. Its tag tells the event from another one of the same number, after the database went back in time. */
  readonly id: string;
  readonly source: string;
  readonly type: `com.orderbell.${WebhookType | "webhook.test"}`;
  /** What it is about: the id of an order, a dish, a notification, a message, a connection. */
  readonly subject?: string;
  /** RFC 3339, UTC. */
  readonly time: string;
  readonly datacontenttype: "application/json";
  /** Events of one key come in the order of `sequence`, which compares as text. */
  readonly partitionkey: string;
  readonly sequence: string;
  readonly data: unknown;
}

export const mediaType = "application/cloudevents+json; charset=utf-8";

/** Digits of the largest safe integer. */
const sequenceDigits = 16;

export interface StoredEvent {
  readonly stream: string;
  readonly epoch: string;
  readonly seq: number;
  readonly tag: string;
  readonly type: string;
  /** JSON text. */
  readonly data: string;
  readonly at: number;
}

export function cloudEventOf({ stream, epoch, seq, tag, type, data: text, at }: StoredEvent): CloudEvent {
  const name = webhookTypeOf(stream, type);
  if (name === undefined) throw new TypeError(`"${type}" is no type of events for webhooks`);
  const data: unknown = JSON.parse(text);
  const subject = subjectOf(data);
  return {
    specversion: "1.0",
    id: `${stream}/${epoch}/${seq}/${tag}`,
    source: sourceOf(stream),
    type: `com.orderbell.${name}`,
    ...(subject === undefined ? {} : { subject }),
    time: new Date(at).toISOString(),
    datacontenttype: "application/json",
    partitionkey: stream,
    sequence: String(seq).padStart(sequenceDigits, "0"),
    data,
  };
}

/** `shop:noodles` → `/shops/noodles`. */
function sourceOf(stream: string): string {
  const [kind = "", id] = stream.split(":");
  if (kind === "connections") return id === undefined ? "/connections" : `/shops/${id}/connections`;
  return `/${kind}s/${id}`;
}

function subjectOf(data: unknown): string | undefined {
  const { order, dish, connection, id } = data as Readonly<Record<string, unknown>>;
  const found = (order as { id?: unknown } | undefined)?.id ?? id ?? dish ?? connection;
  return typeof found === "string" && found !== "" ? found : undefined;
}
