/** Entry of a function on AWS: its handler with the cloud's own app, made once per environment at its first call. */
import { type AwsOptions, awsPusher } from "../apigateway/aws.ts";
import { remoteGateway } from "../apigateway/remote.ts";
import type { S3Bucket } from "../apigateway/s3_bucket.ts";
import type { S3CallOptions } from "../apigateway/s3_call.ts";
import { AwsRefused, awsCaller } from "../cloud/aws_call.ts";
import { databaseToken } from "../cloud/database_token.ts";
import { readSecrets } from "../cloud/read_secrets.ts";
import { answerResource, isResourceEvent } from "../cloud/schema_resource.ts";
import { askFunction, startFunction } from "../cloud/start_function.ts";
import { type Address, AddressWrong, readAddress } from "../db/address.ts";
import type { Database, Migrator } from "../db/database.ts";
import { dialects } from "../db/dialect.ts";
import { type Freezable, freezable } from "../db/frozen_connection.ts";
import type { OpenOptions } from "../db/open.ts";
import type { App, Random } from "../shared/app.ts";
import type { Collection } from "../shared/collection.ts";
import { type Config, ConfigError, databaseOptions, readCloudConfig, readConfig } from "../shared/config.ts";
import type { FileStore } from "../shared/file_store.ts";
import type { Outbound } from "../shared/outbound.ts";
import type { Pages } from "../shared/page_files.ts";
import { type Purpose, purposesByName } from "../shared/purpose.ts";
import { makeWechat } from "../shared/wechat.ts";
import { type Handler, makeApp, makeRandom, monotonicMs, printedLog, systemClock } from "./_app.ts";
import type { OutboundOptions } from "./_outbound.ts";
import { type OutsideAnswer, outsideOutbound } from "./ask_outside.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Options that differ between bundles; scripts/build.ts writes them into each function's entry. */
export interface CloudParts {
  readonly environment: Environment;
  /** The one driver of this bundle; a function without data has none, and no secrets either. */
  readonly open?: (
    options: OpenOptions & {
      password?: (() => Promise<string>) | undefined;
      idleSessionMs?: number | undefined;
    },
  ) => Database & Migrator;
  readonly engine?: "postgres" | "mysql";
  /** What collections.yml declared when this was built. */
  readonly collections?: readonly Collection[];
  /** What files.yml declared, likewise. */
  readonly purposes?: readonly Purpose[];
  /** How to reach WeChat from here, in the functions that do. */
  readonly wechatClient?: ((url: string) => WechatClient) | undefined;
  /** How other people's servers are called, in the function that does. */
  readonly outbound?: (options: OutboundOptions) => Outbound;
  /** Where files lie, in the functions with the right `files`. */
  readonly store?: (bucket: S3Bucket, more: Omit<S3CallOptions, "bucket">) => FileStore;
  /** The built pages, in the function that serves them. */
  readonly pages?: (bucket: S3Bucket, socketUrl: string) => Pages;
}

type WechatClient = Parameters<typeof makeWechat>[0];

interface Cloud {
  readonly app: App;
  readonly db: Freezable;
}

/** A push that takes longer is repeated or found missing; it must fit into the time of a request. */
const pushTimeoutMs = 1_500;
/** WeChat's own time-out, five seconds, must fit into it. */
const callTimeoutMs = 8_000;
/** Longer than a callback may take, which has its own time there. */
const outsideTimeoutMs = 28_000;
/** An environment serves one request at a time. */
const databaseConnections = 1;
/** A frozen environment keeps its connection; the server ends it after this time, so that idle ones do not fill a small database. */
const idleSessionMs = 60_000;

export function onLambda<Event, Answer>(
  handler: Handler<Event, Answer>,
  parts: CloudParts,
): (event: Event) => Promise<Answer> {
  let made: Promise<Cloud & { serve: (event: Event) => Promise<Answer> }> | undefined;
  async function make() {
    const cloud = await makeCloud(parts);
    return { ...cloud, serve: handler(cloud.app) };
  }
  return async (event) => {
    made ??= make();
    // A secret that could not be read now may be readable for the next call.
    const { db, serve } = await made.catch((error) => {
      made = undefined;
      throw error;
    });
    await db.wake();
    return await serve(event).finally(lastTurn);
  };
}

/** Runs what libraries deferred to the next turn of the event loop; frozen, it would wait for the next event. */
const lastTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** `init_db`: by hand, or as the custom resource of a deployment. */
export function onDeployment(
  handler: Handler<void, { applied: number[] }>,
  parts: CloudParts,
): (event: unknown) => Promise<{ applied: number[] } | undefined> {
  const run = onLambda(handler, parts);
  return async (event) => {
    if (!isResourceEvent(event)) return run();
    // Errors while building the app are reported to CloudFormation too.
    await answerResource(event, () => retryUntilRoleKnown(run), printedLog("info")).finally(lastTurn);
    return undefined;
  };
}

const noDatabase: NonNullable<CloudParts["open"]> = () => {
  throw new TypeError("this function has no database");
};

/** Required by readConfig, in functions without data. */
const placeholders = (random: Random) => ({ DATABASE_URL: "none://", SIGNING_KEY: random.secret(32) });

/** A new role takes some seconds until it is known everywhere. */
async function retryUntilRoleKnown<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof AwsRefused) || error.code !== "AccessDeniedException" || tries === 6) throw error;
      await systemClock.sleep(5_000);
    }
  }
}

/** @throws ConfigError */
function addressOf(options: OpenOptions): Address {
  try {
    return readAddress(options.url, options);
  } catch (error) {
    if (error instanceof AddressWrong) throw new ConfigError("DATABASE_URL", error.message);
    throw error;
  }
}

async function makeCloud({
  environment: given,
  open,
  engine,
  collections = [],
  purposes = [],
  wechatClient,
  outbound: makeOutbound,
  store,
  pages,
}: CloudParts): Promise<Cloud> {
  const cloud = readCloudConfig(given);
  const { region, credentials, urlSuffix, endpointUrl, functionPrefix, databaseAuth, wechatBy } = cloud;
  const call = awsCaller({ region, credentials, urlSuffix, endpointUrl, timeoutMs: callTimeoutMs });
  const clock = systemClock;
  const random = makeRandom(clock);
  const environment = open === undefined ? { ...placeholders(random), ...given } : await readSecrets(given, call);
  const config: Config = {
    ...readConfig(environment),
    collections: new Map(collections.map((one) => [one.name, one])),
    purposes: purposesByName(purposes),
  };
  // Passwords and orders cross the internet: without TLS only if the configuration says so.
  const options: OpenOptions = {
    ...databaseOptions(config),
    maxConnections: databaseConnections,
    verifiedTls: config.databaseTls !== "off",
  };
  const address = open === undefined ? undefined : addressOf(options);
  if (engine !== undefined && address !== undefined && address.engine !== engine)
    throw new ConfigError("DATABASE_URL", `is for ${address.engine}, and this deployment was built for ${engine}`);

  const db = freezable(
    () =>
      (open ?? noDatabase)({
        ...options,
        idleSessionMs,
        password:
          databaseAuth === "token"
            ? () => databaseToken(new URL(options.url), region, credentials, new Date(clock.now()))
            : undefined,
      }),
    dialects[engine ?? "postgres"],
    clock.now,
    { maxWaitMs: config.databaseWaitMs },
  );
  const log = printedLog(config.logLevel);
  const push: AwsOptions = { region, ...credentials, timeoutMs: pushTimeoutMs };
  const gateway = remoteGateway({
    db,
    pusher: awsPusher(push),
    clock,
    random,
    log,
    maxStreams: config.limits.streamsPerConnection,
    graceMs: config.rooms.graceMs,
    address: config.callbackUrl,
  });
  const byFunction: WechatClient = {
    get: async (path: string, options) =>
      (await askFunction(call, `${functionPrefix}${wechatBy}`, { path, params: options?.params })) as never,
  };
  const bucketOf = (name: string): S3Bucket => {
    const endpoint = cloud.s3Url === undefined ? `https://${name}.s3.${region}.${urlSuffix}` : `${cloud.s3Url}/${name}`;
    const { credentialsUntil } = cloud;
    return { region, ...credentials, credentialsUntil, bucket: name, endpoint, now: clock.now };
  };
  const pictureBucket = () => bucketOf(requireVariable("PICTURE_BUCKET", cloud.pictureBucket));
  // A part alone sweeps too, and has no files.
  const storeOf = () =>
    store === undefined || cloud.filesBucket === undefined
      ? {}
      : { store: store(bucketOf(cloud.filesBucket), { sleep: clock.sleep, fraction: random.fraction }) };
  const wechat = wechatBy === undefined ? wechatClient?.(config.wechatUrl) : byFunction;
  const outsideCall = awsCaller({ region, credentials, urlSuffix, endpointUrl, timeoutMs: outsideTimeoutMs });
  const outbound: Outbound | undefined =
    cloud.outboundBy === undefined
      ? makeOutbound?.({ networks: config.outbound.networks, now: monotonicMs, keepAlive: false })
      : outsideOutbound(
          async (question) =>
            (await askFunction(outsideCall, `${functionPrefix}${cloud.outboundBy}`, question)) as OutsideAnswer,
        );
  const app: App = makeApp({
    config,
    db,
    gateway,
    clock,
    random,
    log,
    invoke: (name, event) => startFunction(call, `${functionPrefix}${name}`, event),
    ...(wechat === undefined ? {} : { wechat: makeWechat(wechat) }),
    ...(outbound === undefined ? {} : { outbound }),
    ...storeOf(),
    ...(pages === undefined ? {} : { pages: pages(pictureBucket(), requireVariable("SOCKET_URL", config.socketUrl)) }),
  });
  return { app, db };
}

/** A variable that only some functions have. @throws ConfigError */
function requireVariable(variable: string, value: string | undefined): string {
  if (value === undefined || value === "") throw new ConfigError(variable, "is missing");
  return value;
}
