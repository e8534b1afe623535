/** The contract of every engine. test/db/database.test.ts lists the drivers. */
import { ConnectionLost, ConstraintFailed, type Database, GuardFailed, type Row } from "../../db/database.ts";
import { insertRows } from "../../db/dialect.ts";
import { absent, type Statement, sql, touches, Unencodable } from "../../db/sql.ts";
import type { Engine, TestDatabase } from "../_engines.ts";

const put = (id: string, value = 1) => sql`INSERT INTO things (id, value, body) VALUES (${id}, ${value}, ${null})`;
const values = sql`SELECT id, value FROM things ORDER BY id`;
const count = async (database: Database) => (await database.read([sql`SELECT count(*) AS n FROM things`]))[0]?.[0]?.n;

export function databaseContract(engine: Engine): void {
  let database: TestDatabase;
  const ids = engine.name === "mysql" ? "varchar(64) CHARACTER SET ascii COLLATE ascii_bin" : `varchar(64) COLLATE "C"`;
  const tail = engine.name === "mysql" ? "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin" : "";

  beforeAll(async () => {
    database = await engine.open();
    await database.alone((run) =>
      run(
        `CREATE TABLE things (id ${ids} NOT NULL PRIMARY KEY, value bigint NOT NULL, body text, CHECK (value >= 0)) ${tail}`,
      ),
    );
  });
  afterAll(() => database.remove());
  beforeEach(() => database.flight({ statements: [sql`DELETE FROM things`] }));

  describe("values", () => {
    it("come back as they were: integers as numbers, sums too, text whole, null as null", async () => {
      const body = "宫保鸡丁 🍜 'quoted' \\ \" ; -- \n";
      await database.flight({
        statements: [
          sql`INSERT INTO things (id, value, body) VALUES (${"a"}, ${Number.MAX_SAFE_INTEGER}, ${body})`,
          put("b", 0),
        ],
      });
      const [rows, [sum]] = (await database.read([
        sql`SELECT id, value, body FROM things ORDER BY id`,
        sql`SELECT sum(value) AS total, count(*) AS n FROM things`,
      ])) as [Row[], [Row]];
      expect(rows).toEqual([
        { id: "a", value: Number.MAX_SAFE_INTEGER, body },
        { id: "b", value: 0, body: null },
      ]);
      expect(sum).toEqual({ total: Number.MAX_SAFE_INTEGER, n: 2 });
    });

    it("include a text of 24 KB", async () => {
      const body = "厨".repeat(8_192);
      await database.flight({ statements: [sql`INSERT INTO things (id, value, body) VALUES (${"a"}, ${1}, ${body})`] });
      expect((await database.read([sql`SELECT body FROM things`]))[0]).toEqual([{ body }]);
    });

    it("include a number bound to LIMIT", async () => {
      await database.flight({ statements: [put("a"), put("b"), put("c")] });
      expect((await database.read([sql`SELECT id FROM things ORDER BY id LIMIT ${2}`]))[0]).toHaveLength(2);
    });

    it("include any number of rows in one list", async () => {
      const rows = Array.from({ length: 2_500 }, (_, n) => ({ id: `r${n}`, value: n, body: n % 2 ? "ö" : null }));
      await database.flight({ statements: insertRows(database.dialect, "things", rows) });
      const [[sum]] = (await database.read([sql`SELECT sum(value) AS total, count(body) AS n FROM things`])) as [[Row]];
      expect(sum).toEqual({ total: (2_499 * 2_500) / 2, n: 1_250 });
    });

    it.each<[string, unknown]>([
      ["a BigInt", 1n],
      ["undefined", undefined],
      ["a fraction", 0.5],
      ["an integer beyond 2^53", 2 ** 53],
      ["NaN", Number.NaN],
      ["a date", new Date(0)],
      ["an object", {}],
      ["NUL", "a\0b"],
      ["half a surrogate pair", "\ud83c"],
    ])("refuses %s before anything is sent", async (_, value) => {
      const bad = sql`UPDATE things SET body = ${value as string}`;
      await expect(database.flight({ statements: [put("a"), bad] })).rejects.toThrow(Unencodable);
      await expect(database.read([bad])).rejects.toThrow(Unencodable);
      const late = database.flight({ statements: [put("a")], decide: () => [put("b"), bad] });
      await expect(late).rejects.toThrow(Unencodable);
      await expect(
        (async () =>
          database.flight({
            statements: [
              put("a"),
              ...insertRows(database.dialect, "things", [{ id: "x", value: 1, body: value as string }]),
            ],
          }))(),
      ).rejects.toThrow(Unencodable);
      expect(await count(database)).toBe(0);
    });
  });

  describe("ids that nearly agree", () => {
    it("are two when they differ in case", async () => {
      await database.flight({ statements: [put("abc", 1), put("ABC", 2)] });
      expect((await database.read([sql`SELECT value FROM things WHERE id = ${"ABC"}`]))[0]).toEqual([{ value: 2 }]);
    });

    it("are two when they differ in an accent", async () => {
      await database.flight({ statements: [put("abc")] });
      const found = await database.read([sql`SELECT value FROM things WHERE id = ${"ábc"}`]).catch(() => [[]]);
      expect(found[0]).toEqual([]);
    });
  });

  describe("a flight", () => {
    const failures: [string, Statement][] = [
      ["a duplicate key", put("same")],
      ["a CHECK", put("negative", -1)],
      ["an unknown table", sql`INSERT INTO nowhere VALUES (1)`],
      ["a violated condition", absent("VIOLATED", sql`SELECT count(*) FROM things WHERE id = ${"same"}`)],
      ["an update of no row", touches("NO_ROW", 1, sql`UPDATE things SET value = 5 WHERE id = ${"nobody"}`)],
      ["an update of too many rows", touches("TOO_MANY", 0, sql`UPDATE things SET value = 5 WHERE id = ${"same"}`)],
      ["a value of the wrong type", sql`INSERT INTO things (id, value) VALUES (${"x"}, ${"many"})`],
    ];
    const good: Statement[] = [put("a"), put("b"), put("c"), put("d")];

    for (const [what, failing] of failures)
      for (let k = 0; k <= good.length; k++) {
        it(`stores nothing when statement ${k + 1} of ${good.length + 1} is ${what}, and the connection is good afterwards`, async () => {
          await database.flight({ statements: [put("same")] });
          const statements = good.toSpliced(k, 0, failing);
          await expect(database.flight({ statements })).rejects.toThrow();
          for (let split = 0; split <= statements.length; split++) {
            const whole = database.flight({
              statements: statements.slice(0, split),
              decide: () => statements.slice(split),
            });
            await expect(whole).rejects.toThrow();
          }
          expect((await database.read([values]))[0]).toEqual([{ id: "same", value: 1 }]);
          await database.flight({ statements: good });
          expect(await count(database)).toBe(5);
        });
      }

    it("names the statement that failed", async () => {
      await database.flight({ statements: [put("same")] });
      const failure = async (statement: Statement) =>
        database.flight({ statements: [statement] }).catch((error) => error);
      expect(await failure(put("same"))).toMatchObject({ kind: "unique" });
      expect(await failure(put("same"))).toBeInstanceOf(ConstraintFailed);
      expect(await failure(put("x", -1))).toMatchObject({ kind: "check" });
      expect(await failure(touches("IT'S", 1, sql`DELETE FROM things WHERE id = ${"x"}`))).toMatchObject({
        guard: "IT'S",
      });
      expect(await failure(absent("N", sql`SELECT count(*) FROM things`))).toBeInstanceOf(GuardFailed);
      // The engine's message quotes the row, which may be personal.
      expect((await failure(put("same"))).message).not.toContain("same");
    });

    it("commits when its guards hold", async () => {
      await database.flight({
        statements: [
          put("a"),
          touches("ONE", 1, sql`UPDATE things SET value = ${7} WHERE id = ${"a"}`),
          // MySQL counts rows found, not rows that changed.
          touches("ONE", 1, sql`UPDATE things SET value = ${7} WHERE id = ${"a"}`),
          absent("NONE", sql`SELECT count(*) FROM things WHERE value = ${8}`),
        ],
      });
      expect((await database.read([values]))[0]).toEqual([{ id: "a", value: 7 }]);
    });

    it("decides from rows read under lock, and returns every part's rows", async () => {
      await database.flight({ statements: [put("a", 5)] });
      const landed = await database.flight({
        statements: [sql`SELECT value FROM things WHERE id = ${"a"} FOR UPDATE`],
        decide: ([rows]) => [sql`UPDATE things SET value = ${Number(rows?.[0]?.value) + 1} WHERE id = ${"a"}`, values],
        after: [values, sql`SELECT count(*) AS n FROM things`],
      });
      expect(landed).toEqual({
        rows: [[{ value: 5 }]],
        decided: [[], [{ id: "a", value: 6 }]],
        after: [[{ id: "a", value: 6 }], [{ n: 1 }]],
      });
    });

    it("rolls back when decide throws, and throws that very error", async () => {
      class Mine extends Error {
        readonly code = "MINE";
      }
      const refusal = new Mine("no");
      const flight = database.flight({
        statements: [put("a")],
        decide: () => {
          throw refusal;
        },
      });
      await expect(flight).rejects.toBe(refusal);
      expect(await count(database)).toBe(0);
    });

    it("is stored when only a read behind the commit failed", async () => {
      const landed = await database.flight({ statements: [put("a")], after: [sql`SELECT * FROM nowhere`, values] });
      expect(landed.rows).toHaveLength(1);
      expect(await count(database)).toBe(1);
    });

    it("counts up without a loss when many decide on the same row", async () => {
      await database.flight({ statements: [put("a", 0)] });
      const up = () =>
        database.flight({
          statements: [sql`SELECT value FROM things WHERE id = ${"a"} FOR UPDATE`],
          decide: ([rows]) => [sql`UPDATE things SET value = ${Number(rows?.[0]?.value) + 1} WHERE id = ${"a"}`],
        });
      await Promise.all(Array.from({ length: 60 }, up));
      expect((await database.read([values]))[0]).toEqual([{ id: "a", value: 60 }]);
    });
  });

  describe("one connection, many users", () => {
    it("keep each flight whole among failing ones", async () => {
      const narrow = await engine.open({ maxConnections: 1 });
      try {
        await narrow.alone((run) =>
          run(`CREATE TABLE things (id ${ids} NOT NULL PRIMARY KEY, value bigint NOT NULL, body text) ${tail}`),
        );
        const flights = Array.from({ length: 60 }, (_, n) => {
          const statements = [put(`${n}a`, n), put(`${n}b`, n), n % 3 === 0 ? put(`${n}a`, n) : put(`${n}c`, n)];
          if (n % 2) return narrow.flight({ statements });
          return narrow.flight({ statements: statements.slice(0, 1), decide: () => statements.slice(1) });
        });
        const reads = Array.from({ length: 20 }, () =>
          narrow.read([sql`SELECT value, count(*) AS n FROM things GROUP BY value`, sql`SELECT 1 AS one`]),
        );
        const outcomes = await Promise.allSettled(flights);
        expect(outcomes.map(({ status }) => status)).toEqual(
          outcomes.map((_, n) => (n % 3 === 0 ? "rejected" : "fulfilled")),
        );
        for (const [rows] of await Promise.all(reads)) for (const row of rows ?? []) expect(row.n).toBe(3);
        expect(await count(narrow)).toBe(120);
      } finally {
        await narrow.remove();
      }
    });
  });

  describe("reads", () => {
    it("see one snapshot when there are several", async () => {
      const pause = engine.name === "mysql" ? sql`SELECT sleep(0.3)` : sql`SELECT pg_sleep(0.3)::text AS t`;
      const reading = database.read([values, pause, values]);
      await new Promise((resolve) => setTimeout(resolve, 100));
      await database.flight({ statements: [put("late")] });
      const [before, , after] = await reading;
      expect(after).toEqual(before);
    });

    it("cannot write", async () => {
      await expect(database.read([sql`SELECT 1`, put("a")])).rejects.toThrow();
      expect(await count(database)).toBe(0);
    });
  });

  // PGlite is one connection inside this process: it cannot deadlock with itself and is never away.
  if (engine.name !== "pglite") {
    describe("flights and failures", () => {
      it("repeats a flight that lost a deadlock, until both are stored", async () => {
        await database.flight({ statements: [put("a", 0), put("b", 0)] });
        const add = (first: string, second: string) =>
          database.flight({
            statements: [sql`UPDATE things SET value = value + 1 WHERE id = ${first}`, pauseOf(engine)],
            decide: () => [sql`UPDATE things SET value = value + 1 WHERE id = ${second}`],
          });
        await Promise.all([add("a", "b"), add("b", "a"), add("a", "b"), add("b", "a")]);
        expect((await database.read([values]))[0]).toEqual([
          { id: "a", value: 4 },
          { id: "b", value: 4 },
        ]);
      });

      it("makes a new connection when an idle one was closed", async () => {
        const narrow = await engine.open({ maxConnections: 1, tables: false });
        try {
          await kill(narrow, database);
          expect((await narrow.read([sql`SELECT 1 AS one`]))[0]).toEqual([{ one: 1 }]);
          await kill(narrow, database);
          await narrow.flight({ statements: [sql`SELECT 1 AS one`] });
        } finally {
          await narrow.remove();
        }
      });

      it("stores nothing when the connection dies in a flight, and says that it may have been sent", async () => {
        const narrow = await engine.open({ maxConnections: 1, tables: false });
        try {
          await narrow.alone((run) =>
            run(`CREATE TABLE things (id ${ids} NOT NULL PRIMARY KEY, value bigint NOT NULL, body text) ${tail}`),
          );
          const id = await backend(narrow);
          const slow = [
            put("a"),
            engine.name === "mysql" ? sql`SELECT sleep(2)` : sql`SELECT pg_sleep(2)::text AS t`,
            put("b"),
          ];
          const dying = narrow.flight({ statements: slow }).catch((error) => error);
          await new Promise((resolve) => setTimeout(resolve, 300));
          await end(database, id);
          expect(await dying).toBeInstanceOf(ConnectionLost);
          expect(await dying).toMatchObject({ sent: true });
          expect(await count(narrow)).toBe(0);
          // The same, where doing it twice does no harm.
          const again = await backend(narrow);
          const repeated = narrow.flight({ statements: [sql`DELETE FROM things`, ...slow], repeatable: true });
          await new Promise((resolve) => setTimeout(resolve, 300));
          await end(database, again);
          await repeated;
          expect(await count(narrow)).toBe(2);
        } finally {
          await narrow.remove();
        }
      });
    });
  }

  const backend = async (of: Database) =>
    Number(
      (
        await of.read([
          engine.name === "mysql" ? sql`SELECT connection_id() AS id` : sql`SELECT pg_backend_pid() AS id`,
        ])
      )[0]?.[0]?.id,
    );
  const end = (by: TestDatabase, id: number) =>
    by.alone((run) => run(engine.name === "mysql" ? `KILL ${id}` : `SELECT pg_terminate_backend(${id})`));
  const kill = async (whose: TestDatabase, by: TestDatabase) => {
    await end(by, await backend(whose));
    await new Promise((resolve) => setTimeout(resolve, 100));
  };
}

const pauseOf = (engine: Engine) =>
  engine.name === "mysql" ? sql`SELECT sleep(0.1)` : sql`SELECT pg_sleep(0.1)::text AS t`;
