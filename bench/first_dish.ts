/**
 * Benchmark: time until a customer sees the first dish, on a slow phone in a slow network. A browser without a cache, 150 ms
 * round trip, 1.6 Mbit/s down, a processor four times slower. The control is one HTML file with the same dishes in it.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { demoKeys } from "../cli/demo_keys.ts";
import { startMachine } from "../cli/machine.ts";
import { servePages } from "../cli/serve_pages.ts";
import { migrate } from "../db/migrate.ts";
import { openPglite } from "../db/pglite.ts";
import { createDemoShops, demoMenu } from "../demo/shops.ts";
import { readConfig } from "../shared/config.ts";
import type { OpenBrowser } from "../test/web/_browser.ts";
import type { Bench, Workload } from "./_workload.ts";

const shop = "lanzhou-noodles";

export const firstDish: Workload = {
  name: "first_dish",
  says: "address entered → a dish is on the screen of a slow phone, against one HTML file with the same names",
  seconds: { full: 35 },
  run: firstDishOf,
};

async function firstDishOf(bench: Bench): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), "orderbell-bench-"));
  // Loaded here, so that the other benchmarks begin without bundler and browser.
  const { buildPages } = await import("../scripts/build_pages.ts");
  const { openBrowser } = await import("../test/web/_browser.ts");
  await buildPages(join(home, "web"));
  const db = await openPglite({ directory: home });
  await migrate(db);
  const machine = await startMachine({
    config: readConfig({ ...demoKeys(home), DATABASE_URL: `pglite:${home}`, LOG_LEVEL: "silent" }),
    db,
    write: () => {},
    host: "127.0.0.1",
    port: 0,
    files: servePages(join(home, "web")),
    pictures: join(home, "pictures"),
  });
  await createDemoShops(machine.app, join(home, "pictures"));
  const dishes = demoMenu(shop).dishes.map(({ names }) => `<h3>${names.zh}</h3><p>…</p>`);
  const control = createServer((_, response) => {
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.end(
      `<!doctype html><html lang="zh-CN"><meta name="viewport" content="width=device-width">${dishes.join("")}`,
    );
  });
  await new Promise<void>((resolve) => control.listen(0, "127.0.0.1", resolve));
  const controlUrl = `http://127.0.0.1:${(control.address() as { port: number }).port}/`;
  const browser = await openBrowser();
  try {
    await once(browser, controlUrl);
    const urls: Record<string, string> = {
      orderbell: `http://127.0.0.1:${machine.server.port}/?shop=${shop}`,
      "one file": controlUrl,
    };
    await bench.play({
      case: "first visit",
      contenders: Object.keys(urls),
      play: async (name) => ({ "first dish": [await once(browser, urls[name] as string), "ms"] }),
    });
  } finally {
    await browser.close();
    control.close();
    await machine.stop();
    await db.close();
    rmSync(home, { recursive: true, force: true });
  }
}

/** One visit with an empty cache. @returns ms until a dish of the menu has been painted */
async function once(browser: OpenBrowser, url: string): Promise<number> {
  const page = await browser.newPage({ width: 390, height: 844, touch: true });
  try {
    const session = await page.context().newCDPSession(page);
    await session.send("Network.enable");
    await session.send("Network.emulateNetworkConditions", {
      offline: false,
      latency: 150,
      downloadThroughput: (1.6 * 1_000_000) / 8,
      uploadThroughput: (0.75 * 1_000_000) / 8,
    });
    await session.send("Emulation.setCPUThrottlingRate", { rate: 4 });
    await page.addInitScript(`
      const look = () => {
        const dish = [...document.querySelectorAll("h3")].find((one) => one.textContent.trim() !== "");
        if (dish === undefined) requestAnimationFrame(look);
        else requestAnimationFrame(() => { window.firstDishMs = performance.now(); });
      };
      requestAnimationFrame(look);`);
    await page.goto(url, { waitUntil: "commit" });
    for (;;) {
      const ms = await page.evaluate("window.firstDishMs ?? 0");
      if (Number(ms) > 0) return Number(ms);
      await page.waitForTimeout(50);
    }
  } finally {
    await page.close();
  }
}
