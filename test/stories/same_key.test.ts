/** One idempotency key: one order and one answer, whatever happened in between. */
import { sql } from "../../db/sql.ts";
import { onEveryDialect } from "../_engines.ts";
import { type House, newKey, oneBowl, openHouse, type Person } from "../_house.ts";

onEveryDialect((engine) => {
  let house: House;
  let owner: Person;
  beforeAll(async () => {
    house = await openHouse(engine);
    owner = await house.staff("owner");
  });
  afterAll(() => house.close());

  const count = async (customer: Person) =>
    Number((await house.db.read([sql`SELECT count(*) AS n FROM orders WHERE user_id = ${customer.user}`]))[0]?.[0]?.n);
  const path = (rest: string) => `/shops/${house.shop}/${rest}`;

  it("one key in a hundred submits at once makes one order, and all get the same answer", async () => {
    const customer = await house.guest();
    const key = newKey();
    const answers = await Promise.all(Array.from({ length: 100 }, () => customer.order({}, key)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(99);
    const [first] = answers;
    for (const { body } of answers) expect(body).toEqual(first?.body);
    expect(await count(customer)).toBe(1);
    const stream = `user:${customer.user}`;
    const [events] = await house.db.read([sql`SELECT count(*) AS n FROM events WHERE stream = ${stream}`]);
    expect(events?.[0]?.n).toBe(1);
  });

  it("a key places its order anew when the database goes back between finding the key and reading the order", async () => {
    const customer = await house.guest();
    const key = newKey();
    const first = await customer.order({}, key);
    const { read } = house.db;
    const { id } = first.body.order;
    const back = ["order_lines", "order_history"].map((table) => `DELETE FROM ${table} WHERE order_id = '${id}'`);
    Object.assign(house.db, {
      async read(...[statements]: Parameters<typeof read>) {
        if (JSON.stringify(statements).includes(id)) {
          Object.assign(house.db, { read });
          await house.db.alone(async (run) => {
            for (const one of back) await run(one);
            await run(`DELETE FROM orders WHERE id = '${id}'`);
            await run(`DELETE FROM idempotency_keys WHERE result_id = '${id}'`);
          });
        }
        return read(statements);
      },
    });
    const again = await customer.order({}, key);
    expect(house.db.read).toBe(read);
    expect(again.status).toBe(201);
    expect(await count(customer)).toBe(1);
  });

  it("a key gives its order despite sold out, a closed shop, a changed price and a removed dish", async () => {
    const customer = await house.guest();
    const bun = { lines: [{ dish: "bun", quantity: 1 }], expectedTotalFen: 500 };
    const key = newKey();
    const first = await customer.order(bun, key);
    expect(first.status).toBe(201);
    const again = async () => {
      const answer = await customer.order(bun, key);
      expect([answer.status, answer.body]).toEqual([200, first.body]);
    };
    const other = async () => (await customer.order(bun)).body.code;

    await owner.http("PUT", path("dishes/bun/sold_out"), { body: { soldOut: true } });
    expect(await other()).toBe("SOLD_OUT");
    await again();
    await owner.http("PUT", path("dishes/bun/sold_out"), { body: { soldOut: false } });

    await owner.http("PUT", path("dishes/bun/price"), { body: { priceFen: 600 } });
    expect(await other()).toBe("PRICE_CHANGED");
    await again();

    await owner.http("PUT", path("open"), { body: { open: false } });
    expect((await customer.order({ lines: bun.lines })).body.code).toBe("SHOP_CLOSED");
    await again();
    await owner.http("PUT", path("open"), { body: { open: true } });

    const menu = (await owner.http("GET", path("menu"))).body.menu;
    const dish = menu.dishes.find(({ id }: { id: string }) => id === "bun");
    await owner.http("DELETE", path("dishes/bun"));
    expect(await other()).toBe("DISH_UNAVAILABLE");
    await again();
    await owner.http("PUT", path("dishes/bun"), { body: { ...dish, priceFen: 500 } });
    expect(await count(customer)).toBe(1);
  });

  it("a key is refused with another body, and belongs to one customer", async () => {
    const [customer, stranger] = [await house.guest(), await house.guest()];
    const key = newKey();
    const first = await customer.order({}, key);
    const other = await customer.order({ note: "再来一碗" }, key);
    expect([other.status, other.body.code]).toEqual([422, "KEY_REUSED"]);
    const theirs = await stranger.order({}, key);
    expect(theirs.status).toBe(201);
    expect(theirs.body.order.id).not.toBe(first.body.order.id);
    // The order of the fields does not make another body.
    const { lines, service } = oneBowl;
    const turned = await customer.http("POST", "/bill", {
      raw: JSON.stringify({ service, lines, shop: house.shop }),
      headers: { "idempotency-key": key },
    });
    expect([turned.status, turned.body]).toEqual([200, first.body]);
  });

  it("a key is free again after an error", async () => {
    const customer = await house.guest();
    const key = newKey();
    const refused = await customer.order({ lines: [{ dish: "bun", quantity: 99 }] }, key);
    expect(refused.body).toMatchObject({ code: "SOLD_OUT", dish: "bun" });
    const placed = await customer.order({ lines: [{ dish: "tea", quantity: 1 }] }, key);
    expect(placed.status).toBe(201);
  });

  it("a key tells nothing to a token that only claims to be the customer", async () => {
    const customer = await house.guest();
    const key = newKey();
    await customer.order({}, key);
    const forged = customer.token.slice(0, -4) + (customer.token.endsWith("AAAA") ? "BBBB" : "AAAA");
    const answer = await house.http("POST", "/bill", {
      token: forged,
      body: { shop: house.shop, ...oneBowl },
      headers: { "idempotency-key": key },
    });
    expect([answer.status, answer.body.code]).toEqual([401, "SESSION_INVALID"]);
  });

  it("a forged customer's key leaves no row", async () => {
    const forged = `obg_${"0".repeat(26)}${"0".repeat(26)}${"A".repeat(32)}`;
    const answer = await house.http("POST", "/bill", {
      token: forged,
      body: { shop: house.shop, ...oneBowl },
      headers: { "idempotency-key": newKey() },
    });
    expect([answer.status, answer.body.code]).toEqual([401, "SESSION_INVALID"]);
    const [streams, keys] = await house.db.read([
      sql`SELECT name FROM streams WHERE name = ${`user:${"0".repeat(26)}`}`,
      sql`SELECT idem_key FROM idempotency_keys WHERE owner_id = ${"0".repeat(26)}`,
    ]);
    expect([streams, keys]).toEqual([[], []]);
  });
});
