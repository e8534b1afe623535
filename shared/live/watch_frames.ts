/** Frames of the vendor's watch protocol: parses a client's, prints the server's. */
import * as v from "valibot";
import { parse } from "../shape.ts";
import type { Document } from "./value.ts";
import type { VendorError } from "./vendor_codes.ts";
import type { WatchEvent } from "./watch_events.ts";
import { encode } from "./wire_value.ts";

// --- Of a client ----------------------------------------------------------------------------------------------------

const text = (most: number) => v.pipe(v.string(), v.maxLength(most, `at most ${most} characters`));
const eventId = v.pipe(v.number(), v.safeInteger("an integer"), v.minValue(0, "at least 0"));
const requestId = v.optional(text(100), "");
const watchId = v.pipe(text(100), v.minLength(1, "at least 1 character"));

/** Characters of a query as JSON, and of a `queryID`, which holds it signed. */
export const maxQueryCharacters = 12_000;
const maxQueryIdCharacters = 24_000;

const query = text(maxQueryCharacters);
const queryId = text(maxQueryIdCharacters);

const messages = v.variant("msgType", [
  v.object({
    msgType: v.literal("LOGIN"),
    requestId,
    msgData: v.optional(v.nullable(v.object({ envId: v.optional(text(100), "") }))),
  }),
  v.object({ msgType: v.literal("PING"), requestId }),
  v.object({
    msgType: v.literal("INIT_WATCH"),
    requestId,
    watchId,
    msgData: v.object({
      collName: text(100),
      query: v.optional(query, "{}"),
      orderBy: v.optional(v.nullable(v.unknown())),
      limit: v.optional(v.nullable(v.unknown())),
      sorts: v.optional(v.boolean(), false),
    }),
  }),
  v.object({
    msgType: v.literal("REBUILD_WATCH"),
    requestId,
    watchId,
    msgData: v.object({ queryID: queryId, eventID: eventId }),
  }),
  v.object({
    msgType: v.literal("CHECK_LAST"),
    requestId,
    watchId,
    msgData: v.object({ queryID: queryId, eventID: eventId }),
  }),
  v.object({ msgType: v.literal("CLOSE_WATCH"), requestId, watchId }),
]);

export type WatchMessage = v.InferOutput<typeof messages>;

/** What can be said of any frame of this dialect, so that an error reaches who waits. */
export interface WatchEnvelope {
  readonly msgType: string;
  readonly requestId: string;
  readonly watchId: string | undefined;
}

const envelope = v.object({
  msgType: v.string(),
  requestId: v.optional(v.unknown()),
  watchId: v.optional(v.unknown()),
});

/** The frame's envelope, if it is of this dialect. @param input parsed JSON */
export function envelopeOf(input: unknown): WatchEnvelope | undefined {
  const found = v.safeParse(envelope, input);
  if (!found.success) return undefined;
  const { msgType, requestId, watchId } = found.output;
  const short = (one: unknown) => (typeof one === "string" && one.length <= 100 ? one : undefined);
  return { msgType: msgType.slice(0, 40), requestId: short(requestId) ?? "", watchId: short(watchId) };
}

/** @throws InvalidInput */
export const parseWatchMessage = (input: unknown): WatchMessage => parse(messages, input);

// --- Of the server --------------------------------------------------------------------------------------------------

/** An event's text, all but its number. */
function eventText({ dataType, queueType, id, document, updatedFields, removedFields }: WatchEvent): string {
  const fields = [
    `"DataType":"${dataType}","QueueType":"${queueType}","DocID":${JSON.stringify(id)}`,
    `"Doc":${document === undefined ? '""' : documentText(document)}`,
  ];
  if (updatedFields !== undefined) fields.push(`"UpdatedFields":${quoted(updatedFields)}`);
  // In lower case: the client reads no other, and dies of the other one alone.
  if (removedFields !== undefined) fields.push(`"removedFields":${quoted(removedFields)}`);
  return `${fields.join(",")}}`;
}

const quoted = (value: Parameters<typeof encode>[0]) => JSON.stringify(JSON.stringify(encode(value)));

const texts = new WeakMap<Document, string>();

/** Made once for a document, which may be in the lists of many queries. */
function documentText(document: Document): string {
  const known = texts.get(document);
  if (known !== undefined) return known;
  const made = quoted(document);
  texts.set(document, made);
  return made;
}

/** Characters of a document in a frame. */
export const lengthOf = (document: Document) => documentText(document).length + 80;

/** Events of one id, as text: the id is put in for each watch. */
export type Template = (id: number) => string;

/** The text around the ids. */
export const piecesOf = (events: readonly WatchEvent[]): readonly string[] => [
  '{"ID":',
  ...events.flatMap((event, at) => `,${eventText(event)}${at < events.length - 1 ? ',{"ID":' : ""}`),
];

/** @returns makes the members of `events`, without brackets */
export function templateOf(pieces: readonly string[]): Template {
  let made: readonly [id: number, text: string] | undefined;
  return (id) => {
    if (made?.[0] !== id) made = [id, pieces.join(String(id))];
    return made[1];
  };
}

export const template = (events: readonly WatchEvent[]): Template => templateOf(piecesOf(events));

export interface Answered {
  readonly watchId: string;
  readonly requestId: string;
  readonly queryId: string;
}

/** @param events the members of `events` @param current the last id among them */
export function eventsFrame(
  msgType: "INIT_EVENT" | "NEXT_EVENT",
  { watchId, requestId, queryId }: Answered,
  events: string,
  current: number,
  more = false,
): string {
  const data = { ...(more ? { more } : {}), queryID: queryId, currEvent: current };
  const head = JSON.stringify({ watchId, requestId, msgType, msgData: data });
  return `${head.slice(0, -2)},"events":[${events}]}}`;
}

/**
 * A push. It names no `queryID`: a client whose watch was closed before it had an answer would find the listener by it and call it
 * for ever.
 */
export const pushFrame = (watchId: string, events: string, current: number, more = false) =>
  eventsFrame("NEXT_EVENT", { watchId, requestId: `push_${current}`, queryId: "" }, events, current, more);

export const checkFrame = ({ watchId, requestId, queryId }: Answered, current: number) =>
  JSON.stringify({ watchId, requestId, msgType: "CHECK_EVENT", msgData: { queryID: queryId, currEvent: current } });

export const pongFrame = (requestId: string) => JSON.stringify({ requestId, msgType: "PONG", msgData: null });

/** @param refusal why the client is not signed in */
export const loginFrame = (
  requestId: string,
  envId: string,
  refusal?: { readonly code: string; readonly message: string },
) => JSON.stringify({ requestId, msgType: "LOGIN_RES", msgData: { envId, ...refusal } });

/** @param watchId only where the watch is to end: the client tells its app, and not only who waits for the answer */
export const watchErrorFrame = (requestId: string, error: VendorError, watchId?: string) =>
  JSON.stringify({
    ...(watchId === undefined ? {} : { watchId }),
    requestId,
    msgType: "ERROR",
    msgData: error,
  });
