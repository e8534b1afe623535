/** Channels: a business server's id, its key, and where its callbacks may go. */
import type { Row } from "../../db/database.ts";
import type { Statement } from "../../db/sql.ts";
import {
  type ChannelRow,
  countTunnels,
  lockChannel,
  lockTunnelsOfChannel,
  readChannel,
  readChannels,
  removeChannel as removeStatement,
  touchChannel,
  writeChannel,
} from "../../db/wafer.ts";
import type { App } from "../app.ts";
import { Forbidden, InvalidInput } from "../errors.ts";
import { isHostAndPort } from "../outbound.ts";
import { equal } from "../secrets.ts";
import { type Envelope, isSignedWith, tcIdOf } from "./envelope.ts";
import { hostOf, originOf } from "./receive_url.ts";
import { editStatements, TunnelEdit } from "./tunnel_edit.ts";
import { dropSocket, logClosed, tunnelOf } from "./tunnels.ts";

export const channelOf = (row: Row): ChannelRow => row as unknown as ChannelRow;

/** A channel with the key that its next answer, or callback, is signed with. */
export interface Channel {
  readonly row: ChannelRow;
  readonly key: string;
}

const about = (tcId: string) => `channel ${tcId}`;

/** @throws Forbidden where there is no key to seal with */
function seal(app: App, tcId: string, key: string): string {
  if (app.config.wechatKey === undefined)
    throw new Forbidden("channels' keys are sealed with WECHAT_KEY; it is missing");
  return app.secrets.seal(key, about(tcId));
}

/** The channel's newest key. */
export const openKey = (app: App, { tc_id, key_sealed }: ChannelRow): string =>
  app.secrets.open(key_sealed, about(tc_id));

/** Where the channel's callbacks may go. A host that came with a request alone is no permission. */
export function callbackHosts(app: App, { host, learned, receive_url }: ChannelRow): string[] {
  const own = receive_url === null ? (learned === 1 ? undefined : hostOf(host)) : new URL(receive_url).host;
  return [...(own === undefined ? [] : [own]), ...app.config.channels.callbackHosts];
}

// --- Who asks ------------------------------------------------------------------------------------------------------

/** Whoever asks is no channel's business server; the same for an unknown channel and a wrong key. Told with HTTP 200. */
export class ChannelUnknown extends Error {
  override readonly name = "ChannelUnknown";
  constructor() {
    super("there is no channel with this tcId and key, or the signature is not made with it");
  }
}

/** Who asks for a tunnel. */
export interface Asker extends Channel {
  /** Its key is not known yet, and is to be learned once the rest of what it asks is right. */
  readonly isNew: boolean;
}

/**
 * Who asks for a tunnel, by the newest key, which it also sends in clear. Where keys are learned, an unknown channel's is taken,
 * and of a learned channel a new one: its business server was configured anew. Writes nothing: `confirmAsker` does.
 * @throws ChannelUnknown
 */
export async function authenticateForTunnel(app: App, envelope: Envelope): Promise<Asker> {
  const { tcId, tcKey } = envelope;
  if (typeof tcKey !== "string" || !isSignedWith(envelope, tcKey)) throw new ChannelUnknown();
  const [rows = []] = await app.db.read([readChannel(tcId)]);
  const known = rows[0] === undefined ? undefined : channelOf(rows[0]);
  if (known !== undefined && equal(openKey(app, known), tcKey)) return { row: known, key: tcKey, isNew: false };
  const mayLearn =
    app.config.channels.keys === "learn" && (known === undefined ? isLearnable(app, tcId) : known.learned === 1);
  if (!mayLearn) throw new ChannelUnknown();
  return { row: learned(app, tcId, tcKey, known, app.clock.now()), key: tcKey, isNew: true };
}

/**
 * Whether the id is that of a host to which callbacks may go, in one of the ways in which configurations write it. Others could
 * have no tunnel, and each invented one would leave a row.
 */
const isLearnable = (app: App, tcId: string): boolean =>
  app.config.channels.callbackHosts
    .flatMap((host) => [host, host.replace(/:\d+$/, "")])
    .flatMap((host) => [host, `http://${host}`, `https://${host}`])
    .some((written) => tcIdOf(written) === tcId);

const touchMs = 3_600_000;

/** Keeps the key of a new one, and of the others that they are in use. */
export async function confirmAsker(app: App, { row: { tc_id, used_at }, key, isNew }: Asker): Promise<void> {
  if (isNew) return learn(app, tc_id, key);
  const now = app.clock.now();
  if (used_at !== null && now - used_at < touchMs) return;
  await app.db.flight({ statements: [touchChannel(tc_id, now)], repeatable: true });
}

async function learn(app: App, tcId: string, key: string): Promise<void> {
  await write(app, tcId, (before, now) => {
    // The operator pinned it in between.
    if (before !== undefined && before.learned === 0) throw new ChannelUnknown();
    // Two requests brought the same key: the key before it stays the one that still counts.
    if (before !== undefined && equal(openKey(app, before), key)) return before;
    return learned(app, tcId, key, before, now);
  });
  app.log.info("channel.learned", { channel: tcId });
}

/** A business server that was configured anew restarts within a day. */
const oldKeyMs = 24 * 3_600_000;

const oldKey = (before: ChannelRow | undefined, now: number) => ({
  old_key_sealed: before?.key_sealed ?? null,
  old_key_until: before === undefined ? null : now + oldKeyMs,
});

const learned = (app: App, tcId: string, key: string, before: ChannelRow | undefined, now: number): ChannelRow => ({
  tc_id: tcId,
  host: before?.host ?? "",
  key_sealed: seal(app, tcId, key),
  ...oldKey(before, now),
  receive_url: before?.receive_url ?? null,
  learned: 1,
  keeps_bodies: before?.keeps_bodies ?? 0,
  created_at: before?.created_at ?? now,
  used_at: now,
});

/** Who pushes, or looks at the log: also by the key before the newest, which a server that has not restarted still has. */
export async function authenticate(app: App, envelope: Envelope): Promise<Channel> {
  const [rows = []] = await app.db.read([readChannel(envelope.tcId)]);
  if (rows[0] === undefined) throw new ChannelUnknown();
  const row = channelOf(rows[0]);
  const oldHolds = row.old_key_until !== null && row.old_key_until > app.clock.now();
  const sealed = [row.key_sealed, oldHolds ? row.old_key_sealed : null].filter((one) => one !== null);
  const key = sealed.map((one) => app.secrets.open(one, about(row.tc_id))).find((one) => isSignedWith(envelope, one));
  if (key === undefined) throw new ChannelUnknown();
  return { row, key };
}

/** Writes a channel as it follows from what was there. */
async function write(
  app: App,
  tcId: string,
  next: (before: ChannelRow | undefined, now: number) => ChannelRow,
  audit: readonly Statement[] = [],
): Promise<void> {
  await app.db.flight({
    statements: [lockChannel(tcId)],
    decide([rows = []]) {
      const before = rows[0] === undefined ? undefined : channelOf(rows[0]);
      return [...writeChannel(app.db.dialect, next(before, app.clock.now())), ...audit];
    },
  });
}

// --- The operator's --------------------------------------------------------------------------------------------------

export interface NewChannel {
  /** As the business server's configuration writes it. */
  readonly host: string;
  /** Made when not given. */
  readonly key?: string | undefined;
  readonly receiveUrl?: string | undefined;
  readonly keepBodies: boolean;
}

/** Pins a channel, or changes it; a new key counts from now on, the one before it for pushes of another day. @throws InvalidInput, Forbidden */
export async function addChannel(
  app: App,
  { host, key: given, receiveUrl, keepBodies }: NewChannel,
  audit: readonly Statement[] = [],
) {
  const callback = hostOf(host);
  if (callback === undefined || !isHostAndPort(callback))
    throw new InvalidInput("host", "expected a host, with its port if the configuration has one: biz.example.com");
  const origin = receiveUrl === undefined ? null : originOf(receiveUrl);
  if (origin === undefined)
    throw new InvalidInput("receiveUrl", "expected scheme, host and port: http://10.0.0.5:5757");
  const key = given ?? app.random.secret(24);
  const tcId = tcIdOf(host);
  await write(
    app,
    tcId,
    (before, now) => {
      const isSame = before !== undefined && equal(openKey(app, before), key);
      return {
        tc_id: tcId,
        host,
        key_sealed: isSame ? before.key_sealed : seal(app, tcId, key),
        // Adding it once more with the same key ends the one before at once.
        ...(isSame ? oldKey(undefined, now) : oldKey(before, now)),
        receive_url: origin,
        learned: 0,
        keeps_bodies: Number(keepBodies),
        created_at: before?.created_at ?? now,
        used_at: before?.used_at ?? null,
      };
    },
    audit,
  );
  return { channel: tcId, host, ...(given === undefined ? { key } : {}) };
}

export async function listChannels(app: App) {
  const [channels = [], counts = []] = await app.db.read([readChannels(), countTunnels()]);
  const open = new Map(counts.map((row) => [String(row.tc_id), Number(row.open)]));
  return channels.map(channelOf).map((row) => ({
    channel: row.tc_id,
    host: row.host,
    receiveUrl: row.receive_url,
    learned: row.learned === 1,
    keepsBodies: row.keeps_bodies === 1,
    openTunnels: open.get(row.tc_id) ?? 0,
    createdAt: new Date(row.created_at).toISOString(),
    usedAt: row.used_at === null ? null : new Date(row.used_at).toISOString(),
  }));
}

/**
 * Ends the channel and its tunnels. Its business server is not told: there is no key any more to sign with.
 * @param name its host as it was added, or its id: of a learned channel nobody knows the host @throws InvalidInput
 */
export async function removeChannel(
  app: App,
  name: string,
  audit: readonly Statement[] = [],
): Promise<{ removed: string }> {
  const tcId = /^[0-9a-f]{32}$/.test(name) ? name : tcIdOf(name);
  const [rows = []] = await app.db.read([readChannel(tcId)]);
  if (rows[0] === undefined) throw new InvalidInput("host", "there is no channel of this host, or with this id");
  let edits: TunnelEdit[] = [];
  await app.db.flight({
    statements: [lockTunnelsOfChannel(tcId)],
    decide([tunnels = []]) {
      edits = tunnels.map((row) => {
        const edit = new TunnelEdit(tunnelOf(row), app.clock.now());
        edit.close("removed");
        edit.discard();
        return edit;
      });
      return [...editStatements(app.db.dialect, edits), removeStatement(tcId), ...audit];
    },
    repeatable: true,
  });
  for (const { row } of edits) {
    logClosed(app, row);
    await dropSocket(app, row);
  }
  return { removed: tcId };
}
