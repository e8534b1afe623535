/** Databases that sleep, run another one's migration, or end an idle connection. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { ConnectionLost, LockTaken } from "../../db/database.ts";
import { migrate } from "../../db/migrate.ts";
import { openMysql } from "../../db/mysql.ts";
import { openPostgres } from "../../db/postgres.ts";
import { sql } from "../../db/sql.ts";
import { waitForDatabase } from "../../db/wait_for_database.ts";
import { onEveryEngine, openAgain, servers, type TestDatabase } from "../_engines.ts";

onEveryEngine((engine) => {
  let database: TestDatabase;
  const open = engine.name === "mysql" ? openMysql : openPostgres;
  beforeAll(async () => {
    database = await engine.open({ tables: false });
  });
  afterAll(() => database.remove());

  /** A paused database: it holds new connections, wakes when one has waited long enough, and forgets closed ones. */
  async function asleep(wakesAfterMs: number) {
    const sockets = new Set<Socket>();
    let awake = false;
    const pass = (client: Socket) => {
      const behind = connect(engine.server.port, engine.server.host);
      sockets.add(behind);
      behind.on("error", () => {}).on("close", () => client.destroy());
      client.on("close", () => behind.destroy());
      client.pipe(behind).pipe(client);
    };
    const server = createServer((client) => {
      sockets.add(client);
      client.on("error", () => {});
      if (awake) return pass(client);
      const timer = setTimeout(() => {
        awake = true;
        pass(client);
      }, wakesAfterMs);
      client.on("close", () => clearTimeout(timer));
      // A socket that is not read does not notice that the other side has closed.
      client.once("end", () => client.destroy());
      return undefined;
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    return {
      port: (server.address() as AddressInfo).port,
      isAwake: () => awake,
      async close() {
        for (const socket of sockets) socket.destroy();
        server.close();
        await once(server, "close");
      },
    };
  }

  it("a sleeping database is waited for, longer than a connection may take", async () => {
    const sleeper = await asleep(1_500);
    const url = new URL(database.url);
    url.host = `127.0.0.1:${sleeper.port}`;
    const through = open({ url: url.href, maxConnections: 1, connectTimeoutMs: 300 });
    const reasons: string[] = [];
    const asked = () => through.alone((run) => run("SELECT 1 AS one"));
    await expect(waitForDatabase(through, asked, { maxWaitMs: 0 })).rejects.toBeInstanceOf(ConnectionLost);
    expect(sleeper.isAwake()).toBe(false);
    const onWait = (reason: string) => void reasons.push(reason);
    expect(await waitForDatabase(through, asked, { maxWaitMs: 60_000, onWait })).toEqual([{ one: 1 }]);
    expect(reasons).toEqual([expect.stringMatching(/does not answer as (PostgreSQL|MySQL) does, or not in time/)]);
    await through.close();
    await sleeper.close();
  });

  it("a database that does not exist is not waited for", async () => {
    const url = new URL(database.url);
    url.pathname = "/nodb";
    const wrong = open({ url: url.href, maxConnections: 1, connectTimeoutMs: 5_000 });
    const onWait = jest.fn();
    const asked = waitForDatabase(wrong, () => wrong.read([sql`SELECT 1`]), { maxWaitMs: 600_000, onWait });
    await expect(asked).rejects.toMatchObject({
      lasting: true,
      reason: expect.stringContaining('"nodb" does not exist'),
    });
    expect(onWait).not.toHaveBeenCalled();
    await wrong.close();
  });

  it("a database that somebody else migrates says so, and since when, and is waited for within bounds", async () => {
    const other = await openAgain(engine, database);
    let finish: (() => void) | undefined;
    let begun: (() => void) | undefined;
    const started = new Promise<void>((resolve) => (begun = resolve));
    const long = other.alone(async () => {
      begun?.();
      await new Promise<void>((resolve) => (finish = resolve));
    });
    await started;
    const holder =
      /^another migration holds the lock( since \d{4}-\d\d-\d\d [\d:]{8} UTC|: connection \d+, its statement)/;
    const told: string[] = [];
    const waiting = migrate(database, undefined, 0, { maxWaitMs: 200, onWait: (sentence) => void told.push(sentence) });
    await expect(waiting).rejects.toBeInstanceOf(LockTaken);
    await expect(waiting).rejects.toThrow(holder);
    expect(told).toEqual([expect.stringMatching(holder)]);
    // Without a limit it goes on when the other one has ended.
    const unlimited = migrate(database, [], 0, { onWait: () => finish?.() });
    await Promise.all([long, unlimited]);
    await other.close();
  });

  it("the connection of a frozen process is ended, and the process goes on with another when it wakes", async () => {
    const options = { url: database.url, maxConnections: 1, connectTimeoutMs: 5_000, idleSessionMs: 1_000 };
    const frozen = open(options);
    const [id, living] =
      engine.name === "mysql"
        ? [
            sql`SELECT connection_id() AS id`,
            (n: number) => sql`SELECT id FROM information_schema.processlist WHERE id = ${n}`,
          ]
        : [sql`SELECT pg_backend_pid() AS id`, (n: number) => sql`SELECT pid FROM pg_stat_activity WHERE pid = ${n}`];
    const [[first]] = (await frozen.read([id])) as [[{ id: number }]];
    while (((await database.read([living(first.id)]))[0] ?? []).length > 0)
      await new Promise((resolve) => setTimeout(resolve, 100));
    const [[second]] = (await frozen.read([id])) as [[{ id: number }]];
    expect(second.id).not.toBe(first.id);
    await frozen.close();
  });

  // MySQL has no such limit on the connection that migrates.
  if (engine.name === "postgres")
    it("a migration may take longer than a request", async () => {
      const hasty = openPostgres({
        url: database.url,
        maxConnections: 1,
        connectTimeoutMs: 5_000,
        statementTimeoutMs: 100,
      });
      await expect(hasty.read([sql`SELECT pg_sleep(1)::text AS t`])).rejects.toThrow();
      expect(await hasty.alone((run) => run("SELECT pg_sleep(1)::text AS t"))).toEqual([{ t: "" }]);
      await hasty.close();
    });
}, servers);
