/**
 * Template transform: turns the rights that serverless.yml names for each function into a role of its own, and adds environment,
 * network and order according to the parameters. Called by the plugin before anything is packaged.
 */
import { createHash } from "node:crypto";
import { inputOf, type Part } from "../apigateway/local/routes.ts";
import { readCollections } from "../cli/collections_file.ts";
import { migrations } from "../db/migrate.ts";
import type { Variant } from "./build.ts";
import { databaseVariables } from "./database_address.ts";
import { type Parameters, settingsOf } from "./parameters.ts";
import type { Template } from "./resolve_conditions.ts";

type Json = Record<string, unknown>;

interface LambdaFunction {
  name: string;
  rights?: string[];
  parts?: string[];
  role?: string;
  environment?: Json;
  vpc?: Json | null;
  dependsOn?: string[];
  memorySize?: number;
  reservedConcurrency?: number;
  maximumRetryAttempts?: number;
  events?: { schedule?: { enabled?: boolean; input?: unknown }; httpApi?: unknown; websocket?: unknown }[];
}

/** The parts of the framework's service that are used here. */
export interface Service {
  readonly service: string;
  readonly provider: {
    readonly stage: string;
    deletionProtection?: boolean;
    environment?: Json;
    httpApi?: { cors?: { allowedOrigins?: readonly string[] } };
  };
  readonly functions: Record<string, LambdaFunction>;
  resources?: { Resources?: Record<string, { Properties?: Json }>; extensions?: Json };
}

export function variantOf({ database, engine }: Pick<Parameters, "database" | "engine">): Variant {
  const engines = { "aurora-postgres": "postgres", "aurora-mysql": "mysql", url: engine } as const;
  return { engine: engines[database], network: database !== "url" };
}

const sub = (text: string) => ({ "Fn::Sub": text });
const allow = (actions: string | string[], resource: unknown): Json => ({
  Effect: "Allow",
  Action: actions,
  Resource: resource,
});

/** The name in Parameter Store of the address of a stage's own database. */
export const urlParameter = (service: string, stage: string) => `/${service}/${stage}/database_url`;

/** The value of `DATABASE_URL_FROM`; `:<version>` after it selects one of the stored addresses. */
export const urlSource = (parameter: string) => `parameter:${parameter}`;

/** The functions' database user in Aurora; `init_db` makes it. */
const databaseRole = "orderbell";
const ports = { postgres: 5_432, mysql: 3_306 };
/** Verified certificates, as each driver's option. */
const tls = { postgres: "sslmode=verify-full", mysql: `ssl=${encodeURIComponent('{"rejectUnauthorized":true}')}` };

interface Right {
  readonly statements: readonly Json[];
  readonly environment?: Json;
}

/** Right → its statements, and the environment that the function needs to use it. */
function rightsOf({ service, provider: { stage } }: Service, cloud: Parameters): Record<string, Right> {
  const { engine, network } = variantOf(cloud);
  const parameter = urlParameter(service, stage);
  const address = (user: string) =>
    sub(`${engine}://${user}\${DatabaseCluster.Endpoint.Address}:${ports[engine]}/orderbell?${tls[engine]}`);
  const started = (name: string) =>
    sub(`arn:\${AWS::Partition}:lambda:\${AWS::Region}:\${AWS::AccountId}:function:${service}-${stage}-${name}`);
  const secret = (id: string): Json => allow("secretsmanager:GetSecretValue", { Ref: id });
  const signing: Right = {
    statements: [secret("SigningKey")],
    environment: { SIGNING_KEY_FROM: sub("secret:${SigningKey}") },
  };
  const ownUrl: Right = {
    statements: [
      allow(
        "ssm:GetParameter",
        ["", ":*"].map((version) =>
          sub(`arn:\${AWS::Partition}:ssm:\${AWS::Region}:\${AWS::AccountId}:parameter${parameter}${version}`),
        ),
      ),
    ],
    environment: { DATABASE_URL_FROM: urlSource(parameter), ...databaseVariables(cloud) },
  };
  const byToken: Right = {
    statements: [
      allow(
        "rds-db:connect",
        sub(
          `arn:\${AWS::Partition}:rds-db:\${AWS::Region}:\${AWS::AccountId}:dbuser:\${DatabaseCluster.DBClusterResourceId}/${databaseRole}`,
        ),
      ),
    ],
    environment: { DATABASE_URL: address(`${databaseRole}@`), DATABASE_AUTH: "token" },
  };
  const master = "${DatabaseCluster.MasterUserSecret.SecretArn}";
  const byMaster: Right = {
    statements: [
      allow("secretsmanager:GetSecretValue", { "Fn::GetAtt": ["DatabaseCluster", "MasterUserSecret.SecretArn"] }),
    ],
    environment: {
      DATABASE_URL: address(""),
      DATABASE_USER_FROM: sub(`secret:${master}#username`),
      DATABASE_PASSWORD_FROM: sub(`secret:${master}#password`),
      DATABASE_ROLE: databaseRole,
    },
  };
  const wechatKey: Right = {
    statements: [secret("WechatKey")],
    environment: { WECHAT_KEY_FROM: sub("secret:${WechatKey}") },
  };
  // A paused database takes up to half a minute to wake, and a deployment that changes tables waits for it.
  const longWait: Right = { statements: [], environment: { DATABASE_WAIT_MS: "90000" } };
  return {
    database: together(signing, network ? byToken : ownUrl),
    owner: together(signing, longWait, network ? byMaster : ownUrl),
    wechat_key: wechatKey,
    wechat: network
      ? together(wechatKey, {
          statements: [allow("lambda:InvokeFunction", started("ask_wechat"))],
          environment: { WECHAT_BY: "ask_wechat" },
        })
      : wechatKey,
    push: {
      statements: [
        allow(
          "execute-api:ManageConnections",
          sub(
            "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${WebsocketsApi}/pgws/*/@connections/*",
          ),
        ),
      ],
      environment: {
        CALLBACK_URL: sub("https://${WebsocketsApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/pgws"),
      },
    },
    fan_out: { statements: [allow("lambda:InvokeFunction", started("fan_out"))] },
    call_back: { statements: [allow("lambda:InvokeFunction", started("call_back"))] },
    // The way out of a network of its own is by IPv6 alone, and business servers are found by IPv4.
    outbound: network
      ? {
          statements: [allow("lambda:InvokeFunction", started("ask_outside"))],
          environment: { OUTBOUND_BY: "ask_outside" },
        }
      : { statements: [] },
    // A signed address has the rights of its signer: the pages show the pictures from before files, and nothing else.
    pages: { statements: [allow("s3:GetObject", pictures)], environment: { PICTURE_BUCKET: bucket } },
    files: { statements: files, environment: { FILES_BUCKET: bucket } },
    // For functions that send clients to the socket: HTTP and sockets cannot share a host at API Gateway.
    socket: { statements: [], environment: { SOCKET_URL: socketUrl(cloud) } },
  };
}

const bucket = { Ref: "PictureBucket" };
const pictures = sub("${PictureBucket.Arn}/pictures/*");
const files = [
  allow(
    ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"],
    ["files", "incoming"].map((folder) => sub(`\${PictureBucket.Arn}/${folder}/*`)),
  ),
  // Who may not list is told 403 of an object that is not there, as of one that is forbidden.
  allow("s3:ListBucket", { "Fn::GetAtt": ["PictureBucket", "Arn"] }),
];

const socketUrl = ({ socketDomain }: Parameters) =>
  socketDomain === ""
    ? sub("wss://${WebsocketsApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/pgws")
    : `wss://${socketDomain}/pgws`;

const together = (...parts: readonly Right[]): Right => ({
  statements: parts.flatMap(({ statements }) => statements),
  environment: Object.assign({}, ...parts.map(({ environment }) => environment)),
});

/** Lambda makes its network cards with the function's own role; these actions take no narrower resource. */
const cards = allow(
  ["ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"],
  "*",
);

/** This network has IPv6 to the internet only. */
const networkEnvironment = { NODE_OPTIONS: "--dns-result-order=ipv6first" };
/** Lambda's Node no longer trusts the certificates of RDS by itself. */
const authorities = { NODE_EXTRA_CA_CERTS: "/var/runtime/ca-cert.pem" };
/** The network of the owner's database; the owner also provides its routes to AWS and to WeChat. */
const givenNetwork = ({ vpcSubnets, vpcSecurityGroups }: Parameters): Json => ({
  subnetIds: vpcSubnets,
  securityGroupIds: vpcSecurityGroups,
});
const ownNetwork = {
  securityGroupIds: [{ Ref: "FunctionSecurityGroup" }],
  subnetIds: [{ Ref: "SubnetA" }, { Ref: "SubnetB" }],
  ipv6AllowedForDualStack: true,
};

/** Changes the service in place: roles, environment, network, order. */
export function transformService(service: Service, cloud: Parameters): void {
  if (cloud.only !== "") keepPart(service, cloud.only);
  const variant = variantOf(cloud);
  const known = rightsOf(service, cloud);
  const resources: Record<string, { Properties?: Json }> = {};
  for (const [name, own] of Object.entries(service.functions)) {
    const rights = (own.rights ?? []).map((right) => {
      const found = known[right];
      if (found === undefined) throw new TypeError(`serverless.yml: ${name} has an unknown right "${right}"`);
      return found;
    });
    const inNetwork = (variant.network || cloud.vpcSubnets.length > 0) && needsDatabase(own);
    const role = `${pascal(name)}Role`;
    resources[role] = roleOf(own.name, [
      ...rights.flatMap(({ statements }) => statements),
      ...(inNetwork ? [cards] : []),
    ]);
    own.role = role;
    own.environment = Object.assign(
      {},
      own.environment,
      inNetwork && variant.network ? networkEnvironment : {},
      needsDatabase(own) ? authorities : {},
      ...rights.map(({ environment }) => environment),
    );
    own.vpc = inNetwork ? (variant.network ? ownNetwork : givenNetwork(cloud)) : null;
    // No function takes a request before the tables exist.
    if (needsDatabase(own) && name !== "init_db") own.dependsOn = [...(own.dependsOn ?? []), "Schema"];
    if (cloud.reserve > 0 && reservedFunctions.includes(name)) own.reservedConcurrency = cloud.reserve;
    for (const { schedule } of own.events ?? [])
      if (schedule !== undefined) schedule.enabled = cloud.schedules === "yes";
  }
  resources.Schema = schema(variant, urlParameter(service.service, service.provider.stage));
  Object.assign(resources, alarms(Object.values(service.functions).map(({ name }) => name)));
  if (service.functions.call_back !== undefined)
    Object.assign(resources, webhookAlarm(service.functions.call_back.name));
  service.provider.environment = { ...service.provider.environment, ...settingsOf(cloud) };
  allowOrigins(service, cloud);
  watchConnections(service, cloud);
  // The framework reads this before it removes anything.
  service.provider.deletionProtection = cloud.protect === "yes";
  service.resources = { ...service.resources, Resources: { ...service.resources?.Resources, ...resources } };
}

/** Rights that lead to what a part alone does not have. */
const rightsOfWhole = ["push", "fan_out", "call_back", "outbound", "socket", "files"];

/** Leaves the functions of one part, without a socket API. Its other resources have a condition of their own. */
function keepPart({ functions, resources }: Service, part: Part): void {
  for (const [name, own] of Object.entries(functions)) {
    if (!own.parts?.includes(part)) {
      delete functions[name];
      continue;
    }
    own.rights = own.rights?.filter((right) => !rightsOfWhole.includes(right)) ?? [];
    own.events =
      own.events?.flatMap((event) => {
        if (event.schedule === undefined) return [event];
        const input = inputOf(event.schedule.input);
        return input === undefined ? [] : [{ ...event, schedule: { ...event.schedule, input } }];
      }) ?? [];
  }
  for (const id of ["WebsocketsApi", "WebsocketsDeploymentStage"]) delete resources?.extensions?.[id];
}

/** Functions that take orders and show them to the kitchen. With `reserve` readers cannot use up their environments. */
export const reservedFunctions = ["bill", "order", "shop", "ws_transmit", "sweep"];

/** Puts the origins into the settings of the HTTP API, and of the bucket's uploads. */
function allowOrigins({ provider, resources }: Service, { origins, domain }: Parameters): void {
  if (provider.httpApi?.cors !== undefined) provider.httpApi.cors.allowedOrigins = origins;
  const cors = resources?.Resources?.PictureBucket?.Properties?.CorsConfiguration as
    | { CorsRules: { AllowedOrigins: unknown[] }[] }
    | undefined;
  // Whoever has an address may fetch from it.
  for (const rule of cors?.CorsRules.filter(({ AllowedOrigins }) => !AllowedOrigins.includes("*")) ?? [])
    rule.AllowedOrigins.unshift(...origins.filter((one) => one !== `https://${domain}`));
}

/** The connections that Aurora Serverless allows at `maxAcu`; AWS's own tables, rounded down. */
export function maxConnections({ database, minAcu, maxAcu }: Parameters): number {
  if (database === "aurora-mysql") return maxAcu < 4 ? 90 : maxAcu < 8 ? 135 : maxAcu < 16 ? 1_000 : 2_000;
  return Math.min(Math.floor(189 * maxAcu), minAcu <= 0.5 ? 2_000 : 5_000);
}

/** Sets the alarm below the limit, so that it comes before errors do. */
function watchConnections({ resources }: Service, cloud: Parameters): void {
  const alarm = resources?.Resources?.ConnectionAlarm?.Properties;
  if (alarm === undefined) return;
  alarm.Threshold = Math.floor(maxConnections(cloud) * 0.8);
  alarm.AlarmDescription = `More than 80 % of the ${maxConnections(cloud)} connections that maxAcu ${cloud.maxAcu} allows`;
}

const needsDatabase = ({ rights = [] }: LambdaFunction) => rights.includes("database") || rights.includes("owner");

function roleOf(functionName: string, statements: readonly Json[]): Json {
  const logs = `arn:\${AWS::Partition}:logs:\${AWS::Region}:\${AWS::AccountId}:log-group:/aws/lambda/${functionName}:*`;
  return {
    Type: "AWS::IAM::Role",
    Properties: {
      AssumeRolePolicyDocument: {
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
      },
      Policies: [
        {
          PolicyName: "own",
          PolicyDocument: {
            Version: "2012-10-17",
            Statement: [allow(["logs:CreateLogStream", "logs:PutLogEvents"], sub(logs)), ...statements],
          },
        },
      ],
    },
  };
}

/** Changes when collections.yml names other fields: `init_db` indexes the documents that are there. */
export function indexedFields(environment: NodeJS.ProcessEnv): string {
  const named = [...readCollections(environment).values()].map(({ name, indexes }) => [name, indexes]);
  return createHash("sha256").update(JSON.stringify(named)).digest("hex").slice(0, 16);
}

/** Runs `init_db` when one of these properties changes. */
function schema({ network }: Variant, parameter: string): Json {
  return {
    Type: "Custom::Schema",
    ...(network
      ? { DependsOn: ["DatabaseInstance", "SubnetARoutes", "SubnetBRoutes", "RouteOut", "StorageEndpoint"] }
      : {}),
    Properties: {
      ServiceToken: { "Fn::GetAtt": ["InitUnderscoredbLambdaFunction", "Arn"] },
      ServiceTimeout: 600,
      SchemaVersion: String(migrations.at(-1)?.version),
      IndexedFields: indexedFields(process.env),
      Database: network ? { Ref: "DatabaseCluster" } : urlSource(parameter),
    },
  };
}

/**
 * Corrects the framework's template: any API of the account could call the socket's functions. And a resource that names another
 * waits for it anyway; validators warn of a `DependsOn` that repeats this.
 */
export function tightenTemplate({ Resources }: Template): void {
  for (const resource of Object.values(Resources)) {
    const { Type, Properties = {}, DependsOn } = resource;
    const byGateway = Properties.Principal === "apigateway.amazonaws.com";
    if (Type === "AWS::Lambda::Permission" && byGateway && Properties.SourceArn === undefined)
      Properties.SourceArn = sub(
        "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${WebsocketsApi}/*",
      );
    if (DependsOn === undefined) continue;
    const named = JSON.stringify(Properties);
    const isNamed = (id: string) => [`{"Ref":"${id}"}`, `["${id}",`, `\${${id}}`].some((way) => named.includes(way));
    const left = [DependsOn].flat().filter((id) => !isNamed(id));
    if (left.length > 0) resource.DependsOn = left;
    else delete resource.DependsOn;
  }
}

/** CloudWatch allows nine metrics in an alarm, beside their sum. */
const metricsPerAlarm = 9;

/** Errors and time-outs of every function; each alarm watches the sum of some. */
function alarms(names: readonly string[]): Json {
  const actions = [{ Ref: "AlarmTopic" }];
  const groups = Array.from({ length: Math.ceil(names.length / metricsPerAlarm) }, (_, at) =>
    names.slice(at * metricsPerAlarm, (at + 1) * metricsPerAlarm),
  );
  const alarm = (group: readonly string[]): Json => ({
    Type: "AWS::CloudWatch::Alarm",
    Properties: {
      AlarmDescription: `Fail or run out of time: ${group.join(", ")}`,
      Metrics: [
        { Id: "all", Expression: "SUM(METRICS())", Label: "Errors", ReturnData: true },
        ...group.map((name, at) => ({
          Id: `m${at}`,
          ReturnData: false,
          MetricStat: {
            Period: 60,
            Stat: "Sum",
            Metric: {
              Namespace: "AWS/Lambda",
              MetricName: "Errors",
              Dimensions: [{ Name: "FunctionName", Value: name }],
            },
          },
        })),
      ],
      EvaluationPeriods: 3,
      DatapointsToAlarm: 2,
      Threshold: 1,
      ComparisonOperator: "GreaterThanOrEqualToThreshold",
      TreatMissingData: "notBreaching",
      AlarmActions: actions,
      OKActions: actions,
    },
  });
  return Object.fromEntries(groups.map((group, at) => [`FunctionAlarm${at + 1}`, alarm(group)]));
}

/** A webhook that is dead waits for the operator: the log of the function that delivers says so. */
function webhookAlarm(functionName: string): Json {
  const metric = { MetricNamespace: functionName, MetricName: "DeadWebhooks" };
  const actions = [{ Ref: "AlarmTopic" }];
  return {
    DeadWebhooks: {
      Type: "AWS::Logs::MetricFilter",
      DependsOn: ["CallUnderscorebackLogGroup"],
      Properties: {
        LogGroupName: `/aws/lambda/${functionName}`,
        FilterPattern: '{ $.event = "webhook.dead" }',
        MetricTransformations: [{ ...metric, MetricValue: "1" }],
      },
    },
    DeadWebhookAlarm: {
      Type: "AWS::CloudWatch::Alarm",
      Properties: {
        AlarmDescription: "A webhook refuses an event for long; mend its receiver, then `orderbell webhook replay`",
        Namespace: metric.MetricNamespace,
        MetricName: metric.MetricName,
        Statistic: "Sum",
        Period: 60,
        EvaluationPeriods: 1,
        Threshold: 1,
        ComparisonOperator: "GreaterThanOrEqualToThreshold",
        TreatMissingData: "notBreaching",
        AlarmActions: actions,
        OKActions: actions,
      },
    },
  };
}

/** `ws_register` → `WsRegister`: logical ids take letters and digits only. */
const pascal = (name: string) => name.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
