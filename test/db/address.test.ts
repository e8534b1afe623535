/** Options of database addresses, as providers, drivers and tools print them. */
import { type AddressSettings, AddressWrong, readAddress, type Tls } from "../../db/address.ts";

const far = "@db.example/shop";
const tlsOf = (engine: string, query: string, settings?: AddressSettings) =>
  readAddress(`${engine}://shop:pw${far}${query}`, settings).tls;
const verified = { rejectUnauthorized: true, checkHost: true } satisfies Partial<Tls>;
const unverified = { rejectUnauthorized: false } satisfies Partial<Tls>;

describe("TLS", () => {
  it.each([
    ["postgres", "?sslmode=require", unverified],
    ["postgres", "?sslmode=prefer", unverified],
    ["postgres", "?sslmode=no-verify", unverified],
    ["postgres", "?ssl=true", verified],
    ["postgres", "?sslmode=verify-full&sslrootcert=system", verified],
    ["postgres", "?sslmode=verify-ca", { rejectUnauthorized: true, checkHost: false }],
    ["postgres", "?uselibpqcompat=true&sslmode=require", unverified],
    ["postgres", "?sslmode=require&channel_binding=require", unverified],
    ["postgres", "?sslnegotiation=direct", verified],
    ["postgres", "?sslmode=disable", undefined],
    ["postgres", "", undefined],
    ["mysql", "?ssl-mode=REQUIRED", unverified],
    ["mysql", "?ssl-mode=PREFERRED", unverified],
    ["mysql", "?ssl-mode=VERIFY_CA", { rejectUnauthorized: true, checkHost: false }],
    ["mysql", "?sslMode=VERIFY_IDENTITY", verified],
    ["mysql", "?ssl_mode=verify_identity", verified],
    ["mysql", "?sslmode=require", unverified],
    ["mysql", "?sslaccept=strict", verified],
    ["mysql", "?sslaccept=accept_invalid_certs", unverified],
    ["mysql", "?ssl=true", verified],
    ["mysql", `?ssl=${encodeURIComponent('{"rejectUnauthorized":true}')}`, verified],
    ["mysql", '?ssl={"rejectUnauthorized":true}', verified],
    ["mysql", '?ssl={"rejectUnauthorized":false}', unverified],
    ["mysql", '?ssl={"rejectUnauthorized":true,"ca":"PEM"}', { ...verified, ca: "PEM" }],
    ["mysql", "?tls=true", verified],
    ["mysql", "?tls=skip-verify", unverified],
    ["mysql", "?useSSL=true&requireSSL=true", unverified],
    ["mysql", "?useSSL=true&verifyServerCertificate=true", { rejectUnauthorized: true, checkHost: false }],
    ["mysql", "?ssl_verify_cert=true&ssl_verify_identity=true", verified],
    ["mysql", "?ssl-mode=DISABLED", undefined],
    ["mysql", "?useSSL=false", undefined],
    ["mariadb", "?sslmode=verify-full", verified],
  ])("%s%s", (engine, query, tls) => {
    if (tls === undefined) expect(tlsOf(engine, query)).toBeUndefined();
    else expect(tlsOf(engine, query)).toMatchObject(tls);
  });

  it("is never left out silently: an unknown word is named", () => {
    for (const [query, word] of [
      ["?sslmode=requird", "sslmode=requird"],
      ["?ssl-mode=ON", "ssl-mode=ON"],
      ["?sslaccept=yes", "sslaccept=yes"],
      ["?ssl=Amazon%20RDS", "ssl=Amazon RDS"],
      ["?tls=custom", "tls=custom"],
      ["?encrypt=true", "encrypt"],
      ["?multipleStatements=true", "multipleStatements"],
      ["?flags=-FOUND_ROWS", "flags"],
    ] as const) {
      expect(() => tlsOf("mysql", query)).toThrow(AddressWrong);
      expect(() => tlsOf("mysql", query)).toThrow(`"${word}"`);
    }
    // Its driver would hold the certificate against "localhost".
    for (const host of ["10.0.0.7", "[2001:db8::1]"])
      expect(() => readAddress(`mysql://u@${host}/db?ssl-mode=VERIFY_IDENTITY`)).toThrow(/gives a number/);
    expect(() => tlsOf("mysql", "?useSSL=false&sslMode=REQUIRED")).toThrow(/contradict/);
    expect(() => tlsOf("postgres", "?sslmode=verify-full&sslrootcert=/nowhere.pem")).toThrow(/nowhere\.pem.*ENOENT/);
  });

  it("is verified or refused where it must be: what every provider prints is verified there", () => {
    const strict = { verifiedTls: true };
    expect(tlsOf("postgres", "?sslmode=require", strict)).toMatchObject(verified);
    expect(tlsOf("mysql", "?ssl-mode=REQUIRED", strict)).toMatchObject(verified);
    for (const query of ["", "?sslmode=disable"])
      expect(() => tlsOf("postgres", query, strict)).toThrow(/asks for no TLS.*sslmode=verify-full.*DATABASE_TLS=off/);
    expect(() => tlsOf("mysql", "", strict)).toThrow(/ssl-mode=VERIFY_IDENTITY/);
    expect(() => tlsOf("postgres", "?sslmode=no-verify", strict)).toThrow(/not to verify/);
    expect(() => tlsOf("mysql", "?sslaccept=accept_invalid_certs", strict)).toThrow(/not to verify/);
    // The wire does not leave the machine.
    for (const host of ["127.0.0.1", "localhost", "[::1]"])
      expect(readAddress(`postgres://shop@${host}/shop`, strict)).toMatchObject({ tls: undefined, plain: false });
    expect(readAddress("postgres://shop@10.0.0.7/shop").plain).toBe(true);
  });
});

describe("poolers", () => {
  it.each([
    ["postgres://u@ep-cool-rain-1-pooler.eu-central-1.aws.neon.tech/db?sslmode=require", "transaction"],
    ["postgres://u@ep-cool-rain-1.eu-central-1.aws.neon.tech/db?sslmode=require", "off"],
    ["postgres://postgres.abc@aws-0-eu-west-1.pooler.supabase.com:6543/postgres", "transaction"],
    ["postgres://postgres.abc@aws-0-eu-west-1.pooler.supabase.com:5432/postgres", "session"],
    ["postgres://postgres@db.abc.supabase.co:6543/postgres", "transaction"],
    ["postgres://postgres@db.abc.supabase.co:5432/postgres", "off"],
    ["postgres://u@x.db.ondigitalocean.com:25061/pool", "transaction"],
    ["postgres://u@x.db.ondigitalocean.com:25060/db", "off"],
    ["postgres://u@shop.proxy-abc123.eu-west-1.rds.amazonaws.com/db", "transaction"],
    ["postgres://u@shop.abc123.eu-west-1.rds.amazonaws.com/db", "off"],
    ["postgres://u@127.0.0.1:6432/db", "transaction"],
    ["postgres://u@127.0.0.1/db?pgbouncer=true", "transaction"],
    ["mysql://u@127.0.0.1:6432/db", "off"],
    ["mysql://u@shop.cluster-abc123.eu-west-1.rds.amazonaws.com/db", "session"],
    ["mysql://u@aws.connect.psdb.cloud/db", "session"],
    ["mysql://u@gateway01.eu-central-1.prod.aws.tidbcloud.com:4000/db", "session"],
  ])("%s", (url, pooler) => {
    expect(readAddress(url).pooler).toBe(pooler);
  });

  it("are what the setting says, against the address", () => {
    expect(readAddress("postgres://u@127.0.0.1:6432/db", { pooler: "off" })).toMatchObject({
      pooler: "off",
      poolerTold: true,
    });
    expect(() => readAddress("postgres://u@h:6543/db?schema=shop")).toThrow(/"schema"/);
    expect(readAddress("postgres://u@h/db?schema=shop").options).toBe("-c search_path=shop");
  });
});

describe("an address", () => {
  it("is read in its parts, decoded", () => {
    expect(readAddress(" postgresql://sh%40p:p%40w%2F%23@[2001:db8::1]:6000/d%20b \n")).toMatchObject({
      engine: "postgres",
      host: "2001:db8::1",
      port: 6_000,
      user: "sh@p",
      password: "p@w/#",
      database: "d b",
    });
    expect(readAddress("mysql://root@h/db")).toMatchObject({ port: 3_306, password: undefined });
    expect(readAddress("postgres://u:p@w@h/db")).toMatchObject({ password: "p@w", host: "h" });
    expect(readAddress("postgres://u@/db?host=/run/postgresql")).toMatchObject({ host: "/run/postgresql", user: "u" });
    expect(readAddress("postgres:///db")).toMatchObject({ host: "localhost", database: "db" });
    expect(readAddress("mysql://u@localhost/db?socket=/run/mysqld/mysqld.sock").host).toBe("/run/mysqld/mysqld.sock");
  });

  it.each([
    ["postgres://u:hush/hush@h/db", /%40.*%2F/],
    ["postgres://u:hush#hush@h/db", /#/],
    ["postgres://u:hush@w/#x@host/db", /%40/],
    ["postgres://u:1234?hush=1@h/db", /behind a/],
    ["postgres://u:hush%x@h/db", /%25/],
    ["postgres://u:hush hush@h/db", /space/],
    ["postgres://u:hush@h:99999/db", /form postgres:/],
    ["postgres://u:[YOUR-PASSWORD]@h/db", /placeholder/],
    ["postgres://u:hush@a,b/db", /several hosts/],
    ["mysql://u:hush@h", /names no database/],
    ["psql 'postgres://u:hush@h/db'", /must start with/],
    ["oracle://u:hush@h/db", /must start with/],
    ["", /must start with/],
  ])("%# is refused with a sentence, without the password", (url, sentence) => {
    const reading = () => readAddress(url);
    expect(reading).toThrow(AddressWrong);
    expect(reading).toThrow(sentence);
    expect(reading).not.toThrow(/hush/);
  });
});
