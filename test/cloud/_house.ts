/**
 * A whole shop whose functions are the zips that a deployment would send, each in environments of its own, with the roles and variables
 * that the template gives them, behind this machine's gateway with AWS's events and AWS's @connections.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { awsPusher } from "../../apigateway/aws.ts";
import { type Management, startManagement } from "../../apigateway/local/management.ts";
import { remoteGateway } from "../../apigateway/remote.ts";
import type { GatewayParts } from "../../cli/machine.ts";
import type { Variant } from "../../scripts/build.ts";
import { type Parameters, readParameters } from "../../scripts/parameters.ts";
import { type Service, transformService } from "../../scripts/transform_template.ts";
import type { Engine } from "../_engines.ts";
import { type House, openHouse, testKeys } from "../_house.ts";
import { type Aws, startAws } from "./_aws.ts";
import { type Lambda, startLambda } from "./_lambda.ts";
import { builtOnce } from "./_package.ts";

export interface BundleHouse extends House {
  readonly lambda: Lambda;
  readonly aws: Aws;
  readonly management: Management;
}

export interface BundleOptions {
  readonly variant: Variant;
  /** The zips are made once for a file. */
  readonly zips: ReadonlyMap<string, Uint8Array>;
  readonly wechatUrl?: string;
  /** Settings of the deployment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Where functions find the database, if not where the house does. */
  readonly databaseUrl?: string;
}

const region = "us-east-1";
const pushes = { region, accessKeyId: "AKIDEXAMPLE", secretAccessKey: "a-secret-for-tests" };
const hourMs = 3_600_000;

export async function zipsOf(variant: Variant, folder: string): Promise<Map<string, Uint8Array>> {
  const built = await builtOnce(variant, folder);
  return new Map(built.map(({ name, zip }) => [name, zip]));
}

interface Laid {
  readonly environment: Record<string, unknown>;
  readonly actions: readonly { readonly action: string; readonly on: string }[];
}

/** As they stand in serverless.yml. */
export const defaultParameters = (): Record<string, unknown> =>
  parse(readFileSync(join(__dirname, "../../serverless.yml"), "utf8")).params.default;

/** The parameters of a stage that has no section of its own, with some of them changed. */
export const parametersWith = (changed: Readonly<Record<string, unknown>> = {}): Parameters =>
  readParameters({ values: { ...defaultParameters(), ...changed }, named: [], stage: "test", functions: [] });

/** What the template says of each function, by the very code that writes it. */
export function laidOut(database: string): Map<string, Laid> {
  const yaml = parse(readFileSync(join(__dirname, "../../serverless.yml"), "utf8"));
  const service = {
    service: "orderbell",
    provider: { stage: "dev" },
    functions: yaml.functions,
  } as Service;
  for (const [name, own] of Object.entries(service.functions)) own.name = `orderbell-dev-${name}`;
  transformService(service, parametersWith({ database, schedules: "no" }));
  const resources = service.resources?.Resources as Record<string, never>;
  return new Map(
    Object.entries(service.functions).map(([name, own]) => {
      const role = resources[own.role as string] as unknown as {
        Properties: {
          Policies: { PolicyDocument: { Statement: { Action: string | string[]; Resource: unknown }[] } }[];
        };
      };
      const actions = role.Properties.Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement).flatMap(
        ({ Action, Resource }) => [Action].flat().map((action) => ({ action, on: JSON.stringify(Resource) })),
      );
      return [name, { environment: own.environment ?? {}, actions }];
    }),
  );
}

export async function openBundles(engine: Engine, options: BundleOptions): Promise<BundleHouse> {
  const { variant, zips, wechatUrl, databaseUrl, environment: settings = {} } = options;
  const db = await engine.open();
  // Aurora needs AWS's own tokens; here its functions are handed an address as those of `url` are.
  const own = laidOut("url");
  const inNetwork = laidOut(variant.engine === "mysql" ? "aurora-mysql" : "aurora-postgres");
  let house: House | undefined;
  const management = await startManagement({
    connections: () => (house as House).server.connections,
    credentials: pushes,
    stage: "dev",
    maxMessageBytes: 128 * 1_024,
  });
  const laid = (name: string) => own.get(name) as Laid;
  const allowed = (name: string) => [
    ...laid(name).actions,
    ...(variant.network ? (inNetwork.get(name) as Laid).actions : []),
  ];

  const lambda = startLambda({
    zips,
    environmentOf(name) {
      // The file of authorities is Lambda's.
      const { NODE_EXTRA_CA_CERTS: _, ...environment } = laid(name).environment;
      const said = Object.fromEntries(
        Object.entries(environment).map(([variable, value]) => [
          variable,
          resolve(value, management.url, house?.url ?? ""),
        ]),
      );
      const mayPush = allowed(name).some(({ action }) => action === "execute-api:ManageConnections");
      return {
        ...said,
        ...settings,
        ...(variant.network && ["login", "wafer_session"].includes(name) ? { WECHAT_BY: "ask_wechat" } : {}),
        ...(variant.network && ["call_back", "admin"].includes(name) ? { OUTBOUND_BY: "ask_outside" } : {}),
        ...(wechatUrl === undefined ? {} : { WECHAT_URL: wechatUrl }),
        LOG_LEVEL: "debug",
        FUNCTION_PREFIX: "orderbell-dev-",
        AWS_ENDPOINT_URL: aws.url,
        AWS_REGION: region,
        // A function without the right to push has a key that the gateway refuses; callers of AWS are known by their token.
        AWS_ACCESS_KEY_ID: mayPush ? pushes.accessKeyId : "AKIDNOPUSH",
        AWS_SECRET_ACCESS_KEY: pushes.secretAccessKey,
        AWS_SESSION_TOKEN: name,
        CHECK_SHOP_MS: "300",
        CHECK_OTHER_MS: "500",
        COALESCE_MS: "0",
      };
    },
  });
  const aws = await startAws({
    parameters: { "/orderbell/dev/database_url": databaseUrl ?? db.url },
    secrets: { "arn:SigningKey": testKeys.SIGNING_KEY, "arn:WechatKey": testKeys.WECHAT_KEY },
    allows: (caller, action, on) =>
      allowed(caller).some((one) => one.action === action && one.on.includes(on.replace(/^arn:/, ""))),
    invoke: (name, event) => lambda.invoke(name.replace(/^orderbell-dev-/, ""), event),
  });

  house = await openHouse(engine, {
    db,
    cloud: "aws",
    call: (name, event) => lambda.invoke(name, event),
    environment: { CALLBACK_URL: management.url, CHECK_SHOP_MS: "300", CHECK_OTHER_MS: "500" },
    // Only the functions work: this process neither sweeps nor catches up.
    tickMs: 24 * hourMs,
    lookMs: 24 * hourMs,
    gateway: ({ db: own, clock, random, log }: GatewayParts) =>
      remoteGateway({
        db: own,
        pusher: awsPusher({ ...pushes, timeoutMs: 5_000 }),
        clock,
        random,
        log,
        maxStreams: 20,
        graceMs: 15_000,
        address: management.url,
      }),
  });
  const opened = house;
  return {
    ...opened,
    get app() {
      return opened.app;
    },
    get server() {
      return opened.server;
    },
    lambda,
    aws,
    management,
    async close() {
      await lambda.idle();
      await opened.close();
      lambda.close();
      await Promise.all([management.close(), aws.close()]);
      await db.remove();
    },
  };
}

/** CloudFormation's words in a variable → what they would be here. */
function resolve(value: unknown, callback: string, url: string): string {
  if (typeof value === "string") return value;
  const name = (value as { Ref?: string }).Ref;
  if (name !== undefined) return name;
  const text = (value as { "Fn::Sub"?: string })["Fn::Sub"] ?? "";
  if (text.startsWith("wss:")) return `${url.replace("http", "ws")}/pgws`;
  if (text.includes("execute-api")) return callback;
  return text.replace(/\$\{(\w+)\}/g, "arn:$1");
}
