/** What functions do in the cloud beside their work: secrets, tokens, connections after a pause, users, conditions of the template. */
import { createHash, createHmac } from "node:crypto";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { awsCaller } from "../../cloud/aws_call.ts";
import { databaseToken } from "../../cloud/database_token.ts";
import { readSecrets } from "../../cloud/read_secrets.ts";
import { afterAPause } from "../../db/after_a_pause.ts";
import type { Database, Migrator, Row } from "../../db/database.ts";
import { dialects } from "../../db/dialect.ts";
import { grantRole } from "../../db/grant_role.ts";
import { openMysql } from "../../db/mysql.ts";
import { openPostgres } from "../../db/postgres.ts";
import { sql } from "../../db/sql.ts";
import { buildFunction, mustNot } from "../../scripts/build.ts";
import { type Kept, keepDatabaseUrl, pinDatabaseUrl } from "../../scripts/keep_database_url.ts";
import { urlPlace } from "../../scripts/lay_out.ts";
import { settle, type Template } from "../../scripts/settle.ts";
import { type Aws, startAws } from "./_aws.ts";
import { type ClearTextMysql, startClearTextMysql } from "./_clear_text_mysql.ts";

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "a-secret-for-tests" };
const region = "eu-west-1";
const callAt = (aws: Aws) =>
  awsCaller({ region, credentials, urlSuffix: "amazonaws.com", endpointUrl: aws.url, timeoutMs: 5_000 });

describe("secrets", () => {
  it("are put beside the environment from where it says they are, each place asked once", async () => {
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

    it("is not told to a server that cannot prove who it is", async () => {
      await tryWith({ rejectUnauthorized: true });
      expect(server.heard).toEqual([]);
    });

    it("is not told to a server without TLS", async () => {
      server.offersTls(false);
      await tryWith({ rejectUnauthorized: true, ca: server.ca });
      server.offersTls(true);
      expect(server.heard).toEqual([]);
    });
  });
});

describe("a database after a pause", () => {
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
      async read() {
        own.asked += 1;
        if (!own.answers) await new Promise(() => {});
        return [];
      },
      flight: async () => ({ rows: [], decided: [], after: [] }),
      async close() {
        own.closed = true;
      },
      alone: async () => undefined as never,
    };
    return own;
  }

  it("is opened at its first use, asked after a long pause, and left when it does not answer", async () => {
    let now = 0;
    const opened: Fake[] = [];
    const database = afterAPause(
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
});

describe("the functions' own user", () => {
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

describe("the address of one's own database", () => {
  const deployment = (aws: Aws, database: string, environment: Record<string, string> = {}) => ({
    service: "orderbell",
    stage: "prod",
    cloud: { database, engine: "postgres", schedules: "yes", concurrency: 0 },
    region,
    credentials,
    environment: { AWS_ENDPOINT_URL: aws.url, ...environment },
  });

  it("is kept once, and missed before anything is deployed", async () => {
    const parameters: Record<string, string> = {};
    const aws = await startAws({ parameters });
    await expect(keepDatabaseUrl(deployment(aws, "url"))).rejects.toThrow(/stage prod has no database yet/);
    const url = "postgres://shop:pw@db.example/shop";
    const name = "/orderbell/prod/database_url";
    expect(await keepDatabaseUrl(deployment(aws, "url", { DATABASE_URL: url }))).toEqual({
      name,
      version: 1,
      changed: true,
    });
    expect(parameters).toEqual({ [name]: url });
    // Told again, or not told: nothing has changed, and nothing is deployed because of it.
    const same = { name, version: 1, changed: false };
    expect(await keepDatabaseUrl(deployment(aws, "url", { DATABASE_URL: url }))).toEqual(same);
    expect(await keepDatabaseUrl(deployment(aws, "url"))).toEqual(same);
    await aws.close();
  });

  it("that is another than before is a version of its own: functions and tables of the deployment go by it", async () => {
    const name = "/orderbell/prod/database_url";
    const [old, next] = ["postgres://shop:pw@old.example/shop", "postgres://shop:pw@new.example/shop"];
    const aws = await startAws({ parameters: { [name]: old } });
    const template: Template = {
      Resources: {
        Bill: { Type: "AWS::Lambda::Function", Properties: { DATABASE_URL_FROM: urlPlace(name), OTHER: name } },
        Schema: { Type: "Custom::Schema", Properties: { Database: urlPlace(name) } },
      },
    };
    const kept = await keepDatabaseUrl(deployment(aws, "url", { DATABASE_URL: next }));
    expect(kept).toEqual({ name, version: 2, changed: true });
    pinDatabaseUrl(template, kept as Kept);
    expect(template.Resources).toEqual({
      Bill: { Type: "AWS::Lambda::Function", Properties: { DATABASE_URL_FROM: `parameter:${name}:2`, OTHER: name } },
      Schema: { Type: "Custom::Schema", Properties: { Database: `parameter:${name}:2` } },
    });
    // A function of the deployment before works on with its own, also when it is started anew.
    for (const [from, url] of [
      [`${urlPlace(name)}:1`, old],
      [`${urlPlace(name)}:2`, next],
    ])
      expect(await readSecrets({ DATABASE_URL_FROM: from }, callAt(aws))).toMatchObject({ DATABASE_URL: url });
    await aws.close();
  });

  it("must be for the engine that was built, and is not asked for with Aurora", async () => {
    const aws = await startAws({});
    await expect(keepDatabaseUrl(deployment(aws, "url", { DATABASE_URL: "mysql://db/shop" }))).rejects.toThrow(
      /engine/,
    );
    expect(await keepDatabaseUrl(deployment(aws, "aurora-postgres"))).toBeUndefined();
    expect(aws.asked).toEqual([]);
    await aws.close();
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

describe("conditions", () => {
  it("are decided before the template leaves", () => {
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
    settle(template);
    expect(template).toEqual({
      Resources: { Kept: { Type: "A", Properties: { one: 2 } } },
      Outputs: { Kept: { Value: "x" } },
    });
    const asked: Template = { Resources: { One: { Type: "A", Condition: "Unknown" } } };
    expect(() => settle(asked)).toThrow(/no condition "Unknown"/);
  });
});

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const hmac = (key: Buffer, text: string) => createHmac("sha256", key).update(text).digest();
