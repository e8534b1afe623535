/** Contender of the benchmark: a server with shops, customers and kitchens, in its own process. Prints one line of JSON for the generator. */
import { startMachine } from "../cli/machine.ts";
import { migrate } from "../db/migrate.ts";
import { openDatabase } from "../db/open.ts";
import { openPglite } from "../db/pglite.ts";
import { readConfig } from "../shared/config.ts";
import { parseMenu, parseSettings } from "../shared/menu.ts";
import { loginAsGuest, loginAsStaff, newPairingCode } from "../shared/sessions/login.ts";
import { editMenu } from "../shared/shop/edit_menu.ts";
import { createShop, openShop } from "../shared/shop/open_shop.ts";

const [url = "pglite:", shopCount = "20"] = process.argv.slice(2);
const key = Buffer.alloc(32, 7).toString("base64");
const config = readConfig({
  DATABASE_URL: url,
  SIGNING_KEY: key,
  LOG_LEVEL: "silent",
  GUEST_SESSIONS_PER_HOUR: "100000",
});
const db =
  url === "pglite:" ? await openPglite() : await openDatabase({ url, maxConnections: 10, connectTimeoutMs: 5_000 });
await migrate(db);
const { app, server } = await startMachine({ config, db, host: "127.0.0.1", port: 0, write: () => {} });

const menu = parseMenu({
  categories: [{ id: "c", names: { zh: "面" } }],
  dishes: ["beef", "tomato", "pork"].map((id, at) => ({
    id,
    category: "c",
    names: { zh: id, en: id },
    priceFen: 2_000 + at * 300,
  })),
});
const limits = { perSession: null, perTable: null, perAddress: null, perShop: null };
const shops = [];
for (let at = 0; at < Number(shopCount); at++) {
  const id = `shop-${at}`;
  await createShop(app, {
    id,
    names: { zh: id },
    zone: "Asia/Shanghai",
    rolloverMinutes: 0,
    settings: parseSettings({ services: {}, limits }),
  });
  await editMenu(app, { actor: null, shop: id, action: "bench", edit: () => ({ menu }) });
  await openShop(app, null, id, true);
  const { code } = await newPairingCode(app, { shop: id, role: "kitchen", device: "bench", by: null });
  const kitchen = await loginAsStaff(app, code, "127.0.0.1");
  const customer = await loginAsGuest(app, "127.0.0.1");
  shops.push({
    id,
    token: customer.token,
    kitchenToken: kitchen.token,
    hello: JSON.stringify({ type: "resume", n: 1, streams: [{ stream: `shop:${id}` }] }),
  });
}
process.stdout.write(`${JSON.stringify({ port: server.port, path: "/bill", shops })}\n`);
