/** Environment → Config. The only file that knows the names of environment variables. */

export interface Config {
  /** `postgres://…`, `mysql://…` or `pglite:<folder>`; holds a password, never printed. */
  readonly databaseUrl: string;
  readonly maxDatabaseConnections: number;
  readonly databaseConnectTimeoutMs: number;
  /** The user that `init_db` lets in: the functions' own, where the tables belong to another. */
  readonly databaseRole: string | undefined;
  /** Seals app secrets and session keys. Only functions that talk to WeChat have it. */
  readonly wechatKey: string | undefined;
  /** Signs rooms' grants and hashes addresses. */
  readonly signingKey: string;
  readonly wechatUrl: string;
  /** Where pushes go when the event that registers a connection cannot tell: a custom domain, or a process of this machine. */
  readonly callbackUrl: string | undefined;
  readonly logLevel: LogLevel;

  readonly sessionMs: { readonly wechat: number; readonly guest: number; readonly staff: number };
  readonly ticketMs: number;
  readonly pairingMs: number;
  /** How often a client checks: kitchens, and everybody else. */
  readonly checkMs: { readonly shop: number; readonly other: number };
  /** A kitchen screen that was silent for so long counts as gone. */
  readonly screenMs: number;
  /** Pushes inside a request: all together at most this. */
  readonly pushBudgetMs: number;
  /** Public streams: at most one event in this time. */
  readonly coalesceMs: number;
  readonly retention: {
    readonly eventsMs: number;
    readonly notificationsMs: number;
    readonly idempotencyMs: number;
    /** A delivery's name, phone and address after the order has ended. At least as long as events live, which repeat them. */
    readonly deliveryMs: number;
  };
  readonly limits: {
    readonly streamsPerConnection: number;
    readonly connectionsPerSession: number;
    readonly publishesPerSec: number;
    readonly guestSessionsPerHour: number;
    readonly batch: number;
  };
}

export const logLevels = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];

/** A variable is missing or unusable. Names the variable, never its value. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  constructor(variable: string, reason: string) {
    super(`environment variable ${variable} ${reason}`);
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** @throws ConfigError */
export function readConfig(environment: Environment): Config {
  // Named all at once, so that nobody has to start three times.
  const missing = ["DATABASE_URL", "SIGNING_KEY"].filter((variable) => !environment[variable]);
  if (missing.length > 1) throw new ConfigError(missing.join(" and "), "are missing");
  const config: Config = {
    databaseUrl: databaseUrl(environment),
    maxDatabaseConnections: integer(environment, "DATABASE_CONNECTIONS", 10, 1, 500),
    databaseConnectTimeoutMs: integer(environment, "DATABASE_CONNECT_TIMEOUT_MS", 2_000, 100, 60_000),
    databaseRole: environment.DATABASE_ROLE,
    wechatKey: environment.WECHAT_KEY === undefined ? undefined : key(environment, "WECHAT_KEY"),
    signingKey: key(environment, "SIGNING_KEY"),
    wechatUrl: text(environment, "WECHAT_URL", "https://api.weixin.qq.com"),
    callbackUrl: environment.CALLBACK_URL,
    logLevel: oneOf(environment, "LOG_LEVEL", logLevels, "info"),
    sessionMs: {
      wechat: integer(environment, "SESSION_DAYS", 30, 1, 365) * dayMs,
      guest: integer(environment, "GUEST_SESSION_DAYS", 7, 1, 365) * dayMs,
      staff: integer(environment, "STAFF_SESSION_DAYS", 90, 1, 365) * dayMs,
    },
    ticketMs: 30_000,
    pairingMs: 10 * 60_000,
    checkMs: {
      shop: integer(environment, "CHECK_SHOP_MS", 10_000, 50, 60_000),
      other: integer(environment, "CHECK_OTHER_MS", 25_000, 50, 300_000),
    },
    screenMs: integer(environment, "SCREEN_MS", 35_000, 100, 600_000),
    pushBudgetMs: integer(environment, "PUSH_BUDGET_MS", 2_000, 50, 20_000),
    coalesceMs: integer(environment, "COALESCE_MS", 1_000, 0, 60_000),
    retention: {
      eventsMs: integer(environment, "EVENT_HOURS", 48, 1, 24 * 365) * hourMs,
      notificationsMs: integer(environment, "NOTIFICATION_DAYS", 7, 1, 365) * dayMs,
      idempotencyMs: integer(environment, "IDEMPOTENCY_DAYS", 7, 1, 365) * dayMs,
      deliveryMs: integer(environment, "DELIVERY_DAYS", 30, 1, 3_650) * dayMs,
    },
    limits: {
      streamsPerConnection: integer(environment, "STREAMS_PER_CONNECTION", 20, 1, 100),
      connectionsPerSession: integer(environment, "CONNECTIONS_PER_SESSION", 10, 1, 100),
      publishesPerSec: integer(environment, "PUBLISHES_PER_SEC", 20, 1, 1_000),
      guestSessionsPerHour: integer(environment, "GUEST_SESSIONS_PER_HOUR", 120, 1, 100_000),
      batch: integer(environment, "BATCH", 100, 1, 200),
    },
  };
  if (config.retention.deliveryMs < config.retention.eventsMs)
    throw new ConfigError("DELIVERY_DAYS", "must not be shorter than EVENT_HOURS: events repeat the address");
  return config;
}

/** User and password may come beside the address, where they are kept apart from it. */
function databaseUrl(environment: Environment): string {
  const address = text(environment, "DATABASE_URL");
  const { DATABASE_USER: user, DATABASE_PASSWORD: password } = environment;
  if (user === undefined || password === undefined) return address;
  const url = new URL(address);
  url.username = encodeURIComponent(user);
  url.password = encodeURIComponent(password);
  return url.href;
}

export function text(environment: Environment, variable: string, fallback?: string): string {
  const value = environment[variable] ?? fallback;
  if (value === undefined || value === "") throw new ConfigError(variable, "is missing");
  return value;
}

export function integer(
  environment: Environment,
  variable: string,
  fallback: number,
  min: number,
  max: number,
): number {
  const value = environment[variable];
  if (value === undefined || value === "") return fallback;
  if (!/^\d{1,15}$/.test(value) || Number(value) < min || Number(value) > max)
    throw new ConfigError(variable, `must be an integer from ${min} to ${max}`);
  return Number(value);
}

export function oneOf<const T extends string>(
  environment: Environment,
  variable: string,
  words: readonly T[],
  fallback: T,
): T {
  const value = environment[variable];
  if (value === undefined || value === "") return fallback;
  const word = words.find((known) => known === value);
  if (word === undefined) throw new ConfigError(variable, `must be one of ${words.join(", ")}`);
  return word;
}

/** 32 bytes in base64 or base64url, as `openssl rand -base64 32` prints them. */
export function key(environment: Environment, variable: string): string {
  const value = text(environment, variable);
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(value)) throw new ConfigError(variable, "must be 32 bytes in base64");
  return value;
}

// --- The gateway on this machine -----------------------------------------------------------------------------------

export interface ServerConfig {
  readonly host: string;
  readonly port: number;
  /** Paths of PEM files. */
  readonly tls: { readonly certPath: string; readonly keyPath: string } | undefined;
  /** Addresses and ranges of the proxies in front, whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
  readonly maxBodyBytes: number;
  readonly maxConnections: number;
  readonly concurrency: number;
  readonly idleMs: number;
  readonly durationMs: number;
  readonly stopMs: number;
}

/** @throws ConfigError */
export function readServerConfig(environment: Environment): ServerConfig {
  const certPath = environment.TLS_CERT;
  const keyPath = environment.TLS_KEY;
  if ((certPath === undefined) !== (keyPath === undefined))
    throw new ConfigError("TLS_CERT", "and TLS_KEY go together");
  return {
    host: text(environment, "HOST", "127.0.0.1"),
    port: integer(environment, "PORT", 8_787, 0, 65_535),
    tls: certPath === undefined || keyPath === undefined ? undefined : { certPath, keyPath },
    trustedProxies: (environment.TRUSTED_PROXIES ?? "")
      .split(",")
      .flatMap((one) => (one.trim() === "" ? [] : [proxy(one.trim())])),
    maxBodyBytes: integer(environment, "MAX_BODY_BYTES", 1_048_576, 1_024, 10_485_760),
    maxConnections: integer(environment, "MAX_CONNECTIONS", 20_000, 1, 1_000_000),
    concurrency: integer(environment, "CONCURRENCY", 1_000, 1, 100_000),
    idleMs: integer(environment, "IDLE_MS", 600_000, 1_000, 86_400_000),
    durationMs: integer(environment, "DURATION_MS", 7_200_000, 1_000, 86_400_000),
    stopMs: integer(environment, "STOP_MS", 10_000, 100, 120_000),
  };
}

function proxy(entry: string): string {
  if (!/^[0-9a-f.:]+(\/\d{1,3})?$/i.test(entry))
    throw new ConfigError("TRUSTED_PROXIES", "must be addresses or ranges, such as 10.0.0.0/8");
  return entry;
}

/** The folder of the demo: database, keys, socket. */
export const homeOf = (environment: Environment): string => environment.ORDERBELL_HOME ?? ".orderbell";

// --- The cloud -----------------------------------------------------------------------------------------------------

export interface CloudConfig {
  readonly region: string;
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken: string | undefined;
  };
  readonly urlSuffix: string;
  /** Instead of AWS's own addresses; the name is the AWS SDKs'. */
  readonly endpointUrl: string | undefined;
  /** What stands before a function's name in this stage: `orderbell-dev-`. */
  readonly functionPrefix: string;
  /** `token`: the database knows this function's role, and its address has no password. */
  readonly databaseAuth: "url" | "token";
  /** The function that can reach WeChat, where this one cannot. */
  readonly wechatBy: string | undefined;
  /** The bucket of the dishes' pictures, in the functions that put or show them. */
  readonly pictureBucket: string | undefined;
  /** Where the pages find their socket: `wss://…/pgws`. */
  readonly socketUrl: string | undefined;
}

/** What the environment of a person says of the caller; the AWS command line's own names. */
export interface CallerConfig {
  readonly keys:
    | {
        readonly accessKeyId: string;
        readonly secretAccessKey: string;
        readonly sessionToken: string | undefined;
      }
    | undefined;
  readonly profile: string | undefined;
  readonly region: string | undefined;
  readonly home: string | undefined;
  readonly configFile: string | undefined;
  readonly credentialsFile: string | undefined;
  readonly endpointUrl: string | undefined;
}

export function readCallerConfig(environment: Environment): CallerConfig {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = environment;
  const sessionToken = environment.AWS_SESSION_TOKEN;
  return {
    keys:
      accessKeyId === undefined || secretAccessKey === undefined
        ? undefined
        : { accessKeyId, secretAccessKey, sessionToken },
    profile: environment.AWS_PROFILE,
    region: environment.AWS_REGION ?? environment.AWS_DEFAULT_REGION,
    home: environment.HOME,
    configFile: environment.AWS_CONFIG_FILE,
    credentialsFile: environment.AWS_SHARED_CREDENTIALS_FILE,
    endpointUrl: environment.AWS_ENDPOINT_URL,
  };
}

/** Most of these are set by Lambda itself. @throws ConfigError */
export function readCloudConfig(environment: Environment): CloudConfig {
  return {
    region: text(environment, "AWS_REGION"),
    credentials: {
      accessKeyId: text(environment, "AWS_ACCESS_KEY_ID"),
      secretAccessKey: text(environment, "AWS_SECRET_ACCESS_KEY"),
      sessionToken: environment.AWS_SESSION_TOKEN,
    },
    urlSuffix: text(environment, "URL_SUFFIX", "amazonaws.com"),
    endpointUrl: environment.AWS_ENDPOINT_URL,
    functionPrefix: text(environment, "FUNCTION_PREFIX", "orderbell-"),
    databaseAuth: oneOf(environment, "DATABASE_AUTH", ["url", "token"], "url"),
    wechatBy: environment.WECHAT_BY,
    pictureBucket: environment.PICTURE_BUCKET,
    socketUrl: environment.SOCKET_URL,
  };
}
