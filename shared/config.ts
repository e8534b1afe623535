/** Configuration, read from the environment. Only this file knows the names of environment variables. */
import type { Pooler } from "../db/address.ts";
import type { OpenOptions } from "../db/open.ts";
import { privateNetworks } from "./address.ts";
import type { Collection } from "./collection.ts";
import { type FilesPlace, FilesUrlWrong, parseFilesUrl } from "./files_url.ts";
import { addressMatcher } from "./networks.ts";
import { isHostAndPort } from "./outbound.ts";
import { type Purpose, purposesByName } from "./purpose.ts";
import { parseTokenKeys, type TokenKeys, TokenKeysWrong } from "./token_keys.ts";

export interface Config {
  /** `postgres://…`, `mysql://…` or `pglite:<folder>`; holds a password, never printed. */
  readonly databaseUrl: string;
  readonly maxDatabaseConnections: number;
  readonly databaseConnectTimeoutMs: number;
  /** How long a starting process waits for a database that is suspended or starting too. */
  readonly databaseWaitMs: number;
  /** Kind of pooler, where the address does not show it. */
  readonly databasePooler: Pooler | undefined;
  /** `verify`: the server's certificate must be valid. `off`: as the address says, also where `verify` is the default. */
  readonly databaseTls: "verify" | "off" | undefined;
  /** Path of a PEM file: the CA of the database's certificate. */
  readonly databaseCaPath: string | undefined;
  /** The database user of the functions, to whom `init_db` grants access, where another user owns the tables. */
  readonly databaseRole: string | undefined;
  /** Seals app secrets and session keys. Only functions that talk to WeChat have it. */
  readonly wechatKey: string | undefined;
  /** Signs rooms' grants and hashes addresses. */
  readonly signingKey: string;
  readonly wechatUrl: string;
  /** Where pushes go when the connect event does not say: a custom domain, or a process of this machine. */
  readonly callbackUrl: string | undefined;
  /** Address of sockets, if their host is not the API's: `wss://…/pgws`. */
  readonly socketUrl: string | undefined;
  /** Networks whose back ends may ask the session server without a key; `open` for everybody. */
  readonly sessionServer: "open" | readonly string[];
  readonly logLevel: LogLevel;
  /** Whether there are the examples: their game, and on this machine their pages. */
  readonly examples: boolean;

  readonly sessionMs: { readonly wechat: number; readonly guest: number; readonly staff: number; readonly own: number };
  /** Whose tokens are exchanged for sessions; undefined: nobody's. */
  readonly userTokens: UserTokens | undefined;
  readonly ticketMs: number;
  readonly pairingMs: number;
  /** How often a client checks: kitchens, and everybody else. */
  readonly checkMs: { readonly shop: number; readonly other: number };
  /** A kitchen screen without a heartbeat for so long counts as gone. A hidden tab may wake once a minute only, so it is more than that. */
  readonly screenMs: number;
  /** Time for all pushes inside one request. */
  readonly pushBudgetMs: number;
  /** Public streams: at most one event in this time. */
  readonly coalesceMs: number;
  /** How long `GET /events` may wait for events; 0 in the cloud, where waiting costs money and capacity. */
  readonly pollWaitMs: number;
  readonly retention: {
    readonly eventsMs: number;
    readonly notificationsMs: number;
    readonly idempotencyMs: number;
    /** A delivery's name, phone and address after the order has ended. At least as long as events, which repeat them. */
    readonly deliveryMs: number;
    /** Documents of commits, before and after: what watches and long reads go on with. */
    readonly changesMs: number;
  };
  readonly rooms: {
    /** Who may make rooms. Anyone with a grant may join. */
    readonly makers: (typeof roomMakers)[number];
    /** Rooms of one user; the guests of one network together may make five times as many. */
    readonly perHour: number;
    /** Bounds of one room; its oldest messages are dropped. */
    readonly maxBytes: number;
    readonly maxMessages: number;
    /** Bound of all rooms together. */
    readonly maxTotalBytes: number;
    /** Of one sender, in all rooms together. */
    readonly bytesPerSec: number;
    /** Tabs and devices of members in one room. */
    readonly maxMembers: number;
    /** A member who is silent for so long has left. */
    readonly leaseMs: number;
    /** A member whose connection was closed has left unless it is back by then. */
    readonly graceMs: number;
  };
  readonly limits: {
    readonly streamsPerConnection: number;
    readonly connectionsPerSession: number;
    /** Watches of collections. */
    readonly watchesPerConnection: number;
    readonly publishesPerSec: number;
    /** Of one network, without an order. */
    readonly guestSessionsPerHour: number;
    /** Codes of one network that WeChat does not know. */
    readonly failedLoginsPerHour: number;
    readonly batch: number;
  };
  /** Calls to other people's servers. */
  readonly outbound: {
    /** Networks that may be called although the internet does not route to them. */
    readonly networks: readonly string[];
  };
  /** The channel service for Wafer's SDKs. */
  readonly channels: {
    /** `pinned`: the operator adds each channel. `learn`: a channel's key comes with its first request. */
    readonly keys: (typeof channelKeys)[number];
    /** Hosts that callbacks may go to beside the channel's own. */
    readonly callbackHosts: readonly string[];
    readonly callbackTimeoutMs: number;
    /** Pauses before a callback is tried again; after the last one it is given up. */
    readonly retryMs: readonly number[];
    /** Seconds between two heartbeats of a tunnel's client. */
    readonly heartbeatSec: number;
    /** A tunnel whose client was silent for so long is closed: three heartbeats. */
    readonly silenceMs: number;
    /** A tunnel that no client has opened by then is none any more. */
    readonly unusedMs: number;
  };
  /** Declared collections by name: what `collections.yml` says, read when the process starts. */
  readonly collections: ReadonlyMap<string, Collection>;
  /** Shops whose owners may administer collections. Undefined: the owner of the only shop of this server. */
  readonly collectionAdmins: readonly string[] | undefined;
  /** Purposes of files by name: those that are built in, and what `files.yml` says, read when the process starts. */
  readonly purposes: ReadonlyMap<string, Purpose>;
  readonly webhooks: {
    /** A stream whose next event is refused for so long is dead: it waits for a replay. Never longer than events are kept. */
    readonly deadMs: number;
    /** The pause after the first failure; it doubles. */
    readonly retryMs: number;
  };
}

/** The system of a shop that signs its own users' tokens. */
export interface UserTokens {
  /** `iss` and `aud` of each token, compared exactly. */
  readonly issuer: string;
  readonly audience: string;
  readonly keys: TokenKeys;
}

/** Where channels' keys come from. */
export const channelKeys = ["pinned", "learn"] as const;

/** `off`: rooms can be neither made nor written to. */
export const roomMakers = ["off", "staff", "everyone"] as const;

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
  // All missing variables are named at once, so that one restart is enough.
  const missing = ["DATABASE_URL", "SIGNING_KEY"].filter((variable) => !environment[variable]);
  if (missing.length > 1) throw new ConfigError(missing.join(" and "), "are missing");
  const eventsMs = integer(environment, "EVENT_HOURS", 48, [1, 24 * 365]) * hourMs;
  const memberMs = integer(environment, "MEMBER_MS", 90_000, [500, 600_000]);
  const heartbeatSec = integer(environment, "TUNNEL_HEARTBEAT_SEC", 15, [5, 120]);
  const config: Config = {
    databaseUrl: databaseUrl(environment),
    maxDatabaseConnections: integer(environment, "DATABASE_CONNECTIONS", 10, [1, 500]),
    databaseConnectTimeoutMs: integer(environment, "DATABASE_CONNECT_TIMEOUT_MS", 2_000, [100, 60_000]),
    databaseWaitMs: integer(environment, "DATABASE_WAIT_MS", 20_000, [0, 240_000]),
    databasePooler: choice(environment, "DATABASE_POOLER", ["off", "session", "transaction"]),
    databaseTls: choice(environment, "DATABASE_TLS", ["verify", "off"]),
    databaseCaPath: environment.DATABASE_CA === "" ? undefined : environment.DATABASE_CA,
    databaseRole: environment.DATABASE_ROLE,
    wechatKey: environment.WECHAT_KEY === undefined ? undefined : key(environment, "WECHAT_KEY"),
    signingKey: key(environment, "SIGNING_KEY"),
    wechatUrl: text(environment, "WECHAT_URL", "https://api.weixin.qq.com"),
    callbackUrl: environment.CALLBACK_URL,
    socketUrl: socketUrl(environment),
    sessionServer:
      environment.SESSION_SERVER_NETWORKS === "open" ? "open" : networks(environment, "SESSION_SERVER_NETWORKS"),
    logLevel: oneOf(environment, "LOG_LEVEL", logLevels, "info"),
    examples: oneOf(environment, "EXAMPLES", ["on", "off"], "off") === "on",
    sessionMs: {
      wechat: integer(environment, "SESSION_DAYS", 30, [1, 365]) * dayMs,
      guest: integer(environment, "GUEST_SESSION_DAYS", 7, [1, 365]) * dayMs,
      staff: integer(environment, "STAFF_SESSION_DAYS", 90, [1, 365]) * dayMs,
      own: integer(environment, "OWN_SESSION_DAYS", 7, [1, 365]) * dayMs,
    },
    userTokens: userTokens(environment),
    ticketMs: 30_000,
    pairingMs: 10 * 60_000,
    checkMs: {
      shop: integer(environment, "CHECK_SHOP_MS", 10_000, [50, 60_000]),
      other: integer(environment, "CHECK_OTHER_MS", 25_000, [50, 300_000]),
    },
    screenMs: integer(environment, "SCREEN_MS", 75_000, [100, 600_000]),
    pushBudgetMs: integer(environment, "PUSH_BUDGET_MS", 2_000, [50, 20_000]),
    coalesceMs: integer(environment, "COALESCE_MS", 1_000, [0, 60_000]),
    pollWaitMs: integer(environment, "POLL_WAIT_SEC", 20, [0, 25]) * 1_000,
    retention: {
      eventsMs,
      notificationsMs: integer(environment, "NOTIFICATION_DAYS", 7, [1, 365]) * dayMs,
      idempotencyMs: integer(environment, "IDEMPOTENCY_DAYS", 7, [1, 365]) * dayMs,
      deliveryMs: integer(environment, "DELIVERY_DAYS", 30, [1, 3_650]) * dayMs,
      changesMs: 10 * 60_000,
    },
    rooms: {
      makers: oneOf(environment, "ROOMS", roomMakers, "everyone"),
      perHour: integer(environment, "ROOMS_PER_HOUR", 20, [1, 10_000]),
      maxBytes: integer(environment, "ROOM_KB", 1_024, [32, 65_536]) * 1_024,
      maxMessages: integer(environment, "ROOM_MESSAGES", 1_000, [1, 100_000]),
      maxTotalBytes: integer(environment, "ROOMS_MB", 256, [1, 1_048_576]) * 1_048_576,
      bytesPerSec: integer(environment, "PUBLISH_KB_PER_SEC", 96, [32, 65_536]) * 1_024,
      maxMembers: integer(environment, "ROOM_MEMBERS", 200, [2, 2_000]),
      leaseMs: memberMs,
      graceMs: Math.ceil(memberMs / 6),
    },
    limits: {
      streamsPerConnection: integer(environment, "STREAMS_PER_CONNECTION", 20, [1, 100]),
      connectionsPerSession: integer(environment, "CONNECTIONS_PER_SESSION", 10, [1, 100]),
      watchesPerConnection: integer(environment, "WATCHES_PER_CONNECTION", 100, [1, 1_000]),
      publishesPerSec: integer(environment, "PUBLISHES_PER_SEC", 20, [1, 1_000]),
      guestSessionsPerHour: integer(environment, "GUEST_SESSIONS_PER_HOUR", 1_000, [1, 100_000]),
      failedLoginsPerHour: integer(environment, "FAILED_LOGINS_PER_HOUR", 300, [1, 100_000]),
      batch: integer(environment, "BATCH", 100, [1, 200]),
    },
    outbound: { networks: callbackNetworks(environment) },
    channels: {
      keys: oneOf(environment, "CHANNEL_KEYS", channelKeys, "pinned"),
      callbackHosts: hosts(environment, "CALLBACK_HOSTS"),
      callbackTimeoutMs: integer(environment, "CALLBACK_TIMEOUT_MS", 10_000, [100, 20_000]),
      retryMs: [1_000, 3_000, 9_000],
      heartbeatSec,
      silenceMs: 3_000 * heartbeatSec,
      unusedMs: 60_000,
    },
    collections: new Map(),
    collectionAdmins: collectionAdmins(environment),
    purposes: purposesByName([]),
    webhooks: {
      deadMs: Math.min(integer(environment, "WEBHOOK_RETRY_HOURS", 24, [1, 24 * 7]) * hourMs, eventsMs),
      retryMs: 1_000,
    },
  };
  if (config.retention.deliveryMs < config.retention.eventsMs)
    throw new ConfigError("DELIVERY_DAYS", "must not be shorter than EVENT_HOURS: events repeat the address");
  return config;
}

/** Parts between commas; between semicolons where a comma ends the setting, as in a deployment's `settings`. */
const listOf = (value = "") =>
  value
    .split(/[,;]/)
    .map((part) => part.trim())
    .filter((part) => part !== "");

/** Also for the function that makes the calls and knows nothing else. @throws ConfigError */
export const callbackNetworks = (environment: Environment): readonly string[] =>
  networks(environment, "CALLBACK_NETWORKS");

function networks(environment: Environment, variable: string): readonly string[] {
  const list = listOf(environment[variable]);
  try {
    addressMatcher(list);
  } catch (error) {
    throw new ConfigError(variable, `must be addresses or ranges, such as 10.0.0.0/8: ${(error as Error).message}`);
  }
  return list;
}

function userTokens(environment: Environment): UserTokens | undefined {
  const names = ["USER_TOKEN_ISSUER", "USER_TOKEN_AUDIENCE", "USER_TOKEN_KEYS"] as const;
  const [issuer = "", audience = "", keys = ""] = names.map((name) => environment[name]?.trim());
  if (issuer + audience + keys === "") return undefined;
  const missing = names.find((name) => !environment[name]?.trim());
  if (missing !== undefined) throw new ConfigError(missing, `is missing: ${names.join(", ")} go together`);
  try {
    return { issuer, audience, keys: parseTokenKeys(keys) };
  } catch (error) {
    throw error instanceof TokenKeysWrong ? new ConfigError("USER_TOKEN_KEYS", error.message) : error;
  }
}

function hosts(environment: Environment, variable: string): readonly string[] {
  const list = listOf(environment[variable]);
  const wrong = list.find((host) => !isHostAndPort(host));
  if (wrong !== undefined)
    throw new ConfigError(variable, `must be hosts, or host:port: "${wrong.slice(0, 40)}" is none`);
  return list;
}

function collectionAdmins(environment: Environment): readonly string[] | undefined {
  if (environment.COLLECTION_ADMINS === undefined || environment.COLLECTION_ADMINS === "") return undefined;
  const shops = listOf(environment.COLLECTION_ADMINS);
  const wrong = shops.find((shop) => !/^[A-Za-z0-9_-]{1,40}$/.test(shop));
  if (wrong !== undefined)
    throw new ConfigError("COLLECTION_ADMINS", `must be ids of shops: "${wrong.slice(0, 40)}" is none`);
  return shops;
}

function socketUrl({ SOCKET_URL: url }: Environment): string | undefined {
  if (url === undefined || url === "") return undefined;
  if (!/^wss?:\/\/[^/?#]+\/\S*$/.test(url))
    throw new ConfigError("SOCKET_URL", "must be ws://… or wss://… with a path");
  return url;
}

/** The options to open the database. */
export function databaseOptions(config: Config): OpenOptions {
  return {
    url: config.databaseUrl,
    maxConnections: config.maxDatabaseConnections,
    connectTimeoutMs: config.databaseConnectTimeoutMs,
    pooler: config.databasePooler,
    caFile: config.databaseCaPath,
    verifiedTls: config.databaseTls === "verify",
  };
}

/** User and password may be variables of their own, where a platform stores them apart from the address. */
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
  [min, max]: readonly [min: number, max: number],
): number {
  const value = environment[variable];
  if (value === undefined || value === "") return fallback;
  if (!/^\d{1,15}$/.test(value) || Number(value) < min || Number(value) > max)
    throw new ConfigError(variable, `must be an integer from ${min} to ${max}`);
  return Number(value);
}

/** One of the words, or undefined. */
function choice<const T extends string>(
  environment: Environment,
  variable: string,
  words: readonly T[],
): T | undefined {
  return environment[variable] ? oneOf<T | "">(environment, variable, words, "") || undefined : undefined;
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
  /** Addresses and ranges of the proxies in front, whose X-Forwarded-For (or Forwarded) is trusted. */
  readonly trustedProxies: readonly string[];
  readonly maxBodyBytes: number;
  readonly maxConnections: number;
  readonly concurrency: number;
  readonly queue: number;
  readonly polls: number;
  readonly idleMs: number;
  readonly durationMs: number;
  readonly stopMs: number;
  /** What the log may take in ORDERBELL_HOME; 0 keeps none. */
  readonly logKeepBytes: number;
  /** Figures for Prometheus; undefined when no variable asks for them. */
  readonly metrics: MetricsConfig | undefined;
  /** Where files lie; undefined: in `files` of the home folder. Holds a secret, never printed. */
  readonly files: FilesPlace | undefined;
  /** Whether traces go out. Where to, and all else about them, OpenTelemetry's own packages read from its variables. */
  readonly traces: boolean;
}

export interface MetricsConfig {
  /** With which a scrape must come, on either port. Without a port of their own it is always there. */
  readonly token: string | undefined;
  /** Their own port; without it they are on the server's. */
  readonly port: number | undefined;
  readonly host: string;
}

/** @throws ConfigError */
export function readServerConfig(environment: Environment): ServerConfig {
  const certPath = environment.TLS_CERT;
  const keyPath = environment.TLS_KEY;
  if ((certPath === undefined) !== (keyPath === undefined))
    throw new ConfigError("TLS_CERT", "and TLS_KEY go together");
  return {
    host: text(environment, "HOST", "127.0.0.1"),
    port: integer(environment, "PORT", 8_787, [0, 65_535]),
    tls: certPath === undefined || keyPath === undefined ? undefined : { certPath, keyPath },
    trustedProxies: (environment.TRUSTED_PROXIES ?? "")
      .split(",")
      .flatMap((one) => (one.trim() === "" ? [] : proxies(one.trim()))),
    maxBodyBytes: integer(environment, "MAX_BODY_BYTES", 1_048_576, [1_024, 10_485_760]),
    maxConnections: integer(environment, "MAX_CONNECTIONS", 20_000, [1, 1_000_000]),
    concurrency: integer(environment, "CONCURRENCY", 1_000, [1, 100_000]),
    queue: integer(environment, "QUEUE", 1_000, [0, 100_000]),
    polls: integer(environment, "POLLS", 2_000, [1, 100_000]),
    idleMs: integer(environment, "IDLE_MS", 600_000, [1_000, 86_400_000]),
    durationMs: integer(environment, "DURATION_MS", 7_200_000, [1_000, 86_400_000]),
    stopMs: integer(environment, "STOP_MS", 10_000, [100, 120_000]),
    logKeepBytes: integer(environment, "LOG_KEEP_MB", 64, [0, 100_000]) * 1_048_576,
    metrics: metrics(environment),
    files: filesPlace(environment),
    traces: traces(environment),
  };
}

function filesPlace({ FILES_URL: url }: Environment): FilesPlace | undefined {
  if (!url) return undefined;
  try {
    return parseFilesUrl(url);
  } catch (error) {
    throw error instanceof FilesUrlWrong ? new ConfigError("FILES_URL", error.message) : error;
  }
}

function metrics(environment: Environment): MetricsConfig | undefined {
  const { METRICS_TOKEN: token, METRICS_PORT: port } = environment;
  if (!token && !port) return undefined;
  if (token && !/^[\x21-\x7e]{16,}$/.test(token))
    throw new ConfigError("METRICS_TOKEN", "must be at least 16 characters, without spaces: openssl rand -hex 32");
  return {
    token: token || undefined,
    port: port ? integer(environment, "METRICS_PORT", 0, [0, 65_535]) : undefined,
    host: text(environment, "METRICS_HOST", "127.0.0.1"),
  };
}

/** As OpenTelemetry's specification has it: an address for all signals or for traces alone, and a switch. */
function traces(environment: Environment): boolean {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: all, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: own } = environment;
  if ((!all && !own) || environment.OTEL_SDK_DISABLED?.toLowerCase() === "true") return false;
  const addresses = [
    ["OTEL_EXPORTER_OTLP_ENDPOINT", all],
    ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", own],
  ] as const;
  for (const [variable, value] of addresses)
    if (value && !/^https?:\/\/[^/?#]+/.test(value)) throw new ConfigError(variable, "must be http://… or https://…");
  return true;
}

/** `private` is for a container that only its platform's proxies can reach. */
function proxies(entry: string): readonly string[] {
  if (entry === "private") return privateNetworks;
  if (!/^[0-9a-f.:]+(\/\d{1,3})?$/i.test(entry))
    throw new ConfigError("TRUSTED_PROXIES", 'must be addresses or ranges, such as 10.0.0.0/8, or "private"');
  return [entry];
}

/** The declaration of collections, if it is not the project's own file. */
export const collectionsFileOf = (environment: Environment): string | undefined =>
  environment.COLLECTIONS_FILE || undefined;

/** The declaration of purposes of files, likewise. */
export const purposesFileOf = (environment: Environment): string | undefined => environment.FILES_FILE || undefined;

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
  /** Replaces AWS's addresses; the AWS SDKs use the same variable. */
  readonly endpointUrl: string | undefined;
  /** Prefix of a function's name in this stage: `orderbell-dev-`. */
  readonly functionPrefix: string;
  /** `token`: IAM authentication by this function's role; the address has no password. */
  readonly databaseAuth: "url" | "token";
  /** The function that calls WeChat for this one, which has no route to it. */
  readonly wechatBy: string | undefined;
  /** The function that can reach other people's servers, where this one cannot. */
  readonly outboundBy: string | undefined;
  /** The bucket of the dishes' pictures, in the functions that upload or serve them. */
  readonly pictureBucket: string | undefined;
  /** The bucket of files, in the functions that sign, check or remove them. */
  readonly filesBucket: string | undefined;
  /** Replaces S3's addresses, the bucket in the path; the AWS SDKs use the same variable. */
  readonly s3Url: string | undefined;
  /** When the credentials end, if that is said: what they have signed ends then too. Lambda does not say it. */
  readonly credentialsUntil: number | undefined;
}

/** AWS credentials of a person at the command line; the variables are the AWS CLI's. */
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
    outboundBy: environment.OUTBOUND_BY,
    pictureBucket: environment.PICTURE_BUCKET,
    filesBucket: environment.FILES_BUCKET || undefined,
    s3Url: environment.AWS_ENDPOINT_URL_S3?.replace(/\/+$/, "") || undefined,
    credentialsUntil: Date.parse(environment.AWS_CREDENTIAL_EXPIRATION ?? "") || undefined,
  };
}
