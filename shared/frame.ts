/** What a client sent over the socket → a message, or one of our errors. */
import * as v from "valibot";
import { FrameTooLarge } from "./errors.ts";
import { parseJson } from "./json.ts";
import { type ClientMessage, maxFrameBytes, maxStreamsPerMessage } from "./protocol.ts";
import { check, integer, streamName } from "./shape.ts";

const n = integer(1, Number.MAX_SAFE_INTEGER);
const tag = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{0,16}$/, "at most 16 of A-Z a-z 0-9 _ -"));
const grant = v.optional(v.pipe(v.string(), v.maxLength(1_024, "at most 1024 characters")));
const messageId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9._~:-]{1,64}$/, "1 to 64 of A-Z a-z 0-9 . _ ~ : -"));

/** A position: nothing (from now on), 0 (from the beginning), or all three of epoch, seq and tag. */
export const ask = v.pipe(
  v.strictObject({
    stream: streamName,
    epoch: v.optional(tag),
    seq: v.optional(integer(0, Number.MAX_SAFE_INTEGER)),
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
      v.array(streamName),
      v.minLength(1, "at least one stream"),
      v.maxLength(maxStreamsPerMessage, `at most ${maxStreamsPerMessage} streams`),
    ),
  }),
  v.strictObject({
    type: v.literal("publish"),
    n,
    stream: streamName,
    id: messageId,
    after: v.optional(messageId),
    grant,
    data: v.unknown(),
  }),
  v.strictObject({ type: v.literal("auth"), n, token: v.pipe(v.string(), v.maxLength(200, "at most 200 characters")) }),
]);

/** @throws FrameTooLarge, Malformed, InvalidInput */
export function parseFrame(text: string): ClientMessage {
  if (Buffer.byteLength(text) > maxFrameBytes) throw new FrameTooLarge(maxFrameBytes);
  return check(message, parseJson(text)) as ClientMessage;
}

/** The number of a message that could not be accepted, so that its sender knows which one it was. */
export function numberIn(text: string): number | undefined {
  try {
    const found = (JSON.parse(text) as { n?: unknown } | null)?.n;
    return v.is(n, found) ? found : undefined;
  } catch {
    return undefined;
  }
}
