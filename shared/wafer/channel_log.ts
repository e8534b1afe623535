/**
 * What happened to a tunnel in the last hour: frames in and out, calls with their answers, how it ended. For whoever holds the
 * channel's key, and for the operator. What the frames said is there only where the channel keeps it, and only when asked for.
 */
import * as v from "valibot";
import { type FrameRow, readFrames, readTunnel, readTunnelOfConnection, type TunnelRow } from "../../db/wafer.ts";
import type { App } from "../app.ts";
import { InvalidInput } from "../errors.ts";
import { parseJson } from "../json.ts";
import { parse } from "../shape.ts";
import { authenticate } from "./channels.ts";
import { type ChannelAnswer, type Envelope, signedAnswer } from "./envelope.ts";
import { isTunnelId, tunnelOf } from "./tunnels.ts";

const maxFrames = 1_000;
const time = (at: number | null) => (at === null ? null : new Date(at).toISOString());

export interface ChannelLog {
  readonly tunnel: string;
  readonly channel: string;
  readonly connection: string | null;
  readonly createdAt: string | null;
  readonly openedAt: string | null;
  readonly heardAt: string | null;
  readonly closedAt: string | null;
  readonly reason: string | null;
  /** Calls and frames that wait. */
  readonly waiting: { readonly in: number; readonly out: number };
  readonly frames: readonly LoggedFrame[];
}

export interface LoggedFrame {
  readonly at: string | null;
  readonly direction: string;
  readonly seq: number;
  readonly kind: string;
  readonly bytes: number;
  readonly doneAt: string | null;
  /** Of a call: how often it was made, and what came of the last one: HTTP status, or a code. */
  readonly tries?: number;
  readonly status?: string | null;
  readonly ms?: number | null;
  readonly content?: string | null;
}

/** @param name a tunnel's id, or its connection's @throws InvalidInput */
export async function readChannelLog(app: App, name: string, bodies: boolean): Promise<ChannelLog> {
  const [rows = []] = await app.db.read([isTunnelId(name) ? readTunnel(name) : readTunnelOfConnection(name)]);
  if (rows[0] === undefined)
    throw new InvalidInput("tunnel", "there is no such tunnel, or it ended more than an hour ago");
  return logOf(app, tunnelOf(rows[0]), bodies);
}

const request = v.strictObject({
  tunnelId: v.pipe(v.string(), v.maxLength(64, "at most 64 characters")),
  bodies: v.optional(v.boolean(), false),
});

/** For a business server, of its own channel's tunnels alone. @throws ChannelUnknown, InvalidInput, Malformed */
export async function askChannelLog(app: App, envelope: Envelope): Promise<ChannelAnswer> {
  const { row: channel, key } = await authenticate(app, envelope);
  const { tunnelId, bodies } = parse(request, parseJson(envelope.data), "data");
  const [rows = []] = await app.db.read([readTunnel(tunnelId)]);
  const tunnel = rows[0] === undefined ? undefined : tunnelOf(rows[0]);
  // Another channel's looks like none.
  if (tunnel === undefined || tunnel.tc_id !== channel.tc_id)
    throw new InvalidInput(
      "data.tunnelId",
      "there is no such tunnel of this channel, or it ended more than an hour ago",
    );
  const as = envelope.dataEncode === "json" ? "text" : "object";
  return signedAnswer(await logOf(app, tunnel, bodies), key, as);
}

async function logOf(app: App, tunnel: TunnelRow, bodies: boolean): Promise<ChannelLog> {
  const [rows = []] = await app.db.read([readFrames(tunnel.id, maxFrames)]);
  return {
    tunnel: tunnel.id,
    channel: tunnel.tc_id,
    connection: tunnel.connection_id,
    createdAt: time(tunnel.created_at),
    openedAt: time(tunnel.opened_at),
    heardAt: time(tunnel.heard_at),
    closedAt: time(tunnel.closed_at),
    reason: tunnel.close_reason,
    waiting: { in: tunnel.in_seq - tunnel.in_done, out: tunnel.out_seq - tunnel.out_done },
    frames: (rows as unknown as FrameRow[]).map((frame) => ({
      at: time(frame.at),
      direction: frame.direction,
      seq: frame.seq,
      kind: frame.kind,
      bytes: frame.bytes,
      doneAt: time(frame.done_at),
      ...(frame.direction === "in" ? { tries: frame.tries, status: frame.status, ms: frame.ms } : {}),
      ...(bodies && tunnel.keeps_bodies === 1 ? { content: frame.content } : {}),
    })),
  };
}
