/** Environment → Config: each variable's default, its bounds, and an error that names it and not its value. */
import { readFileSync } from "node:fs";
import { ConfigError, homeOf, readConfig, readServerConfig } from "../../shared/config.ts";
import { testKeys } from "../_house.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const needed = { DATABASE_URL: "postgres://shop@127.0.0.1/shop", SIGNING_KEY: testKeys.SIGNING_KEY };

type Read = (environment: Record<string, string>) => unknown;

/** The value at a dotted path. */
const at = (value: unknown, path: string): unknown =>
  path.split(".").reduce<unknown>((part, name) => (part as Record<string, unknown>)[name], value);

interface Numbered {
  readonly variable: string;
  readonly path: string;
  readonly fallback: number;
  readonly min: number;
  readonly max: number;
  /** What one of the variable is in the config's own unit. */
  readonly unit?: number;
  /** Other variables that must go with the bounds. */
  readonly beside?: Record<string, string>;
}

const config: Numbered[] = [
  { variable: "DATABASE_CONNECTIONS", path: "maxDatabaseConnections", fallback: 10, min: 1, max: 500 },
  { variable: "DATABASE_CONNECT_TIMEOUT_MS", path: "databaseConnectTimeoutMs", fallback: 2_000, min: 100, max: 60_000 },
  { variable: "DATABASE_WAIT_MS", path: "databaseWaitMs", fallback: 20_000, min: 0, max: 240_000 },
  { variable: "SESSION_DAYS", path: "sessionMs.wechat", fallback: 30, min: 1, max: 365, unit: dayMs },
  { variable: "GUEST_SESSION_DAYS", path: "sessionMs.guest", fallback: 7, min: 1, max: 365, unit: dayMs },
  { variable: "STAFF_SESSION_DAYS", path: "sessionMs.staff", fallback: 90, min: 1, max: 365, unit: dayMs },
  { variable: "OWN_SESSION_DAYS", path: "sessionMs.own", fallback: 7, min: 1, max: 365, unit: dayMs },
  { variable: "CHECK_SHOP_MS", path: "checkMs.shop", fallback: 10_000, min: 50, max: 60_000 },
  { variable: "CHECK_OTHER_MS", path: "checkMs.other", fallback: 25_000, min: 50, max: 300_000 },
  { variable: "SCREEN_MS", path: "screenMs", fallback: 75_000, min: 100, max: 600_000 },
  { variable: "PUSH_BUDGET_MS", path: "pushBudgetMs", fallback: 2_000, min: 50, max: 20_000 },
  { variable: "COALESCE_MS", path: "coalesceMs", fallback: 1_000, min: 0, max: 60_000 },
  { variable: "POLL_WAIT_SEC", path: "pollWaitMs", fallback: 20, min: 0, max: 25, unit: 1_000 },
  {
    variable: "EVENT_HOURS",
    path: "retention.eventsMs",
    fallback: 48,
    min: 1,
    max: 8_760,
    unit: hourMs,
    beside: { DELIVERY_DAYS: "365" },
  },
  { variable: "NOTIFICATION_DAYS", path: "retention.notificationsMs", fallback: 7, min: 1, max: 365, unit: dayMs },
  { variable: "IDEMPOTENCY_DAYS", path: "retention.idempotencyMs", fallback: 7, min: 1, max: 365, unit: dayMs },
  {
    variable: "DELIVERY_DAYS",
    path: "retention.deliveryMs",
    fallback: 30,
    min: 1,
    max: 3_650,
    unit: dayMs,
    beside: { EVENT_HOURS: "24" },
  },
  { variable: "STREAMS_PER_CONNECTION", path: "limits.streamsPerConnection", fallback: 20, min: 1, max: 100 },
  { variable: "WATCHES_PER_CONNECTION", path: "limits.watchesPerConnection", fallback: 100, min: 1, max: 1_000 },
  { variable: "CONNECTIONS_PER_SESSION", path: "limits.connectionsPerSession", fallback: 10, min: 1, max: 100 },
  { variable: "PUBLISHES_PER_SEC", path: "limits.publishesPerSec", fallback: 20, min: 1, max: 1_000 },
  { variable: "ROOMS_PER_HOUR", path: "rooms.perHour", fallback: 20, min: 1, max: 10_000 },
  { variable: "ROOM_KB", path: "rooms.maxBytes", fallback: 1_024, min: 32, max: 65_536, unit: 1_024 },
  { variable: "ROOM_MESSAGES", path: "rooms.maxMessages", fallback: 1_000, min: 1, max: 100_000 },
  { variable: "MEMBER_MS", path: "rooms.leaseMs", fallback: 90_000, min: 500, max: 600_000 },
  { variable: "ROOM_MEMBERS", path: "rooms.maxMembers", fallback: 200, min: 2, max: 2_000 },
  { variable: "ROOMS_MB", path: "rooms.maxTotalBytes", fallback: 256, min: 1, max: 1_048_576, unit: 1_048_576 },
  { variable: "PUBLISH_KB_PER_SEC", path: "rooms.bytesPerSec", fallback: 96, min: 32, max: 65_536, unit: 1_024 },
  { variable: "GUEST_SESSIONS_PER_HOUR", path: "limits.guestSessionsPerHour", fallback: 1_000, min: 1, max: 100_000 },
  { variable: "FAILED_LOGINS_PER_HOUR", path: "limits.failedLoginsPerHour", fallback: 300, min: 1, max: 100_000 },
  { variable: "BATCH", path: "limits.batch", fallback: 100, min: 1, max: 200 },
  { variable: "CALLBACK_TIMEOUT_MS", path: "channels.callbackTimeoutMs", fallback: 10_000, min: 100, max: 20_000 },
  { variable: "TUNNEL_HEARTBEAT_SEC", path: "channels.heartbeatSec", fallback: 15, min: 5, max: 120 },
  {
    variable: "WEBHOOK_RETRY_HOURS",
    path: "webhooks.deadMs",
    fallback: 24,
    min: 1,
    max: 168,
    unit: hourMs,
    beside: { EVENT_HOURS: "168" },
  },
];

const server: Numbered[] = [
  { variable: "PORT", path: "port", fallback: 8_787, min: 0, max: 65_535 },
  { variable: "MAX_BODY_BYTES", path: "maxBodyBytes", fallback: 1_048_576, min: 1_024, max: 10_485_760 },
  { variable: "MAX_CONNECTIONS", path: "maxConnections", fallback: 20_000, min: 1, max: 1_000_000 },
  { variable: "CONCURRENCY", path: "concurrency", fallback: 1_000, min: 1, max: 100_000 },
  { variable: "QUEUE", path: "queue", fallback: 1_000, min: 0, max: 100_000 },
  { variable: "POLLS", path: "polls", fallback: 2_000, min: 1, max: 100_000 },
  { variable: "IDLE_MS", path: "idleMs", fallback: 600_000, min: 1_000, max: 86_400_000 },
  { variable: "DURATION_MS", path: "durationMs", fallback: 7_200_000, min: 1_000, max: 86_400_000 },
  { variable: "LOG_KEEP_MB", path: "logKeepBytes", fallback: 64, min: 0, max: 100_000, unit: 1_048_576 },
  { variable: "STOP_MS", path: "stopMs", fallback: 10_000, min: 100, max: 120_000 },
];

const readers: [string, Read, Record<string, string>, Numbered[]][] = [
  ["readConfig", readConfig as Read, needed, config],
  ["readServerConfig", readServerConfig as Read, {}, server],
];

describe.each(readers)("%s", (_, read, base, numbers) => {
  it.each(numbers)("reads $variable", ({ variable, path, fallback, min, max, unit = 1, beside = {} }) => {
    const given = (value: string) => at(read({ ...base, ...beside, [variable]: value }), path);
    expect(at(read(base), path)).toBe(fallback * unit);
    expect(given("")).toBe(fallback * unit);
    expect([given(String(min)), given(String(max))]).toEqual([min * unit, max * unit]);
    for (const value of [String(min - 1), String(max + 1), "many", "1.5", "1e3", "0x10", " 5", "5 ", "٣", "-0"]) {
      const reading = () => given(value);
      expect(reading).toThrow(ConfigError);
      expect(reading).toThrow(`environment variable ${variable} must be an integer from ${min} to ${max}`);
    }
  });
});

it("this file tests every variable that config.ts reads", () => {
  const text = readFileSync(new URL("../../shared/config.ts", import.meta.url), "utf8");
  const named = new Set(
    [...text.matchAll(/"([A-Z][A-Z_]{3,})"|environment\.([A-Z][A-Z_\d]+)/g)].map(([, a, b]) => a ?? b),
  );
  const others = [
    "DATABASE_URL",
    "SIGNING_KEY",
    "WECHAT_KEY",
    "WECHAT_URL",
    "CALLBACK_HOSTS",
    "CALLBACK_NETWORKS",
    "CALLBACK_URL",
    "CHANNEL_KEYS",
    "COLLECTIONS_FILE",
    "COLLECTION_ADMINS",
    "EXAMPLES",
    "FILES_FILE",
    "FILES_URL",
    "LOG_LEVEL",
    "METRICS_HOST",
    "METRICS_PORT",
    "METRICS_TOKEN",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_SDK_DISABLED",
    "ROOMS",
    "HOST",
    "TLS_CERT",
    "TLS_KEY",
    "TRUSTED_PROXIES",
    "SESSION_SERVER_NETWORKS",
    "ORDERBELL_HOME",
    // The cloud's and its callers': test/cloud has their tests.
    "AWS_ACCESS_KEY_ID",
    "AWS_CONFIG_FILE",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SHARED_CREDENTIALS_FILE",
    "DATABASE_AUTH",
    "DATABASE_CA",
    "DATABASE_POOLER",
    "DATABASE_ROLE",
    "DATABASE_TLS",
    "FILES_BUCKET",
    "FUNCTION_PREFIX",
    "HOME",
    "OUTBOUND_BY",
    "PICTURE_BUCKET",
    "SOCKET_URL",
    "URL_SUFFIX",
    // test/functions/own_users.test.ts
    "USER_TOKEN_AUDIENCE",
    "USER_TOKEN_ISSUER",
    "USER_TOKEN_KEYS",
    "WECHAT_BY",
  ];
  const tested = [...config, ...server].map(({ variable }) => variable);
  expect([...named].toSorted()).toEqual([...tested, ...others].toSorted());
  // Those of a server have their row; the cloud's and its callers' are set by the deployment or by AWS.
  const guide = readFileSync(new URL("../../docs/operations.md", import.meta.url), "utf8");
  const rows = (guide.split("## Settings")[1]?.split("\n## ")[0] ?? "")
    .split("\n")
    .filter((line) => line.startsWith("| `"));
  const documented = rows.flatMap((row) =>
    [...(row.split("|")[1] ?? "").matchAll(/`([A-Z_]+)`/g)].map(([, name]) => name),
  );
  const cloud =
    /^(AWS_|DATABASE_AUTH|FUNCTION_PREFIX|HOME$|PICTURE_BUCKET|FILES_BUCKET|OUTBOUND_BY|URL_SUFFIX|WECHAT_BY)/;
  const servers = [...named].filter((name) => !cloud.test(name ?? ""));
  expect(documented.filter((name) => !/^DATABASE_(USER|PASSWORD)$/.test(name ?? "")).toSorted()).toEqual(
    servers.toSorted(),
  );
});

describe("metrics and traces", () => {
  const metrics = (environment: Record<string, string>) => readServerConfig(environment).metrics;
  const traces = (environment: Record<string, string>) => readServerConfig(environment).traces;
  const token = "sixteen-letters!";

  it("are off until a variable asks for them", () => {
    for (const environment of [{}, { METRICS_TOKEN: "", METRICS_PORT: "", METRICS_HOST: "0.0.0.0" }])
      expect([metrics(environment), traces(environment)]).toEqual([undefined, false]);
    expect(metrics({ METRICS_TOKEN: token })).toEqual({ token, port: undefined, host: "127.0.0.1" });
    expect(metrics({ METRICS_PORT: "9464", METRICS_HOST: "0.0.0.0" })).toMatchObject({ port: 9_464, host: "0.0.0.0" });
    expect(traces({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318" })).toBe(true);
    expect(traces({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://collector/v1/traces" })).toBe(true);
    expect(traces({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318", OTEL_SDK_DISABLED: "true" })).toBe(false);
  });

  it.each([
    [{ METRICS_TOKEN: "fifteen-letters" }, "METRICS_TOKEN must be at least 16 characters"],
    [{ METRICS_TOKEN: "two words are none" }, "METRICS_TOKEN must be at least 16 characters, without spaces"],
    [{ METRICS_PORT: "http" }, "METRICS_PORT must be an integer from 0 to 65535"],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "127.0.0.1:4318" }, "OTEL_EXPORTER_OTLP_ENDPOINT must be http://… or https://…"],
  ])("are refused by name: %j", (environment, message) => {
    expect(() => readServerConfig(environment as unknown as Record<string, string>)).toThrow(message);
  });
});

describe("a required variable", () => {
  const without = (...names: string[]) =>
    Object.fromEntries(Object.entries(needed).filter(([name]) => !names.includes(name)));

  it.each([
    [without("DATABASE_URL"), "environment variable DATABASE_URL is missing"],
    [without("SIGNING_KEY"), "environment variable SIGNING_KEY is missing"],
    [without("DATABASE_URL", "SIGNING_KEY"), "environment variable DATABASE_URL and SIGNING_KEY are missing"],
    [{ ...needed, SIGNING_KEY: "" }, "environment variable SIGNING_KEY is missing"],
  ])("%# is named when it is missing", (environment, message) => {
    expect(() => readConfig(environment)).toThrow(ConfigError);
    expect(() => readConfig(environment)).toThrow(message);
  });

  it("alone has no default", () => {
    expect(readConfig(needed)).toMatchObject({
      databaseUrl: needed.DATABASE_URL,
      wechatKey: undefined,
      wechatUrl: "https://api.weixin.qq.com",
      callbackUrl: undefined,
      socketUrl: undefined,
      logLevel: "info",
      ticketMs: 30_000,
      pairingMs: 600_000,
    });
    expect(readServerConfig({})).toMatchObject({ host: "127.0.0.1", tls: undefined, trustedProxies: [] });
    expect([homeOf({}), homeOf({ ORDERBELL_HOME: "/srv/shop" })]).toEqual([".orderbell", "/srv/shop"]);
  });
});

describe.each(["SIGNING_KEY", "WECHAT_KEY"])("%s", (variable) => {
  it.each([`${"A".repeat(43)}=`, "A".repeat(43), `${"+/".repeat(21)}A=`, `${"-_".repeat(21)}A`])(
    "may be %s",
    (value) => {
      expect(() => readConfig({ ...needed, [variable]: value })).not.toThrow();
    },
  );

  it.each(["not-to-be-printed", "A".repeat(42), "A".repeat(44), `${"A".repeat(43)}==`, `${"A".repeat(42)} =`])(
    "may not be %s, which is not repeated",
    (value) => {
      const reading = () => readConfig({ ...needed, [variable]: value });
      expect(reading).toThrow(`environment variable ${variable} must be 32 bytes in base64`);
      expect(reading).not.toThrow(value);
    },
  );
});

it("LOG_LEVEL accepts its known words only", () => {
  for (const level of ["debug", "info", "warn", "error", "silent"])
    expect(readConfig({ ...needed, LOG_LEVEL: level }).logLevel).toBe(level);
  expect(() => readConfig({ ...needed, LOG_LEVEL: "INFO" })).toThrow(
    "environment variable LOG_LEVEL must be one of debug, info, warn, error, silent",
  );
});

it("EXAMPLES turns the examples on, and nothing else does", () => {
  expect(readConfig(needed).examples).toBe(false);
  expect(readConfig({ ...needed, EXAMPLES: "off" }).examples).toBe(false);
  expect(readConfig({ ...needed, EXAMPLES: "on" }).examples).toBe(true);
  expect(() => readConfig({ ...needed, EXAMPLES: "yes" })).toThrow(
    "environment variable EXAMPLES must be one of on, off",
  );
});

it("ROOMS says who may make rooms", () => {
  for (const makers of ["off", "staff", "everyone"])
    expect(readConfig({ ...needed, ROOMS: makers }).rooms.makers).toBe(makers);
  expect(readConfig(needed).rooms.makers).toBe("everyone");
  expect(() => readConfig({ ...needed, ROOMS: "guests" })).toThrow(
    "environment variable ROOMS must be one of off, staff, everyone",
  );
});

it("WEBHOOK_RETRY_HOURS ends with the events", () => {
  expect(readConfig({ ...needed, EVENT_HOURS: "2" }).webhooks.deadMs).toBe(2 * hourMs);
});

it("DELIVERY_DAYS keeps an address as long as the events that repeat it", () => {
  expect(() => readConfig({ ...needed, DELIVERY_DAYS: "1" })).toThrow(
    "environment variable DELIVERY_DAYS must not be shorter than EVENT_HOURS",
  );
  expect(readConfig({ ...needed, DELIVERY_DAYS: "2" }).retention.deliveryMs).toBe(2 * dayMs);
});

it("WECHAT_URL, CALLBACK_URL and HOST are taken as they are", () => {
  const given = { WECHAT_URL: "http://127.0.0.1:1", CALLBACK_URL: "https://ws.shop.example" };
  expect(readConfig({ ...needed, ...given })).toMatchObject({
    wechatUrl: given.WECHAT_URL,
    callbackUrl: given.CALLBACK_URL,
  });
  expect(readServerConfig({ HOST: "::1" }).host).toBe("::1");
});

it("TLS_CERT and TLS_KEY are required together", () => {
  const pair = { TLS_CERT: "cert.pem", TLS_KEY: "key.pem" };
  expect(readServerConfig(pair).tls).toEqual({ certPath: "cert.pem", keyPath: "key.pem" });
  for (const [name, value] of Object.entries(pair))
    expect(() => readServerConfig({ [name]: value })).toThrow("environment variable TLS_CERT and TLS_KEY go together");
});

it("SESSION_SERVER_NETWORKS is nobody, everybody, or addresses and ranges", () => {
  const read = (value?: string) =>
    readConfig({ ...needed, ...(value === undefined ? {} : { SESSION_SERVER_NETWORKS: value }) }).sessionServer;
  expect([read(), read(""), read("open")]).toEqual([[], [], "open"]);
  expect(read("10.0.0.0/8; 192.168.1.5,fd00::/8")).toEqual(["10.0.0.0/8", "192.168.1.5", "fd00::/8"]);
  for (const value of ["Open", "open,10.0.0.0/8", "biz.example.com", "10.0.0.0/33", "*"])
    expect(() => read(value)).toThrow("environment variable SESSION_SERVER_NETWORKS must be");
});

it("TRUSTED_PROXIES is read as addresses and ranges", () => {
  expect(readServerConfig({ TRUSTED_PROXIES: " 10.0.0.0/8,, ::1 ,fd00::/8" }).trustedProxies).toEqual([
    "10.0.0.0/8",
    "::1",
    "fd00::/8",
  ]);
  const { trustedProxies } = readServerConfig({ TRUSTED_PROXIES: "203.0.113.7, private" });
  expect(trustedProxies).toEqual(expect.arrayContaining(["203.0.113.7", "10.0.0.0/8", "100.64.0.0/10", "fc00::/7"]));
  for (const value of ["proxy.shop.example", "10.0.0.0/", "10.0.0.0/8;::1", "*"])
    expect(() => readServerConfig({ TRUSTED_PROXIES: value })).toThrow("environment variable TRUSTED_PROXIES must be");
});

it("CHANNEL_KEYS, CALLBACK_HOSTS and CALLBACK_NETWORKS say whom the channel service believes and calls", () => {
  expect(readConfig(needed)).toMatchObject({
    outbound: { networks: [] },
    channels: { keys: "pinned", callbackHosts: [], silenceMs: 45_000 },
  });
  const given = {
    CHANNEL_KEYS: "learn",
    CALLBACK_HOSTS: "biz.example.com; 10.0.0.5:5757,[::1]:80",
    CALLBACK_NETWORKS: "10.0.0.0/8;::1",
    TUNNEL_HEARTBEAT_SEC: "20",
  };
  expect(readConfig({ ...needed, ...given })).toMatchObject({
    outbound: { networks: ["10.0.0.0/8", "::1"] },
    channels: {
      keys: "learn",
      callbackHosts: ["biz.example.com", "10.0.0.5:5757", "[::1]:80"],
      silenceMs: 60_000,
    },
  });
  for (const [variable, values] of Object.entries({
    CHANNEL_KEYS: ["any"],
    CALLBACK_HOSTS: ["https://biz.example.com", "a@b", "a/b", "*", "a:123456"],
    CALLBACK_NETWORKS: ["biz.example.com", "10.0.0.0/33"],
  }))
    for (const value of values)
      expect(() => readConfig({ ...needed, [variable]: value })).toThrow(`environment variable ${variable} must be`);
});

it("COLLECTION_ADMINS names the shops whose owners may administer collections", () => {
  const admins = (text: string) => readConfig({ ...needed, COLLECTION_ADMINS: text }).collectionAdmins;
  expect(admins("noodles; snack-bar")).toEqual(["noodles", "snack-bar"]);
  expect(admins("")).toBeUndefined();
  expect(() => admins("noodles,a b")).toThrow(
    'environment variable COLLECTION_ADMINS must be ids of shops: "a b" is none',
  );
});
