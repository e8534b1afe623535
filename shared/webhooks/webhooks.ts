/** Webhooks: which events they read, and the operator's commands on them. */

import type { Statement } from "../../db/sql.ts";
import {
  type CursorRow,
  countCursors,
  cursorOf,
  insertCursor,
  insertWebhook,
  lockCursor,
  lockDead,
  readDead,
  readWebhook,
  readWebhooks,
  removeWebhook as removeStatements,
  type Wanted,
  type WebhookRow,
  webhookOf,
  writeCursor,
} from "../../db/webhooks.ts";
import type { App } from "../app.ts";
import { Forbidden, InvalidInput } from "../errors.ts";
import { allowedUrl, OutboundRefused } from "../outbound.ts";
import { connectionsStream, kindsOf, type WebhookType, webhookTypes } from "../webhook_types.ts";
import { aboutWebhook, post } from "./post_event.ts";
import { newSecret } from "./sign_event.ts";

/** What a webhook gets if it does not say. */
const usualTypes: readonly WebhookType[] = ["order.placed", "order.changed", "order.escalated", "notification"];

/** Streams of one shop by their kind; the other kinds belong to no shop. */
const ofShop: Readonly<Record<string, (shop: string) => string>> = {
  shop: (shop) => `shop:${shop}`,
  connections: connectionsStream,
};

/** The streams that a webhook reads, and the types of events there. */
export function wantedBy({ shop_id, types }: Pick<WebhookRow, "shop_id" | "types">): Wanted[] {
  return kindsOf(new Set(types.split(" "))).flatMap(({ kind, types: own }): Wanted[] => {
    if (shop_id !== null) {
      const stream = ofShop[kind]?.(shop_id);
      return stream === undefined ? [] : [{ stream: { is: stream }, types: own }];
    }
    const all: Wanted = { stream: { begins: `${kind}:` }, types: own };
    return kind === "connections" ? [all, { stream: { is: connectionsStream(null) }, types: own }] : [all];
  });
}

/** The types of events that the webhook reads on this stream; none if it does not read it. */
export const typesOn = (webhook: Pick<WebhookRow, "shop_id" | "types">, stream: string): readonly string[] =>
  wantedBy(webhook).find(({ stream: place }) => ("is" in place ? place.is === stream : stream.startsWith(place.begins)))
    ?.types ?? [];

export const readsOf = (webhook: Pick<WebhookRow, "shop_id" | "types">, stream: string): boolean =>
  typesOn(webhook, stream).length > 0;

// --- Commands --------------------------------------------------------------------------------------------------------

export interface NewWebhook {
  readonly url: string;
  readonly shop: string | null;
  /** Names of types, or what stands before their dot: `order`. */
  readonly types: readonly string[] | undefined;
}

/** Adds a webhook. It gets what happens from now on. @throws InvalidInput, Forbidden */
export async function addWebhook(app: App, { url, shop, types }: NewWebhook, audit: readonly Statement[] = []) {
  if (app.config.wechatKey === undefined)
    throw new Forbidden("webhooks' secrets are sealed with WECHAT_KEY; it is missing");
  const id = app.random.id();
  const secret = newSecret(app.random.secret(24));
  const now = app.clock.now();
  const row: WebhookRow = {
    id,
    url: checkedUrl(url),
    shop_id: shop,
    types: checkedTypes(types, shop).join(" "),
    secret_sealed: app.secrets.seal(secret, aboutWebhook(id)),
    created_at: now,
    looked_at: now,
  };
  await app.db.flight({ statements: [...insertWebhook(app.db.dialect, row), ...audit] });
  await app.webhooks.refresh();
  return { webhook: id, url: row.url, types: row.types.split(" "), secret };
}

function checkedUrl(url: string): string {
  if (!URL.canParse(url)) throw new InvalidInput("url", "expected an address, such as https://biz.example.com/orders");
  const { host, href } = new URL(url);
  try {
    allowedUrl(url, [host]);
  } catch (error) {
    if (error instanceof OutboundRefused) throw new InvalidInput("url", error.message);
    throw error;
  }
  return href;
}

function checkedTypes(asked: readonly string[] | undefined, shop: string | null): readonly WebhookType[] {
  if (asked === undefined) return usualTypes;
  const chosen = new Set<WebhookType>();
  for (const one of asked) {
    const found = webhookTypes.filter((type) => type === one || type.startsWith(`${one}.`));
    if (found.length === 0)
      throw new InvalidInput("types", `"${one}" is no type of events; they are ${webhookTypes.join(", ")}`);
    for (const type of found) {
      if (shop !== null && wantedBy({ shop_id: shop, types: type }).length === 0)
        throw new InvalidInput("types", `"${type}" belongs to no shop`);
      chosen.add(type);
    }
  }
  if (chosen.size === 0) throw new InvalidInput("types", "expected at least one type of events");
  return webhookTypes.filter((type) => chosen.has(type));
}

const iso = (at: unknown) => (at === null || at === undefined ? null : new Date(Number(at)).toISOString());

export async function listWebhooks(app: App) {
  const [webhooks = [], counts = []] = await app.db.read([readWebhooks(), countCursors()]);
  const countOf = new Map(counts.map((row) => [String(row.webhook_id), row]));
  return Promise.all(
    webhooks.map(webhookOf).map(async ({ id, url, shop_id, types, created_at }) => {
      const count = countOf.get(id);
      const [dead = []] = Number(count?.dead ?? 0) === 0 ? [] : await app.db.read([readDead(id)]);
      return {
        webhook: id,
        url,
        shop: shop_id,
        types: types.split(" "),
        createdAt: iso(created_at),
        deliveredAt: iso(count?.moved_at),
        waiting: Number(count?.waiting ?? 0),
        failing: Number(count?.failing ?? 0),
        dead: dead.map(({ stream, seq, status, dead_at }) => ({ stream, after: seq, status, at: iso(dead_at) })),
      };
    }),
  );
}

/** @throws InvalidInput */
async function known(app: App, id: string): Promise<WebhookRow> {
  const [rows = []] = await app.db.read([readWebhook(id)]);
  if (rows[0] === undefined) throw new InvalidInput("webhook", "there is no such webhook");
  return webhookOf(rows[0]);
}

/** @throws InvalidInput */
export async function removeWebhook(
  app: App,
  id: string,
  audit: readonly Statement[] = [],
): Promise<{ removed: string }> {
  await known(app, id);
  await app.db.flight({ statements: [...removeStatements(id), ...audit], repeatable: true });
  await app.webhooks.refresh();
  return { removed: id };
}

export interface Replay {
  readonly webhook: string;
  /** Default: a shop's webhook reads its shop's stream; without `from` all dead streams. */
  readonly stream: string | undefined;
  /** The first number that is sent again. Default: where the stream stopped. */
  readonly from: number | undefined;
}

/** Begins again with streams that are dead, or at an earlier event of one stream. @throws InvalidInput */
export async function replayWebhook(
  app: App,
  { webhook: id, stream: given, from }: Replay,
  audit: readonly Statement[] = [],
) {
  const webhook = await known(app, id);
  const stream = given ?? (from !== undefined && webhook.shop_id !== null ? ofShop.shop?.(webhook.shop_id) : undefined);
  if (from !== undefined && stream === undefined) throw new InvalidInput("stream", "say of which stream");
  if (stream !== undefined && !readsOf(webhook, stream))
    throw new InvalidInput("stream", "the webhook does not read this stream");
  const now = app.clock.now();
  const { dialect } = app.db;
  let streams: string[] = [];
  await app.db.flight({
    statements:
      stream === undefined
        ? [lockDead(id)]
        : [...insertCursor(dialect, { webhook: id, stream, seq: (from ?? 1) - 1, now }), lockCursor(id, stream)],
    decide(results) {
      const rows = (results.at(-1) ?? []).map(cursorOf);
      streams = rows.map((row) => row.stream);
      return [...rows.map((row) => writeCursor(revived(row, from, now))), ...audit];
    },
    repeatable: true,
  });
  if (streams.length > 0)
    await app.invoke("call_back", { webhooks: streams.map((one) => ({ webhook: id, stream: one })) });
  return { replayed: streams };
}

/** The lease goes too: what a worker has under way counts no more. */
const revived = (row: CursorRow, from: number | undefined, now: number): CursorRow => ({
  ...row,
  seq: from === undefined ? row.seq : from - 1,
  tries: 0,
  failed_at: null,
  next_at: now,
  lease: null,
  dead_at: null,
});

/** Sends an event that means nothing, at once and once. @throws InvalidInput */
export async function testWebhook(app: App, id: string) {
  const webhook = await known(app, id);
  const now = app.clock.now();
  const posted = await post(app, webhook, {
    specversion: "1.0",
    id: `test/${app.random.id()}`,
    source: "/webhooks",
    type: "com.orderbell.webhook.test",
    subject: id,
    time: new Date(now).toISOString(),
    datacontenttype: "application/json",
    partitionkey: "test",
    sequence: "0",
    data: {},
  });
  return { delivered: posted?.ok ?? false, status: posted?.status ?? "", ms: posted?.ms ?? 0 };
}
