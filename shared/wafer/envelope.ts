/** The signed envelope of the channel service: JSON text in `data`, and a signature over it that both sides can make. */
import { createHash } from "node:crypto";
import * as v from "valibot";
import { equal } from "../secrets.ts";
import { parse } from "../shape.ts";

/** The id of a business server: MD5 of its host as its own configuration writes it, port and mistakes included. */
export const tcIdOf = (host: string): string => createHash("md5").update(host).digest("hex");

/** SHA-1 over the text and the key, without a separator: the SDKs' own formula. */
export const signatureOf = (data: string, key: string): string =>
  createHash("sha1").update(data).update(key).digest("hex");

export const isSignedWith = ({ data, signature }: Envelope, key: string): boolean =>
  equal(signature, signatureOf(data, key));

export interface Envelope {
  readonly tcId: string;
  /** The key in clear; Wafer 1 sends it when it asks for a tunnel, Wafer 2 always. */
  readonly tcKey?: string | null | undefined;
  /** JSON text. What is signed is this text, not the escapes in which it travelled. */
  readonly data: string;
  /** The SDKs for Java and C# say so, and want the answer's `data` as text too. */
  readonly dataEncode?: "json" | null | undefined;
  readonly signature: string;
}

const wellFormed = v.pipe(
  v.string(),
  v.check((text) => text.isWellFormed(), "text without half a surrogate pair"),
);

/** A key travels in JSON and is hashed; longer ones than any configuration holds are refused before that. */
export const channelKey = v.pipe(wellFormed, v.minLength(1, "a key"), v.maxLength(256, "at most 256 characters"));

/** Serializers write what is absent as null, and forks of the SDKs add members: neither changes what is meant. */
const envelope = v.object({
  tcId: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/, "32 hex digits in small letters")),
  tcKey: v.nullish(channelKey),
  data: wellFormed,
  dataEncode: v.nullish(v.literal("json")),
  signature: v.pipe(v.string(), v.regex(/^[0-9a-f]{40}$/, "40 hex digits in small letters")),
});

/** @throws InvalidInput */
export const parseEnvelope = (body: unknown): Envelope => parse(envelope, body);

/** A callback's body: always text, signed, and marked as the SDKs' own tests mark it. */
export function callbackBody(packet: object, key: string): string {
  const data = JSON.stringify(packet);
  return JSON.stringify({ data, dataEncode: "json", signature: signatureOf(data, key) });
}

/** An answer to a business server. Every SDK reads `code` and `message`; what else it wants differs. */
export interface ChannelAnswer {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
  readonly signature?: string;
}

/**
 * The answer that went well, signed over its text. `data` is that text where the caller's SDK parses it, and the object itself
 * where it does not: the SDKs contradict each other, and `dataEncode` tells them apart.
 */
export function signedAnswer(payload: object, key: string, as: "text" | "object"): ChannelAnswer {
  const text = JSON.stringify(payload);
  return { code: 0, message: "OK", data: as === "text" ? text : payload, signature: signatureOf(text, key) };
}
