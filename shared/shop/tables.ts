/** Tables of a shop, each with a code for guests to scan. */
import type { Row } from "../../db/database.ts";
import { insertMenu, insertTables, readMenu, readTables, removeTable, setVersion } from "../../db/shops.ts";
import type { Statement } from "../../db/sql.ts";
import type { App } from "../app.ts";
import { sessionOf } from "../audit.ts";
import { InvalidInput, TableUnknown } from "../errors.ts";
import { changeShop, knownShop, type ShopActor } from "./open_shop.ts";

export interface Table {
  /** Random; part of the QR code and of WeChat's `scene`, which takes 32 characters. */
  readonly token: string;
  readonly label: string;
}

const maxTables = 500;

/** @throws ShopUnknown */
export async function tablesOf(app: App, shop: string): Promise<Table[]> {
  await knownShop(app, shop);
  const [rows] = await app.db.read([readTables(shop)]);
  return rows.map(({ token, label }) => ({ token: String(token), label: String(label) }));
}

/** Adds tables. The menu gets a new version, so that held menus are loaded again with the new tables. */
export async function addTables(app: App, actor: ShopActor, shop: string, labels: readonly string[]): Promise<Table[]> {
  const tables = labels.map((label) => ({ token: app.random.secret(12), label }));
  const edit: TablesEdit<Table[]>["edit"] = (existing, at) => {
    if (existing.length + tables.length > maxTables)
      throw new InvalidInput("labels", `a shop has at most ${maxTables} tables`);
    const twin = labels.find(
      (label, nth) => labels.indexOf(label) !== nth || existing.some((table) => table.label === label),
    );
    if (twin !== undefined) throw new InvalidInput("labels", `there is a table "${twin}" already`);
    return { writes: insertTables(app.db.dialect, shop, tables, at), result: tables };
  };
  return changeTables(app, { actor, shop, action: "tables.add", edit });
}

/** Its code stops working at once; codes are rotated by removing and adding. @throws TableUnknown */
export async function dropTable(app: App, actor: ShopActor, shop: string, token: string): Promise<void> {
  const edit: TablesEdit<void>["edit"] = (existing, at) => {
    if (!existing.some((table) => table.token === token)) throw new TableUnknown();
    return { writes: [removeTable(shop, token, at)], result: undefined };
  };
  return changeTables(app, { actor, shop, action: "tables.remove", edit });
}

interface TablesEdit<T> {
  readonly actor: ShopActor;
  readonly shop: string;
  readonly action: string;
  edit(existing: readonly Row[], at: number): { writes: readonly Statement[]; result: T };
}

function changeTables<T>(app: App, { actor, shop, action, edit }: TablesEdit<T>): Promise<T> {
  const at = app.clock.now();
  return changeShop(app, {
    actor,
    shop,
    reads: [readTables(shop), readMenu(shop)],
    repeatable: false,
    decide(now, [tables, menus]) {
      const { writes, result } = edit(tables ?? [], at);
      const next = now.version + 1;
      return {
        writes: [
          ...writes,
          insertMenu(shop, next, String(menus?.[0]?.document), sessionOf(actor), at),
          setVersion(shop, next),
        ],
        events: [{ type: "menu.changed", data: { version: next } }],
        audit: [action, { version: next }],
        result,
      };
    },
  });
}
