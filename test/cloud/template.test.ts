/** The output of `serverless package`: the same twice, without a network, valid, and complete beyond what validators check. */
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RegoEngine, TemplateFile } from "@aws/cloudformation-validate";
import { strFromU8, unzipSync } from "fflate";
import { checkTemplate, idsIn } from "../../scripts/check_template.ts";
import type { Resource, Template } from "../../scripts/resolve_conditions.ts";
import { normal, type Packaged, packageWith } from "./_package.ts";

// biome-ignore lint/suspicious/noExplicitAny: a template is looked into where the test pleases
type Any = any;

const databases = ["url", "aurora-postgres", "aurora-mysql"] as const;
const everything = {
  database: "aurora-postgres",
  domain: "shop.example.com",
  socketDomain: "socket.example.com",
  zone: "Z0123456789",
  alarmMail: "owner@example.com",
  reserve: "10",
  settings: "ROOMS=off, LOG_LEVEL=warn",
  origins: "https://shop.example.com, https://order.example.com",
  secondZone: "yes",
};

const packaged = new Map<string, Packaged>();
let again: Packaged;
let full: Template;
/** The session service alone, on each kind of database. */
const alone = new Map<string, Packaged>();

beforeAll(async () => {
  // One after another: each takes what the one before has built.
  for (const database of databases) packaged.set(database, await packageWith({ database }));
  // Built anew, and not taken from what the first has built.
  again = await packageWith({ database: "url" }, "dev", "");
  full = (await packageWith(everything, "prod")).template;
  for (const database of ["url", "aurora-postgres"])
    alone.set(database, await packageWith({ database, only: "session", schedules: "yes", socketLog: "yes" }));
}, 600_000);

const of = (database: string): Template => structuredClone((packaged.get(database) as Packaged).template);
const properties = (template: Template, id: string): Any => template.Resources[id]?.Properties;
const ofType = (template: Template, type: string): [string, Resource][] =>
  Object.entries(template.Resources).filter(([, { Type }]) => Type === type);

it("the template and the zips are the same when packaged twice", () => {
  const one = packaged.get("url") as Packaged;
  expect(normal(one.template)).toBe(normal(again.template));
  const sums = ({ zips }: Packaged) =>
    [...zips].map(([name, bytes]) => [name, createHash("sha256").update(bytes).digest("hex")]);
  expect(sums(one)).toEqual(sums(again));
});

describe.each(databases)("a template with database %s", (database) => {
  it("has no problem that our own checker knows", () => {
    expect(checkTemplate(of(database))).toEqual([]);
  });

  it("carries the database's driver and no other", () => {
    const { zips } = packaged.get(database) as Packaged;
    const marks = { pg: "SCRAM-SHA-256", mysql2: "caching_sha2_password", pglite: "PGlite" };
    const driver = database === "aurora-mysql" ? "mysql2" : "pg";
    for (const name of ["bill", "ws_transmit", "init_db"]) {
      const code = strFromU8(unzipSync(zips.get(name) as Uint8Array)[`functions/${name}.js`] as Uint8Array);
      const found = Object.entries(marks).flatMap(([one, mark]) => (code.includes(mark) ? [one] : []));
      expect([name, found]).toEqual([name, [driver]]);
    }
  });
});

describe("AWS's own validator", () => {
  let engine: InstanceType<typeof RegoEngine>;
  let folder: string;
  beforeAll(() => {
    engine = new RegoEngine();
    folder = mkdtempSync(join(tmpdir(), "orderbell-template-"));
  });
  afterAll(() => {
    engine.free();
    rmSync(folder, { recursive: true });
  });

  /** Errors and warnings; what is only information asks for taste. */
  function problemsOf(template: Template): string[] {
    const path = join(folder, "template.json");
    writeFileSync(path, JSON.stringify(template));
    const { diagnostics } = engine.validateStandard(new TemplateFile(path));
    return (diagnostics as { severity: string; ruleId: string; message: string }[])
      .filter(({ severity }) => !/INFO/i.test(severity))
      .map(({ ruleId, message }) => `${ruleId} ${message}`);
  }

  it.each([...databases, "everything"])("finds nothing with %s", (database) => {
    expect(problemsOf(database === "everything" ? full : of(database))).toEqual([]);
  });

  it.each(["url", "aurora-postgres"])("finds nothing with the session service alone on %s", (database) => {
    expect(problemsOf((alone.get(database) as Packaged).template)).toEqual([]);
  });

  it("finds planted mistakes, so that its silence means something", () => {
    const wrong = of("aurora-postgres");
    properties(wrong, "DatabaseInstance").DBInstanceClass = "db.serverles";
    properties(wrong, "BillLambdaFunction").Rôle = "typo";
    expect(problemsOf(wrong).length).toBeGreaterThanOrEqual(2);
  });
});

describe("our own checker finds a planted", () => {
  const connect = "WsUnderscoreregisterLambdaFunction";
  const policy = (template: Template, role: string): Any[] =>
    properties(template, role).Policies[0].PolicyDocument.Statement;
  const push = (template: Template, role: string): Any =>
    policy(template, role).find(({ Action }) => Action === "execute-api:ManageConnections");

  const fileRights = (template: Template): Any[] =>
    policy(template, "FilesRole").filter(({ Action }) => JSON.stringify(Action).includes("s3:"));

  const mutants: [string, (template: Template) => void, RegExp][] = [
    ["ProtocolType", (t) => void (properties(t, "WebsocketsApi").ProtocolType = "WS"), /neither HTTP nor WEBSOCKET/],
    [
      "missing permission of the socket",
      (t) => void delete t.Resources.WsUnderscoreregisterLambdaPermissionWebsockets,
      new RegExp(`may not invoke ${connect}`),
    ],
    [
      "missing permission of a route",
      (t) => void delete t.Resources.BillLambdaPermissionHttpApi,
      /HttpApi may not invoke BillLambdaFunction/,
    ],
    [
      "permission for another API",
      (t) =>
        void (properties(t, "WsUnderscoretransmitLambdaPermissionWebsockets").SourceArn = {
          "Fn::Sub": "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${HttpApi}/*",
        }),
      /WebsocketsApi may not invoke WsUnderscoretransmit/,
    ],
    [
      "second route with the same key",
      (t) => void (t.Resources.Again = structuredClone(t.Resources.HttpApiRoutePostBill as Resource)),
      /two routes have the key "HttpApi POST \/bill"/,
    ],
    [
      "missing $disconnect",
      (t) => {
        for (const [id, { Properties }] of ofType(t, "AWS::ApiGatewayV2::Route"))
          if (Properties?.RouteKey === "$disconnect") delete t.Resources[id];
      },
      /no route \$disconnect/,
    ],
    [
      "route to no integration",
      (t) => void (properties(t, "HttpApiRoutePostBill").Target = "integrations/abc"),
      /"POST \/bill" leads to no integration/,
    ],
    [
      "route to another API's integration",
      (t) => {
        const [id] = ofType(t, "AWS::ApiGatewayV2::Integration").find(([, { Properties }]) =>
          idsIn(Properties?.ApiId).includes("WebsocketsApi"),
        ) as [string, Resource];
        properties(t, "HttpApiRoutePostBill").Target = { "Fn::Join": ["/", ["integrations", { Ref: id }]] };
      },
      /leads to another API/,
    ],
    [
      "ManageConnections with a slip",
      (t) => void (push(t, "BillRole").Action = "execute-api:ManageConnection"),
      /no action "execute-api:ManageConnection"/,
    ],
    [
      "missing ManageConnections",
      (t) => policy(t, "BillRole").splice(policy(t, "BillRole").indexOf(push(t, "BillRole")), 1),
      /BillLambdaFunction: CALLBACK_URL without the right/,
    ],
    [
      "ManageConnections on everything",
      (t) =>
        void (push(t, "BillRole").Resource = {
          "Fn::Sub": "arn:${AWS::Partition}:execute-api:*:*:*/@connections/*",
        }),
      /may push elsewhere/,
    ],
    [
      "floor above the ceiling",
      (t) => void (properties(t, "DatabaseCluster").ServerlessV2ScalingConfiguration.MinCapacity = 8),
      /above its ceiling/,
    ],
    [
      "ceiling of 0.3",
      (t) =>
        void (properties(t, "DatabaseCluster").ServerlessV2ScalingConfiguration = {
          MinCapacity: 0,
          MaxCapacity: 0.3,
        }),
      /a ceiling of 0.3/,
    ],
    [
      "range of addresses among security groups",
      (t) => void (properties(t, "BillLambdaFunction").VpcConfig.SecurityGroupIds = ["10.20.0.0/16"]),
      /BillLambdaFunction: something that is no security group/,
    ],
    [
      "subnet among the database's security groups",
      (t) => void (properties(t, "DatabaseCluster").VpcSecurityGroupIds = [{ Ref: "SubnetA" }]),
      /DatabaseCluster: something that is no security group/,
    ],
    [
      "authorizer's type",
      (t) =>
        void (t.Resources.Authorizer = {
          Type: "AWS::ApiGatewayV2::Authorizer",
          Properties: { AuthorizerType: "TOKEN" },
        }),
      /no type TOKEN/,
    ],
    [
      "CUSTOM without authorizer",
      (t) => void (properties(t, "HttpApiRoutePostBill").AuthorizationType = "CUSTOM"),
      /CUSTOM without an authorizer/,
    ],
    [
      "shared role",
      (t) => void (properties(t, "BillLambdaFunction").Role = { "Fn::GetAtt": ["OrderRole", "Arn"] }),
      /OrderRole: two functions share it/,
    ],
    [
      "right on everything",
      (t) => policy(t, "BillRole").push({ Effect: "Allow", Action: "lambda:InvokeFunction", Resource: "*" }),
      /lambda:InvokeFunction on everything/,
    ],
    [
      "key without the right to read it",
      (t) => void policy(t, "LoginRole").splice(1, policy(t, "LoginRole").length),
      /LoginLambdaFunction: SIGNING_KEY_FROM without the right/,
    ],
    [
      "function that does not wait for the tables",
      (t) => void delete t.Resources.BillLambdaFunction?.DependsOn,
      /BillLambdaFunction: takes requests before/,
    ],
    [
      "password in the environment",
      (t) =>
        void (properties(t, "BillLambdaFunction").Environment.Variables.DATABASE_URL =
          "postgres://a:b@db.example/shop"),
      /DATABASE_URL holds a secret/,
    ],
    [
      "secret resolved into the environment",
      (t) =>
        void (properties(t, "BillLambdaFunction").Environment.Variables.SIGNING_KEY =
          "{{resolve:secretsmanager:key:SecretString}}"),
      /SIGNING_KEY holds a secret/,
    ],
    [
      "clock without permission",
      (t) => {
        for (const [id, { Properties }] of ofType(t, "AWS::Lambda::Permission"))
          if (Properties?.Principal === "events.amazonaws.com") delete t.Resources[id];
      },
      /the clock may not invoke SweepLambdaFunction/,
    ],
    [
      "right to do anything with files",
      (t) => void (fileRights(t)[0].Action = "s3:*"),
      /FilesRole: there is no action "s3:\*"/,
    ],
    [
      "right to the whole bucket",
      (t) => void fileRights(t)[0].Resource.push({ "Fn::Sub": "${PictureBucket.Arn}/*" }),
      /FilesLambdaFunction: may reach more than its folders/,
    ],
    [
      "right to the old pictures",
      (t) => void fileRights(t)[0].Resource.push({ "Fn::Sub": "${PictureBucket.Arn}/pictures/*" }),
      /FilesLambdaFunction: may reach more than its folders/,
    ],
    [
      "right to list another bucket",
      (t) => void (fileRights(t)[1].Resource = { "Fn::GetAtt": ["AnotherBucket", "Arn"] }),
      /FilesLambdaFunction: may reach more than its folders/,
    ],
    [
      "bucket without the right to put into it",
      (t) => {
        for (const one of fileRights(t)) policy(t, "FilesRole").splice(policy(t, "FilesRole").indexOf(one), 1);
      },
      /FilesLambdaFunction: FILES_BUCKET without a right/,
    ],
    [
      "bucket into which no page may put",
      (t) => void (properties(t, "PictureBucket").CorsConfiguration.CorsRules[0].AllowedMethods = ["GET"]),
      /FilesLambdaFunction: no page may put anything into PictureBucket/,
    ],
    [
      "partition",
      (t) => void (push(t, "BillRole").Resource = "arn:aws:execute-api:us-east-1:1:x/pgws/*/@connections/*"),
      /BillRole: names one partition/,
    ],
  ];

  it.each(mutants)("%s", (_, plant, sentence) => {
    const template = of("aurora-postgres");
    plant(template);
    const problems = checkTemplate(template);
    expect(problems.filter((problem) => sentence.test(problem)).length).toBeGreaterThan(0);
  });
});

describe("a deployment's template", () => {
  it("gives the key of app secrets to the functions that talk to WeChat or keep its secrets, and the owner's password to init_db", () => {
    for (const database of databases) {
      const template = of(database);
      const readers = (secret: string) =>
        ofType(template, "AWS::IAM::Role")
          .filter(([, { Properties }]) => idsIn(Properties?.Policies).includes(secret))
          .map(([id]) => id);
      expect(readers("WechatKey")).toEqual([
        "LoginRole",
        "WaferSessionRole",
        "WaferChannelRole",
        "CallBackRole",
        "AdminRole",
      ]);
      const owners = ofType(template, "AWS::IAM::Role").filter(([, { Properties }]) =>
        JSON.stringify(Properties).includes("MasterUserSecret"),
      );
      expect(owners.map(([id]) => id)).toEqual(database === "url" ? [] : ["InitDbRole"]);
    }
  });

  it("makes no network for a database of one's own, and two dual-stack subnets without a NAT for Aurora", () => {
    expect(ofType(of("url"), "AWS::EC2::VPC")).toEqual([]);
    for (const database of ["aurora-postgres", "aurora-mysql"]) {
      const template = of(database);
      expect(ofType(template, "AWS::EC2::NatGateway")).toEqual([]);
      expect(ofType(template, "AWS::EC2::EgressOnlyInternetGateway")).toHaveLength(1);
      expect(properties(template, "WebsocketsApi").IpAddressType).toBe("dualstack");
      expect(properties(template, "BillLambdaFunction").VpcConfig.Ipv6AllowedForDualStack).toBe(true);
      expect(properties(template, "AskUnderscorewechatLambdaFunction").VpcConfig).toBeUndefined();
      expect(properties(template, "StorageEndpoint").VpcEndpointType).toBe("Gateway");
    }
  });

  it("answers on /pgws with a domain and without one", () => {
    const text = JSON.stringify(of("url").Outputs?.SocketAddress?.Value);
    expect(text).toBe('{"Fn::Sub":"wss://${WebsocketsApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/pgws"}');
    expect(properties(of("url"), "WebsocketsDeploymentStage").StageName).toBe("pgws");
    expect(properties(full, "SocketMapping")).toMatchObject({ ApiMappingKey: "pgws", Stage: "pgws" });
    expect(full.Outputs?.SocketAddress?.Value).toBe("wss://socket.example.com/pgws");
    expect(properties(full, "HttpRecord").HostedZoneId).toBe("Z0123456789");
    // Pushes go to AWS's own address in both.
    for (const template of [of("url"), full])
      expect(properties(template, "BillLambdaFunction").Environment.Variables.CALLBACK_URL).toEqual({
        "Fn::Sub": "https://${WebsocketsApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/pgws",
      });
  });

  it("gives the pages the socket's address, and lets them upload pictures from each of their addresses", () => {
    const variables = (template: Template, id = "PagesLambdaFunction") =>
      properties(template, id).Environment.Variables;
    for (const template of [of("url"), full])
      expect(variables(template, "SessionLambdaFunction").SOCKET_URL).toEqual(variables(template).SOCKET_URL);
    expect(variables(of("url")).SOCKET_URL).toEqual(of("url").Outputs?.SocketAddress?.Value);
    expect(variables(full).SOCKET_URL).toBe("wss://socket.example.com/pgws");
    const [own, named] = [of("url"), full].map(
      (template) => properties(template, "PictureBucket").CorsConfiguration.CorsRules,
    );
    const address = { "Fn::Sub": "https://${HttpApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}" };
    const uploads = {
      AllowedMethods: ["PUT", "POST"],
      AllowedHeaders: ["content-type", "cache-control", "if-none-match"],
      ExposedHeaders: ["ETag"],
    };
    const fetches = expect.objectContaining({ AllowedMethods: ["GET", "HEAD"], AllowedOrigins: ["*"] });
    expect(own).toEqual([expect.objectContaining({ ...uploads, AllowedOrigins: ["*", address] }), fetches]);
    const origins = ["https://shop.example.com", "https://order.example.com"];
    expect(named).toEqual([expect.objectContaining({ ...uploads, AllowedOrigins: [origins[1], origins[0]] }), fetches]);
    expect(properties(of("url"), "HttpApi").CorsConfiguration.AllowOrigins).toEqual(["*"]);
    expect(properties(full, "HttpApi").CorsConfiguration.AllowOrigins).toEqual(origins);
    // Pages are served without the database, and without its network.
    expect(properties(of("aurora-postgres"), "PagesLambdaFunction").VpcConfig).toBeUndefined();
    expect(of("url").Resources.PagesLambdaFunction?.DependsOn ?? []).not.toContain("Schema");
    expect(of("url").Resources.PictureLambdaFunction?.DependsOn).toContain("Schema");
  });

  it("keeps a production database, and lets a database of dev pause", () => {
    expect(full.Resources.DatabaseCluster).toMatchObject({ DeletionPolicy: "Snapshot" });
    expect(properties(full, "DatabaseCluster")).toMatchObject({
      StorageEncrypted: true,
      ManageMasterUserPassword: true,
    });
    expect(ofType(full, "AWS::RDS::DBInstance")).toHaveLength(2);
    expect(properties(full, "SweepEventsRuleSchedule1").State).toBe("ENABLED");
    const dev = of("aurora-postgres");
    expect(properties(dev, "DatabaseCluster")).toMatchObject({
      ServerlessV2ScalingConfiguration: { MinCapacity: 0, MaxCapacity: 2 },
    });
    expect(ofType(dev, "AWS::RDS::DBInstance")).toHaveLength(1);
    for (const [, rule] of ofType(dev, "AWS::Events::Rule")) expect(rule.Properties?.State).toBe("DISABLED");
  });

  it("reserves environments only on request, and has no route to admin", () => {
    const reserved = (template: Template) =>
      ofType(template, "AWS::Lambda::Function").filter(
        ([, { Properties }]) => Properties?.ReservedConcurrentExecutions !== undefined,
      );
    expect(reserved(of("url"))).toEqual([]);
    expect(reserved(full).map(([id, { Properties }]) => [id, Properties?.ReservedConcurrentExecutions])).toEqual(
      ["Bill", "Order", "Shop", "WsUnderscoretransmit", "Sweep"].map((name) => [`${name}LambdaFunction`, 10]),
    );
    for (const [, { Properties }] of ofType(full, "AWS::ApiGatewayV2::Integration"))
      expect(idsIn(Properties?.IntegrationUri)).not.toContain("AdminLambdaFunction");
  });

  it("gives the functions the stage's settings, over the defaults", () => {
    for (const [, { Properties }] of ofType(full, "AWS::Lambda::Function").filter(([id]) => !/^Custom/.test(id)))
      expect(Properties?.Environment).toMatchObject({
        Variables: { ROOMS: "off", LOG_LEVEL: "warn", POLL_WAIT_SEC: "0" },
      });
    expect(properties(of("url"), "BillLambdaFunction").Environment).toMatchObject({ Variables: { LOG_LEVEL: "info" } });
  });

  it("throttles and logs both gateways, keeps logs for a time, and names the topic of alarms", () => {
    expect(properties(full, "HttpApiStage")).toMatchObject({
      DefaultRouteSettings: { ThrottlingRateLimit: 500, ThrottlingBurstLimit: 1000 },
      AccessLogSettings: expect.anything(),
    });
    expect(properties(full, "WebsocketsDeploymentStage")).toMatchObject({
      DefaultRouteSettings: { ThrottlingRateLimit: 500, ThrottlingBurstLimit: 1000 },
      AccessLogSettings: expect.anything(),
    });
    const logs = JSON.stringify([full.Resources.HttpApiStage, full.Resources.WebsocketsDeploymentStage]);
    expect(logs).not.toMatch(/authorizer|sourceIp|querystring|path|header/i);
    for (const [, { Properties }] of ofType(full, "AWS::Logs::LogGroup")) expect(Properties?.RetentionInDays).toBe(30);
    const alarms = ofType(full, "AWS::CloudWatch::Alarm");
    for (const [, { Properties }] of alarms) expect(Properties?.AlarmActions).toEqual([{ Ref: "AlarmTopic" }]);
    expect(alarms.map(([id]) => id)).toEqual(
      expect.arrayContaining([
        "HttpAlarm",
        "FunctionAlarm1",
        "DeliveryAlarm",
        "SweepAlarm",
        "CapacityAlarm",
        "DeadWebhookAlarm",
      ]),
    );
    // Every function stands in one of the alarms.
    const watched = JSON.stringify(alarms);
    for (const [, { Properties }] of ofType(full, "AWS::Lambda::Function"))
      expect(watched).toContain(`"${Properties?.FunctionName}"`);
  });
});

it("a first deployment that fails leaves nothing behind; one that worked keeps keys and pictures", () => {
  for (const id of ["SigningKey", "WechatKey", "PictureBucket", "GatewayLogRole", "GatewayAccount"])
    expect([id, full.Resources[id]?.DeletionPolicy]).toEqual([id, "RetainExceptOnCreate"]);
  expect(properties(full, "DatabaseCluster").DeletionProtection).toBeUndefined();
  // An account that never had an API cannot have the settings of one.
  expect(full.Resources.GatewayAccount?.DependsOn).toEqual(["HttpApi", "WebsocketsApi"]);
  expect(of("url").Resources.GatewayAccount).toBeUndefined();
});

it("alarms watch what breaks first: throttled functions, the sockets, connections below the ceiling", () => {
  const metrics = ofType(full, "AWS::CloudWatch::Alarm").flatMap(([, { Properties }]) => [
    Properties?.MetricName,
    ...((Properties?.Metrics ?? []) as Any[]).map(({ MetricStat }) => MetricStat?.Metric.MetricName),
  ]);
  expect(metrics).toEqual(
    expect.arrayContaining(["Throttles", "ConcurrentExecutions", "IntegrationError", "ExecutionError", "ClientError"]),
  );
  expect(properties(full, "ConnectionAlarm").Threshold).toBe(1_600);
  expect(properties(of("aurora-postgres"), "ConnectionAlarm").Threshold).toBe(302);
  expect(properties(of("aurora-mysql"), "ConnectionAlarm").Threshold).toBe(72);
  expect(properties(full, "FanUnderscoreoutLambdaFunction").MemorySize).toBe(1_769);
});

it("a parameter that is no database is refused with the remedy", async () => {
  await expect(packageWith({ database: "oracle" })).rejects.toThrow(/aurora-postgres/);
});

it("serverless is called through the alias that packages offline, not the package that downloads itself", () => {
  const { name } = JSON.parse(readFileSync(join(__dirname, "../../node_modules/serverless/package.json"), "utf8"));
  expect(name).toBe("osls");
});

describe.each(["url", "aurora-postgres"])("the session service alone, on %s", (database) => {
  let packed: Packaged;
  let template: Template;
  beforeAll(() => {
    packed = alone.get(database) as Packaged;
    template = packed.template;
  });

  it("has its functions and its routes, and no more", () => {
    expect([...packed.zips.keys()].toSorted()).toEqual([
      "admin",
      "ask_wechat",
      "init_db",
      "introspect",
      "login",
      "login_token",
      "not_found",
      "session",
      "sweep",
      "wafer_session",
    ]);
    const routes = ofType(template, "AWS::ApiGatewayV2::Route").map(([, { Properties }]) => Properties?.RouteKey);
    expect(routes.toSorted()).toEqual(
      [
        "$default",
        "DELETE /session",
        "GET /login",
        "GET /session",
        "GET /weapp/login",
        "GET /weapp/user",
        "POST /introspect",
        "POST /login",
        "POST /login/guest",
        "POST /login/staff",
        "POST /login/token",
        "POST /mina_auth",
        "POST /mina_auth/",
        "POST /session/ticket",
        "POST /weapp/login",
        "POST /weapp/user",
      ].toSorted(),
    );
  });

  it("has no socket, no pictures and no rights to them, and its alarms watch what is there", () => {
    expect(checkTemplate(template)).toEqual([]);
    const text = JSON.stringify(template);
    for (const absent of ["Websockets", "PictureBucket", "ManageConnections", "CALLBACK_URL", "SOCKET_URL", "-fan_out"])
      expect([absent, text.includes(absent)]).toEqual([absent, false]);
    expect(Object.keys(template.Outputs ?? {})).toEqual(expect.arrayContaining(["HttpAddress", "Alarms"]));
    expect(template.Resources.SweepAlarm).toBeUndefined();
  });

  it("removes old rows once an hour, and leaves orders to the stage that has them", () => {
    const rules = ofType(template, "AWS::Events::Rule").map(([, { Properties }]) => Properties as Any);
    expect(rules.map(({ ScheduleExpression, Targets }) => [ScheduleExpression, JSON.parse(Targets[0].Input)])).toEqual([
      ["rate(1 hour)", { trim: true, orders: false }],
    ]);
  });
});

it("refuses a socket's domain for the session service alone, and a part that is none", async () => {
  await expect(packageWith({ only: "session", socketDomain: "socket.example.com" })).rejects.toThrow(/no socketDomain/);
  await expect(packageWith({ only: "shops" })).rejects.toThrow(/only is one of , session/);
});
