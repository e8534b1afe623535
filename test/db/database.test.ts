import { ConnectionLost } from "../../db/database.ts";
import { openDatabase } from "../../db/open.ts";
import { sql } from "../../db/sql.ts";
import { engines, onEveryEngine, pooled } from "../_engines.ts";
import { databaseContract } from "../contracts/database.ts";

describe("database", () => onEveryEngine(databaseContract, [...engines, pooled]));

describe("a database that is away", () => {
  it.each(["postgres://u:p@127.0.0.1:1/x", "mysql://u:p@127.0.0.1:1/x"])("is reported as away: %s", async (url) => {
    const database = await openDatabase({ url, maxConnections: 1, connectTimeoutMs: 500 });
    try {
      const lost = await database.read([sql`SELECT 1`]).catch((error) => error);
      expect(lost).toBeInstanceOf(ConnectionLost);
      expect(lost).toMatchObject({ sent: false });
      expect(lost.message).not.toContain("127.0.0.1");
    } finally {
      await database.close();
    }
  });

  it("is refused when its address names no engine, without repeating the address", async () => {
    const refused = openDatabase({ url: "oracle://user:secret@host", maxConnections: 1, connectTimeoutMs: 1 });
    await expect(refused).rejects.toThrow(/must start with/);
    await expect(refused).rejects.not.toThrow(/secret/);
  });
});
