/** Limits of waiting orders per session, table, address and shop; the database counts, so every function sees the same. */
import { onEveryDialect } from "../_engines.ts";
import { type Answer, type House, newKey, oneBowl, openHouse } from "../_house.ts";

onEveryDialect((engine) => {
  let house: House;
  afterEach(() => house.close());

  const open = async (limits: object) => {
    house = await openHouse(engine, {
      settings: { limits: { perSession: null, perTable: null, perAddress: null, perShop: null, ...limits } },
      trustedProxies: ["127.0.0.1"],
    });
  };
  /** The outcome of so many orders at once. */
  const outcomes = async (answers: Promise<{ status: number; body: { code?: string; of?: string } }>[]) => {
    const counts: Record<string, number> = {};
    for (const { status, body } of await Promise.all(answers)) {
      const name = status === 201 ? "placed" : `${status} ${body.code} ${body.of}`;
      counts[name] = (counts[name] ?? 0) + 1;
    }
    return counts;
  };

  it("the order limit counts by session, exactly, also when all come at once", async () => {
    await open({ perSession: 3 });
    const [one, other] = [await house.guest(), await house.guest()];
    expect(await outcomes(Array.from({ length: 10 }, () => one.order()))).toEqual({
      placed: 3,
      "429 TOO_MANY_UNACCEPTED session": 7,
    });
    expect(await outcomes([other.order()])).toEqual({ placed: 1 });
    // Accepting makes room.
    const kitchen = await house.staff("kitchen");
    const { orders } = (await one.http("GET", "/orders")).body;
    await kitchen.http("POST", `/orders/${orders[0].id}/accept`, { body: {} });
    expect(await outcomes([one.order(), one.order()])).toEqual({ placed: 1, "429 TOO_MANY_UNACCEPTED session": 1 });
  });

  it("the order limit counts by table, whoever sits there", async () => {
    await open({ perTable: 2 });
    const guests = await Promise.all(Array.from({ length: 5 }, () => house.guest()));
    expect(await outcomes(guests.map((guest) => guest.order({ service: "table", table: house.table })))).toEqual({
      placed: 2,
      "429 TOO_MANY_UNACCEPTED table": 3,
    });
    expect(await outcomes(guests.map((guest) => guest.order()))).toEqual({ placed: 5 });
  });

  it("the order limit counts by shop", async () => {
    await open({ perShop: 4 });
    const guests = await Promise.all(Array.from({ length: 9 }, () => house.guest()));
    expect(await outcomes(guests.map((guest) => guest.order()))).toEqual({
      placed: 4,
      "429 TOO_MANY_UNACCEPTED shop": 5,
    });
  });

  it("the order limit counts a table's orders by its code: the guests of the shop's Wi-Fi have one address", async () => {
    await open({ perAddress: 2, perTable: 10 });
    const guests = await Promise.all(Array.from({ length: 4 }, () => house.guest()));
    expect(await outcomes(guests.map((guest) => guest.order({ service: "table", table: house.table })))).toEqual({
      placed: 4,
    });
    expect(await outcomes(guests.map((guest) => guest.order()))).toEqual({
      placed: 2,
      "429 TOO_MANY_UNACCEPTED address": 2,
    });
  });

  it("the order limit counts IPv6 by /64, and by /48 twice as many: neither fills the shop", async () => {
    await open({ perAddress: 2, perShop: 6 });
    const people = await Promise.all(Array.from({ length: 12 }, () => house.guest()));
    const order = (nth: number, address: string) =>
      people[nth]?.http("POST", "/bill", {
        body: { shop: house.shop, ...oneBowl },
        headers: { "idempotency-key": newKey(), "x-forwarded-for": address },
      }) as Promise<Answer>;
    // One line, a new address for each order.
    expect(await outcomes([1, 2, 3, 4].map((nth) => order(nth, `2001:db8:1:1::${nth}`)))).toEqual({
      placed: 2,
      "429 TOO_MANY_UNACCEPTED address": 2,
    });
    // One site, a new /64 for each order.
    expect(await outcomes([5, 6, 7, 8].map((nth) => order(nth, `2001:db8:1:${nth}::1`)))).toEqual({
      placed: 2,
      "429 TOO_MANY_UNACCEPTED address": 2,
    });
    expect(await outcomes([order(9, "[2001:db8:2:1::1]:40007"), order(10, "192.0.2.7:40007")])).toEqual({ placed: 2 });
  });

  it("the order limit counts by the client's address, behind trusted proxies too, and stores it only hashed", async () => {
    await open({ perAddress: 2 });
    const guest = await house.guest();
    const from = (address: string) =>
      guest.http("POST", "/bill", {
        body: { shop: house.shop, lines: [{ dish: "tea", quantity: 1 }], service: "pickup" },
        headers: { "idempotency-key": crypto.randomUUID(), "x-forwarded-for": `1.2.3.4, ${address}` },
      });
    expect(await outcomes([1, 2, 3, 4].map(() => from("203.0.113.7")))).toEqual({
      placed: 2,
      "429 TOO_MANY_UNACCEPTED address": 2,
    });
    expect(await outcomes([from("203.0.113.8"), from("203.0.113.8")])).toEqual({ placed: 2 });
    const { sql } = await import("../../db/sql.ts");
    const [rows] = await house.db.read([sql`SELECT address_hash FROM orders UNION SELECT address_hash FROM sessions`]);
    expect(rows?.length).toBeGreaterThan(1);
    expect(JSON.stringify(rows)).not.toMatch(/203\.0|127\.0/);
    expect(house.lines.join("")).not.toContain("203.0.113");
  });
});
