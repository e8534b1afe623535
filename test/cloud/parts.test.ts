/** Parts of functions in the cloud: secrets, tokens, connections after a freeze, database users, conditions of the template. */
import { createHash, createHmac } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readCollections } from "../../cli/collections_file.ts";
import { awsCaller } from "../../cloud/aws_call.ts";
import { databaseToken } from "../../cloud/database_token.ts";
import { readSecrets } from "../../cloud/read_secrets.ts";
import { ConnectionLost, type Database, type Migrator, type Row, readTyped } from "../../db/database.ts";
import { dialects } from "../../db/dialect.ts";
import { freezable } from "../../db/frozen_connection.ts";
import { grantRole } from "../../db/grant_role.ts";
import { openMysql } from "../../db/mysql.ts";
import { openPostgres } from "../../db/postgres.ts";
import { sql } from "../../db/sql.ts";
import { buildFunction, mustNot } from "../../scripts/build.ts";
import type { Parameters } from "../../scripts/parameters.ts";
import { resolveConditions, type Template } from "../../scripts/resolve_conditions.ts";
import { pinDatabaseUrl, type StoredUrl, storeDatabaseUrl } from "../../scripts/store_database_url.ts";
import { indexedFields, urlSource } from "../../scripts/transform_template.ts";
import { type Aws, startAws } from "./_aws.ts";
import { type ClearTextMysql, startClearTextMysql } from "./_clear_text_mysql.ts";
import { parametersWith } from "./_house.ts";
import { keepParameters } from "./_parameters.ts";

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "a-secret-for-tests" };
const region = "eu-west-1";
const callAt = (aws: Aws) =>
  awsCaller({ region, credentials, urlSuffix: "amazonaws.com", endpointUrl: aws.url, timeoutMs: 5_000 });

describe("secrets", () => {
  it("are fetched from the places that the environment names, each place once", async () => {
    const aws = await startAws({
      parameters: { "/orderbell/dev/database_url": "postgres://db/shop" },
      secrets: { "arn:aws:x:key": "plain", "arn:aws:x:master": '{"username":"owner","password":"p#:/"}' },
    });
    const found = await readSecrets(
      {
        OTHER: "stays",
        DATABASE_URL_FROM: "parameter:/orderbell/dev/database_url",
        SIGNING_KEY_FROM: "secret:arn:aws:x:key",
        DATABASE_USER_FROM: "secret:arn:aws:x:master#username",
        DATABASE_PASSWORD_FROM: "secret:arn:aws:x:master#password",
      },
      callAt(aws),
    );
    expect(found).toMatchObject({
      OTHER: "stays",
      DATABASE_URL: "postgres://db/shop",
      SIGNING_KEY: "plain",
      DATABASE_USER: "owner",
      DATABASE_PASSWORD: "p#:/",
    });
    expect(aws.asked).toHaveLength(3);
    await aws.close();
  });

  it.each([
    ["secret:arn:aws:x:key#field", /without a field "field"/],
    ["file:/etc/passwd", /neither secret: nor parameter:/],
    ["secret:arn:aws:x:none", /ResourceNotFoundException/],
  ])("that cannot be had are named, not shown: %s", async (place, word) => {
    const aws = await startAws({ secrets: { "arn:aws:x:key": "very-secret" } });
    const failed = await readSecrets({ KEY_FROM: place }, callAt(aws)).catch((error: Error) => error.message);
    expect(failed).toMatch(word);
    expect(failed).not.toContain("very-secret");
    await aws.close();
  });
});

describe("the database's token", () => {
  it("is the signed request that RDS checks", async () => {
    const url = new URL("postgres://orderbell@db.example.com:5432/orderbell");
    const token = await databaseToken(url, region, credentials, new Date("2026-11-21T10:00:00.000Z"));
    expect(token.startsWith("db.example.com:5432/?")).toBe(true);
    const query = new URLSearchParams(token.slice(token.indexOf("?") + 1));
    expect(Object.fromEntries(query)).toMatchObject({ Action: "connect", DBUser: "orderbell", "X-Amz-Expires": "900" });

    // Computed again from the specification.
    const signature = query.get("X-Amz-Signature");
    query.delete("X-Amz-Signature");
    query.sort();
    const scope = `20261121/${region}/rds-db/aws4_request`;
    const canonical = `GET\n/\n${query}\nhost:db.example.com:5432\n\nhost\n${sha256("")}`;
    const toSign = `AWS4-HMAC-SHA256\n20261121T100000Z\n${scope}\n${sha256(canonical)}`;
    const key = scope
      .split("/")
      .reduce((secret, part) => hmac(secret, part), Buffer.from(`AWS4${credentials.secretAccessKey}`));
    expect(signature).toBe(hmac(key, toSign).toString("hex"));
  });

  it("is asked for at each new connection and sent as the password", async () => {
    const heard: string[] = [];
    // Asks for the password in clear text and refuses it: PostgreSQL's protocol, as far as this needs.
    const server = createServer((socket) => {
      socket.on("error", () => {});
      let greeted = false;
      socket.on("data", (bytes) => {
        if (!greeted) {
          greeted = true;
          socket.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]));
        } else {
          heard.push(bytes.toString("utf8", 5, bytes.length - 1));
          socket.end();
        }
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    let made = 0;
    const database = openPostgres({
      url: `postgres://orderbell@127.0.0.1:${(server.address() as AddressInfo).port}/orderbell`,
      maxConnections: 1,
      connectTimeoutMs: 5_000,
      password: async () => `token ${++made}`,
    });
    await expect(database.flight({ statements: [sql`SELECT 1`] })).rejects.toMatchObject({ name: "ConnectionLost" });
    expect(heard.length).toBeGreaterThan(1);
    expect(heard).toEqual(heard.map((_, at) => `token ${at + 1}`));
    await database.close();
    await new Promise((resolve) => server.close(resolve));
  });

  describe("on MySQL", () => {
    let server: ClearTextMysql;
    let address: string;
    beforeAll(async () => {
      server = await startClearTextMysql();
      address = `mysql://orderbell@127.0.0.1:${server.port}/orderbell`;
    });
    afterAll(() => server.close());
    beforeEach(() => server.heard.splice(0));

    const tryWith = async (ssl: object) => {
      let made = 0;
      const database = openMysql({
        url: `${address}?ssl=${encodeURIComponent(JSON.stringify(ssl))}`,
        maxConnections: 1,
        connectTimeoutMs: 5_000,
        password: async () => `token ${++made}`,
      });
      await expect(database.flight({ statements: [sql`SELECT 1`] })).rejects.toMatchObject({ name: "ConnectionLost" });
      await database.close();
    };

    it("is asked for at each new connection, and sent in clear text inside of TLS", async () => {
      await tryWith({ rejectUnauthorized: true, ca: server.ca });
      expect(server.heard.length).toBeGreaterThan(1);
      expect(server.heard).toEqual(server.heard.map((_, at) => `token ${at + 1}`));
    });

    it("is not sent to a server whose certificate is not verified", async () => {
      await tryWith({ rejectUnauthorized: true });
      expect(server.heard).toEqual([]);
    });

    it("is not sent to a server without TLS", async () => {
      server.offersTls(false);
      await tryWith({ rejectUnauthorized: true, ca: server.ca });
      server.offersTls(true);
      expect(server.heard).toEqual([]);
    });
  });
});

describe("a database connection after a freeze", () => {
  interface Fake extends Database, Migrator {
    asked: number;
    closed: boolean;
    answers: boolean;
  }
  function fake(): Fake {
    const own: Fake = {
      asked: 0,
      closed: false,
      answers: true,
      dialect: dialects.postgres,
      read: readTyped(async () => {
        own.asked += 1;
        if (!own.answers) await new Promise(() => {});
        return [];
      }),
      flight: async () => ({ rows: [], decided: [], after: [] }),
      async close() {
        own.closed = true;
      },
      alone: async () => undefined as never,
      probe: async () => {},
    };
    return own;
  }

  it("is opened at its first use, tested after a long pause, and replaced when it does not answer", async () => {
    let now = 0;
    const opened: Fake[] = [];
    const database = freezable(
      () => {
        const one = fake();
        opened.push(one);
        return one;
      },
      dialects.postgres,
      () => now,
    );
    await database.wake();
    expect(opened).toHaveLength(0);
    await database.flight({ statements: [] });
    const [first] = opened as [Fake];
    now += 5_000;
    await database.wake();
    expect(first.asked).toBe(0);
    now += 60_000;
    await database.wake();
    expect(first).toMatchObject({ asked: 1, closed: false });

    now += 600_000;
    first.answers = false;
    await database.wake();
    expect(first.closed).toBe(true);
    await database.flight({ statements: [] });
    expect(opened).toHaveLength(2);
  });

  it("is waited for while the database sleeps, once for each start", async () => {
    let now = 0;
    const lost = new ConnectionLost(false, new Error("asleep"));
    const one = fake();
    one.flight = jest.fn().mockRejectedValue(lost);
    one.probe = jest.fn(async () => {
      one.flight = jest.fn().mockResolvedValue({ rows: [], decided: [], after: [] });
    });
    const database = freezable(
      () => one,
      dialects.postgres,
      () => now,
      { maxWaitMs: 60_000 },
    );
    await database.flight({ statements: [] });
    expect(one.probe).toHaveBeenCalledTimes(1);
    // Lost in the middle of its work: reported at once.
    one.flight = jest.fn().mockRejectedValue(lost);
    await expect(database.flight({ statements: [] })).rejects.toBe(lost);
    expect(one.probe).toHaveBeenCalledTimes(1);
    // After a night it may have gone to sleep.
    now += 3_600_000;
    await database.wake();
    await database.flight({ statements: [] });
    expect(one.probe).toHaveBeenCalledTimes(2);
  });
});

describe("the functions' database user", () => {
  const ran = async (dialect: "postgres" | "mysql") => {
    const texts: string[] = [];
    const database = {
      dialect: dialects[dialect],
      alone: (work: (run: (text: string) => Promise<Row[]>) => Promise<void>) =>
        work(async (text) => {
          texts.push(text);
          return [{ name: "shop" }];
        }),
    } as unknown as Database & Migrator;
    await grantRole(database, "orderbell");
    return texts.join("\n");
  };

  it("may read and write rows, and change no table", async () => {
    const [postgres, mysql] = [await ran("postgres"), await ran("mysql")];
    expect(postgres).toMatch(/GRANT rds_iam TO orderbell/);
    expect(mysql).toMatch(/AWSAuthenticationPlugin.*REQUIRE SSL/);
    for (const text of [postgres, mysql]) {
      expect(text).toMatch(/GRANT SELECT, INSERT, UPDATE, DELETE ON/);
      expect(text).not.toMatch(/\bALL PRIVILEGES|DROP|ALTER|CREATE TABLE/);
    }
  });

  it("has a name that needs no quoting", async () => {
    const nobody = {} as Database & Migrator;
    await expect(grantRole(nobody, "a'; DROP")).rejects.toThrow(TypeError);
  });
});

describe("the address of a database of one's own", () => {
  const deployment = (database: Parameters["database"], url?: string) => ({
    service: "orderbell",
    stage: "prod",
    cloud: parametersWith({ database }),
    url,
  });
  /** Parameter Store, as the framework's own client answers. */
  function openStore(kept: Readonly<Record<string, string>> = {}) {
    const parameters = keepParameters(kept);
    const asked: string[] = [];
    return {
      asked,
      async parameter(name: string, decrypted: boolean) {
        asked.push("get");
        const found = parameters.get(name, decrypted);
        return typeof found === "string" ? undefined : found;
      },
      async putParameter(name: string, value: string) {
        asked.push("put");
        return parameters.put(name, value);
      },
    };
  }

  it("is kept once, and required before anything is deployed", async () => {
    const store = openStore();
    await expect(storeDatabaseUrl(store, deployment("url"))).rejects.toThrow(/stage prod has no database yet/);
    const url = "postgres://shop:pw@db.example/shop?sslmode=require";
    const name = "/orderbell/prod/database_url";
    expect(await storeDatabaseUrl(store, deployment("url", url))).toEqual({
      name,
      version: 1,
      changed: true,
    });
    expect(await store.parameter(name, true)).toMatchObject({ Value: url });
    // Given again, or not given: nothing has changed, and nothing is deployed because of it.
    const same = { name, version: 1, changed: false };
    expect(await storeDatabaseUrl(store, deployment("url", url))).toEqual(same);
    expect(await storeDatabaseUrl(store, deployment("url"))).toEqual(same);
    expect(store.asked.filter((one) => one === "put")).toHaveLength(1);
  });

  it("makes a version of its own when it changes: functions and tables of the deployment follow it", async () => {
    const name = "/orderbell/prod/database_url";
    const [old, next] = [
      "postgres://shop:pw@old.example/shop?sslmode=require",
      "postgres://shop:pw@new.example/shop?sslmode=require",
    ];
    const aws = await startAws({ parameters: { [name]: old } });
    const template: Template = {
      Resources: {
        Bill: { Type: "AWS::Lambda::Function", Properties: { DATABASE_URL_FROM: urlSource(name), OTHER: name } },
        Schema: { Type: "Custom::Schema", Properties: { Database: urlSource(name) } },
      },
    };
    const kept = await storeDatabaseUrl(openStore({ [name]: old }), deployment("url", next));
    expect(kept).toEqual({ name, version: 2, changed: true });
    const target = { "content-type": "application/x-amz-json-1.1", "x-amz-target": "AmazonSSM.PutParameter" };
    await callAt(aws)("ssm", "/", target, JSON.stringify({ Name: name, Value: next }));
    pinDatabaseUrl(template, kept as StoredUrl);
    expect(template.Resources).toEqual({
      Bill: { Type: "AWS::Lambda::Function", Properties: { DATABASE_URL_FROM: `parameter:${name}:2`, OTHER: name } },
      Schema: { Type: "Custom::Schema", Properties: { Database: `parameter:${name}:2` } },
    });
    // A function of the deployment before works on with its own, also when it is started anew.
    for (const [from, url] of [
      [`${urlSource(name)}:1`, old],
      [`${urlSource(name)}:2`, next],
    ])
      expect(await readSecrets({ DATABASE_URL_FROM: from }, callAt(aws))).toMatchObject({ DATABASE_URL: url });
    await aws.close();
  });

  it("must be for the engine that was built, and is not asked for with Aurora", async () => {
    const store = openStore();
    await expect(storeDatabaseUrl(store, deployment("url", "mysql://db/shop"))).rejects.toThrow(/engine/);
    expect(await storeDatabaseUrl(store, deployment("aurora-postgres"))).toBeUndefined();
    expect(store.asked).toEqual([]);
  });
});

describe("a bundle", () => {
  const postgres = { engine: "postgres", network: false } as const;
  const mysql = { engine: "mysql", network: true } as const;

  it.each([
    ["axios where nobody asks WeChat", mustNot("bill", postgres, ["axios", "pg"], []), /axios/],
    ["axios in a network without a way out", mustNot("login", mysql, ["axios", "mysql2"], []), /axios/],
    ["the other driver", mustNot("bill", postgres, ["mysql2"], []), /mysql2/],
    ["this driver in the other's", mustNot("bill", mysql, ["pg"], []), /pg/],
    ["what reads YAML, but for menus", mustNot("ws_transmit", postgres, ["pg", "yaml"], []), /yaml/],
    ["the embedded database", mustNot("bill", postgres, ["@electric-sql/pglite"], []), /pglite/],
    ["the gateway of this machine", mustNot("bill", postgres, [], ["apigateway/local/server.ts"]), /local/],
    ["the demo", mustNot("bill", postgres, [], ["demo/wechat.ts"]), /demo/],
  ])("must not hold %s", (_, problem, word) => {
    expect(problem).toMatch(word);
  });

  it("may hold axios where WeChat is asked, and the same bytes come from the same source", async () => {
    const [one, other] = [await buildFunction("login", postgres), await buildFunction("login", postgres)];
    expect(one.packages).toEqual(expect.arrayContaining(["axios", "pg"]));
    expect(Buffer.from(one.zip).equals(Buffer.from(other.zip))).toBe(true);
    expect((await buildFunction("ask_wechat", mysql)).packages).not.toContain("mysql2");
  });
});

describe("the collections in the zips", () => {
  const variant = { engine: "postgres", network: false } as const;

  it("are what collections.yml declares, without what reads YAML", async () => {
    const { code, packages } = await buildFunction("ws_transmit", variant);
    for (const collection of readCollections({}).values()) expect(code).toContain(JSON.stringify(collection.name));
    expect(packages).not.toContain("yaml");
  });

  it("change what init_db is started for when other fields are indexed", () => {
    const indexed = (text: string) => {
      const file = join(mkdtempSync(join(tmpdir(), "orderbell-collections-")), "collections.yml");
      writeFileSync(file, text);
      return indexedFields({ COLLECTIONS_FILE: file });
    };
    const before = indexed("notes: { permission: PRIVATE, indexes: [a] }");
    expect(indexed("notes: { permission: READONLY, indexes: [a] }")).toBe(before);
    expect(indexed("notes: { permission: PRIVATE, indexes: [b] }")).not.toBe(before);
  });
});

describe("template conditions", () => {
  it("are decided before the template is sent", () => {
    const template: Template = {
      Conditions: {
        Yes: { "Fn::Equals": ["a", "a"] },
        No: { "Fn::Not": [{ Condition: "Yes" }] },
        Both: { "Fn::And": [{ Condition: "Yes" }, { Condition: "No" }] },
      },
      Resources: {
        Kept: {
          Type: "A",
          Condition: "Yes",
          DependsOn: ["Gone"],
          Properties: {
            one: { "Fn::If": ["Both", 1, { "Fn::If": ["Yes", 2, 3] }] },
            two: { "Fn::If": ["No", 1, { Ref: "AWS::NoValue" }] },
          },
        },
        Gone: { Type: "B", Condition: "No" },
      },
      Outputs: { Gone: { Condition: "No", Value: 1 }, Kept: { Value: { "Fn::If": ["Yes", "x", "y"] } } },
    };
    resolveConditions(template);
    expect(template).toEqual({
      Resources: { Kept: { Type: "A", Properties: { one: 2 } } },
      Outputs: { Kept: { Value: "x" } },
    });
    const asked: Template = { Resources: { One: { Type: "A", Condition: "Unknown" } } };
    expect(() => resolveConditions(asked)).toThrow(/no condition "Unknown"/);
  });
});

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const hmac = (key: Buffer, text: string) => createHmac("sha256", key).update(text).digest();
