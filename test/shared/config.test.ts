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
  { variable: "SESSION_DAYS", path: "sessionMs.wechat", fallback: 30, min: 1, max: 365, unit: dayMs },
  { variable: "GUEST_SESSION_DAYS", path: "sessionMs.guest", fallback: 7, min: 1, max: 365, unit: dayMs },
  { variable: "STAFF_SESSION_DAYS", path: "sessionMs.staff", fallback: 90, min: 1, max: 365, unit: dayMs },
  { variable: "CHECK_SHOP_MS", path: "checkMs.shop", fallback: 10_000, min: 50, max: 60_000 },
  { variable: "CHECK_OTHER_MS", path: "checkMs.other", fallback: 25_000, min: 50, max: 300_000 },
  { variable: "SCREEN_MS", path: "screenMs", fallback: 35_000, min: 100, max: 600_000 },
  { variable: "PUSH_BUDGET_MS", path: "pushBudgetMs", fallback: 2_000, min: 50, max: 20_000 },
  { variable: "COALESCE_MS", path: "coalesceMs", fallback: 1_000, min: 0, max: 60_000 },
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
  { variable: "CONNECTIONS_PER_SESSION", path: "limits.connectionsPerSession", fallback: 10, min: 1, max: 100 },
  { variable: "PUBLISHES_PER_SEC", path: "limits.publishesPerSec", fallback: 20, min: 1, max: 1_000 },
  { variable: "GUEST_SESSIONS_PER_HOUR", path: "limits.guestSessionsPerHour", fallback: 120, min: 1, max: 100_000 },
  { variable: "BATCH", path: "limits.batch", fallback: 100, min: 1, max: 200 },
];

const server: Numbered[] = [
  { variable: "PORT", path: "port", fallback: 8_787, min: 0, max: 65_535 },
  { variable: "MAX_BODY_BYTES", path: "maxBodyBytes", fallback: 1_048_576, min: 1_024, max: 10_485_760 },
  { variable: "MAX_CONNECTIONS", path: "maxConnections", fallback: 20_000, min: 1, max: 1_000_000 },
  { variable: "CONCURRENCY", path: "concurrency", fallback: 1_000, min: 1, max: 100_000 },
  { variable: "IDLE_MS", path: "idleMs", fallback: 600_000, min: 1_000, max: 86_400_000 },
  { variable: "DURATION_MS", path: "durationMs", fallback: 7_200_000, min: 1_000, max: 86_400_000 },
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

it("names every variable that the file reads", () => {
  const text = readFileSync(new URL("../../shared/config.ts", import.meta.url), "utf8");
  const named = new Set([...text.matchAll(/"([A-Z][A-Z_]{3,})"|environment\.([A-Z_]+)/g)].map(([, a, b]) => a ?? b));
  const others = [
    "DATABASE_URL",
    "SIGNING_KEY",
    "WECHAT_KEY",
    "WECHAT_URL",
    "CALLBACK_URL",
    "LOG_LEVEL",
    "HOST",
    "TLS_CERT",
    "TLS_KEY",
    "TRUSTED_PROXIES",
    "ORDERBELL_HOME",
    // The cloud's and its callers': test/cloud has their tests.
    "AWS_ACCESS_KEY_ID",
    "AWS_CONFIG_FILE",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SHARED_CREDENTIALS_FILE",
    "DATABASE_AUTH",
    "DATABASE_ROLE",
    "FUNCTION_PREFIX",
    "HOME",
    "PICTURE_BUCKET",
    "SOCKET_URL",
    "URL_SUFFIX",
    "WECHAT_BY",
  ];
  const tested = [...config, ...server].map(({ variable }) => variable);
  expect([...named].toSorted()).toEqual([...tested, ...others].toSorted());
});

describe("what is needed", () => {
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

  it("and what is not has a default", () => {
    expect(readConfig(needed)).toMatchObject({
      databaseUrl: needed.DATABASE_URL,
      wechatKey: undefined,
      wechatUrl: "https://api.weixin.qq.com",
      callbackUrl: undefined,
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

it("knows the words of LOG_LEVEL", () => {
  for (const level of ["debug", "info", "warn", "error", "silent"])
    expect(readConfig({ ...needed, LOG_LEVEL: level }).logLevel).toBe(level);
  expect(() => readConfig({ ...needed, LOG_LEVEL: "INFO" })).toThrow(
    "environment variable LOG_LEVEL must be one of debug, info, warn, error, silent",
  );
});

it("does not remove a delivery's address before the events that repeat it", () => {
  expect(() => readConfig({ ...needed, DELIVERY_DAYS: "1" })).toThrow(
    "environment variable DELIVERY_DAYS must not be shorter than EVENT_HOURS",
  );
  expect(readConfig({ ...needed, DELIVERY_DAYS: "2" }).retention.deliveryMs).toBe(2 * dayMs);
});

it("takes addresses as they are", () => {
  const given = { WECHAT_URL: "http://127.0.0.1:1", CALLBACK_URL: "https://ws.shop.example" };
  expect(readConfig({ ...needed, ...given })).toMatchObject({
    wechatUrl: given.WECHAT_URL,
    callbackUrl: given.CALLBACK_URL,
  });
  expect(readServerConfig({ HOST: "::1" }).host).toBe("::1");
});

it("wants certificate and key together", () => {
  const pair = { TLS_CERT: "cert.pem", TLS_KEY: "key.pem" };
  expect(readServerConfig(pair).tls).toEqual({ certPath: "cert.pem", keyPath: "key.pem" });
  for (const [name, value] of Object.entries(pair))
    expect(() => readServerConfig({ [name]: value })).toThrow("environment variable TLS_CERT and TLS_KEY go together");
});

it("reads proxies as addresses and ranges", () => {
  expect(readServerConfig({ TRUSTED_PROXIES: " 10.0.0.0/8,, ::1 ,fd00::/8" }).trustedProxies).toEqual([
    "10.0.0.0/8",
    "::1",
    "fd00::/8",
  ]);
  for (const value of ["proxy.shop.example", "10.0.0.0/", "10.0.0.0/8;::1", "*"])
    expect(() => readServerConfig({ TRUSTED_PROXIES: value })).toThrow("environment variable TRUSTED_PROXIES must be");
});
