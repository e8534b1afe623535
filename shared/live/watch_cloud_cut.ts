/**
 * Cuts events into messages that the cloud's gateway takes. What does not fit into one message gets more than one id: the client shows a
 * long list in parts, and a commit of very many documents in steps.
 */
import type { Document } from "./value.ts";
import { entered, listEvents, type WatchEvent } from "./watch_events.ts";
import {
  type Answered,
  eventsFrame,
  piecesOf,
  pushFrame,
  type Template,
  template,
  templateOf,
} from "./watch_frames.ts";

/** AWS takes 128 KB; the answer to a client's request holds its `queryID` too, which may have 24,000 characters. */
export const maxPartBytes = 100 * 1_024;

/** Events of one id. */
export interface Part {
  readonly text: Template;
  /** Of the text. */
  readonly pieces: readonly string[];
  readonly bytes: number;
}

/** The events of one id, as their pieces came from another function. */
export function partOf(pieces: readonly string[]): Part {
  const text = templateOf(pieces);
  return { text, pieces, bytes: Buffer.byteLength(text(longestId)) + 1 };
}

/** The longest id, so that a text is never longer than it was measured. */
const longestId = Number.MAX_SAFE_INTEGER;

const bytesOf = (events: readonly WatchEvent[]) => Buffer.byteLength(template(events)(longestId)) + 1;

const partWith = (events: readonly WatchEvent[]) => partOf(piecesOf(events));

/** Parts in the order of the events. Several events of one document stay in their order. */
export function cut(events: readonly WatchEvent[], most: number = maxPartBytes): readonly Part[] {
  const parts: { events: WatchEvent[]; bytes: number }[] = [];
  for (const event of events) {
    const bytes = bytesOf([event]);
    const last = parts.at(-1);
    if (last !== undefined && last.bytes + bytes <= most) {
      last.events.push(event);
      last.bytes += bytes;
    } else parts.push({ events: [event], bytes });
  }
  return parts.map((part) => partWith(part.events));
}

/** A whole list: the first part takes the place of what the client has, the others are appended. */
export function cutList(documents: readonly Document[], most: number = maxPartBytes): readonly Part[] {
  let [bytes, first] = [0, 0];
  for (const one of documents) {
    bytes += bytesOf(listEvents([one]));
    if (bytes > most && first > 0) break;
    first += 1;
  }
  const begin = listEvents(documents.slice(0, first));
  const rest = documents.slice(first).map((one) => entered(one, "add"));
  return [partWith(begin), ...cut(rest, most)];
}

/** Parts that fit into one message together, with the id of the first. */
interface Message {
  readonly parts: readonly Part[];
  readonly first: number;
}

function messagesOf(parts: readonly Part[], first: number, most: number): readonly Message[] {
  const messages: { parts: Part[]; first: number; bytes: number }[] = [];
  for (const [at, part] of parts.entries()) {
    const last = messages.at(-1);
    if (last !== undefined && last.bytes + part.bytes <= most) {
      last.parts.push(part);
      last.bytes += part.bytes;
    } else messages.push({ parts: [part], first: first + at, bytes: part.bytes });
  }
  return messages;
}

const textOf = ({ parts, first }: Message) => parts.map(({ text }, at) => text(first + at)).join(",");
const lastOf = ({ parts, first }: Message) => first + parts.length - 1;

/** Frames of a push: the parts under consecutive ids from `first` on. All but the last say that more follow: our own client waits for it. */
export const pushFrames = (watchId: string, parts: readonly Part[], first: number, most = maxPartBytes): string[] =>
  messagesOf(parts, first, most).map((one, at, all) =>
    pushFrame(watchId, textOf(one), lastOf(one), at < all.length - 1),
  );

/** Frames of an answer: who asked takes the first as the answer, the others follow as pushes. */
export function answerFrames(
  msgType: "INIT_EVENT" | "NEXT_EVENT",
  answered: Answered,
  parts: readonly Part[],
  first: number,
  most = maxPartBytes,
): string[] {
  const [head, ...rest] = messagesOf(parts, first, most);
  if (head === undefined) return [eventsFrame(msgType, answered, "", first)];
  // The client gives every event of INIT_EVENT the same id.
  if (msgType === "INIT_EVENT")
    return [
      eventsFrame(msgType, answered, head.parts[0]?.text(first) ?? "", first, parts.length > 1),
      ...pushFrames(answered.watchId, parts.slice(1), first + 1, most),
    ];
  return [
    eventsFrame(msgType, answered, textOf(head), lastOf(head), rest.length > 0),
    ...rest.map((one, at) => pushFrame(answered.watchId, textOf(one), lastOf(one), at < rest.length - 1)),
  ];
}
