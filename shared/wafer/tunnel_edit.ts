/**
 * A change of a tunnel whose row is locked: its life, and its two queues. Everything here is decided on the locked row alone,
 * so it does not matter which process decides.
 *
 * Of each queue only one worker is at work. It holds the queue by a time that lies ahead (`call_at`, `send_at`) and a name
 * (`call_lease`, `send_lease`). Two rules keep what is stored from being forgotten:
 * - who stores finds the queue empty (time is null) and sets the time to now, or finds a worker and leaves it alone, unless the
 *   worker's time is over;
 * - a worker sets the time to null only in a transaction that has locked the row and found nothing left.
 * Both lock the row, so one comes first: a worker that leaves has seen what was stored before, and who stores later finds null.
 * A worker that died holds the queue until its time is over, and whoever looks then goes on.
 */
import type { Dialect } from "../../db/dialect.ts";
import type { Sql } from "../../db/sql.ts";
import {
  type DoneFrames,
  finishFrames,
  insertFrames,
  type NewFrame,
  removeOldFrames,
  type TunnelRow,
  writeTunnels,
} from "../../db/wafer.ts";

export type CallKind = "connect" | "message" | "close";
export type SendKind = "message" | "close";

/** Why a tunnel ended, for the log. */
export type CloseReason =
  | "client"
  | "disconnected"
  | "gone"
  | "silent"
  | "unused"
  | "pushed"
  | "stopped"
  | "flood"
  | "removed";

/** Calls that may wait for a business server; a client that says more is cut off. */
const maxCalls = { frames: 500, bytes: 1_024 * 1_024 };
/** Frames that may wait for a client before it has opened the tunnel, and behind a slow one. */
const maxUnopened = { frames: 200, bytes: 256 * 1_024 };
const maxSends = { frames: 1_000, bytes: 1_024 * 1_024 };

/** A worker that was started takes its queue much sooner. */
const overdueMs = 2_000;
/** Heartbeats are written at most this often. */
export const hearMs = 10_000;

export class TunnelEdit {
  /** The row as it will be. */
  readonly row: TunnelRow;
  readonly #before: TunnelRow;
  readonly #frames: NewFrame[] = [];
  readonly now: number;
  #calls = false;

  constructor(row: TunnelRow, now: number) {
    this.row = { ...row };
    this.#before = row;
    this.now = now;
  }

  /** Whether somebody must be started to make the calls: nobody was at work when the first was stored. */
  get startsCalls(): boolean {
    return this.#calls;
  }

  get isOpen(): boolean {
    return this.row.opened_at !== null && this.row.closed_at === null;
  }

  /** The socket is there. @returns whether that was news */
  open(): boolean {
    if (this.row.opened_at !== null || this.row.closed_at !== null) return false;
    this.row.opened_at = this.now;
    this.row.heard_at = this.now;
    this.#call("connect", null);
    // What was pushed before waits for this moment.
    if (this.row.out_done < this.row.out_seq) this.row.send_at = this.now;
    return true;
  }

  /** A message of the client. */
  message(content: string): "stored" | "closed" | "full" {
    if (!this.isOpen) return "closed";
    if (this.now - this.row.heard_at >= hearMs) this.row.heard_at = this.now;
    if (this.row.in_seq - this.row.in_done >= maxCalls.frames || this.row.in_bytes >= maxCalls.bytes) return "full";
    this.#call("message", content);
    return "stored";
  }

  /**
   * The first who closes writes when and why, and the one callback, in this same transaction. A tunnel that was never open has
   * none: its business server never heard of it.
   * @returns whether it was open until now
   */
  close(reason: CloseReason): boolean {
    if (this.row.closed_at !== null) return false;
    const wasOpen = this.row.opened_at !== null;
    this.row.closed_at = this.now;
    this.row.close_reason = reason;
    if (wasOpen) this.#call("close", null);
    return wasOpen;
  }

  /** Nobody is there any more who could be sent what waits. */
  discard(): void {
    this.row.out_done = this.row.out_seq;
    this.row.out_bytes = 0;
    this.row.send_at = null;
    this.row.send_lease = null;
  }

  /** A frame for the client; where it is not there yet, or slow, it waits. @returns false when too much waits already */
  send(kind: SendKind, content: string | null): boolean {
    const { row } = this;
    const bytes = content === null ? 0 : Buffer.byteLength(content);
    const bounds = row.opened_at === null ? maxUnopened : maxSends;
    // A close is always taken: it ends what waits.
    const isFull = row.out_seq - row.out_done >= bounds.frames || row.out_bytes + bytes > bounds.bytes;
    if (isFull && kind !== "close") return false;
    row.out_seq += 1;
    row.out_bytes += bytes;
    this.#frames.push(this.#frame("out", row.out_seq, kind, content, bytes));
    if (row.opened_at !== null) row.send_at ??= this.now;
    return true;
  }

  #call(kind: CallKind, content: string | null): void {
    const { row } = this;
    const bytes = content === null ? 0 : Buffer.byteLength(content);
    row.in_seq += 1;
    row.in_bytes += bytes;
    this.#frames.push(this.#frame("in", row.in_seq, kind, content, bytes));
    // Held, or waiting for its time; one whose time was over for a while lost its worker, and whoever was to look has not.
    if (row.call_at !== null && row.call_at > this.now - overdueMs) return;
    row.call_at = this.now;
    this.#calls = true;
  }

  #frame(direction: "in" | "out", seq: number, kind: string, content: string | null, bytes: number): NewFrame {
    return { tunnel_id: this.row.id, direction, seq, kind, content, bytes, at: this.now };
  }

  get frames(): readonly NewFrame[] {
    return this.#frames;
  }

  /** Frames that are done by this change. */
  get done(): readonly DoneFrames[] {
    const { id: tunnel, keeps_bodies, in_done, out_done } = this.#before;
    const keeps = keeps_bodies === 1;
    const ranges: DoneFrames[] = [
      { tunnel, direction: "in", from: in_done, to: this.row.in_done, keeps },
      { tunnel, direction: "out", from: out_done, to: this.row.out_done, keeps },
    ];
    return ranges.filter(({ from, to }) => to > from);
  }
}

/** What stores these edits, all of one moment. */
export function editStatements(dialect: Dialect, edits: readonly TunnelEdit[]): Sql[] {
  const done = edits.flatMap((edit) => edit.done);
  return [
    ...writeTunnels(
      dialect,
      edits.map(({ row }) => row),
    ),
    ...insertFrames(
      dialect,
      edits.flatMap(({ frames }) => frames),
    ),
    ...finishFrames(done, edits[0]?.now ?? 0),
    ...removeOldFrames(done),
  ];
}
