/** Report of a business day: takings, orders by hour, best sellers. */
import type { Row } from "../../db/database.ts";
import { readReport } from "../../db/orders.ts";
import { readShop } from "../../db/shops.ts";
import type { App } from "../app.ts";
import { businessDay } from "../day.ts";
import { ShopUnknown } from "../errors.ts";
import { failedStatuses } from "../order_states.ts";
import type { Names } from "../protocol.ts";
import { oneLine } from "../text.ts";
import { shopOf } from "./open_shop.ts";

export interface Report {
  readonly shop: string;
  readonly day: string;
  readonly zone: string;
  /** Valid orders: not rejected, cancelled or expired. */
  readonly orders: number;
  readonly totalFen: number;
  readonly paidFen: number;
  /** Of orders that nobody accepted in time. */
  readonly expiredFen: number;
  readonly byStatus: Readonly<Record<string, number>>;
  readonly byService: Readonly<Record<string, number>>;
  /** Hour of the shop's clock → orders and their total. */
  readonly byHour: readonly { readonly hour: number; readonly orders: number; readonly totalFen: number }[];
  readonly dishes: readonly {
    readonly dish: string;
    readonly names: Names;
    readonly quantity: number;
    readonly totalFen: number;
  }[];
}

/** @param day without it: today's business day @throws ShopUnknown */
export async function dayReport(app: App, shop: string, day: string | undefined): Promise<Report> {
  const [shops] = await app.db.read([readShop(shop)]);
  if (shops[0] === undefined) throw new ShopUnknown(shop);
  const { zone, rolloverMinutes } = shopOf(shops[0]);
  const wanted = day ?? businessDay(app.clock.now(), zone, rolloverMinutes);
  const [orders, lines] = await app.db.read(readReport(shop, wanted));
  const valid = orders.filter(({ status }) => !failedStatuses.some((one) => one === status));
  return {
    shop,
    day: wanted,
    zone,
    orders: valid.length,
    totalFen: sum(valid, "total_fen"),
    paidFen: sum(
      valid.filter(({ payment }) => payment === "paid"),
      "total_fen",
    ),
    expiredFen: sum(
      orders.filter(({ status }) => status === "expired"),
      "total_fen",
    ),
    byStatus: count(orders, "status"),
    byService: count(valid, "service"),
    byHour: byHour(valid, zone),
    dishes: bestSellers(lines),
  };
}

const sum = (rows: readonly Row[], column: string) => rows.reduce((total, row) => total + Number(row[column]), 0);

function count(rows: readonly Row[], column: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const row of rows) counts[String(row[column])] = (counts[String(row[column])] ?? 0) + 1;
  return counts;
}

function byHour(rows: readonly Row[], zone: string): Report["byHour"] {
  const hourOf = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", hourCycle: "h23" });
  const hours = new Map<number, { hour: number; orders: number; totalFen: number }>();
  for (const row of rows) {
    const hour = Number(hourOf.format(Number(row.placed_at)));
    const entry = hours.get(hour) ?? { hour, orders: 0, totalFen: 0 };
    hours.set(hour, { hour, orders: entry.orders + 1, totalFen: entry.totalFen + Number(row.total_fen) });
  }
  return [...hours.values()].toSorted((a, b) => a.hour - b.hour);
}

function bestSellers(lines: readonly Row[]): Report["dishes"] {
  const dishes = new Map<string, Report["dishes"][number]>();
  for (const row of lines) {
    const dish = String(row.dish_id);
    const entry = dishes.get(dish) ?? { dish, names: JSON.parse(String(row.names)) as Names, quantity: 0, totalFen: 0 };
    dishes.set(dish, {
      ...entry,
      quantity: entry.quantity + Number(row.quantity),
      totalFen: entry.totalFen + Number(row.total_fen),
    });
  }
  return [...dishes.values()].toSorted((a, b) => b.quantity - a.quantity || (a.dish < b.dish ? -1 : 1));
}

/** CSV for spreadsheets: RFC 4180, with a byte order mark so that Excel reads UTF-8. */
export function csv(header: readonly string[], rows: readonly (readonly (string | number | null)[])[]): string {
  const cell = (value: string | number | null) => {
    const text = value === null ? "" : String(value);
    // A text must not become a formula: also in full-width characters, and behind invisible ones.
    const begins = (one: string) => /^[=+\-@\t\r]/.test(one);
    const formula = typeof value === "string" && (begins(text) || begins(oneLine(text.normalize("NFKC"))));
    const safe = formula ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return `\uFEFF${[header, ...rows].map((row) => row.map(cell).join(",")).join("\r\n")}\r\n`;
}

/** 4050 → `40.50`, for people who read the file; programs add up fen. */
const inYuan = (fen: number): string => (fen / 100).toFixed(2);

export function reportCsv(report: Report): string {
  return csv(
    ["day", "dish", "zh", "en", "quantity", "totalFen", "totalYuan"],
    report.dishes.map(({ dish, names, quantity, totalFen }) => [
      report.day,
      dish,
      names.zh ?? null,
      names.en ?? null,
      quantity,
      totalFen,
      inYuan(totalFen),
    ]),
  );
}

/** The orders of a day as a table, without personal data. */
export async function ordersCsv(app: App, shop: string, day: string): Promise<string> {
  const [orders] = await app.db.read(readReport(shop, day));
  return csv(
    [
      "day",
      "number",
      "id",
      "status",
      "payment",
      "service",
      "table",
      "itemsFen",
      "packingFen",
      "deliveryFen",
      "totalFen",
      "placedAt",
      "completedAt",
      "totalYuan",
    ],
    (orders ?? []).map((row) => [
      String(row.day),
      String(row.number),
      String(row.id),
      String(row.status),
      String(row.payment),
      String(row.service),
      row.table_label === null ? null : String(row.table_label),
      Number(row.items_fen),
      Number(row.packing_fen),
      Number(row.delivery_fen),
      Number(row.total_fen),
      new Date(Number(row.placed_at)).toISOString(),
      row.completed_at === null ? null : new Date(Number(row.completed_at)).toISOString(),
      inYuan(Number(row.total_fen)),
    ]),
  );
}
