/** What travels over a tunnel's socket: `type`, or `type:content`, as text. */
import { FrameTooLarge, Malformed } from "../errors.ts";
import { maxFrameBytes } from "../protocol.ts";

export type ClientFrame =
  | { readonly kind: "ping" }
  | { readonly kind: "close" }
  | { readonly kind: "message"; readonly content: string };

/** @throws FrameTooLarge, Malformed */
export function parseClientFrame(text: string): ClientFrame {
  if (Buffer.byteLength(text) > maxFrameBytes) throw new FrameTooLarge(maxFrameBytes);
  if (!isStorable(text)) throw new Malformed("the frame is not well-formed text");
  const [, kind, content] = /^(ping|close|message)(?::(.*))?$/s.exec(text) ?? [];
  if (kind === "ping" || kind === "close") return { kind };
  if (kind === "message" && content !== undefined) {
    if (callbackLength(content) > maxCallbackBytes) throw new FrameTooLarge(maxFrameBytes);
    return { kind, content };
  }
  throw new Malformed('a tunnel\'s frame is "ping", "close" or "message:" with its content');
}

/** Express takes bodies of 100 KB, and around the content stand its tunnel and a signature. */
const maxCallbackBytes = 90 * 1_024;

/** In a callback the content is text within JSON text within JSON: a quotation mark becomes eight bytes of it. */
const callbackLength = (content: string): number => Buffer.byteLength(JSON.stringify(JSON.stringify(content)));

/** Whether a database can hold it: PostgreSQL takes no NUL, and half a surrogate pair is no text. */
export const isStorable = (text: string): boolean => !text.includes("\0") && text.isWellFormed();

/** Said once the socket is open. No SDK knows it, so all ignore it: whether it arrives tells whether the socket is there. */
export const connectFrame = "connect";
export const pongFrame = "pong";
export const closeFrame = "close";
/** Said when a callback was given up; the hosted service used these words, and the clients ignore them. */
export const failedFrame = "request receiveUrl fail";

/** @param content an object as JSON text: the clients throw at anything else */
export const messageFrame = (content: string) => `message:${content}`;

/** Sets the client's heartbeat. A second one on the same socket would leave the first one's timer behind. */
export const timeoutFrame = (seconds: number) => `timeout:${seconds}`;

/** The heartbeat that clients have by themselves. */
export const ownHeartbeatSec = 15;

/** Whether the content of a push can be sent to a client: a JSON object, and with its type no larger than a frame. */
export function isContent(content: unknown): content is string {
  if (typeof content !== "string" || !isStorable(content)) return false;
  if (Buffer.byteLength(messageFrame(content)) > maxFrameBytes) return false;
  try {
    const value: unknown = JSON.parse(content);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
