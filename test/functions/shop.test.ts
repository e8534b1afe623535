/** Staff routes of a shop: roles, switches, menu versions, tables, devices, report. */
import { sql } from "../../db/sql.ts";
import { onEveryDialect } from "../_engines.ts";
import { type Answer, type House, openHouse, type Person, testMenu } from "../_house.ts";
import { routeRights } from "../_rights.ts";

onEveryDialect((engine) => {
  let house: House;
  let owner: Person;
  let cashier: Person;
  let kitchen: Person;
  let guest: Person;
  beforeAll(async () => {
    house = await openHouse(engine);
    [owner, cashier, kitchen, guest] = await Promise.all([
      house.staff("owner"),
      house.staff("cashier"),
      house.staff("kitchen"),
      house.guest(),
    ]);
  });
  afterAll(() => house.close());

  const at = (rest: string) => `/shops/${house.shop}/${rest}`;
  const codeOf = ({ status, body }: Answer) => [status, body?.code];

  it("each role may do what the role matrix says, and nobody of another shop anything", async () => {
    const { createShop } = await import("../../shared/shop/open_shop.ts");
    const { testSettings } = await import("../_house.ts");
    await createShop(house.app, {
      id: "other",
      names: { en: "Other" },
      zone: "Asia/Shanghai",
      rolloverMinutes: 0,
      settings: testSettings(),
    });
    const stranger = await house.staff("owner", "other");
    // A route of the role matrix, and a body for it.
    const requests: [string, unknown?][] = [
      ["GET /shops/{shop}/orders"],
      ["PUT /shops/{shop}/open", { open: true }],
      ["GET /shops/{shop}/menu"],
      ["PUT /shops/{shop}/menu", testMenu],
      ["PUT /shops/{shop}/settings", { settings: testSettings() }],
      ["PUT /shops/{shop}/dishes/{dish}", testMenu.dishes[2]],
      ["PUT /shops/{shop}/dishes/{dish}/price", { priceFen: 800 }],
      ["PUT /shops/{shop}/dishes/{dish}/sold_out", { soldOut: false }],
      ["POST /shops/{shop}/dishes/{dish}/stock", { delta: 0 }],
      ["GET /shops/{shop}/tables"],
      ["POST /shops/{shop}/tables", { labels: ["role"] }],
      ["DELETE /shops/{shop}/tables/{table}"],
      ["GET /shops/{shop}/devices"],
      ["DELETE /shops/{shop}/devices/{device}"],
      ["POST /shops/{shop}/pairing", { role: "kitchen", device: "x" }],
      ["GET /shops/{shop}/audit"],
      ["GET /shops/{shop}/report"],
    ];
    const roles = { owner, cashier, kitchen };
    for (const [route, body] of requests) {
      const [method, template] = route.split(" ") as [string, string];
      const path = template
        .replace("{shop}", house.shop)
        .replace("{dish}", route.endsWith("/stock") ? "bun" : "tea")
        .replace("{table}", "nothing")
        .replace("{device}", "01M7YHFXQAX5A2EW393VQTANMS");
      const served = routeRights[route]?.for ?? [];
      for (const role of ["owner", "cashier", "kitchen"] as const) {
        const answer = await roles[role].http(method, path, { body });
        expect([route, role, answer.status === 403 ? "forbidden" : "allowed"]).toEqual([
          route,
          role,
          served.includes(role) ? "allowed" : "forbidden",
        ]);
        if (role === "owner")
          await house.db.flight({ statements: [sql`UPDATE dining_tables SET removed_at = 1 WHERE label = ${"role"}`] });
      }
      for (const who of [stranger, guest])
        expect([route, ...codeOf(await who.http(method, path, { body }))]).toEqual([route, 403, "FORBIDDEN"]);
      expect([route, ...codeOf(await house.http(method, path, { body }))]).toEqual([route, 401, "SESSION_MISSING"]);
    }
  });

  it("shops and devices are listed page by page, each once and in order", async () => {
    const pages = async (path: string, member: string): Promise<string[][]> => {
      const found: string[][] = [];
      for (let after = "", more = true; more; ) {
        const { body } = await owner.http("GET", `${path}?limit=2${after === "" ? "" : `&after=${after}`}`);
        const ids = body[member].map(({ id }: { id: string }) => id);
        found.push(ids);
        after = ids.at(-1);
        more = body.more;
      }
      return found;
    };
    expect(await pages("/get_shop_info", "shops")).toEqual([[house.shop, "other"]]);
    const all = (await owner.http("GET", at("devices"))).body.devices.map(({ id }: { id: string }) => id);
    const listed = await pages(at("devices"), "devices");
    expect(listed.map(({ length }) => length)).toEqual([2, 1]);
    expect(listed.flat()).toEqual(all);
    expect(all).toEqual([...all].sort());
  });

  it("a shop opens and closes once when asked twice, and every listener is told", async () => {
    const [screen, phone] = await Promise.all([kitchen.connect(), guest.connect()]);
    await screen.resume({ stream: `shop:${house.shop}` });
    await phone.resume({ stream: `menu:${house.shop}` });
    for (let times = 0; times < 3; times++)
      expect((await cashier.http("PUT", at("open"), { body: { open: false } })).body).toEqual({ open: false });
    await screen.next("event", ({ event }) => event === "shop.closed");
    await phone.next("event", ({ data }) => !(data as { open: boolean }).open);
    expect(codeOf(await guest.order())).toEqual([409, "SHOP_CLOSED"]);
    await Promise.all([1, 2, 3].map(() => cashier.http("PUT", at("open"), { body: { open: true } })));
    await screen.next("event", ({ event }) => event === "shop.opened");
    await phone.next("event", ({ data }) => (data as { open: boolean }).open);
    expect(screen.frames.filter((frame) => frame.type === "event" && frame.event.startsWith("shop."))).toEqual([]);
    const [rows] = await house.db.read([sql`SELECT action, session_id FROM audit WHERE action = ${"close"}`]);
    expect(rows).toEqual([{ action: "close", session_id: cashier.session }]);
    screen.close();
    phone.close();
  });

  it("a stock that no kitchen has is refused", async () => {
    const ask = (delta: number) => owner.http("POST", at("dishes/bun/stock"), { body: { delta } });
    const { left } = (await ask(0)).body;
    expect(codeOf(await ask(100_000 - left + 1))).toEqual([409, "STOCK_ABOVE_LIMIT"]);
    expect((await ask(0)).body.left).toBe(left);
    expect((await ask(100_000 - left)).body.left).toBe(100_000);
    expect((await ask(left - 100_000)).body.left).toBe(left);
  });

  it("each change of the menu gets a version, and with If-Match only one of two wins", async () => {
    const { version, menu } = (await owner.http("GET", at("menu"))).body;
    const race = await Promise.all(
      [900, 950].map((priceFen) =>
        owner.http("PUT", at("dishes/tea/price"), { body: { priceFen }, headers: { "if-match": `"${version}"` } }),
      ),
    );
    expect(race.map(({ status }) => status).toSorted()).toEqual([200, 412]);
    const loser = race.find(({ status }) => status === 412) as Answer;
    expect(loser.body).toMatchObject({ code: "VERSION_MISMATCH", version: String(version + 1) });
    // Without it, changes of different dishes do not undo each other.
    await Promise.all([
      owner.http("PUT", at("dishes/tea/price"), { body: { priceFen: 700 } }),
      owner.http("PUT", at("dishes/bun/price"), { body: { priceFen: 400 } }),
    ]);
    const now = (await owner.http("GET", at("menu"))).body;
    expect(now.version).toBe(version + 3);
    const priceOf = (id: string) => now.menu.dishes.find((dish: { id: string }) => dish.id === id).priceFen;
    expect([priceOf("tea"), priceOf("bun")]).toEqual([700, 400]);
    await owner.http("PUT", at("menu"), { body: menu });
  });

  it("a menu that contradicts itself is refused whole, with every contradiction", async () => {
    const { version } = (await owner.http("GET", at("menu"))).body;
    const broken = {
      categories: [
        { id: "a", names: { zh: "甲" } },
        { id: "a", names: { zh: "乙" } },
      ],
      dishes: [
        {
          id: "x",
          category: "nowhere",
          names: { zh: "菜" },
          priceFen: 100,
          options: [
            {
              id: "o",
              names: { zh: "选" },
              min: 3,
              max: 2,
              choices: [{ id: "c", names: { zh: "一" }, priceFen: -200 }],
            },
          ],
        },
        { id: "x", category: "a", names: { zh: "菜" }, priceFen: 100 },
      ],
    };
    const answer = await owner.http("PUT", at("menu"), { body: broken });
    expect(codeOf(answer)).toEqual([422, "MENU_INVALID"]);
    expect(answer.body.errors).toEqual([
      'category "a" stands twice',
      'dish "x" stands twice',
      'dish "x": there is no category "nowhere"',
      'dish "x", option "o": min is more than max',
      'dish "x", option "o": min is more than there are choices',
      'dish "x": options can make it cheaper than nothing',
    ]);
    expect((await owner.http("GET", at("menu"))).body.version).toBe(version);
  });

  it("an order is priced by one version of the menu, whatever changes meanwhile", async () => {
    const prices = [800, 1_000];
    let changing = true;
    const changes = (async () => {
      for (let nth = 0; changing; nth++) {
        await owner.http("PUT", at("dishes/tea/price"), { body: { priceFen: prices[nth % 2] } });
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    })();
    const answers: Answer[] = [];
    const lines = [1, 1].map((quantity) => ({ dish: "tea", quantity }));
    try {
      while (answers.length < 30) {
        const answer = await guest.order({ lines }, `version-${answers.length}`);
        // More edits than in practice: where edits are quicker than orders, the answer is to try again.
        if (answer.status === 503) expect(codeOf(answer)).toEqual([503, "OVERLOADED"]);
        else answers.push(answer);
      }
    } finally {
      changing = false;
      await changes;
    }
    for (const { status, body } of answers) {
      expect(status).toBe(201);
      expect([1_600, 2_000]).toContain(body.order.totalFen);
    }
    const [rows] = await house.db.read([
      sql`SELECT o.total_fen, m.document FROM orders o JOIN menus m ON m.shop_id = o.shop_id AND m.version = o.menu_version`,
    ]);
    const teas = (rows ?? []).filter(({ total_fen }) => [1_600, 2_000].includes(Number(total_fen)));
    expect(teas.length).toBeGreaterThanOrEqual(30);
    for (const { total_fen, document } of teas) {
      const tea = JSON.parse(String(document)).dishes.find((dish: { id: string }) => dish.id === "tea");
      expect(total_fen).toBe(tea.priceFen * 2);
    }
    await owner.http("PUT", at("dishes/tea/price"), { body: { priceFen: 800 } });
  });

  it("table codes work at once, stop at once, and fit WeChat's scene", async () => {
    const { body } = await owner.http("POST", at("tables"), { body: { labels: ["包间 1", "包间 2"] } });
    const [first, second] = body.tables;
    expect(first.token).toMatch(/^[A-Za-z0-9_-]{16}$/);
    const order = (table: string) => guest.order({ service: "table", table });
    expect((await order(first.token)).body.order.table).toBe("包间 1");
    expect((await house.http("GET", `/get_shop_info?shop=${house.shop}&table=${second.token}`)).body.table).toEqual(
      second,
    );
    expect((await owner.http("DELETE", at(`tables/${first.token}`))).status).toBe(204);
    expect(codeOf(await order(first.token))).toEqual([404, "TABLE_UNKNOWN"]);
    expect(codeOf(await house.http("GET", `/get_shop_info?shop=${house.shop}&table=${first.token}`))).toEqual([
      404,
      "TABLE_UNKNOWN",
    ]);
    expect(codeOf(await owner.http("DELETE", at(`tables/${first.token}`)))).toEqual([404, "TABLE_UNKNOWN"]);
    const twice = await owner.http("POST", at("tables"), { body: { labels: ["9", "9"] } });
    expect(codeOf(twice)).toEqual([400, "INVALID_INPUT"]);
  });

  it("an unchanged shop is answered with 304, and any change with 200", async () => {
    const path = `/get_shop_info?shop=${house.shop}`;
    // What the tests before have changed is still being published.
    let first = await house.http("GET", path);
    for (let before = ""; before !== first.text; ) {
      before = first.text;
      await new Promise((resolve) => setTimeout(resolve, 150));
      first = await house.http("GET", path);
    }
    const etag = first.headers.get("etag") as string;
    const ask = async () =>
      (await house.http("GET", path, { headers: { "if-none-match": `"old", W/${etag}` } })).status;
    expect(await ask()).toBe(304);
    await kitchen.http("PUT", at("dishes/tea/sold_out"), { body: { soldOut: true } });
    expect(await ask()).toBe(200);
    expect((await house.http("GET", path)).body.soldOut).toContain("tea");
    expect(codeOf(await guest.order({ lines: [{ dish: "tea", quantity: 1 }] }))).toEqual([409, "SOLD_OUT"]);
    await kitchen.http("PUT", at("dishes/tea/sold_out"), { body: { soldOut: false } });
    // Nothing internal is public.
    expect(first.text).not.toMatch(/dailyStock|station|"off"/);
  });

  it("the day's report counts takings, hours, services and best sellers, without orders that were not served", async () => {
    const fresh = await openHouse(engine);
    const [boss, cook, buyer] = [await fresh.staff("owner"), await fresh.staff("kitchen"), await fresh.guest()];
    const buy = async (lines: object[]) => (await buyer.order({ lines })).body.order;
    const tea = { dish: "tea", quantity: 2 };
    const bun = { dish: "bun", quantity: 3 };
    const kept = [await buy([tea]), await buy([tea, bun])];
    const fallen = await buy([bun]);
    await cook.http("POST", `/orders/${fallen.id}/reject`, { body: {} });
    await boss.http("POST", `/orders/${kept[0].id}/paid`, { body: {} });
    const report = (await boss.http("GET", `/shops/${fresh.shop}/report`)).body;
    expect(report).toMatchObject({
      orders: 2,
      totalFen: 1_600 + 3_100,
      paidFen: 1_600,
      byStatus: { placed: 2, rejected: 1 },
      byService: { pickup: 2 },
    });
    expect(report.byHour.reduce((sum: number, { orders }: { orders: number }) => sum + orders, 0)).toBe(2);
    expect(report.dishes).toEqual([
      { dish: "tea", names: { zh: "茉莉花茶", en: "Jasmine tea" }, quantity: 4, totalFen: 3_200 },
      { dish: "bun", names: { zh: "肉包" }, quantity: 3, totalFen: 1_500 },
    ]);
    const csv = await boss.http("GET", `/shops/${fresh.shop}/report?format=csv&day=${report.day}`);
    expect(csv.headers.get("content-type")).toBe("text/csv; charset=utf-8");
    expect(csv.text.split("\r\n")[1]).toBe(`${report.day},tea,茉莉花茶,Jasmine tea,4,3200,32.00`);
    expect((await boss.http("GET", `/shops/${fresh.shop}/report?day=2020-02-02`)).body.orders).toBe(0);
    await fresh.close();
  });
});
