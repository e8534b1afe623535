/**
 * serverless.yml names for each function what it may do; here each name becomes statements of a role that only this function has,
 * and environment, network and order follow from the parameters. Called by the plugin before anything is packaged.
 */
import { migrations } from "../db/migrate.ts";
import type { Variant } from "./build.ts";
import type { Template } from "./settle.ts";

/** `custom.cloud` of serverless.yml. From the command line every parameter is text. */
export interface Cloud {
  readonly database: string;
  readonly engine: string;
  readonly schedules: string;
  readonly concurrency: number | string;
  /** The socket's own name; without one it is where the gateway is. */
  readonly socketDomain?: string;
}

type Json = Record<string, unknown>;

interface LambdaFunction {
  name: string;
  rights?: string[];
  role?: string;
  environment?: Json;
  vpc?: Json | null;
  dependsOn?: string[];
  reservedConcurrency?: number;
  maximumRetryAttempts?: number;
  events?: { schedule?: { enabled?: boolean }; httpApi?: unknown; websocket?: unknown }[];
}

/** What of the framework's service is used. */
export interface Service {
  readonly service: string;
  readonly provider: { readonly stage: string };
  readonly functions: Record<string, LambdaFunction>;
  resources?: { Resources?: Json };
}

export function variantOf({ database, engine }: Cloud): Variant {
  const known: Readonly<Record<string, Variant["engine"]>> = {
    "aurora-postgres": "postgres",
    "aurora-mysql": "mysql",
    ...(database === "url" && (engine === "postgres" || engine === "mysql") ? { url: engine } : {}),
  };
  const chosen = known[database];
  if (chosen === undefined)
    throw new TypeError(
      "--param database is url (with engine postgres or mysql), aurora-postgres or aurora-mysql, see serverless.yml",
    );
  return { engine: chosen, network: database !== "url" };
}

const sub = (text: string) => ({ "Fn::Sub": text });
const allow = (actions: string | string[], resource: unknown): Json => ({
  Effect: "Allow",
  Action: actions,
  Resource: resource,
});

/** The name in Parameter Store under which a stage's own database's address is kept. */
export const urlParameter = (service: string, stage: string) => `/${service}/${stage}/database_url`;

/** How functions are told where it is kept; with `:<version>` behind it, which address of those that were kept there. */
export const urlPlace = (parameter: string) => `parameter:${parameter}`;

/** The user that functions are in Aurora; `init_db` makes it. */
const databaseRole = "orderbell";
const ports = { postgres: 5_432, mysql: 3_306 };
/** Certificate checked, in the words of each driver. */
const tls = { postgres: "sslmode=verify-full", mysql: `ssl=${encodeURIComponent('{"rejectUnauthorized":true}')}` };

interface Right {
  readonly statements: readonly Json[];
  readonly environment?: Json;
}

/** Right → what it allows, and what the function must know to use it. */
function rightsOf({ service, provider: { stage } }: Service, cloud: Cloud): Record<string, Right> {
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
    environment: { DATABASE_URL_FROM: urlPlace(parameter) },
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
  return {
    database: together(signing, network ? byToken : ownUrl),
    owner: together(signing, network ? byMaster : ownUrl),
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
    // An address is signed with the rights of whoever signed it: one function can put and not show, the other the reverse.
    pictures: { statements: [allow("s3:PutObject", pictures)], environment: { PICTURE_BUCKET: bucket } },
    pages: {
      statements: [allow("s3:GetObject", pictures)],
      environment: { PICTURE_BUCKET: bucket, SOCKET_URL: socketUrl(cloud) },
    },
  };
}

const bucket = { Ref: "PictureBucket" };
const pictures = sub("${PictureBucket.Arn}/pictures/*");

const socketUrl = ({ socketDomain = "" }: Cloud) =>
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

/** IPv6 is this network's only way out; and Lambda's Node no longer trusts the databases' certificates by itself. */
const networkEnvironment = {
  NODE_OPTIONS: "--dns-result-order=ipv6first",
  NODE_EXTRA_CA_CERTS: "/var/runtime/ca-cert.pem",
};
const vpc = {
  securityGroupIds: [{ Ref: "FunctionSecurityGroup" }],
  subnetIds: [{ Ref: "SubnetA" }, { Ref: "SubnetB" }],
  ipv6AllowedForDualStack: true,
};

/** Changes the service in place: roles, environment, network, order. */
export function layOut(service: Service, cloud: Cloud): void {
  const variant = variantOf(cloud);
  const known = rightsOf(service, cloud);
  const concurrency = Number(cloud.concurrency);
  const resources: Json = {};
  for (const [name, own] of Object.entries(service.functions)) {
    const rights = (own.rights ?? []).map((right) => {
      const found = known[right];
      if (found === undefined) throw new TypeError(`serverless.yml: ${name} has an unknown right "${right}"`);
      return found;
    });
    const inNetwork = variant.network && needsDatabase(own);
    const role = `${pascal(name)}Role`;
    resources[role] = roleOf(own.name, [
      ...rights.flatMap(({ statements }) => statements),
      ...(inNetwork ? [cards] : []),
    ]);
    own.role = role;
    own.environment = Object.assign(
      {},
      own.environment,
      inNetwork ? networkEnvironment : {},
      ...rights.map(({ environment }) => environment),
    );
    own.vpc = inNetwork ? vpc : null;
    // Nothing takes a request before the tables are there.
    if (needsDatabase(own) && name !== "init_db") own.dependsOn = [...(own.dependsOn ?? []), "Schema"];
    if (concurrency > 0 && own.events?.some(({ httpApi, websocket }) => httpApi ?? websocket))
      own.reservedConcurrency = concurrency;
    for (const { schedule } of own.events ?? [])
      if (schedule !== undefined) schedule.enabled = cloud.schedules === "yes";
  }
  resources.Schema = schema(variant, urlParameter(service.service, service.provider.stage));
  Object.assign(resources, alarms(Object.values(service.functions).map(({ name }) => name)));
  service.resources = { ...service.resources, Resources: { ...service.resources?.Resources, ...resources } };
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
      Database: network ? { Ref: "DatabaseCluster" } : urlPlace(parameter),
    },
  };
}

/**
 * What the framework leaves loose: any API of the account could call the socket's functions. And a function waits for its role
 * because it names it; saying so twice is a warning of every validator.
 */
export function tighten({ Resources }: Template): void {
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

/** CloudWatch adds up nine metrics in an alarm, beside the sum itself. */
const metricsPerAlarm = 9;

/** Errors and time-outs of every function; each alarm watches the sum of some. */
function alarms(names: readonly string[]): Json {
  const tell = [{ Ref: "AlarmTopic" }];
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
      AlarmActions: tell,
      OKActions: tell,
    },
  });
  return Object.fromEntries(groups.map((group, at) => [`FunctionAlarm${at + 1}`, alarm(group)]));
}

/** `ws_register` → `WsRegister`: logical ids take letters and digits only. */
const pascal = (name: string) => name.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
