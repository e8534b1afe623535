/** `npm run serve`: refuses to start half furnished, runs on real databases, and has nothing of the demo in it. */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { ConfigError } from "../../shared/config.ts";
import { type Engine, onEveryEngine, servers } from "../_engines.ts";
import { newKey, testKeys, testMenu } from "../_house.ts";
import { note } from "../_printed.ts";
import { cleanUp, launch, newHome, orderbell, type Process, root, within } from "./_cli.ts";

afterAll(cleanUp);

const unreachable = "postgres://shop:not-to-be-printed@127.0.0.1:1/shop";

describe("it refuses to start", () => {
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

  it("as a process, which ends with 2", async () => {
    const { code, err } = await orderbell(["serve"], { environment: { ORDERBELL_HOME: await newHome() } });
    expect([code, err]).toEqual([2, `${new ConfigError("DATABASE_URL and SIGNING_KEY", "are missing").message}\n`]);
  });

  it("when its database does not answer, without printing the password", async () => {
    const environment = { ...testKeys, DATABASE_URL: unreachable, PORT: "0", ORDERBELL_HOME: await newHome() };
    const { code, out, err } = await orderbell(["serve"], { environment });
    expect(code).toBe(1);
    expect(out + err).toMatch(/the database cannot be reached/);
    expect(out + err).not.toContain("not-to-be-printed");
  });
});

it("has no part of the demo, of PGlite, of the clients or of the tests in it", async () => {
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
  // The same look at the demo finds what it looks for.
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

onEveryEngine((engine: Engine) => {
  it("serves a shop that the command line made, and knows it after a restart", async () => {
    const database = await engine.open({ tables: false });
    const home = await newHome();
    const environment = { ...testKeys, DATABASE_URL: database.url, PORT: "0", ORDERBELL_HOME: home };
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
      // Beside the server, through its socket: the address is not needed.
      const beside = await within(["orders", "noodle-house"], { ORDERBELL_HOME: home });
      expect(beside.out).toContain(placed.body.order.id);
      // Signals that end it end it well; what dies otherwise has lost nothing.
      await server.kill("SIGKILL");
      server = launch(["serve"], { environment });
      url = await listening(server);
      const again = await http(url, "POST", "/bill", guest, bill, key);
      expect([again.status, again.body.order.id]).toEqual([200, placed.body.order.id]);
      expect(await server.kill("SIGTERM")).toBe(0);
      note(server.out());
      expect(server.out() + server.err()).not.toContain(guest);
    } finally {
      await database.remove();
    }
  });
}, servers);
