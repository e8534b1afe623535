/** Frames of the socket: parses a client's frames and prints the server's. */
import * as v from "valibot";
import type { EventRow } from "../db/streams.ts";
import { iso } from "./day.ts";
import { type AppError, FrameTooLarge } from "./errors.ts";
import { parseJson } from "./json.ts";
import {
  type ClientMessage,
  maxFrameBytes,
  maxStreamsPerMessage,
  type ServerMessage,
  type StreamEvent,
} from "./protocol.ts";
import * as shape from "./shape.ts";

const n = shape.integer(1, Number.MAX_SAFE_INTEGER);
const tag = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{0,16}$/, "at most 16 of A-Z a-z 0-9 _ -"));
export const grant = v.optional(v.pipe(v.string(), v.maxLength(1_024, "at most 1024 characters")));
export const messageId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9._~:-]{1,64}$/, "1 to 64 of A-Z a-z 0-9 . _ ~ : -"));

/** A position: nothing (from now on), 0 (from the beginning), or all three of epoch, seq and tag. */
export const ask = v.pipe(
  v.strictObject({
    stream: shape.streamName,
    epoch: v.optional(tag),
    seq: v.optional(shape.integer(0, Number.MAX_SAFE_INTEGER)),
    tag: v.optional(tag),
    grant,
  }),
  v.check(
    ({ epoch, seq, tag }) =>
      seq === undefined
        ? epoch === undefined && tag === undefined
        : seq === 0 || (epoch !== undefined && tag !== undefined),
    "a position has epoch, seq and tag",
  ),
);

const asks = v.pipe(
  v.array(ask),
  v.minLength(1, "at least one stream"),
  v.maxLength(maxStreamsPerMessage, `at most ${maxStreamsPerMessage} streams`),
);

const message = v.variant("type", [
  v.strictObject({ type: v.literal("resume"), n, streams: asks }),
  v.strictObject({ type: v.literal("check"), n, streams: asks }),
  v.strictObject({
    type: v.literal("leave"),
    n,
    streams: v.pipe(
      v.array(shape.streamName),
      v.minLength(1, "at least one stream"),
      v.maxLength(maxStreamsPerMessage, `at most ${maxStreamsPerMessage} streams`),
    ),
  }),
  v.strictObject({
    type: v.literal("publish"),
    n,
    stream: shape.streamName,
    id: messageId,
    after: v.optional(messageId),
    grant,
    data: v.unknown(),
  }),
  v.strictObject({
    type: v.literal("enter"),
    n,
    stream: shape.streamName,
    id: messageId,
    grant,
    data: v.record(v.string(), v.unknown()),
  }),
  v.strictObject({ type: v.literal("exit"), n, stream: shape.streamName, id: messageId, grant }),
  v.strictObject({ type: v.literal("auth"), n, token: v.pipe(v.string(), v.maxLength(200, "at most 200 characters")) }),
]);

/** @throws FrameTooLarge, Malformed, InvalidInput */
export function parseFrame(text: string): ClientMessage {
  if (Buffer.byteLength(text) > maxFrameBytes) throw new FrameTooLarge(maxFrameBytes);
  return shape.parse(message, parseJson(text)) as ClientMessage;
}

/** The number of an invalid message, so that its sender can match the error. */
export function numberIn(text: string): number | undefined {
  try {
    const found = (JSON.parse(text) as { n?: unknown } | null)?.n;
    return v.is(n, found) ? found : undefined;
  } catch {
    return undefined;
  }
}

// --- Printing ------------------------------------------------------------------------------------------------------

export const frameOf = (message: ServerMessage) => JSON.stringify(message);

/** A stored event, as an answer carries it. */
export function streamEvent({ seq, tag, prev, type, data, at }: Omit<EventRow, "stream">): StreamEvent {
  return { seq, tag, prev, event: type, at: iso(at), data: JSON.parse(data) };
}

type NumberedEvent = EventRow & { readonly epoch: string };

/** The frame of one event. Its data is JSON text already: inserted without parsing. */
export function eventFrame({ stream, epoch, seq, tag, prev, type, at, data }: NumberedEvent): string {
  const head: Omit<Extract<ServerMessage, { type: "event" }>, "data"> = {
    type: "event",
    stream,
    epoch,
    seq,
    tag,
    prev,
    event: type,
    at: iso(at),
  };
  return `${JSON.stringify(head).slice(0, -1)},"data":${data}}`;
}

type ErrorMessage = Extract<ServerMessage, { type: "error" }>;

/** @param about the message that it answers, and the stream or publication that failed */
export function errorMessage(
  { code, message, retry }: Pick<AppError, "code" | "message" | "retry">,
  about: Pick<ErrorMessage, "n" | "stream" | "id"> = {},
): ErrorMessage {
  return { type: "error", code, message, retry, ...about };
}

export const errorFrame = (...given: Parameters<typeof errorMessage>) => frameOf(errorMessage(...given));
