/** Types of rooms. */
import type { ApiError } from "../api.ts";

/** A message of a room. */
export interface Message<Data> {
  /** The sender's own, unique among its messages in the room. */
  id: string;
  /** Its number in the room; without gaps. */
  seq: number;
  /** RFC 3339, UTC. */
  at: string;
  /** The user's id, or that of a back end's key. */
  sender: string;
  /** Whether this client's user sent it. */
  mine: boolean;
  data: Data;
}

/** Somebody who is in the room. A user is one member, with however many tabs and devices. */
export interface Member<Me> {
  user: string;
  /** What the tab or device that changed it last says. */
  data: Me;
  /** Tabs and devices. */
  connections: number;
  /** RFC 3339, UTC. */
  since: string;
  /** Whether it is this client's user. */
  me: boolean;
}

/** What has changed among the members; nothing when the whole list was read. */
export interface MembersChange<Me> {
  joined?: Member<Me>;
  changed?: Member<Me>;
  /** As it was last. */
  left?: Member<Me>;
}

export interface RoomOptions<Data, Me> {
  /** The grant, or what fetches one: called at the start, and again when the server refuses the last one, such as after its time. */
  grant: string | (() => string | Promise<string>);
  /** How many of the last messages come first. Default 0, at most 100. */
  history?: number;
  /** Enter the room with this data, an object of 1 KB at most, for all to see. Without it nobody sees that this client is there. */
  me?: Me;
  /** Each message once, in order. `isNew`: it came after this client did. */
  onMessage?(message: Message<Data>, isNew: boolean): void;
  /** Who is there, in the order in which they came: at the start and after each change. Without it members are not read. */
  onMembers?(members: Member<Me>[], change: MembersChange<Me>): void;
  /** Messages are missing, or the server's database went back: drop what was shown. The last messages (`history`) come again. */
  onReset?(): void;
  /** The room has ended for this client: not allowed, unknown, withdrawn. What passes is not told. */
  onError?(error: ApiError): void;
}

export interface Room<Data, Me> {
  readonly id: string;
  /**
   * Puts a message into the room: once, behind those published before it here, however often the socket is lost.
   * Resolves when it is stored.
   * @param id the message's own, to publish it again after a reload; made by default
   * @throws ApiError EVENT_TOO_LARGE (24 KB), STREAM_FORBIDDEN (the grant is for reading), GRANT_INVALID, ROOMS_OFF; NO_ANSWER after
   * a minute; CLOSED when the room was left before the answer
   */
  publish(data: Data, id?: string): Promise<{ id: string; seq: number }>;
  /**
   * A page of older messages, oldest first.
   * @param before the `seq` of the oldest message that is known; without it the last page @param limit 1 to 100, default 50
   * @throws ApiError
   */
  history(before?: number, limit?: number): Promise<{ messages: Message<Data>[]; more: boolean }>;
  /** Changes fields of this client's data; enters the room where it had not. Many changes within 250 ms are sent as one. */
  update(me: Partial<Me>): void;
  /** Who is there; empty without `onMembers`. */
  members(): Member<Me>[];
  /** Leaves the room. */
  leave(): void;
}
