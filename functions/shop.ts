/** What a shop's staff see and change. */
import * as v from "valibot";
import { created, type HttpRequest, http, noContent, ok } from "../apigateway/entry.ts";
import type { App } from "../shared/app.ts";
import { InvalidInput } from "../shared/errors.ts";
import { menuForStaff, ordersOfShop } from "../shared/info.ts";
import { newPairingCode } from "../shared/login.ts";
import { parseDish } from "../shared/menu.ts";
import { statuses } from "../shared/protocol.ts";
import { dayReport, reportCsv } from "../shared/report.ts";
import { authenticate, type Role, roles, type Staff, staffOf } from "../shared/session.ts";
import { check, day, digits, fen, flag, id, integer, names, text, ulid } from "../shared/shape.ts";
import {
  addTables,
  changeStock,
  devicesOf,
  dropTable,
  editMenu,
  openShop,
  putDish,
  removeDish,
  replaceMenu,
  replaceSettings,
  revokeDevice,
  setPrice,
  setSoldOut,
  tablesOf,
} from "../shared/shop.ts";
import { handlerOf } from "./_app.ts";

const openBody = v.strictObject({ open: flag });
const soldOutBody = v.strictObject({ soldOut: flag });
const priceBody = v.strictObject({ priceFen: fen });
const deltaBody = v.strictObject({ delta: integer(-100_000, 100_000) });
const leftBody = v.strictObject({ left: integer(0, 100_000) });
const tablesBody = v.strictObject({
  labels: v.pipe(v.array(text(32, 1)), v.minLength(1, "at least one label"), v.maxLength(100, "at most 100 labels")),
});
const pairingBody = v.strictObject({ role: v.picklist(roles), device: text(64, 1) });
const reportFormat = v.picklist(["json", "csv"]);
/** `placed,accepted` */
const statusList = v.pipe(
  v.string(),
  v.transform((list) => list.split(",")),
  v.array(v.picklist(statuses)),
);
const settingsBody = v.strictObject({ settings: v.unknown(), names: v.optional(names) });

/** Staff of the shop in the path, with one of these roles. */
async function staff(app: App, request: HttpRequest, allowed: readonly Role[] = roles): Promise<Staff> {
  const shop = request.param("shop", id);
  const session = await authenticate(app, request.authorization);
  Object.assign(request.notes, { session: session.id, shop });
  return staffOf(session, shop, allowed);
}

const counter: readonly Role[] = ["owner", "cashier"];
const owner: readonly Role[] = ["owner"];

/** `If-Match: "12"` → 12. */
function versionOf(request: HttpRequest): number | undefined {
  const header = request.header("if-match");
  if (header === undefined) return undefined;
  return check(digits(1, Number.MAX_SAFE_INTEGER), header.replace(/^"(.*)"$/, "$1"), "If-Match");
}

export const shop = http({
  "GET /shops/{shop}/orders": async (app, request) => {
    const who = await staff(app, request);
    const filter = {
      statuses: request.query("status", statusList),
      day: request.query("day", day),
      before: request.query("before", ulid),
    };
    return ok(await ordersOfShop(app, who, filter));
  },
  "PUT /shops/{shop}/open": async (app, request) => {
    const who = await staff(app, request);
    const { open } = await openShop(app, who, who.shop, check(openBody, request.json()).open);
    return ok({ open });
  },

  "GET /shops/{shop}/menu": async (app, request) => {
    const answer = await menuForStaff(app, await staff(app, request));
    return { status: 200, headers: { etag: `"${answer.version}"` }, body: answer };
  },
  "PUT /shops/{shop}/menu": async (app, request) => {
    const who = await staff(app, request, owner);
    const { version } = await editMenu(
      app,
      who,
      who.shop,
      versionOf(request),
      "menu.replace",
      replaceMenu(request.json()),
    );
    return ok({ version });
  },
  "PUT /shops/{shop}/settings": async (app, request) => {
    const who = await staff(app, request, owner);
    const body = check(settingsBody, request.json());
    const edit = replaceSettings(body.settings, body.names);
    const {
      version,
      settings,
      names: now,
    } = await editMenu(app, who, who.shop, versionOf(request), "settings.replace", edit);
    return ok({ version, settings, names: now });
  },
  "PUT /shops/{shop}/dishes/{dish}": async (app, request) => {
    const who = await staff(app, request, owner);
    const dish = parseDish(request.json());
    if (dish.id !== request.param("dish", id)) throw new InvalidInput("id", "is not the dish of the path");
    const { version } = await editMenu(app, who, who.shop, versionOf(request), "dish.put", putDish(dish));
    return ok({ version, dish });
  },
  "DELETE /shops/{shop}/dishes/{dish}": async (app, request) => {
    const who = await staff(app, request, owner);
    const { version } = await editMenu(
      app,
      who,
      who.shop,
      versionOf(request),
      "dish.remove",
      removeDish(request.param("dish", id)),
    );
    return ok({ version });
  },
  "PUT /shops/{shop}/dishes/{dish}/price": async (app, request) => {
    const who = await staff(app, request, owner);
    const { priceFen } = check(priceBody, request.json());
    const edit = setPrice(request.param("dish", id), priceFen);
    const { version } = await editMenu(app, who, who.shop, versionOf(request), "dish.price", edit);
    return ok({ version, priceFen });
  },

  "PUT /shops/{shop}/dishes/{dish}/sold_out": async (app, request) => {
    const who = await staff(app, request);
    const { soldOut } = check(soldOutBody, request.json());
    return ok(await setSoldOut(app, who, who.shop, request.param("dish", id), soldOut));
  },
  "POST /shops/{shop}/dishes/{dish}/stock": async (app, request) => {
    const who = await staff(app, request);
    return ok(await changeStock(app, who, who.shop, request.param("dish", id), check(deltaBody, request.json())));
  },
  "PUT /shops/{shop}/dishes/{dish}/stock": async (app, request) => {
    const who = await staff(app, request);
    const ifMatch = request.header("if-match")?.replace(/^"(.*)"$/, "$1");
    if (ifMatch === undefined) throw new InvalidInput("If-Match", "is missing; or POST a delta");
    const { left } = check(leftBody, request.json());
    return ok(await changeStock(app, who, who.shop, request.param("dish", id), { left, ifMatch }));
  },

  "GET /shops/{shop}/tables": async (app, request) => {
    const who = await staff(app, request);
    return ok({ tables: await tablesOf(app, who.shop) });
  },
  "POST /shops/{shop}/tables": async (app, request) => {
    const who = await staff(app, request, owner);
    return created({ tables: await addTables(app, who, who.shop, check(tablesBody, request.json()).labels) });
  },
  "DELETE /shops/{shop}/tables/{table}": async (app, request) => {
    const who = await staff(app, request, owner);
    await dropTable(app, who, who.shop, request.param("table", id));
    return noContent;
  },

  "GET /shops/{shop}/devices": async (app, request) => {
    const who = await staff(app, request, owner);
    return ok({ devices: await devicesOf(app, who.shop) });
  },
  "DELETE /shops/{shop}/devices/{device}": async (app, request) => {
    const who = await staff(app, request, owner);
    await revokeDevice(app, who, who.shop, request.param("device", ulid));
    return noContent;
  },
  "POST /shops/{shop}/pairing": async (app, request) => {
    const who = await staff(app, request, owner);
    const { role, device } = check(pairingBody, request.json());
    const { code, expiresAt } = await newPairingCode(app, { shop: who.shop, role, device, by: who.id });
    return created({ pairingCode: code, expiresAt: new Date(expiresAt).toISOString() });
  },

  "GET /shops/{shop}/report": async (app, request) => {
    const who = await staff(app, request, counter);
    const report = await dayReport(app, who.shop, request.query("day", day));
    if (request.query("format", reportFormat) !== "csv") return ok(report);
    const headers = {
      "content-type": "text/csv; charset=utf-8",
      "content-disposition": `attachment; filename="${who.shop}-${report.day}.csv"`,
    };
    return { status: 200, headers, body: reportCsv(report) };
  },
});

export const handler = handlerOf(shop);
