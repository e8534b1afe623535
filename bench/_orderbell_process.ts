/** Parts of a contender that is orderbell as a user runs it: durable database, log at `info` into a file. */
import { mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Limits } from "../apigateway/local/server.ts";
import { logOutput } from "../cli/log_output.ts";
import { type Machine, startMachine } from "../cli/machine.ts";
import { migrate } from "../db/migrate.ts";
import { openDatabase } from "../db/open.ts";
import { openPglite } from "../db/pglite.ts";
import type { App } from "../shared/app.ts";
import { type Config, readConfig } from "../shared/config.ts";
import { parseMenu, parseSettings } from "../shared/menu.ts";
import { loginAsGuest, loginAsStaff, newPairingCode } from "../shared/sessions/login.ts";
import { editMenu } from "../shared/shop/edit_menu.ts";
import { createShop, openShop } from "../shared/shop/open_shop.ts";
import type { OrderServer } from "./_load.ts";

export const benchKey = Buffer.alloc(32, 7).toString("base64");

/** A file that the system removes with the process: it is unlinked while it is open. */
function logFile(): (line: string) => void {
  const folder = mkdtempSync(join(tmpdir(), "ob-bench-log-"));
  const file = openSync(join(folder, "log"), "a");
  rmSync(folder, { recursive: true });
  return logOutput((lines) => void writeSync(file, lines)).write;
}

/** @param environment beside the database and the keys */
export async function startOrderbell(
  url: string,
  environment: Readonly<Record<string, string>> = {},
  more: Partial<Config> = {},
  limits: Partial<Limits> = {},
): Promise<Machine> {
  const given = { DATABASE_URL: url, SIGNING_KEY: benchKey, LOG_LEVEL: "info", GUEST_SESSIONS_PER_HOUR: "100000" };
  const config = { ...readConfig({ ...given, ...environment }), ...more };
  const { maxDatabaseConnections: maxConnections } = config;
  const db = url.startsWith("pglite:")
    ? await openPglite(url === "pglite:" ? {} : { directory: url.slice("pglite:".length) })
    : await openDatabase({ url, maxConnections, connectTimeoutMs: 5_000 });
  await migrate(db);
  return startMachine({ config, db, host: "127.0.0.1", port: 0, write: logFile(), limits });
}

const menu = parseMenu({
  categories: [{ id: "c", names: { zh: "面" } }],
  dishes: ["beef", "tomato", "pork"].map((id, at) => ({
    id,
    category: "c",
    names: { zh: id, en: id },
    priceFen: 2_000 + at * 300,
  })),
});
/** The generator stands for many people. */
const limits = { perSession: null, perTable: null, perAddress: null, perShop: null };

export interface Opened {
  readonly id: string;
  readonly kitchenToken: string;
}

/** An open shop with a menu, and a session for its kitchen. */
export async function openBenchShop(app: App, id: string): Promise<Opened> {
  const settings = parseSettings({ services: {}, limits });
  await createShop(app, { id, names: { zh: id }, zone: "Asia/Shanghai", rolloverMinutes: 0, settings });
  await editMenu(app, { actor: null, shop: id, action: "bench", edit: () => ({ menu }) });
  await openShop(app, null, id, true);
  const { code } = await newPairingCode(app, { shop: id, role: "kitchen", device: "bench", by: null });
  const { token } = await loginAsStaff(app, code, "127.0.0.1");
  return { id, kitchenToken: token };
}

/** Guests with sessions of their own, a few at a time. @returns their tokens */
export async function guests(app: App, count: number): Promise<string[]> {
  const tokens: string[] = [];
  while (tokens.length < count) {
    const few = Array.from({ length: Math.min(50, count - tokens.length) }, () => loginAsGuest(app, "127.0.0.1"));
    tokens.push(...(await Promise.all(few)).map(({ token }) => token));
  }
  return tokens;
}

/** Shops with kitchens, and customers who order in them in turns. */
export async function orderServer(
  { app, server }: Machine,
  shopCount: number,
  customerCount = shopCount,
): Promise<OrderServer> {
  const shops: Opened[] = [];
  for (let at = 0; at < shopCount; at++) shops.push(await openBenchShop(app, `shop-${at}`));
  const tokens = await guests(app, customerCount);
  return {
    port: server.port,
    path: "/bill",
    kind: "plain",
    ready: '"type":"resumed"',
    numbered: true,
    shops: shops.map(({ id, kitchenToken }) => ({
      id,
      path: "/pgws",
      protocols: [],
      hello: JSON.stringify({ type: "resume", n: 1, streams: [{ stream: `shop:${id}` }] }),
      kitchenToken,
    })),
    customers: tokens.map((token, at) => ({ token, shop: at % shopCount })),
  };
}

export function sayReady(what: object): void {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}
