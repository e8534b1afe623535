import { migrate, migrations, SchemaTooNew } from "../../db/migrate.ts";
import type { Migration } from "../../db/migration.ts";
import { sql } from "../../db/sql.ts";
import { engines, onEveryEngine, openAgain, pooled, type TestDatabase } from "../_engines.ts";

onEveryEngine(
  (engine) => {
    let database: TestDatabase;
    beforeEach(async () => {
      database = await engine.open({ tables: false });
    });
    afterEach(() => database.remove());

    const applied = async () =>
      (await database.read([sql`SELECT version, name FROM schema_migrations ORDER BY version`]))[0];
    const versions = migrations.map(({ version }) => version);
    const next: Migration = {
      version: 9_001,
      name: "test",
      statements: ({ id, table }) => [
        `CREATE TABLE test_a (id ${id} NOT NULL PRIMARY KEY) ${table}`,
        `ALTER TABLE test_a ADD COLUMN more integer`,
        `CREATE TABLE test_b (id ${id} NOT NULL PRIMARY KEY) ${table}`,
      ],
    };

    it("a migration applies everything once, and nothing the second time", async () => {
      expect(await migrate(database)).toEqual(versions);
      expect(await migrate(database)).toEqual([]);
      expect(await applied()).toEqual(migrations.map(({ version, name }) => ({ version, name })));
    });

    it("a migration runs once when several start it at once", async () => {
      const others =
        engine.name === "pglite" ? [] : await Promise.all([1, 2, 3].map(() => openAgain(engine, database)));
      const all = await Promise.all([database, database, ...others].map((one) => migrate(one)));
      // One migration each is the lock's: which process applies which is chance.
      expect(all.flat().toSorted((a, b) => a - b)).toEqual(versions);
      for (const other of others) await other.close();
    });

    it("a migration goes on from an older database", async () => {
      await migrate(database);
      expect(await migrate(database, [...migrations, next])).toEqual([9_001]);
      expect((await database.read([sql`SELECT more FROM test_a`]))[0]).toEqual([]);
    });

    it("a migration refuses a database that is newer than the code, and changes nothing", async () => {
      await migrate(database, [...migrations, next]);
      const refused = migrate(database);
      await expect(refused).rejects.toThrow(SchemaTooNew);
      await expect(refused).rejects.toThrow(/9001.*run the newer orderbell/);
      expect(await applied()).toHaveLength(migrations.length + 1);
    });

    it("a migration can be finished after it died at any step", async () => {
      const list = next.statements;
      for (let dies = 0; dies < 3; dies++) {
        const broken: Migration = {
          ...next,
          version: 9_001 + dies,
          statements: (types) =>
            list(types)
              .map((text) => text.replaceAll(/test_([ab])/g, `test_$1${dies}`))
              .with(dies, "THIS IS NOT SQL"),
        };
        const mended: Migration = {
          ...broken,
          statements: (types) => list(types).map((text) => text.replaceAll(/test_([ab])/g, `test_$1${dies}`)),
        };
        const earlier = Array.from({ length: dies }, (_, at) => ({ ...next, version: 9_001 + at }));
        await expect(migrate(database, [...earlier, broken])).rejects.toThrow();
        expect(await migrate(database, [...earlier, mended])).toEqual([broken.version]);
        expect(
          (await database.read([sql`SELECT count(*) AS n FROM schema_migrations WHERE applied_at IS NULL`]))[0],
        ).toEqual([{ n: 0 }]);
      }
    });

    if (engine.name === "mysql")
      it("a migration does a step again that was done and not recorded", async () => {
        await migrate(database, [
          ...migrations,
          { ...next, statements: (types) => next.statements(types).with(1, "THIS IS NOT SQL") },
        ]).catch(() => {});
        // As if the process had died right behind the statement.
        await database.alone((run) => run("ALTER TABLE test_a ADD COLUMN more integer"));
        expect(await migrate(database, [...migrations, next])).toEqual([9_001]);
      });
  },
  [...engines, pooled],
);
