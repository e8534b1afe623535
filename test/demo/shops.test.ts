/** The demo's shops: complete menus in two languages, and the same in both file formats. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Machine, startMachine } from "../../cli/machine.ts";
import { createDemoShops, demoMenu, demoShops } from "../../demo/shops.ts";
import { readConfig } from "../../shared/config.ts";
import type { Menu } from "../../shared/menu.ts";
import type { Names } from "../../shared/protocol.ts";
import { readMenuFile } from "../../shared/shop/import_menu.ts";
import { openShop } from "../../shared/shop/open_shop.ts";
import { tablesOf } from "../../shared/shop/tables.ts";
import { anyEngine, type TestDatabase } from "../_engines.ts";
import { testKeys } from "../_house.ts";
import { note } from "../_printed.ts";

const fileOf = (name: string) => readFileSync(new URL(`../../demo/menus/${name}`, import.meta.url), "utf8");

/** Every text of a menu with where it stands. */
function textsOf({ categories, dishes }: Menu): [where: string, texts: Names | undefined][] {
  return [
    ...categories.map(({ id, names }) => [`category ${id}`, names] as [string, Names]),
    ...dishes.flatMap(({ id, names, description, options }) => [
      [`dish ${id}`, names] as [string, Names],
      [`description of ${id}`, description] as [string, Names | undefined],
      ...options.flatMap((option) => [
        [`option ${id} ${option.id}`, option.names] as [string, Names],
        ...option.choices.map((choice) => [`choice ${id} ${option.id} ${choice.id}`, choice.names] as [string, Names]),
      ]),
    ]),
  ];
}

describe.each(demoShops.map((plan) => [plan.id, plan] as const))("the demo menu %s", (id, { names, settings }) => {
  const menu = demoMenu(id);

  it("has the size of a real one", () => {
    expect(menu.categories.length).toBeGreaterThanOrEqual(5);
    expect(menu.dishes.length).toBeGreaterThanOrEqual(20);
    expect(menu.dishes.length).toBeLessThanOrEqual(30);
    const used = new Set(menu.dishes.map(({ category }) => category));
    expect(menu.categories.map((category) => category.id).filter((category) => !used.has(category))).toEqual([]);
  });

  it("is the same when it is read from a shopkeeper's file", () => {
    expect(readMenuFile(fileOf(`${id}.json`), "json")).toEqual(menu);
  });

  it("says everything in Chinese and in English, within the limits", () => {
    const texts = [...textsOf(menu), ["shop", names], ["notice", settings.notice]] as [string, Names | undefined][];
    const faults = texts.filter(([, { zh = "", en = "" } = {}]) => {
      const fits = [zh, en].every((text) => text === text.trim() && text !== "" && [...text].length <= 60);
      return !fits || !/\p{Script=Han}/u.test(zh) || /\p{Script=Han}/u.test(en);
    });
    expect(faults).toEqual([]);
  });

  it("uses every feature of a menu", () => {
    const { dishes } = menu;
    const options = dishes.flatMap((dish) => dish.options);
    const choices = options.flatMap((option) => option.choices);
    expect(new Set(dishes.map(({ station }) => station)).size).toBeGreaterThanOrEqual(3);
    expect(dishes.every(({ station }) => station !== undefined)).toBe(true);
    expect(dishes.some(({ packingFen }) => packingFen > 0)).toBe(true);
    const counted = dishes.filter(({ dailyStock }) => dailyStock !== null);
    expect(counted.length).toBeGreaterThan(0);
    expect(counted.length).toBeLessThan(dishes.length);
    expect(options.some(({ min, max }) => min === 1 && max === 1)).toBe(true);
    expect(options.some(({ min, max }) => min === 0 && max > 1)).toBe(true);
    expect(choices.some(({ priceFen }) => priceFen > 0)).toBe(true);
    expect(choices.some(({ priceFen }) => priceFen < 0)).toBe(true);
    expect(dishes.filter(({ options: [first] }) => first === undefined).length).toBeGreaterThan(0);
  });

  it("has prices of a small shop in China", () => {
    const odd = menu.dishes.filter(({ priceFen }) => priceFen < 200 || priceFen > 10_000 || priceFen % 50 !== 0);
    expect(odd).toEqual([]);
  });
});

it("the noodle shop's menu is there as a table too, for Excel, without descriptions", () => {
  const text = fileOf("lanzhou-noodles.csv");
  // Without the mark Excel takes UTF-8 for something else.
  expect(text.codePointAt(0)).toBe(0xfeff);
  const menu = demoMenu("lanzhou-noodles");
  const dishes = menu.dishes.map(({ description, ...dish }) => dish);
  expect(readMenuFile(text, "csv")).toEqual({ ...menu, dishes });
});

describe("createDemoShops", () => {
  const config = readConfig({ ...testKeys, DATABASE_URL: "pglite:", LOG_LEVEL: "info" });
  let db: TestDatabase;
  const pictures = mkdtempSync(join(tmpdir(), "orderbell-pictures-"));
  let machine: Machine;
  beforeAll(async () => {
    db = await anyEngine.open();
    machine = await startMachine({ config, db, write: note, host: "127.0.0.1", port: 0, pictures });
  });
  afterAll(async () => {
    await machine.stop();
    await db.remove();
    rmSync(pictures, { recursive: true });
  });

  async function http(method: string, path: string, body?: object, headers: Record<string, string> = {}) {
    const response = await fetch(`http://127.0.0.1:${machine.server.port}${path}`, {
      method,
      headers: { "content-type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    // biome-ignore lint/suspicious/noExplicitAny: a test's own assertion is the type check here
    return { status: response.status, body: (await response.json()) as any };
  }

  /** One portion of each dish, with as many choices as must be. */
  const linesOf = (dishes: Menu["dishes"]) =>
    dishes.map(({ id, options }) => ({
      dish: id,
      quantity: 1,
      options: options
        .filter(({ min }) => min > 0)
        .map(({ id: option, min, choices }) => ({ option, choices: choices.slice(-min).map((choice) => choice.id) })),
    }));

  it("makes both shops in an empty database, and opens the first", async () => {
    const { shops, made } = await createDemoShops(machine.app, pictures);
    expect(shops).toEqual(["lanzhou-noodles", "osmanthus-tea"]);
    expect(made.map(({ id, open, dishes }) => [id, open, dishes])).toEqual([
      ["lanzhou-noodles", true, demoMenu("lanzhou-noodles").dishes.length],
      ["osmanthus-tea", false, demoMenu("osmanthus-tea").dishes.length],
    ]);
    for (const { tables } of made) expect(tables.map(({ label }) => label)).toEqual([..."12345678"]);
    const listed = (await http("GET", "/get_shop_info")).body.shops as {
      id: string;
      open: boolean;
      services: object;
    }[];
    expect(listed.map(({ id, open }) => [id, open])).toEqual([
      ["lanzhou-noodles", true],
      ["osmanthus-tea", false],
    ]);
    expect(listed[0]?.services).toMatchObject({ table: true, pickup: true, delivery: { feeFen: 400 } });
    expect(listed[1]?.services).toEqual({ table: true, pickup: true, delivery: null });
  });

  it("shows a picture of its own for every dish", async () => {
    const seen = new Set<string>();
    for (const { id } of demoShops) {
      const { dishes } = (await http("GET", `/get_shop_info?shop=${id}`)).body.menu as Menu;
      for (const dish of dishes) {
        const answer = await fetch(`http://127.0.0.1:${machine.server.port}${dish.picture}`);
        expect([dish.id, answer.status, answer.headers.get("content-type")]).toEqual([dish.id, 200, "image/webp"]);
        expect((await answer.arrayBuffer()).byteLength).toBeLessThan(24 * 1_024);
        seen.add(String(dish.picture));
      }
    }
    expect(seen.size).toBe(demoShops.reduce((sum, { id }) => sum + demoMenu(id).dishes.length, 0));
  });

  it("sells every dish at a table of the open shop, and nothing in the closed one", async () => {
    const { token } = (await http("POST", "/login/guest", {})).body.session;
    const order = async (shop: string, table: string, key: string) => {
      const body = { shop, lines: linesOf(demoMenu(shop).dishes), service: "table", table };
      return http("POST", "/bill", body, { authorization: `Bearer ${token}`, "idempotency-key": key });
    };
    const tables = async (shop: string) => (await tablesOf(machine.app, shop))[0]?.token as string;
    const placed = await order("lanzhou-noodles", await tables("lanzhou-noodles"), "one-of-each-noodle");
    expect([placed.status, placed.body.code]).toEqual([201, undefined]);
    expect(placed.body.order.lines).toHaveLength(demoMenu("lanzhou-noodles").dishes.length);
    const refused = await order("osmanthus-tea", await tables("osmanthus-tea"), "one-of-each-tea");
    expect([refused.status, refused.body.code]).toEqual([409, "SHOP_CLOSED"]);
    await openShop(machine.app, null, "osmanthus-tea", true);
    const sold = await order("osmanthus-tea", await tables("osmanthus-tea"), "one-of-each-tea-again");
    expect([sold.status, sold.body.code]).toEqual([201, undefined]);
  });

  it("does nothing where the shop exists", async () => {
    const before = await http("GET", "/get_shop_info?shop=lanzhou-noodles");
    expect(await createDemoShops(machine.app, pictures)).toEqual({
      shops: ["lanzhou-noodles", "osmanthus-tea"],
      made: [],
    });
    // The menu's stream may go on by itself: an order has just been placed.
    const { position: _, ...now } = (await http("GET", "/get_shop_info?shop=lanzhou-noodles")).body;
    expect({ ...now, position: before.body.position }).toEqual(before.body);
  });
});
