/** kill -9 in the middle of orders, then a restart: every acknowledged order is there and was shown once. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeApi } from "../../clients/api.ts";
import { nodePlatform } from "../../clients/node.ts";
import { openPglite } from "../../db/pglite.ts";
import { allTables } from "../_emptied.ts";
import { type Engine, onEveryEngine, type TestDatabase } from "../_engines.ts";
import { newKey, oneBowl, openHouse, testKeys } from "../_house.ts";
import { program } from "../_programs.ts";
import { openTablet } from "../_tablet.ts";

/** A database that a second process can open: a folder for PGlite. */
async function prepare(engine: Engine): Promise<{ db: TestDatabase; url: string; remove(): Promise<void> }> {
  if (engine.name !== "pglite") {
    const db = await engine.open();
    return { db, url: db.url, remove: () => db.remove() };
  }
  const directory = await mkdtemp(join(tmpdir(), "orderbell-killed-"));
  const embedded = await openPglite({ directory, from: await allTables() });
  const db = { ...embedded, url: "", remove: async () => {} };
  return { db, url: `pglite:${directory}`, remove: () => rm(directory, { recursive: true, force: true }) };
}

async function serve(url: string, port = 0): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(process.execPath, [...program("test/_server.ts"), url, String(port)], {
    env: {
      ...process.env,
      NODE_OPTIONS: "",
      ...testKeys,
      LOG_LEVEL: "silent",
      CHECK_SHOP_MS: "500",
      COALESCE_MS: "40",
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
  return { child, port: Number(line.toString()) };
}

onEveryEngine((engine) => {
  it("a killed server keeps every acknowledged order and shows it once", async () => {
    const { db, url, remove } = await prepare(engine);
    // The shop is made by a machine of this process, which then lets go of the database.
    const house = await openHouse(engine, { db });
    const { shop } = house;
    const [kitchen, ...customers] = await Promise.all([
      house.staff("kitchen"),
      house.guest(),
      house.guest(),
      house.guest(),
    ]);
    await house.close();
    if (engine.name === "pglite") await db.close();

    let { child, port } = await serve(url);
    const base = `http://127.0.0.1:${port}`;
    const tablet = openTablet({ url: base, token: kitchen.token, shop });
    await tablet.until(({ channel }) => channel.state() === "live", "a live channel");

    const acknowledged: string[] = [];
    let ordering = true;
    const writers = customers.map(async ({ token }) => {
      const api = makeApi(nodePlatform(), { url: base, token: () => token, renew: async () => undefined });
      while (ordering) {
        const key = newKey();
        for (;;) {
          try {
            const { order } = await api.ask<{ order: { id: string } }>({
              method: "POST",
              path: "/bill",
              body: { shop, ...oneBowl },
              headers: { "idempotency-key": key },
            });
            acknowledged.push(order.id);
            // Two of the three are always in progress; more orders would prove nothing more.
            await new Promise((resolve) => setTimeout(resolve, 10));
            break;
          } catch {
            // No answer: the same key again, as the SDK does.
            await new Promise((resolve) => setTimeout(resolve, 20));
          }
        }
      }
    });
    for (let kill = 0; kill < 2; kill++) {
      const before = acknowledged.length;
      await tablet.until(() => acknowledged.length > before + 15, "orders to be taken");
      child.kill("SIGKILL");
      await once(child, "exit");
      ({ child } = await serve(url, port));
    }
    ordering = false;
    await Promise.all(writers);
    await tablet.until(({ orders }) => acknowledged.every((id) => orders.has(id)), "every acknowledged order");
    expect(new Set(acknowledged).size).toBe(acknowledged.length);
    // The tablet throws when an order rings twice or out of order; what it shows is what there is.
    expect([...tablet.orders.keys()].toSorted()).toEqual(acknowledged.toSorted());
    tablet.close();
    child.kill("SIGTERM");
    await once(child, "exit");
    await remove();
  });
});
