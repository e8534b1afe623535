/** `npm run serve`: refuses an incomplete configuration, runs on real databases, and contains nothing of the demo. */

import { readdir, readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { build } from "esbuild";
import { migrations } from "../../db/migrate.ts";
import { sql } from "../../db/sql.ts";
import { ConfigError } from "../../shared/config.ts";
import { type Engine, onEveryEngine, servers } from "../_engines.ts";
import { newKey, openSocket, testKeys, testMenu } from "../_house.ts";
import { note } from "../_printed.ts";
import { cleanUp, launch, newHome, orderbell, type Process, root, within } from "./_cli.ts";

afterAll(cleanUp);

const messageOf = (kind: string, body: string) => {
  const bytes = Buffer.from(`${kind}....${body}`);
  bytes.writeInt32BE(bytes.length - 1, 1);
  return bytes;
};
/** ErrorResponse of PostgreSQL's protocol. */
const postgresError = (code: string, message: string) => messageOf("E", `SFATAL\0VFATAL\0C${code}\0M${message}\0\0`);
/** ERR_Packet of MySQL's protocol, in place of the greeting. */
function mysqlError(code: number, message: string): Buffer {
  const bytes = Buffer.from(`....\x7f..${message}`);
  bytes.writeUInt32LE(bytes.length - 4, 0);
  bytes[4] = 0xff;
  bytes.writeUInt16LE(code, 5);
  return bytes;
}

const unreachable = "postgres://shop:not-to-be-printed@127.0.0.1:1/shop";

describe("npm run serve refuses to start", () => {
  it.each([
    ["without anything", {}, "environment variable DATABASE_URL and SIGNING_KEY are missing\n"],
    ["without a database", { ...testKeys }, "environment variable DATABASE_URL is missing\n"],
    ["with an empty address", { ...testKeys, DATABASE_URL: "" }, "environment variable DATABASE_URL is missing\n"],
    ["without a key", { DATABASE_URL: unreachable }, "environment variable SIGNING_KEY is missing\n"],
    [
      "with a short key",
      { DATABASE_URL: unreachable, SIGNING_KEY: "not-to-be-printed" },
      "environment variable SIGNING_KEY must be 32 bytes in base64\n",
    ],
    [
      "with a bad key for WeChat",
      { ...testKeys, DATABASE_URL: unreachable, WECHAT_KEY: "not-to-be-printed" },
      "environment variable WECHAT_KEY must be 32 bytes in base64\n",
    ],
    [
      "on the embedded database",
      { ...testKeys, DATABASE_URL: "pglite:.orderbell" },
      /^environment variable DATABASE_URL must start with postgres:\/\/ or mysql:\/\/; /,
    ],
    [
      "with half of a certificate",
      { ...testKeys, DATABASE_URL: unreachable, TLS_CERT: "cert.pem" },
      "environment variable TLS_CERT and TLS_KEY go together\n",
    ],
    [
      "with a bucket without a region",
      { ...testKeys, DATABASE_URL: unreachable, FILES_URL: "s3://KEY:not-to-be-printed@nas.lan:9000/files" },
      /^environment variable FILES_URL has no region; /,
    ],
    [
      "with a bad port",
      { ...testKeys, DATABASE_URL: unreachable, PORT: "http" },
      /^environment variable PORT must be /,
    ],
  ])("%s", async (_, environment, message) => {
    const { code, out, err } = await within(["serve"], { ...(environment as object), ORDERBELL_HOME: await newHome() });
    expect([code, out]).toEqual([2, ""]);
    if (typeof message === "string") expect(err).toBe(message);
    else expect(err).toMatch(message);
    expect(err).not.toContain("not-to-be-printed");
  });

  it.each([
    [["--only", "shops"], "--only is one of session\n"],
    [["--only"], /--only/],
    [["--all"], /--all/],
    [["session"], /^"session" is one word too many/],
  ])("with the words %j", async (words, message) => {
    const { code, out, err } = await within(["serve", ...words], { ORDERBELL_HOME: await newHome() });
    expect([code, out]).toEqual([2, ""]);
    if (typeof message === "string") expect(err).toBe(message);
    else expect(err).toMatch(message);
  });

  it("as a process, which ends with 2", async () => {
    const { code, err } = await orderbell(["serve"], { environment: { ORDERBELL_HOME: await newHome() } });
    expect([code, err]).toEqual([2, `${new ConfigError("DATABASE_URL and SIGNING_KEY", "are missing").message}\n`]);
  });

  describe("with a database that cannot be used, saying why in one sentence", () => {
    const closing: (() => Promise<void>)[] = [];
    // Each start in this process listens for its exit.
    const usualListeners = process.getMaxListeners();
    beforeAll(() => void process.setMaxListeners(100));
    /** What is no database: it answers as it likes, or not at all. */
    async function stranger(talk: (socket: Socket) => void): Promise<number> {
      const server = createServer((socket) => {
        socket.on("error", () => {});
        closing.push(async () => void socket.destroy());
        talk(socket);
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      closing.push(() => new Promise((resolve) => server.close(() => resolve())));
      return (server.address() as AddressInfo).port;
    }
    afterAll(async () => {
      process.setMaxListeners(usualListeners);
      for (const close of closing.toReversed()) await close();
    });
    /** Speaks as the database until it refuses with this code. */
    const refusing = async (scheme: "postgres" | "mysql", code: string, message: string) => {
      const port = await stranger((socket) => {
        if (scheme === "mysql") return socket.end(mysqlError(Number(code), message));
        return socket.on("data", (data) => {
          // A wish for TLS comes first, if at all.
          if (data.length === 8 && data.readInt32BE(4) === 80_877_103) socket.write("N");
          else socket.end(postgresError(code, message));
        });
      });
      return `${scheme}://shop:not-to-be-printed@127.0.0.1:${port}/shop`;
    };
    /** The database as it is, but for some bytes. */
    async function through(at: 0 | 1, alter: (text: string) => string): Promise<string> {
      const { host = "", port = 0 } = servers[at]?.server ?? {};
      const own = await stranger((socket) => {
        const server = connect(port, host);
        server.on("error", () => socket.destroy());
        socket.on("data", (data) => server.write(alter(data.toString("latin1")), "latin1"));
        server.on("data", (data) => socket.write(alter(data.toString("latin1")), "latin1"));
        socket.on("close", () => server.destroy());
      });
      return addressOf(at, (url) => (url.host = `127.0.0.1:${own}`));
    }
    const [postgres, mysql] = servers.map(({ server: { host, port } }) => `${host}:${port}`);
    const isHere = { postgres: servers[0]?.here, mysql: servers[1]?.here };

    const rows: [string, boolean | undefined, () => Promise<string> | string, RegExp | string][] = [
      ["nothing listens", true, () => unreachable, "nothing listens at 127.0.0.1:1 (ECONNREFUSED)"],
      [
        "a host that is none",
        true,
        () => "mysql://shop:not-to-be-printed@no-such-host.invalid/shop",
        'host "no-such-host.invalid" is unknown (ENOTFOUND)',
      ],
      [
        "something else listens",
        true,
        async () =>
          `postgres://shop:not-to-be-printed@127.0.0.1:${await stranger((socket) => socket.end("hello\n"))}/shop`,
        /^127\.0\.0\.1:\d+ ended the connection, or does not speak as PostgreSQL does$/,
      ],
      [
        "something listens and says nothing",
        true,
        async () => `mysql://shop:not-to-be-printed@127.0.0.1:${await stranger(() => {})}/shop`,
        /^127\.0\.0\.1:\d+ does not answer as MySQL does, or not in time \(ETIMEDOUT\)$/,
      ],
      [
        "MySQL where PostgreSQL is said to be",
        isHere.mysql,
        () => `postgres://shop:not-to-be-printed@${mysql}/shop`,
        `what answers at ${mysql} is not PostgreSQL`,
      ],
      [
        "PostgreSQL without the database",
        isHere.postgres,
        () => addressOf(0, (url) => (url.pathname = "/nodb")),
        'database "nodb" does not exist (3D000)',
      ],
      [
        "MySQL without the database",
        isHere.mysql,
        () => addressOf(1, (url) => (url.pathname = "/nodb")),
        'database "nodb" does not exist (1049)',
      ],
      [
        "MySQL with another password",
        isHere.mysql,
        () => addressOf(1, (url) => (url.password = "not-to-be-printed")),
        `${mysql} refuses user "root": wrong name or password (1045)`,
      ],
      [
        "PostgreSQL without TLS where TLS is asked for",
        isHere.postgres,
        () => addressOf(0, (url) => url.searchParams.set("sslmode", "require")),
        `${postgres} does not speak TLS, and the address asks for it`,
      ],
      [
        "MySQL without TLS where TLS is asked for",
        isHere.mysql,
        () => addressOf(1, (url) => url.searchParams.set("ssl-mode", "REQUIRED")),
        `${mysql} does not speak TLS, and the address asks for it (HANDSHAKE_NO_SSL_SUPPORT)`,
      ],
      [
        "PostgreSQL with another password",
        true,
        () => refusing("postgres", "28P01", 'password authentication failed for user "shop"'),
        /^127\.0\.0\.1:\d+ refuses user "shop": wrong name or password \(28P01\)$/,
      ],
      [
        "PostgreSQL that takes only TLS",
        true,
        () => refusing("postgres", "28000", 'no pg_hba.conf entry for host "127.0.0.1", no encryption'),
        /^127\.0\.0\.1:\d+ takes only TLS: add sslmode=verify-full to the address \(28000\)$/,
      ],
      [
        "MySQL that takes only TLS",
        true,
        () => refusing("mysql", "3159", "Connections using insecure transport are prohibited"),
        /^127\.0\.0\.1:\d+ takes only TLS: add ssl-mode=VERIFY_IDENTITY to the address \(3159\)$/,
      ],
      [
        "an old PostgreSQL",
        isHere.postgres,
        () => through(0, (text) => text.replace(/PostgreSQL 1\d/g, "PostgreSQL 12")),
        /^the database is PostgreSQL 12[.\d]*; orderbell needs 15 or newer$/,
      ],
      [
        "an old MySQL or MariaDB",
        isHere.mysql,
        () =>
          through(1, (text) =>
            text.replace(/1[01]\.\d\d(?=\.\d+-MariaDB)/g, "10.05").replace(/(?<![\d.])[89](?=\.\d+\.\d+)/g, "5"),
          ),
        /^the database is (MariaDB 10\.05[.\d]*; orderbell needs 10\.11|MySQL 5[.\d]*; orderbell needs 8) or newer$/,
      ],
      [
        "PostgreSQL that only reads",
        isHere.postgres,
        () => addressOf(0, (url) => url.searchParams.set("options", "-c default_transaction_read_only=on")),
        `${postgres} takes no writes: it may be a replica, give the one that writes (25006)`,
      ],
      [
        "MySQL that only reads",
        isHere.mysql,
        () =>
          through(1, (text) =>
            text.replace("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", (all) =>
              "SET SESSION TRANSACTION READ ONLY".padEnd(all.length),
            ),
          ),
        "it takes no writes (1792): it may be a replica, give the one that writes",
      ],
      [
        "a password that is not written as an address wants it",
        true,
        () => "postgres://shop:not-to-be-printed@w/#x@127.0.0.1/shop",
        /^it holds an @ behind a \/ \? or #; a password with @ .* is written with %40/,
      ],
      [
        "a word that nobody knows",
        true,
        () => "mysql://shop:not-to-be-printed@127.0.0.1/shop?sslmode=please",
        'it has a word for TLS that is not known here, "sslmode=please"',
      ],
    ];
    const addressOf = (at: 0 | 1, change: (url: URL) => void): string => {
      const variables = [process.env.ORDERBELL_TEST_POSTGRES, process.env.ORDERBELL_TEST_MYSQL];
      const url = new URL(variables[at] ?? "");
      change(url);
      return url.href;
    };

    for (const [what, here, address, sentence] of rows)
      (here ? it : it.skip)(what, async () => {
        const own = { ...testKeys, DATABASE_URL: await address(), DATABASE_WAIT_MS: "0", PORT: "0" };
        for (const command of ["serve", "init-db"]) {
          const home = await newHome();
          const { code, out, err } = await within([command], {
            ...own,
            DATABASE_CONNECT_TIMEOUT_MS: "500",
            ORDERBELL_HOME: home,
          });
          expect([code, out]).toEqual([2, ""]);
          const said = err.replace(/^DATABASE_URL: /, "").replace(/\n$/, "");
          if (typeof sentence === "string") expect(said).toBe(sentence);
          else expect(said).toMatch(sentence);
          expect(err).not.toContain("not-to-be-printed");
        }
      });

    it("as a process, but waits for a database that may still come", async () => {
      const environment = { ...testKeys, DATABASE_URL: unreachable, DATABASE_WAIT_MS: "300", PORT: "0" };
      const { code, out, err } = await orderbell(["serve"], {
        environment: { ...environment, ORDERBELL_HOME: await newHome() },
      });
      expect(code).toBe(2);
      expect(err).toBe("DATABASE_URL: nothing listens at 127.0.0.1:1 (ECONNREFUSED)\n");
      expect(out).toMatch(/^\{[^\n]*"database.waits","reason":"nothing listens at 127.0.0.1:1 \(ECONNREFUSED\)"\}\n$/);
    });
  });
});

it("the server's bundle has no part of the demo, of PGlite, of the clients or of the tests", async () => {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ["cli/serve.ts"],
    bundle: true,
    write: false,
    metafile: true,
    platform: "node",
    format: "esm",
    outdir: "nowhere",
    logLevel: "silent",
  });
  const inputs = Object.keys(metafile.inputs);
  expect(inputs).toEqual(expect.arrayContaining(["cli/serve.ts", "cli/machine.ts", "db/postgres.ts", "db/mysql.ts"]));
  const folders = new Set(inputs.filter((path) => !path.startsWith("node_modules/")).map((path) => path.split("/")[0]));
  expect([...folders].toSorted()).toEqual(["apigateway", "cli", "db", "functions", "shared"]);
  expect(inputs.filter((path) => /pglite|selfsigned|cli\/(start|keys|tls)\.ts/.test(path))).toEqual([]);
  const imports = Object.values(metafile.inputs).flatMap((input) => input.imports.map(({ path }) => path));
  expect(imports.filter((path) => /pglite|^demo\/|selfsigned/.test(path))).toEqual([]);
  // The same search finds it in the demo.
  const demo = await build({
    absWorkingDir: root,
    entryPoints: ["cli/start.ts"],
    bundle: true,
    write: false,
    metafile: true,
    platform: "node",
    format: "esm",
    outdir: "nowhere",
    logLevel: "silent",
    packages: "external",
  });
  expect(Object.keys(demo.metafile.inputs)).toEqual(expect.arrayContaining(["demo/shops.ts", "db/pglite.ts"]));
});

/** Its log is on standard output. */
async function listening(server: Process): Promise<string> {
  const [line] = await server.printed(/^.*"event":"listening".*(?=\n)/m);
  const { host, port, tls } = JSON.parse(line as string);
  expect([host, tls]).toEqual(["127.0.0.1", false]);
  return `http://${host}:${port}`;
}

async function http(url: string, method: string, path: string, token?: string, body?: object, key?: string) {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(key === undefined ? {} : { "idempotency-key": key }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  // biome-ignore lint/suspicious/noExplicitAny: a test's own assertion is the type check here
  return { status: response.status, body: (await response.json()) as any };
}

/** A socket that has sent something. */
async function openGuest(url: string, token: string) {
  const { ticket } = (await http(url, "POST", "/session/ticket", token)).body;
  const socket = await openSocket(`${url.replace("http", "ws")}/pgws`, ["orderbell.v1", `ticket.${ticket}`]);
  await socket.resume({ stream: "menu:noodle-house" });
  return socket;
}

onEveryEngine((engine: Engine) => {
  it("npm run serve serves a shop that the command line created, and has it after a restart", async () => {
    const database = await engine.open({ tables: false });
    const home = await newHome();
    const measured = { METRICS_TOKEN: "a-token-of-the-operator", METRICS_PORT: "0" };
    const environment = { ...testKeys, ...measured, DATABASE_URL: database.url, PORT: "0", ORDERBELL_HOME: home };
    const run = async (...argv: string[]) => {
      const { code, out, err } = await within(argv, environment);
      expect([code, err]).toEqual([0, ""]);
      return out;
    };
    try {
      expect(await run("init-db")).toMatch(/^applied: /);
      expect(await run("init-db")).toBe("the tables are up to date\n");
      await run("shop", "create", "noodle-house", "--zh", "面馆");
      const menu = join(home, "menu.json");
      await writeFile(menu, JSON.stringify(testMenu));
      await run("menu", "import", "noodle-house", menu);
      await run("shop", "open", "noodle-house");
      const denied = await within(["sql", "select 1"], environment);
      expect([denied.code, denied.err]).toEqual([1, expect.stringMatching(/^FORBIDDEN: /)]);

      let server = launch(["serve"], { environment });
      let url = await listening(server);
      const guest = (await http(url, "POST", "/login/guest")).body.session.token;
      const bill = { shop: "noodle-house", lines: [{ dish: "tea", quantity: 1 }], service: "pickup" };
      const key = newKey();
      const placed = await http(url, "POST", "/bill", guest, bill, key);
      expect(placed.status).toBe(201);
      // Its figures, on their own port: what runs, and the trips to the database that are counted where they are made.
      const { metrics } = JSON.parse(/^.*"event":"listening".*$/m.exec(server.out())?.[0] ?? "");
      const authorization = `Bearer ${measured.METRICS_TOKEN}`;
      const figures = await (await fetch(metrics, { headers: { authorization } })).text();
      expect(figures).toMatch(/^orderbell_info\{version="[\d.]+",node="v[\d.]+",engine="\w+",engine_version="[\d.]+"/m);
      expect(Number(/^orderbell_database_round_trips_total (\d+)/m.exec(figures)?.[1])).toBeGreaterThan(3);
      expect((await fetch(`${url}/metrics`, { headers: { authorization } })).status).toBe(404);
      // Beside the server, through its socket: the address is not needed, and one that leads nowhere does not matter.
      const beside = await within(["orders", "noodle-house"], { ORDERBELL_HOME: home, DATABASE_URL: unreachable });
      expect(beside.out).toContain(placed.body.order.id);

      // The session service alone, on the same database: a session that begins there holds here.
      const alone = launch(["serve", "--only", "session"], {
        environment: { ...environment, ORDERBELL_HOME: await newHome() },
      });
      const aloneUrl = await listening(alone);
      const visitor = (await http(aloneUrl, "POST", "/login/guest")).body.session.token;
      expect((await http(url, "GET", "/session", visitor)).status).toBe(200);
      expect((await http(aloneUrl, "GET", "/session", guest)).status).toBe(200);
      expect((await http(aloneUrl, "POST", "/bill", guest, bill, key)).body.code).toBe("ROUTE_UNKNOWN");
      expect((await fetch(`${aloneUrl}/kitchen`)).status).toBe(404);
      expect(await alone.kill("SIGTERM")).toBe(0);

      // A second one on the same folder takes nothing from the first, whichever of them ends first.
      const second = launch(["serve"], { environment });
      await listening(second);
      const tail = launch(["tail"], { environment: { ORDERBELL_HOME: home } });
      await tail.printed(/"event":"listening"[\s\S]*"event":"listening"/);
      for (const through of [environment, { ...environment, ORDERBELL_HOME: await newHome() }]) {
        const socket = await openGuest(url, guest);
        const { connections } = JSON.parse(await run("connections", "list"));
        const closed = await within(["connections", "close", connections[0].id], through);
        expect([closed.code, JSON.parse(closed.out)]).toEqual([0, { closed: connections[0].id }]);
        await socket.closed;
        const again = await within(["connections", "close", connections[0].id], through);
        expect([again.code, again.err]).toEqual([1, expect.stringMatching(/^INVALID_INPUT: .*no such connection/)]);
      }
      await run("pair", "noodle-house", "--device", "tablet");
      expect(await second.kill("SIGTERM")).toBe(0);
      expect(await run("shop", "list")).toContain("noodle-house");
      await tail.kill("SIGTERM");
      expect(tail.out()).toMatch(/"event":"admin","command":"connections.close"/);
      const [kept = []] = await database.read([sql`SELECT shop_id, action, detail FROM audit ORDER BY at, id`]);
      expect(kept.map(({ action }) => action)).toEqual([
        ...["shop.create", "menu.import", "open"],
        // A refused one leaves no entry.
        ...Array(2).fill("connections.close"),
        "pair",
      ]);
      expect(kept.at(-1)).toEqual({
        shop_id: "noodle-house",
        action: "pair",
        detail: JSON.stringify({ role: "kitchen", device: "tablet" }),
      });
      // Signals that end it end it well; what dies otherwise has lost nothing.
      await server.kill("SIGKILL");
      expect((await within(["tail"], { ORDERBELL_HOME: home })).code).toBe(1);
      server = launch(["serve"], { environment });
      url = await listening(server);
      expect((await readdir(home)).filter((name) => name.endsWith(".sock"))).toHaveLength(1);
      const again = await http(url, "POST", "/bill", guest, bill, key);
      expect([again.status, again.body.order.id]).toEqual([200, placed.body.order.id]);
      expect(await server.kill("SIGTERM")).toBe(0);
      expect((await readdir(home)).filter((name) => name.includes("admin"))).toEqual([]);
      note(server.out());
      const lines = server
        .out()
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line));
      const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
      const engineName = engine.name === "postgres" ? "PostgreSQL" : expect.stringMatching(/^(MySQL|MariaDB)$/);
      expect(lines[0]).toMatchObject({
        ...{ level: "info", event: "start", version, node: process.version, engine: engineName },
        engineVersion: expect.stringMatching(/^\d+\.\d/),
        schema: migrations.at(-1)?.version,
      });
      expect(lines[0].applied).toBeUndefined();
      expect(lines.at(-1)).toMatchObject({
        ...{ level: "info", event: "stop", signal: "SIGTERM", ms: expect.any(Number) },
        ...{ requests: 0, sockets: 0, calls: 0, background: 0 },
      });
      // Who follows through the local socket has the first line too.
      expect(tail.out()).toMatch(/^\{[^\n]*"event":"start"/);
      // Neither TLS nor a proxy: reported at the start, with the setting's name.
      expect(server.out()).toMatch(/"level":"warn","event":"proxies.none","setting":"TRUSTED_PROXIES"/);
      expect(server.out() + server.err()).not.toContain(guest);
    } finally {
      await database.remove();
    }
  });
}, servers);
