/**
 * The commands of the command line, as a function without a route: called over a local socket on this machine, and with the
 * owner's credentials in the cloud.
 */
import * as v from "valibot";
import { readClock } from "../db/clock.ts";
import { readConnection, readConnections, removeConnections } from "../db/connections.ts";
import {
  endSession,
  readApiKeys,
  readLiveSessions,
  readSession,
  readSessionsOfUser,
  revokeApiKey,
} from "../db/sessions.ts";
import { readShop, readShops } from "../db/shops.ts";
import { raw, type Statement, sql } from "../db/sql.ts";
import type { App } from "../shared/app.ts";
import { auditEntry, listAudit, type Operator } from "../shared/audit.ts";
import { AppError, Forbidden, InvalidInput } from "../shared/errors.ts";
import { storeHealth } from "../shared/files/store_health.ts";
import { exportPage, listCollections } from "../shared/live/export_documents.ts";
import { abortImport, commitImport, stageLines } from "../shared/live/import_documents.ts";
import { parseSettings } from "../shared/menu.ts";
import { type Role, roles } from "../shared/order_states.ts";
import { orderFacts } from "../shared/ordering/order_facts.ts";
import { checkScopes, newApiKey, scopes } from "../shared/sessions/api_key.ts";
import { end, newPairingCode } from "../shared/sessions/login.ts";
import { addWechatApp } from "../shared/sessions/wechat_apps.ts";
import * as shape from "../shared/shape.ts";
import { devicesOf, revokeDevice } from "../shared/shop/devices.ts";
import { editMenu, replaceSettings } from "../shared/shop/edit_menu.ts";
import { readMenuFile } from "../shared/shop/import_menu.ts";
import { createShop, knownShop, openShop, shopOf } from "../shared/shop/open_shop.ts";
import { dayReport, ordersCsv } from "../shared/shop/report.ts";
import { addTables, tablesOf } from "../shared/shop/tables.ts";
import { toAppError } from "../shared/to_app_error.ts";
import { readChannelLog } from "../shared/wafer/channel_log.ts";
import { addChannel, listChannels, removeChannel } from "../shared/wafer/channels.ts";
import { channelKey } from "../shared/wafer/envelope.ts";
import { addWebhook, listWebhooks, removeWebhook, replayWebhook, testWebhook } from "../shared/webhooks/webhooks.ts";

interface Command<S extends v.GenericSchema> {
  readonly args: S;
  readonly run: (app: App, args: v.InferOutput<S>, by: Caller) => Promise<unknown>;
  /** The audit entry of a change: ids and names, no secret. Absent: it changes nothing, or `changeShop` writes the entry. */
  readonly audit?: ((args: v.InferOutput<S>) => { shop?: string | undefined; detail: object } | undefined) | undefined;
}

interface Caller {
  readonly actor: Operator;
  /** Writes the entry of `audit`: to be run in the transaction of the change. */
  readonly audit: readonly Statement[];
}

const command = <S extends v.GenericSchema>(
  args: S,
  run: Command<S>["run"],
  audit?: Command<S>["audit"],
): Command<v.GenericSchema> => ({ args, run, audit }) as unknown as Command<v.GenericSchema>;

/** Whether this very connection is encrypted; the text of a cipher, or nothing. */
const encryption = {
  postgres: "SELECT cipher FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl",
  mysql: "SHOW SESSION STATUS LIKE 'Ssl_cipher'",
} as const;

const iso = (value: unknown) => (value === null ? null : new Date(Number(value)).toISOString());
const inShop = { shop: shape.id };

/** Where a device of this role is paired. */
const pageOf = { owner: "/owner", cashier: "/kitchen", kitchen: "/kitchen" } as const satisfies Record<Role, string>;

const ofImport = { collection: shape.text(64, 1), replace: v.optional(shape.flag, false) };
const linesOfFile = {
  from: shape.integer(1, Number.MAX_SAFE_INTEGER),
  lines: v.pipe(v.array(v.string()), v.maxLength(1_000, "at most 1000 lines")),
};

interface ImportStep {
  readonly step: "add" | "commit" | "abort";
  readonly collection: string;
  readonly replace: boolean;
  readonly import?: string | undefined;
  readonly from?: number;
  readonly lines?: readonly string[];
}

function importStep(app: App, asked: ImportStep, audit: readonly Statement[]) {
  const { step, collection, replace, import: id, from = 1, lines = [] } = asked;
  if (step === "add") return stageLines(app, collection, { id, replace, lines: { from, lines } });
  if (id === undefined) throw new InvalidInput("import", "is missing");
  return step === "commit" ? commitImport(app, collection, { id, replace }, audit) : abortImport(app, id);
}

const commands: Readonly<Record<string, Command<v.GenericSchema>>> = {
  "shop.create": command(
    v.strictObject({
      id: shape.id,
      zh: v.optional(shape.text(60, 1)),
      en: v.optional(shape.text(60, 1)),
      zone: v.optional(shape.text(64, 1), "Asia/Shanghai"),
      rolloverMinutes: v.optional(shape.integer(0, 12 * 60), 240),
      settings: v.optional(v.unknown(), { services: {} }),
    }),
    async (app, { id: shop, zh, en, zone, rolloverMinutes, settings }, { audit }) => {
      if (zh === undefined && en === undefined) throw new InvalidInput("zh", "a name in zh or en is needed");
      const names = { ...(zh === undefined ? {} : { zh }), ...(en === undefined ? {} : { en }) };
      const [rows] = await app.db.read([readShop(shop)]);
      if (rows[0] !== undefined) throw new InvalidInput("id", `there is a shop "${shop}" already`);
      const asked = { id: shop, names, zone, rolloverMinutes, settings: parseSettings(settings) };
      await createShop(app, asked, audit);
      return { shop };
    },
    ({ id: shop }) => ({ shop, detail: {} }),
  ),
  "shop.list": command(v.strictObject({}), async (app) => {
    const [rows = []] = await app.db.read([readShops()]);
    return {
      shops: rows
        .map((row) => shopOf(row))
        .map(({ id: shop, names, open, live, version }) => ({ shop, names, open, live, version })),
    };
  }),
  "shop.open": command(v.strictObject({ ...inShop, open: shape.flag }), async (app, { shop, open }, { actor }) => {
    await openShop(app, actor, shop, open);
    return { shop, open };
  }),
  "shop.settings": command(
    v.strictObject({ ...inShop, settings: v.unknown() }),
    async (app, { shop, settings }, { actor }) => {
      const { version } = await editMenu(app, {
        actor,
        shop,
        action: "settings.replace",
        edit: replaceSettings(settings, undefined),
      });
      return { shop, version };
    },
  ),
  "menu.import": command(
    v.strictObject({ ...inShop, format: v.picklist(["json", "csv"]), text: v.string() }),
    async (app, { shop, format, text: file }, { actor }) => {
      const menu = readMenuFile(file, format);
      const { version } = await editMenu(app, { actor, shop, action: "menu.import", edit: () => ({ menu }) });
      return { shop, version, categories: menu.categories.length, dishes: menu.dishes.length };
    },
  ),
  "tables.add": command(
    v.strictObject({ ...inShop, labels: v.array(shape.text(32, 1)) }),
    async (app, { shop, labels }, { actor }) => ({ tables: await addTables(app, actor, shop, labels) }),
  ),
  "tables.list": command(v.strictObject(inShop), async (app, { shop }) => ({ tables: await tablesOf(app, shop) })),
  "app.add": command(
    v.strictObject({
      appid: shape.text(64, 1),
      secret: shape.text(128, 1),
      name: v.optional(shape.text(64, 1), "mini-program"),
    }),
    async (app, asked, { audit }) => ({ added: (await addWechatApp(app, asked, audit)).id }),
    ({ name }) => ({ detail: { name } }),
  ),
  pair: command(
    v.strictObject({ ...inShop, role: v.picklist(roles), device: v.optional(shape.text(64, 1), "tablet") }),
    async (app, asked, { audit }) => {
      const { code, expiresAt } = await newPairingCode(app, { ...asked, by: null }, audit);
      const { role, device } = asked;
      return { pairingCode: code, expiresAt: iso(expiresAt), role, device, page: `${pageOf[role]}#pair=${code}` };
    },
    ({ shop, role, device }) => ({ shop, detail: { role, device } }),
  ),
  "devices.list": command(v.strictObject(inShop), async (app, { shop }) => ({ devices: await devicesOf(app, shop) })),
  "devices.end": command(
    v.strictObject({ ...inShop, device: shape.ulid }),
    async (app, { shop, device }, { actor }) => {
      await revokeDevice(app, actor, shop, device);
      return { ended: device };
    },
  ),
  "sessions.list": command(v.strictObject({ user: v.optional(shape.ulid) }), async (app, { user }) => {
    const [rows = []] = await app.db.read([
      user === undefined ? readLiveSessions(app.clock.now(), 200) : readSessionsOfUser(user),
    ]);
    return {
      sessions: rows.map((row) => ({
        id: row.id,
        user: row.user_id,
        kind: row.kind,
        shop: row.shop_id,
        role: row.role,
        createdAt: iso(row.created_at),
        expiresAt: iso(row.expires_at),
        endedAt: iso(row.ended_at),
      })),
    };
  }),
  "sessions.end": command(
    v.strictObject({ id: shape.ulid }),
    async (app, { id: session }, { audit }) => {
      const [rows] = await app.db.read([readSession(session)]);
      if (rows[0] === undefined) throw new InvalidInput("id", "there is no such session");
      await end(app, session, "revoked", audit);
      return { ended: session };
    },
    ({ id: session }) => ({ detail: { session } }),
  ),
  "connections.list": command(v.strictObject({}), async (app) => {
    const [rows = []] = await app.db.read([readConnections(500)]);
    return {
      connections: rows.map((row) => ({
        id: row.id,
        session: row.session_id,
        kind: row.kind,
        shop: row.shop_id,
        gateway: row.gateway,
        connectedAt: iso(row.connected_at),
        openedAt: iso(row.opened_at),
      })),
    };
  }),
  "connections.close": command(
    v.strictObject({ id: shape.text(64, 1) }),
    async (app, { id: connection }, { audit }) => {
      const [rows] = await app.db.read([readConnection(connection)]);
      if (rows[0] === undefined) throw new InvalidInput("id", "there is no such connection");
      await app.gateway.close(connection);
      // The socket may belong to another process, which checks whether its connections are still known.
      const graceUntil = app.clock.now() + app.config.rooms.graceMs;
      const removed = removeConnections(app.db.dialect, [connection], graceUntil);
      await app.db.flight({ statements: [...removed, ...audit], repeatable: true });
      return { closed: connection };
    },
    ({ id: connection }) => ({ detail: { connection } }),
  ),
  "channel.add": command(
    v.strictObject({
      host: v.pipe(v.string(), v.maxLength(255, "at most 255 characters")),
      key: v.optional(channelKey),
      receiveUrl: v.optional(v.pipe(v.string(), v.maxLength(255, "at most 255 characters"))),
      keepBodies: v.optional(shape.flag, false),
    }),
    (app, asked, { audit }) => addChannel(app, asked, audit),
    ({ host, receiveUrl, keepBodies }) => ({ detail: { host, receiveUrl, keepBodies } }),
  ),
  "channel.list": command(v.strictObject({}), async (app) => ({ channels: await listChannels(app) })),
  "channel.remove": command(
    v.strictObject({ host: v.pipe(v.string(), v.maxLength(255, "at most 255 characters")) }),
    (app, { host }, { audit }) => removeChannel(app, host, audit),
    ({ host }) => ({ detail: { host } }),
  ),
  "channel.log": command(
    v.strictObject({ tunnel: shape.text(64, 1), bodies: v.optional(shape.flag, false) }),
    (app, { tunnel, bodies }) => readChannelLog(app, tunnel, bodies),
  ),
  "webhook.add": command(
    v.strictObject({
      url: v.pipe(v.string(), v.maxLength(2_048, "at most 2048 characters")),
      shop: v.optional(shape.id),
      types: v.optional(v.array(shape.text(40, 1))),
    }),
    async (app, { url, shop = null, types }, { audit }) => {
      if (shop !== null) await knownShop(app, shop);
      return addWebhook(app, { url, shop, types }, audit);
    },
    // The address may hold a secret of its receiver.
    ({ url, shop, types }) => ({ shop, detail: { host: URL.canParse(url) ? new URL(url).host : "", types } }),
  ),
  "webhook.list": command(v.strictObject({}), async (app) => ({ webhooks: await listWebhooks(app) })),
  "webhook.remove": command(
    v.strictObject({ webhook: shape.ulid }),
    (app, { webhook }, { audit }) => removeWebhook(app, webhook, audit),
    ({ webhook }) => ({ detail: { webhook } }),
  ),
  "webhook.replay": command(
    v.strictObject({
      webhook: shape.ulid,
      stream: v.optional(v.pipe(v.string(), v.maxLength(64, "at most 64 characters"))),
      from: v.optional(shape.integer(1, Number.MAX_SAFE_INTEGER)),
    }),
    (app, { webhook, stream, from }, { audit }) => replayWebhook(app, { webhook, stream, from }, audit),
    ({ webhook, stream, from }) => ({ detail: { webhook, stream, from } }),
  ),
  "webhook.test": command(v.strictObject({ webhook: shape.ulid }), (app, { webhook }) => testWebhook(app, webhook)),
  "keys.add": command(
    v.strictObject({
      name: shape.text(64, 1),
      scopes: v.pipe(v.array(v.picklist(scopes)), v.minLength(1, "at least one scope")),
      shop: v.optional(shape.id),
    }),
    async (app, { name, scopes: granted, shop }, { audit }) => {
      checkScopes(granted, shop);
      if (shop !== undefined) await knownShop(app, shop);
      return newApiKey(app, name, granted, shop ?? null, audit);
    },
    ({ name, scopes: granted, shop }) => ({ shop, detail: { name, scopes: granted } }),
  ),
  "keys.list": command(v.strictObject({}), async (app) => {
    const [rows = []] = await app.db.read([readApiKeys()]);
    return {
      keys: rows.map((row) => ({
        id: row.id,
        name: row.name,
        scopes: row.scopes,
        shop: row.shop_id,
        createdAt: iso(row.created_at),
        revokedAt: iso(row.revoked_at),
      })),
    };
  }),
  "keys.revoke": command(
    v.strictObject({ id: shape.ulid }),
    async (app, { id: key }, { audit }) => {
      const [rows = []] = await app.db.read([readApiKeys()]);
      if (!rows.some((row) => row.id === key)) throw new InvalidInput("id", "there is no such key");
      const now = app.clock.now();
      const statements = [revokeApiKey(key, now), endSession(key, "revoked", now), ...audit];
      await app.db.flight({ statements, repeatable: true });
      await end(app, key, "revoked");
      return { revoked: key };
    },
    ({ id: key }) => ({ detail: { key } }),
  ),
  doctor: command(v.strictObject({}), async (app) => {
    const { dialect } = app.db;
    const [rows, clocks] = await app.db.read([raw(encryption[dialect.name]), readClock(dialect)]);
    const cipher = rows[0]?.cipher ?? rows[0]?.Value ?? "";
    return {
      engine: dialect.name,
      tls: cipher !== "",
      now: app.clock.now(),
      databaseNow: Number(clocks[0]?.at),
      files: await storeHealth(app),
      // Tables of an older release have none: that is for init_db, not for the doctor to fail at.
      collections: await listCollections(app).catch(() => null),
    };
  }),
  "collections.list": command(v.strictObject({}), async (app) => ({ collections: await listCollections(app) })),
  "collections.export": command(
    v.strictObject({ collection: shape.text(64, 1), after: v.optional(shape.text(64, 1)) }),
    (app, { collection, after }) => exportPage(app, collection, after),
  ),
  "collections.import": command(
    v.variant("step", [
      v.strictObject({ ...ofImport, step: v.literal("add"), import: v.optional(shape.ulid), ...linesOfFile }),
      v.strictObject({ ...ofImport, step: v.picklist(["commit", "abort"]), import: shape.ulid }),
    ]),
    (app, asked, { audit }) => importStep(app, asked, audit),
    (asked) =>
      asked.step === "commit"
        ? { detail: { collection: asked.collection, replace: asked.replace, import: asked.import } }
        : undefined,
  ),
  "order.facts": command(v.strictObject({ order: shape.ulid }), (app, { order }) => orderFacts(app, order)),
  audit: command(
    v.strictObject({
      shop: v.optional(shape.id),
      before: v.optional(shape.ulid),
      limit: v.optional(shape.integer(1, 1_000), 100),
    }),
    async (app, { shop, before, limit }) => {
      if (shop !== undefined) await knownShop(app, shop);
      return listAudit(app, { shop, before, limit });
    },
  ),
  orders: command(v.strictObject({ ...inShop, day: v.optional(shape.day) }), async (app, { shop, day: on }) => {
    const report = await dayReport(app, shop, on);
    return { csv: await ordersCsv(app, shop, report.day) };
  }),
  report: command(v.strictObject({ ...inShop, day: v.optional(shape.day) }), (app, { shop, day: on }) =>
    dayReport(app, shop, on),
  ),
  sql: command(v.strictObject({ text: v.pipe(v.string(), v.maxLength(20_000)) }), async (app, { text: statement }) => {
    if (!app.config.databaseUrl.startsWith("pglite:"))
      throw new Forbidden("sql looks into the embedded database; use the server's own client");
    if (!/^\s*(select|with|values|table|explain|show)\b/i.test(statement))
      throw new InvalidInput("text", "expected a statement that reads");
    // It only reads, but settings would stay on the connection that all requests use.
    if (/\bset_config\b/i.test(statement)) throw new InvalidInput("text", "settings are not changed here");
    // Second of two, so that it runs inside a READ ONLY transaction.
    const [, rows] = await app.db.read([sql`SELECT 1`, raw(statement)]);
    return { rows };
  }),
};

export const commandNames = Object.keys(commands);

export interface AdminEvent {
  readonly command: string;
  readonly args: unknown;
  /** Who asks, for the audit: the user and machine of the command line. It is believed: whoever can call this function may do all. */
  readonly by?: unknown;
}

export type AdminAnswer =
  | { readonly ok: unknown }
  | { readonly error: { readonly code: string; readonly message: string; readonly errors?: unknown } };

const operator = v.optional(shape.text(160, 1), "command line");

export const administer =
  (app: App) =>
  async (event: AdminEvent): Promise<AdminAnswer> => {
    try {
      const known = Object.hasOwn(commands, event.command) ? commands[event.command] : undefined;
      if (known === undefined)
        throw new InvalidInput("command", `there is no command "${String(event.command).slice(0, 40)}"`);
      const args = shape.parse(known.args, event.args);
      const actor = { operator: shape.parse(operator, event.by, "by") };
      const audited = known.audit?.(args);
      const audit = audited === undefined ? [] : auditEntry(app, actor, { action: event.command, ...audited });
      const answer = await known.run(app, args, { actor, audit });
      app.log.info("admin", { command: event.command });
      return { ok: answer };
    } catch (error) {
      // The author of a statement needs its error message.
      if (event.command === "sql" && !(error instanceof AppError))
        return { error: { code: "INVALID_INPUT", message: (error as Error).message } };
      const { code, message, extra } = toAppError(app, error);
      app.log.info("admin", { command: event.command, code });
      return { error: { code, message, ...("errors" in extra ? { errors: extra.errors } : {}) } };
    }
  };

export const handler = administer;
