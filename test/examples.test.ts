/** The examples, each run as its README says, against a test server. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseCollections } from "../shared/live/collections.ts";
import { pageType } from "../shared/page_files.ts";
import { anyEngine } from "./_engines.ts";
import { type House, openHouse, type Person } from "./_house.ts";
import { barriers } from "./web/_axe.ts";
import { type OpenBrowser, openBrowser } from "./web/_browser.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

let house: House;
const children: ChildProcess[] = [];

beforeAll(async () => {
  const { collections } = parseCollections(readFileSync(join(root, "collections.yml"), "utf8"));
  house = await openHouse(anyEngine, { config: { collections } });
});
afterAll(async () => {
  for (const child of children) if (child.exitCode === null && child.signalCode === null) await end(child);
  await house?.close();
});

async function end(child: ChildProcess): Promise<void> {
  const over = once(child, "exit");
  child.kill("SIGTERM");
  await over;
}

/** A program of the examples; `printed` waits for a line. */
function run(command: string, args: readonly string[], environment: Record<string, string> = {}) {
  const child = spawn(command, args, { cwd: root, env: { ...process.env, NODE_OPTIONS: "", ...environment } });
  children.push(child);
  let said = "";
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      said += chunk;
      for (const look of [...waiting]) look();
    });
  const printed = (pattern: RegExp) =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      const look = () => {
        const found = pattern.exec(said);
        if (found === null) return;
        waiting.delete(look);
        resolve(found);
      };
      child.once("exit", () => reject(new Error(`it has ended: ${said}`)));
      waiting.add(look);
      look();
    });
  return { child, printed, said: () => said };
}

const bellCharacter = "\u0007";
const bun = { service: "pickup", lines: [{ dish: "bun", quantity: 2, options: [], note: "" }] };

async function complete(staff: Person, id: string): Promise<void> {
  for (const action of ["accept", "ready", "complete"])
    expect((await staff.http("POST", `/orders/${id}/${action}`, { body: {} })).status).toBe(200);
}

describe("the pages of the examples", () => {
  let folder: string;
  let server: Server;
  let browser: OpenBrowser;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "orderbell-examples-"));
    const built = spawnSync(process.execPath, ["--import", "tsx", "scripts/build_sdk.ts", join(folder, "dist/sdk")], {
      cwd: root,
      encoding: "utf8",
      env: { ...process.env, NODE_OPTIONS: "" },
    });
    expect(`${built.stdout}${built.stderr}`).toBe("");
    cpSync(join(root, "examples"), join(folder, "examples"), { recursive: true });
    // In the place of `python3 -m http.server`: files of a folder, and nothing else.
    server = createServer((request, response) => {
      const [path = ""] = (request.url ?? "").split("?");
      const name = path.endsWith("/") ? `${path}index.html` : path;
      response.setHeader("content-type", pageType(name) ?? "text/plain");
      try {
        response.end(readFileSync(join(folder, name)));
      } catch {
        response.writeHead(404).end();
      }
    });
    server.listen(0, "127.0.0.1");
    [browser] = await Promise.all([openBrowser(), once(server, "listening")]);
  });
  afterAll(async () => {
    await browser?.close();
    server?.closeAllConnections();
    server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("shows a menu, orders from it, and follows the order from another host", async () => {
    const page = await browser.newPage({ width: 390, height: 800, language: "en" });
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    const { port } = server.address() as AddressInfo;
    await page.goto(`http://127.0.0.1:${port}/examples/page/?api=${encodeURIComponent(house.url)}&shop=${house.shop}`);
    await page.getByRole("heading", { name: "Noodle house" }).waitFor();
    expect(await page.getByRole("button", { name: "Order Braised beef noodles" }).isDisabled()).toBe(true);
    await page.getByRole("button", { name: "Order Jasmine tea" }).click();
    const mine = page.locator("#orders li");
    await mine.filter({ hasText: /: placed$/ }).waitFor();
    const staff = await house.staff("cashier");
    const [order] = (await staff.http("GET", `/shops/${house.shop}/orders`)).body.orders;
    expect(await mine.allTextContents()).toEqual([`${order.number}: placed`]);
    await complete(staff, order.id);
    await mine.filter({ hasText: `${order.number}: completed` }).waitFor();
    expect(await barriers(page)).toEqual([]);
    expect(errors).toEqual([]);
    await page.close();
  });

  it("fly a comment over every open page at once, and show it to those who come later", async () => {
    const { port } = server.address() as AddressInfo;
    const errors: string[] = [];
    const open = async () => {
      const page = await browser.newPage({ width: 390, height: 800, language: "en", reducedMotion: false });
      page.on("pageerror", (error) => errors.push(String(error)));
      await page.goto(`http://127.0.0.1:${port}/examples/danmaku/?api=${encodeURIComponent(house.url)}`);
      await page.getByText("live", { exact: true }).waitFor();
      return page;
    };
    const [writer, reader] = [await open(), await open()];
    await writer.getByLabel("Your comment").fill("<b>前方高能</b>");
    await writer.getByRole("button", { name: "Send" }).click();
    // As text, never as HTML.
    for (const page of [writer, reader]) {
      await page.locator("#sky span", { hasText: "<b>前方高能</b>" }).waitFor();
      expect(await page.locator("#list li").count()).toBe(1);
    }
    expect(await barriers(reader)).toEqual([]);
    const late = await open();
    await late.locator("#list li", { hasText: "前方高能" }).waitFor();
    // The server is away for a moment: nothing is lost, nobody reloads.
    await house.restart();
    await writer.getByLabel("Your comment").fill("回来了");
    await writer.getByLabel("Your comment").press("Enter");
    for (const page of [writer, reader, late]) {
      await page.locator("#list li", { hasText: "回来了" }).waitFor();
      await page.getByText("live", { exact: true }).waitFor();
      expect(await page.locator("#list li").count()).toBe(2);
    }
    expect(errors).toEqual([]);
    for (const page of [writer, reader, late]) await page.close();
  });
});

describe("the script of the examples", () => {
  it("prints an order once, and rings until it is accepted", async () => {
    const owner = await house.staff("owner");
    const { pairingCode } = (
      await owner.http("POST", `/shops/${house.shop}/pairing`, { body: { role: "kitchen", device: "bell" } })
    ).body;
    const bell = run(process.execPath, [
      "--import",
      "tsx",
      "examples/kitchen_bell.ts",
      house.url,
      house.shop,
      pairingCode,
    ]);
    await bell.printed(/live/);
    const { order } = (await (await house.guest()).order(bun)).body;
    await bell.printed(new RegExp(`${order.number} 2 × 肉包\n`));
    await bell.printed(new RegExp(bellCharacter));
    await complete(owner, order.id);
    await end(bell.child);
    expect(bell.child.exitCode).toBe(0);
    expect(bell.said().split(order.number)).toHaveLength(2);
  });

  it("prints its usage when it is called wrongly", async () => {
    const child = spawnSync(process.execPath, ["--import", "tsx", "examples/kitchen_bell.ts"], {
      cwd: root,
      encoding: "utf8",
      env: { ...process.env, NODE_OPTIONS: "" },
    });
    expect(child.stderr).toContain("usage: kitchen_bell.ts <api> <shop> <pairing code>");
  });
});

const hasPython = spawnSync("python3", ["--version"]).status === 0;

describe("the back end of the examples", () => {
  // Only where there is no Python; .ci/run installs it.
  (hasPython ? it : it.skip)(
    "stamps a customer's own completed orders once each, and tells of a full card",
    async () => {
      const made = (await house.call("admin", {
        command: "keys.add",
        args: { name: "stamps", scopes: ["introspect", "notify"] },
      })) as { ok: { key: string } };
      const stamps = run("python3", ["examples/stamps.py", house.url, "0"], { ORDERBELL_KEY: made.ok.key });
      const [, url = ""] = await stamps.printed(/stamps at (http:\S+)/);
      const ask = async (method: string, token: string, body?: object) => {
        const answer = await fetch(`${url}/stamps`, {
          method,
          headers: { authorization: `Bearer ${token}` },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        return [answer.status, await answer.json()];
      };
      const [customer, other, staff] = [await house.guest(), await house.guest(), await house.staff("cashier")];
      const orders: string[] = [];
      for (let n = 0; n < 3; n++) orders.push((await customer.order(bun)).body.order.id);
      const refused = [409, { error: "this order is not completed, or not yours" }];
      expect(await ask("POST", customer.token, { order: orders[0] })).toEqual(refused);
      for (const id of orders) await complete(staff, id);
      expect(await ask("POST", other.token, { order: orders[0] })).toEqual(refused);
      expect(await ask("POST", customer.token, { order: "../session" })).toEqual(refused);
      expect(await ask("POST", customer.token, {})).toEqual([400, { error: 'send {"order": "<id>"}' }]);
      for (const token of ["", "nobody's", staff.token])
        expect(await ask("POST", token, { order: orders[0] })).toEqual([401, { error: "sign in first" }]);
      expect(await ask("POST", customer.token, { order: orders[0] })).toEqual([200, { stamps: 1 }]);
      expect(await ask("POST", customer.token, { order: orders[0] })).toEqual([200, { stamps: 1 }]);
      for (const id of [orders[1], orders[2], orders[2]]) await ask("POST", customer.token, { order: id });
      expect(await ask("GET", customer.token)).toEqual([200, { stamps: 3 }]);
      const { notifications } = (await customer.http("GET", "/orders")).body;
      expect(notifications).toEqual([expect.objectContaining({ title: "Your stamp card is full" })]);
      // Signed out, a token is worth nothing there either.
      expect((await customer.http("DELETE", "/session")).status).toBe(204);
      expect(await ask("GET", customer.token)).toEqual([401, { error: "sign in first" }]);
      await end(stamps.child);
    },
  );
});
