/** Lists of statements to MySQL: in one write, or one by one where something stands between that takes no list. */
import { openMysql } from "../../db/mysql.ts";
import { maxPrepared } from "../../db/mysql_statements.ts";
import { sql } from "../../db/sql.ts";
import { type Engine, engines, openAgain, type TestDatabase } from "../_engines.ts";
import { startProxy, type Wire } from "../_proxy.ts";
import { databaseContract } from "../contracts/database.ts";

const mysql = engines.find(({ name }) => name === "mysql") as Engine;
const day = (shop: string, orders = 0) =>
  sql`INSERT INTO shop_days (shop_id, day, orders) VALUES (${shop}, 'd', ${orders})`;
const more = (shop: string) => sql`UPDATE shop_days SET orders = orders + 1 WHERE shop_id = ${shop}`;
const all = sql`SELECT shop_id, orders FROM shop_days ORDER BY shop_id`;

(mysql.here ? describe : describe.skip)("mysql", () => {
  describe("round trips on a warm connection", () => {
    let direct: TestDatabase;
    let wire: Wire;
    let db: TestDatabase;
    beforeAll(async () => {
      direct = await mysql.open();
      wire = await startProxy(mysql.server, 50);
      db = await openAgain(mysql, direct, wire, 1);
    });
    afterAll(async () => {
      await db.close();
      await wire.close();
      await direct.remove();
    });
    afterEach(() => direct.flight({ statements: [sql`DELETE FROM shop_days`] }));

    const change = (shop: string) => [day(shop), more(shop), all];
    it.each<[string, number, (shop: string) => Promise<unknown>]>([
      ["a read", 1, () => db.read([all])],
      ["a read of several in one snapshot", 1, () => db.read([all, sql`SELECT 1 AS one`])],
      ["a flight of one statement", 1, (shop) => db.flight({ statements: [day(shop)], after: [all] })],
      ["a flight of several statements", 2, (shop) => db.flight({ statements: change(shop), after: [all] })],
      ["a flight that decides", 3, (shop) => db.flight({ statements: [day(shop), all], decide: () => [more(shop)] })],
    ])("%s: %i", async (_, trips, run) => {
      await run("a");
      const before = wire.trips();
      await run("b");
      expect(wire.trips() - before).toBe(trips);
    });
  });

  it("what was sent behind a deadlock is rolled back with it", async () => {
    const db = await mysql.open();
    await db.flight({ statements: [day("a"), day("b")] });
    // The victim runs again until it is stored: what it sent behind its lock must then be stored once.
    const both = (first: string, second: string) =>
      db.flight({ statements: [more(first), sql`SELECT sleep(0.2)`, more(second), more(first)] });
    await Promise.all([both("a", "b"), both("b", "a")]);
    const [rows] = await db.read([all]);
    expect(rows).toEqual([
      { shop_id: "a", orders: 3 },
      { shop_id: "b", orders: 3 },
    ]);
    await db.remove();
  });

  it("more texts than a connection keeps prepared run, in one flight and again", async () => {
    const db = await mysql.open({ maxConnections: 1 });
    const texts = Array.from(
      { length: 2 * maxPrepared + 50 },
      (_, n) => `SELECT ${n} AS n, count(*) AS of FROM shop_days`,
    );
    const statements = texts.map((text) => sql([text] as unknown as TemplateStringsArray));
    for (let round = 0; round < 2; round++) {
      const { rows } = await db.flight({ statements });
      expect(rows.map(([row]) => row?.n)).toEqual(texts.map((_, n) => n));
    }
    const [[closed]] = await db.read([sql`SHOW SESSION STATUS LIKE 'Com_stmt_close'`]);
    expect(Number(closed?.Value)).toBeGreaterThanOrEqual(3 * maxPrepared);
    await db.remove();
  });

  describe("one by one", () => {
    databaseContract({
      ...mysql,
      async open(options) {
        const made = await mysql.open(options);
        const { maxConnections = 10 } = options ?? {};
        const db = openMysql({ url: made.url, maxConnections, connectTimeoutMs: 5_000, pooler: "session" });
        return {
          ...db,
          url: made.url,
          async remove() {
            await db.close();
            await made.remove();
          },
        };
      },
    });
  });
});
