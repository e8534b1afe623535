/** Routes for a shop's staff: orders, menu, stock, tables, devices, report. */
import * as v from "valibot";
import { created, type HttpRequest, http, noContent, ok } from "../apigateway/entry.ts";
import type { App } from "../shared/app.ts";
import { auditEntry, listAudit } from "../shared/audit.ts";
import { InvalidInput } from "../shared/errors.ts";
import { parseDish } from "../shared/menu.ts";
import { counterRoles, type Role, roles, statuses } from "../shared/order_states.ts";
import type { Scope } from "../shared/sessions/api_key.ts";
import { newPairingCode } from "../shared/sessions/login.ts";
import { type Staff, staffOf } from "../shared/sessions/session.ts";
import * as shape from "../shared/shape.ts";
import { listDevices, maxDevices, revokeDevice } from "../shared/shop/devices.ts";
import { editMenu, putDish, removeDish, replaceMenu, replaceSettings, setPrice } from "../shared/shop/edit_menu.ts";
import { openShop } from "../shared/shop/open_shop.ts";
import { dayReport, reportCsv } from "../shared/shop/report.ts";
import { menuForStaff, ordersOfShop } from "../shared/shop/snapshots.ts";
import { changeStock, setSoldOut } from "../shared/shop/stock.ts";
import { addTables, dropTable, tablesOf } from "../shared/shop/tables.ts";
import { pageOf } from "./_page_of.ts";
import { signedIn } from "./_signed_in.ts";

const openBody = v.strictObject({ open: shape.flag });
const soldOutBody = v.strictObject({ soldOut: shape.flag });
const priceBody = v.strictObject({ priceFen: shape.fen });
const deltaBody = v.strictObject({ delta: shape.integer(-100_000, 100_000) });
const leftBody = v.strictObject({ left: shape.integer(0, 100_000) });
const tablesBody = v.strictObject({
  labels: v.pipe(
    v.array(shape.text(32, 1)),
    v.minLength(1, "at least one label"),
    v.maxLength(100, "at most 100 labels"),
  ),
});
const pairingBody = v.strictObject({ role: v.picklist(roles), device: shape.text(64, 1) });
const reportFormat = v.picklist(["json", "csv"]);
/** `placed,accepted` */
const statusList = v.pipe(
  v.string(),
  v.transform((list) => list.split(",")),
  v.array(v.picklist(statuses)),
);
const settingsBody = v.strictObject({ settings: v.unknown(), names: v.optional(shape.names) });

/** Staff of the shop in the path, with one of these roles; or a key with one of the scopes, bound to that shop. */
async function staff(
  app: App,
  request: HttpRequest,
  allowed: readonly Role[] = roles,
  ...taken: readonly Scope[]
): Promise<Staff> {
  const shop = request.param("shop", shape.id);
  request.notes.shop = shop;
  return staffOf(await signedIn(app, request, ...taken), shop, allowed);
}

const owner: readonly Role[] = ["owner"];

const maxAuditEntries = 100;

const dishOf = (actor: Staff, request: HttpRequest) => ({
  actor,
  shop: actor.shop,
  dish: request.param("dish", shape.id),
});

/** `If-Match: "12"` → 12. */
function versionOf(request: HttpRequest): number | undefined {
  const header = request.header("if-match");
  if (header === undefined) return undefined;
  return shape.parse(shape.digits(1, Number.MAX_SAFE_INTEGER), header.replace(/^"(.*)"$/, "$1"), "If-Match");
}

export const handler = http({
  "GET /shops/{shop}/orders": async (app, request) => {
    const who = await staff(app, request, roles, "orders:read");
    const filter = {
      statuses: request.query("status", statusList),
      day: request.query("day", shape.day),
      ...pageOf(request),
    };
    return ok(await ordersOfShop(app, who, filter));
  },
  "PUT /shops/{shop}/open": async (app, request) => {
    const who = await staff(app, request);
    const { open } = await openShop(app, who, who.shop, shape.parse(openBody, request.json()).open);
    return ok({ open });
  },

  "GET /shops/{shop}/menu": async (app, request) => {
    const answer = await menuForStaff(app, await staff(app, request, roles, "menu:write"));
    return { status: 200, headers: { etag: `"${answer.version}"` }, body: answer };
  },
  "PUT /shops/{shop}/menu": async (app, request) => {
    const who = await staff(app, request, owner, "menu:write");
    const { version } = await editMenu(app, {
      actor: who,
      shop: who.shop,
      version: versionOf(request),
      action: "menu.replace",
      edit: replaceMenu(request.json()),
    });
    return ok({ version });
  },
  "PUT /shops/{shop}/settings": async (app, request) => {
    const who = await staff(app, request, owner);
    const body = shape.parse(settingsBody, request.json());
    const edit = replaceSettings(body.settings, body.names);
    const {
      version,
      settings,
      names: now,
    } = await editMenu(app, {
      actor: who,
      shop: who.shop,
      version: versionOf(request),
      action: "settings.replace",
      edit,
    });
    return ok({ version, settings, names: now });
  },
  "PUT /shops/{shop}/dishes/{dish}": async (app, request) => {
    const who = await staff(app, request, owner, "menu:write");
    const dish = parseDish(request.json());
    if (dish.id !== request.param("dish", shape.id)) throw new InvalidInput("id", "is not the dish of the path");
    const { version } = await editMenu(app, {
      actor: who,
      shop: who.shop,
      version: versionOf(request),
      action: "dish.put",
      edit: putDish(dish),
    });
    return ok({ version, dish });
  },
  "DELETE /shops/{shop}/dishes/{dish}": async (app, request) => {
    const who = await staff(app, request, owner, "menu:write");
    const { version } = await editMenu(app, {
      actor: who,
      shop: who.shop,
      version: versionOf(request),
      action: "dish.remove",
      edit: removeDish(request.param("dish", shape.id)),
    });
    return ok({ version });
  },
  "PUT /shops/{shop}/dishes/{dish}/price": async (app, request) => {
    const who = await staff(app, request, owner, "menu:write");
    const { priceFen } = shape.parse(priceBody, request.json());
    const edit = setPrice(request.param("dish", shape.id), priceFen);
    const { version } = await editMenu(app, {
      actor: who,
      shop: who.shop,
      version: versionOf(request),
      action: "dish.price",
      edit,
    });
    return ok({ version, priceFen });
  },

  "PUT /shops/{shop}/dishes/{dish}/sold_out": async (app, request) => {
    const who = await staff(app, request, roles, "menu:write");
    const { soldOut } = shape.parse(soldOutBody, request.json());
    return ok(await setSoldOut(app, dishOf(who, request), soldOut));
  },
  "POST /shops/{shop}/dishes/{dish}/stock": async (app, request) => {
    const who = await staff(app, request, roles, "menu:write");
    return ok(await changeStock(app, dishOf(who, request), shape.parse(deltaBody, request.json())));
  },
  "PUT /shops/{shop}/dishes/{dish}/stock": async (app, request) => {
    const who = await staff(app, request, roles, "menu:write");
    const ifMatch = request.header("if-match")?.replace(/^"(.*)"$/, "$1");
    if (ifMatch === undefined) throw new InvalidInput("If-Match", "is missing; or POST a delta");
    const { left } = shape.parse(leftBody, request.json());
    return ok(await changeStock(app, dishOf(who, request), { left, ifMatch }));
  },

  "GET /shops/{shop}/tables": async (app, request) => {
    const who = await staff(app, request);
    return ok({ tables: await tablesOf(app, who.shop) });
  },
  "POST /shops/{shop}/tables": async (app, request) => {
    const who = await staff(app, request, owner);
    return created({ tables: await addTables(app, who, who.shop, shape.parse(tablesBody, request.json()).labels) });
  },
  "DELETE /shops/{shop}/tables/{table}": async (app, request) => {
    const who = await staff(app, request, owner);
    await dropTable(app, who, who.shop, request.param("table", shape.id));
    return noContent;
  },

  "GET /shops/{shop}/devices": async (app, request) => {
    const who = await staff(app, request, owner);
    const page = {
      after: request.query("after", shape.ulid),
      limit: request.query("limit", shape.digits(1, maxDevices)),
    };
    return ok(await listDevices(app, who.shop, page));
  },
  "DELETE /shops/{shop}/devices/{device}": async (app, request) => {
    const who = await staff(app, request, owner);
    await revokeDevice(app, who, who.shop, request.param("device", shape.ulid));
    return noContent;
  },
  "POST /shops/{shop}/pairing": async (app, request) => {
    const who = await staff(app, request, owner);
    const { role, device } = shape.parse(pairingBody, request.json());
    const audit = auditEntry(app, who, { shop: who.shop, action: "pair", detail: { role, device } });
    const { code, expiresAt } = await newPairingCode(app, { shop: who.shop, role, device, by: who.id }, audit);
    return created({ pairingCode: code, expiresAt: new Date(expiresAt).toISOString() });
  },

  "GET /shops/{shop}/audit": async (app, request) => {
    const who = await staff(app, request, owner);
    const before = request.query("before", shape.ulid);
    const limit = request.query("limit", shape.digits(1, maxAuditEntries)) ?? maxAuditEntries;
    const { entries, more } = await listAudit(app, { shop: who.shop, before, limit });
    return ok({ entries: entries.map(({ shop: _, ...entry }) => entry), more });
  },

  "GET /shops/{shop}/report": async (app, request) => {
    const who = await staff(app, request, counterRoles);
    const report = await dayReport(app, who.shop, request.query("day", shape.day));
    if (request.query("format", reportFormat) !== "csv") return ok(report);
    const headers = {
      "content-type": "text/csv; charset=utf-8",
      "content-disposition": `attachment; filename="${who.shop}-${report.day}.csv"`,
    };
    return { status: 200, headers, body: reportCsv(report) };
  },
});
