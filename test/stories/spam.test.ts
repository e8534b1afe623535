/** Against spam: how many orders may wait, per session, table, address and shop; the database counts, so every function sees the same. */
import { onEveryEngine } from "../_engines.ts";
import { type House, openHouse } from "../_house.ts";

onEveryEngine((engine) => {
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

  it("counts by session, exactly, also when all come at once", async () => {
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

  it("counts by table, whoever sits there", async () => {
    await open({ perTable: 2 });
    const guests = await Promise.all(Array.from({ length: 5 }, () => house.guest()));
    expect(await outcomes(guests.map((guest) => guest.order({ service: "table", table: house.table })))).toEqual({
      placed: 2,
      "429 TOO_MANY_UNACCEPTED table": 3,
    });
    expect(await outcomes(guests.map((guest) => guest.order()))).toEqual({ placed: 5 });
  });

  it("counts by shop", async () => {
    await open({ perShop: 4 });
    const guests = await Promise.all(Array.from({ length: 9 }, () => house.guest()));
    expect(await outcomes(guests.map((guest) => guest.order()))).toEqual({
      placed: 4,
      "429 TOO_MANY_UNACCEPTED shop": 5,
    });
  });

  it("counts by the client's address, behind trusted proxies too, and stores it only hashed", async () => {
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
