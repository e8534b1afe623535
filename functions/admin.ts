/**
 * What the command line does, as a function: called over a local socket on this machine, and by the owner's own cloud
 * credentials there. It has no route.
 */
import * as v from "valibot";
import { readConnections } from "../db/connections.ts";
import { readApiKeys, readLiveSessions, readSession, readSessionsOfUser, revokeApiKey } from "../db/sessions.ts";
import { readShop, readShops } from "../db/shops.ts";
import { raw, sql } from "../db/sql.ts";
import { newApiKey, scopes } from "../shared/api_key.ts";
import type { App } from "../shared/app.ts";
import { AppError, Forbidden, InvalidInput } from "../shared/errors.ts";
import { readMenuFile } from "../shared/import_menu.ts";
import { addWechatApp } from "../shared/keep_apps.ts";
import { end, newPairingCode } from "../shared/login.ts";
import { parseSettings } from "../shared/menu.ts";
import { refusalOf } from "../shared/refusal.ts";
import { dayReport, ordersCsv } from "../shared/report.ts";
import { roles } from "../shared/session.ts";
import { check, day, flag, id, integer, text, ulid } from "../shared/shape.ts";
import {
  addTables,
  createShop,
  devicesOf,
  editMenu,
  knownShop,
  openShop,
  replaceSettings,
  revokeDevice,
  shopOf,
  tablesOf,
} from "../shared/shop.ts";
import { handlerOf } from "./_app.ts";

interface Command<S extends v.GenericSchema> {
  readonly args: S;
  readonly run: (app: App, args: v.InferOutput<S>) => Promise<unknown>;
}

const command = <S extends v.GenericSchema>(args: S, run: Command<S>["run"]): Command<v.GenericSchema> =>
  ({ args, run }) as unknown as Command<v.GenericSchema>;

const iso = (value: unknown) => (value === null ? null : new Date(Number(value)).toISOString());
const inShop = { shop: id };

const commands: Readonly<Record<string, Command<v.GenericSchema>>> = {
  "shop.create": command(
    v.strictObject({
      id,
      zh: v.optional(text(60, 1)),
      en: v.optional(text(60, 1)),
      zone: v.optional(text(64, 1), "Asia/Shanghai"),
      rolloverMinutes: v.optional(integer(0, 12 * 60), 240),
      settings: v.optional(v.unknown(), { services: {} }),
    }),
    async (app, { id: shop, zh, en, zone, rolloverMinutes, settings }) => {
      if (zh === undefined && en === undefined) throw new InvalidInput("zh", "a name in zh or en is needed");
      const names = { ...(zh === undefined ? {} : { zh }), ...(en === undefined ? {} : { en }) };
      const [rows] = await app.db.read([readShop(shop)]);
      if (rows?.[0] !== undefined) throw new InvalidInput("id", `there is a shop "${shop}" already`);
      await createShop(app, { id: shop, names, zone, rolloverMinutes, settings: parseSettings(settings) });
      return { shop };
    },
  ),
  "shop.list": command(v.strictObject({}), async (app) => {
    const [rows = []] = await app.db.read([readShops()]);
    return {
      shops: rows
        .map((row) => shopOf(row))
        .map(({ id: shop, names, open, live, version }) => ({ shop, names, open, live, version })),
    };
  }),
  "shop.open": command(v.strictObject({ ...inShop, open: flag }), async (app, { shop, open }) => {
    await openShop(app, null, shop, open);
    return { shop, open };
  }),
  "shop.settings": command(v.strictObject({ ...inShop, settings: v.unknown() }), async (app, { shop, settings }) => {
    const { version } = await editMenu(
      app,
      null,
      shop,
      undefined,
      "settings.replace",
      replaceSettings(settings, undefined),
    );
    return { shop, version };
  }),
  "menu.import": command(
    v.strictObject({ ...inShop, format: v.picklist(["json", "csv"]), text: v.string() }),
    async (app, { shop, format, text: file }) => {
      const menu = readMenuFile(file, format);
      const { version } = await editMenu(app, null, shop, undefined, "menu.import", () => ({ menu }));
      return { shop, version, categories: menu.categories.length, dishes: menu.dishes.length };
    },
  ),
  "tables.add": command(v.strictObject({ ...inShop, labels: v.array(text(32, 1)) }), async (app, { shop, labels }) => ({
    tables: await addTables(app, null, shop, labels),
  })),
  "tables.list": command(v.strictObject(inShop), async (app, { shop }) => ({ tables: await tablesOf(app, shop) })),
  "app.add": command(
    v.strictObject({ appid: text(64, 1), secret: text(128, 1), name: v.optional(text(64, 1), "mini-program") }),
    async (app, asked) => ({ added: (await addWechatApp(app, asked)).id }),
  ),
  pair: command(
    v.strictObject({ ...inShop, role: v.picklist(roles), device: v.optional(text(64, 1), "tablet") }),
    async (app, asked) => {
      const { code, expiresAt } = await newPairingCode(app, { ...asked, by: null });
      return { pairingCode: code, expiresAt: iso(expiresAt) };
    },
  ),
  "devices.list": command(v.strictObject(inShop), async (app, { shop }) => ({ devices: await devicesOf(app, shop) })),
  "devices.end": command(v.strictObject({ ...inShop, device: ulid }), async (app, { shop, device }) => {
    await revokeDevice(app, null, shop, device);
    return { ended: device };
  }),
  "sessions.list": command(v.strictObject({ user: v.optional(ulid) }), async (app, { user }) => {
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
  "sessions.end": command(v.strictObject({ id: ulid }), async (app, { id: session }) => {
    const [rows] = await app.db.read([readSession(session)]);
    if (rows?.[0] === undefined) throw new InvalidInput("id", "there is no such session");
    await end(app, session, "revoked");
    return { ended: session };
  }),
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
  "connections.close": command(v.strictObject({ id: text(64, 1) }), async (app, { id: connection }) => {
    await app.gateway.close(connection);
    return { closed: connection };
  }),
  "keys.add": command(
    v.strictObject({ name: text(64, 1), scopes: v.array(v.picklist(scopes)), shop: v.optional(id) }),
    async (app, { name, scopes: granted, shop }) => {
      if (shop !== undefined) await knownShop(app, shop);
      return newApiKey(app, name, granted, shop ?? null);
    },
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
  "keys.revoke": command(v.strictObject({ id: ulid }), async (app, { id: key }) => {
    const [rows = []] = await app.db.read([readApiKeys()]);
    if (!rows.some((row) => row.id === key)) throw new InvalidInput("id", "there is no such key");
    await app.db.flight({ statements: [revokeApiKey(key, app.clock.now())], repeatable: true });
    return { revoked: key };
  }),
  orders: command(v.strictObject({ ...inShop, day: v.optional(day) }), async (app, { shop, day: on }) => {
    const report = await dayReport(app, shop, on);
    return { csv: await ordersCsv(app, shop, report.day) };
  }),
  report: command(v.strictObject({ ...inShop, day: v.optional(day) }), (app, { shop, day: on }) =>
    dayReport(app, shop, on),
  ),
  sql: command(v.strictObject({ text: v.pipe(v.string(), v.maxLength(20_000)) }), async (app, { text: statement }) => {
    if (!app.config.databaseUrl.startsWith("pglite:"))
      throw new Forbidden("sql looks into the embedded database; use the server's own client");
    if (!/^\s*(select|with|values|table|explain|show)\b/i.test(statement))
      throw new InvalidInput("text", "expected a statement that reads");
    // It reads, but what it sets would stay with the one connection that everybody uses.
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
}

export type AdminAnswer =
  | { readonly ok: unknown }
  | { readonly error: { readonly code: string; readonly message: string; readonly errors?: unknown } };

export const administer =
  (app: App) =>
  async (event: AdminEvent): Promise<AdminAnswer> => {
    try {
      const known = Object.hasOwn(commands, event.command) ? commands[event.command] : undefined;
      if (known === undefined)
        throw new InvalidInput("command", `there is no command "${String(event.command).slice(0, 40)}"`);
      const answer = await known.run(app, check(known.args, event.args));
      app.log.info("admin", { command: event.command });
      return { ok: answer };
    } catch (error) {
      // A mistake in a statement is its author's to see.
      if (event.command === "sql" && !(error instanceof AppError))
        return { error: { code: "INVALID_INPUT", message: (error as Error).message } };
      const { code, message, extra } = refusalOf(app, error);
      app.log.info("admin", { command: event.command, code });
      return { error: { code, message, ...("errors" in extra ? { errors: extra.errors } : {}) } };
    }
  };

export const handler = handlerOf(administer);
