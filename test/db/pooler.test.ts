/** PgBouncer in transaction mode, known from the address or not: the rules beyond the engines' contract. */
import { migrate } from "../../db/migrate.ts";
import { openPostgres } from "../../db/postgres.ts";
import { sql } from "../../db/sql.ts";
import { pooled, type TestDatabase } from "../_engines.ts";
import { type OwnServer, startPgbouncer } from "../_own_servers.ts";

(pooled.here ? describe : describe.skip)("a pooler of transactions", () => {
  /** Takes the settings of a session and forgets them, as Supavisor and Neon's do: it shows itself by names of statements only. */
  let forgetful: OwnServer;
  let database: TestDatabase;
  const opened: { close(): Promise<void> }[] = [];

  beforeAll(async () => {
    forgetful = await startPgbouncer(process.env.ORDERBELL_TEST_POSTGRES ?? "", [
      "ignore_startup_parameters = statement_timeout,lock_timeout,idle_in_transaction_session_timeout",
      "default_pool_size = 2",
    ]);
    database = await pooled.open({ tables: false });
    await database.alone((run) => run("CREATE TABLE counters (id text PRIMARY KEY, value bigint NOT NULL)"));
  });
  afterAll(async () => {
    for (const one of opened) await one.close();
    await database?.remove();
    await forgetful?.stop();
  });

  const untold = () => database.url.replace("?pgbouncer=true", "");
  const addresses: [string, () => string][] = [
    ["that the address tells", () => database.url],
    ["that refuses settings, and nobody told", untold],
    [
      "that forgets settings, and nobody told",
      () => {
        const url = new URL(untold());
        url.port = String(forgetful.port);
        return url.href;
      },
    ],
  ];

  it.each(addresses)("serves many processes of one connection each, as functions are: one %s", async (name, urlOf) => {
    const processes = Array.from({ length: 5 }, () =>
      openPostgres({ url: urlOf(), maxConnections: 1, connectTimeoutMs: 5_000 }),
    );
    opened.push(...processes);
    await database.flight({ statements: [sql`INSERT INTO counters VALUES (${name}, ${0})`] });
    const up = (n: number) =>
      (processes[n % processes.length] as (typeof processes)[number]).flight({
        statements: [sql`SELECT value FROM counters WHERE id = ${name} FOR UPDATE`],
        decide: ([rows]) => [
          sql`INSERT INTO counters VALUES (${`${name} ${n}`}, ${n})`,
          sql`UPDATE counters SET value = ${Number(rows?.[0]?.value) + 1} WHERE id = ${name}`,
        ],
        after: [sql`SELECT count(*) AS n FROM counters WHERE id = ${`${name} ${n}`}`],
      });
    const landed = await Promise.all(Array.from({ length: 60 }, (_, n) => up(n)));
    expect(landed.map(({ after }) => after)).toEqual(Array.from({ length: 60 }, () => [[{ n: 1 }]]));
    for (const one of processes)
      expect(await one.read([sql`SELECT value FROM counters WHERE id = ${name}`])).toEqual([[{ value: 60 }]]);
  });

  it("limits the time of each transaction and read all the same, and leaves nothing of a session behind", async () => {
    await migrate(database);
    const limits = sql`SELECT current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock,
      current_setting('idle_in_transaction_session_timeout') AS idle`;
    const set = [{ statement: "10s", lock: "5s", idle: "10s" }];
    expect(await database.read([limits])).toEqual([set]);
    expect(await database.read([limits, limits])).toEqual([set, set]);
    const { rows, after } = await database.flight({ statements: [limits], after: [limits] });
    expect([...rows, ...after]).toEqual([set, set]);
    // Straight to the connections that the pooler lends on: no limit of ours, no lock, no prepared statement.
    const bare = await database.alone((run) =>
      run(`SELECT (SELECT setting FROM pg_settings WHERE name = 'statement_timeout') AS inside,
        (SELECT reset_val FROM pg_settings WHERE name = 'statement_timeout') AS outside,
        (SELECT count(*)::int FROM pg_prepared_statements) AS prepared,
        (SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS locks`),
    );
    expect(bare).toEqual([{ inside: "0", outside: "0", prepared: 0, locks: 0 }]);
  });
});
