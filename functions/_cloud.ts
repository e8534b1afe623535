/** What AWS calls: a function's handler with the cloud's own app, made once per environment at its first call. */
import { type AwsOptions, awsPusher } from "../apigateway/aws.ts";
import { remoteGateway } from "../apigateway/remote.ts";
import type { S3Options } from "../apigateway/s3.ts";
import { AwsRefused, awsCaller } from "../cloud/aws_call.ts";
import { databaseToken } from "../cloud/database_token.ts";
import { readSecrets } from "../cloud/read_secrets.ts";
import { answerResource, isResourceEvent } from "../cloud/schema_resource.ts";
import { askFunction, startFunction } from "../cloud/start_function.ts";
import { afterAPause, type Paused } from "../db/after_a_pause.ts";
import type { Database, Migrator } from "../db/database.ts";
import { dialects } from "../db/dialect.ts";
import type { App, Random } from "../shared/app.ts";
import { ConfigError, readCloudConfig, readConfig } from "../shared/config.ts";
import type { Files } from "../shared/files.ts";
import { makeLog } from "../shared/log.ts";
import type { Pages } from "../shared/page_files.ts";
import { makeWechat } from "../shared/wechat.ts";
import { type Handler, makeApp, makeRandom, systemClock } from "./_app.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** What differs between bundles; scripts/build.ts writes it into each function's entry. */
export interface CloudParts {
  readonly environment: Environment;
  /** The one driver of this bundle; a function without data has none, and no secrets either. */
  readonly open?: (options: {
    url: string;
    maxConnections: number;
    connectTimeoutMs: number;
    password?: (() => Promise<string>) | undefined;
  }) => Database & Migrator;
  readonly engine?: "postgres" | "mysql";
  /** How to reach WeChat from here, in the functions that do. */
  readonly wechatClient?: ((url: string) => WechatClient) | undefined;
  /** How pictures are put into their bucket, in the function that hands out places for them. */
  readonly files?: (bucket: Bucket) => Files;
  /** The built pages, in the function that serves them. */
  readonly pages?: (bucket: Bucket, socketUrl: string) => Pages;
}

type Bucket = S3Options & { readonly endpoint: string };
type WechatClient = Parameters<typeof makeWechat>[0];

interface Cloud {
  readonly app: App;
  readonly db: Paused;
}

/** A push that takes longer is tried again or found missing; it must fit the budget of a request. */
const pushTimeoutMs = 1_500;
/** WeChat has five of these seconds. */
const callTimeoutMs = 8_000;
const databaseConnections = 1;

export function onLambda<Event, Answer>(
  handler: Handler<Event, Answer>,
  parts: CloudParts,
): (event: Event) => Promise<Answer> {
  let made: Promise<Cloud & { serve: (event: Event) => Promise<Answer> }> | undefined;
  async function make() {
    const cloud = await makeCloud(parts);
    return { ...cloud, serve: handler.on(cloud.app) };
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

/** What libraries put off to the loop's next turn would otherwise wait, frozen, for the next event. */
const lastTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** `init_db`: by hand, or as the custom resource of a deployment. */
export function onDeployment(
  handler: Handler<void, { applied: number[] }>,
  parts: CloudParts,
): (event: unknown) => Promise<{ applied: number[] } | undefined> {
  const run = onLambda(handler, parts);
  return async (event) => {
    if (!isResourceEvent(event)) return run();
    // Whatever keeps the app from being made is told as well.
    const log = makeLog("info", systemClock.now, (line) => void process.stdout.write(line));
    await answerResource(event, () => patiently(run), log).finally(lastTurn);
    return undefined;
  };
}

const schemes = { postgres: ["postgres:", "postgresql:"], mysql: ["mysql:", "mariadb:"] };

const nowhere: NonNullable<CloudParts["open"]> = () => {
  throw new TypeError("this function has no database");
};

/** What readConfig asks for, where there is nothing to keep. */
const nothing = (random: Random) => ({ DATABASE_URL: "none://", SIGNING_KEY: random.secret(32) });

/** A role that was made a moment ago is not known everywhere yet. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof AwsRefused) || error.code !== "AccessDeniedException" || tries === 6) throw error;
      await systemClock.sleep(5_000);
    }
  }
}

async function makeCloud({ environment: given, open, engine, wechatClient, files, pages }: CloudParts): Promise<Cloud> {
  const cloud = readCloudConfig(given);
  const { region, credentials, urlSuffix, endpointUrl, functionPrefix, databaseAuth, wechatBy } = cloud;
  const call = awsCaller({ region, credentials, urlSuffix, endpointUrl, timeoutMs: callTimeoutMs });
  const clock = systemClock;
  const random = makeRandom(clock);
  const environment = open === undefined ? { ...nothing(random), ...given } : await readSecrets(given, call);
  const config = readConfig(environment);
  const url = new URL(config.databaseUrl);
  if (engine !== undefined && !schemes[engine].includes(url.protocol))
    throw new TypeError(`this deployment was built for ${engine}, and the database's address starts otherwise`);

  const db = afterAPause(
    () =>
      (open ?? nowhere)({
        url: config.databaseUrl.replace(/^mariadb:/, "mysql:"),
        maxConnections: databaseConnections,
        connectTimeoutMs: config.databaseConnectTimeoutMs,
        password:
          databaseAuth === "token" ? () => databaseToken(url, region, credentials, new Date(clock.now())) : undefined,
      }),
    dialects[engine ?? "postgres"],
    clock.now,
  );
  const log = () => app.log;
  const push: AwsOptions = { region, ...credentials, timeoutMs: pushTimeoutMs };
  const gateway = remoteGateway({
    db,
    pusher: awsPusher(push),
    clock,
    random,
    log,
    maxStreams: config.limits.streamsPerConnection,
    address: config.callbackUrl,
  });
  const byFunction: WechatClient = {
    get: async (path: string, options) =>
      (await askFunction(call, `${functionPrefix}${wechatBy}`, { path, params: options?.params })) as never,
  };
  const bucket = (): Bucket => {
    const name = told("PICTURE_BUCKET", cloud.pictureBucket);
    const endpoint = `https://${name}.s3.${region}.${urlSuffix}`;
    return { region, ...credentials, bucket: name, endpoint, now: clock.now };
  };
  const wechat = wechatBy === undefined ? wechatClient?.(config.wechatUrl) : byFunction;
  const app: App = makeApp({
    config,
    db,
    gateway,
    clock,
    random,
    invoke: (name, event) => startFunction(call, `${functionPrefix}${name}`, event),
    ...(wechat === undefined ? {} : { wechat: makeWechat(wechat) }),
    ...(files === undefined ? {} : { files: files(bucket()) }),
    ...(pages === undefined ? {} : { pages: pages(bucket(), told("SOCKET_URL", cloud.socketUrl)) }),
  });
  return { app, db };
}

/** What only some functions are told. @throws ConfigError */
function told(variable: string, value: string | undefined): string {
  if (value === undefined || value === "") throw new ConfigError(variable, "is missing");
  return value;
}
