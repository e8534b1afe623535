/** A network that swallows the database's answers: the caller gets an error in bounded time, and no lock remains. */
import { ConnectionLost } from "../../db/database.ts";
import { type Sql, sql } from "../../db/sql.ts";
import { onEveryEngine, openAgain, servers, type TestDatabase } from "../_engines.ts";
import { startProxy, type Wire } from "../_proxy.ts";

const more = (shop: string) => sql`UPDATE shop_days SET orders = orders + 1 WHERE shop_id = ${shop}`;

onEveryEngine((engine) => {
  let direct: TestDatabase;
  const opened: { wire: Wire; db: TestDatabase }[] = [];
  beforeAll(async () => {
    direct = await engine.open();
    for (const shop of ["statement", "commit"])
      await direct.flight({
        statements: [sql`INSERT INTO shop_days (shop_id, day, orders) VALUES (${shop}, '2026-11-27', 0)`],
      });
  });
  afterAll(async () => {
    for (const { wire, db } of opened) {
      wire.cut();
      await db.close();
      await wire.close();
    }
    await direct.remove();
  });

  /** Locks the shop's row, and is silent when the next statements are asked for. */
  async function fallsSilent(shop: string, then: readonly Sql[]): Promise<unknown> {
    const wire = await startProxy(engine.server);
    const db = await openAgain(engine, direct, wire, 1);
    opened.push({ wire, db });
    await db.read([sql`SELECT 1 AS one`]);
    const decide = () => {
      wire.silence(true);
      return then;
    };
    return db.flight({ statements: [more(shop)], decide }).catch((error) => error);
  }

  it("a flight ends at the statement or the commit whose answer never comes, and its row can be changed again", async () => {
    const outcomes = await Promise.all([
      fallsSilent("statement", [sql`SELECT shop_id FROM shop_days WHERE orders > 100`]),
      fallsSilent("commit", []),
    ]);
    for (const outcome of outcomes) {
      expect(outcome).toBeInstanceOf(ConnectionLost);
      expect(outcome).toMatchObject({ sent: true });
    }
    for (const shop of ["statement", "commit"]) await direct.flight({ statements: [more(shop)] });
    const [rows] = await direct.read([sql`SELECT orders FROM shop_days ORDER BY shop_id`]);
    // The commit had arrived. Whether the other one had is unknown to an engine that sends both at once.
    expect(rows?.[0]?.orders).toBe(2);
    expect([1, 2]).toContain(rows?.[1]?.orders);
  });
}, servers);
