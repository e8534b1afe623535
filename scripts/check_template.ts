/**
 * Finds mistakes in a template that validators miss but that break a deployment of sockets and functions: names that refer to
 * nothing useful, missing rights, numbers that contradict each other. Returns a sentence for each.
 * `npm run check-template -- .serverless/cloudformation-template-update-stack.json`
 */
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type { Resource, Template } from "./resolve_conditions.ts";

type Json = unknown;
type Fields = Record<string, Json>;

/** A template with look-ups by type and by id. */
interface Resources {
  readonly all: readonly [string, Resource][];
  ofType(type: string): [string, Resource][];
  find(id: string | undefined): Resource | undefined;
}

/** @returns a sentence for each problem */
export function checkTemplate(template: Template): string[] {
  const all = Object.entries(template.Resources);
  const resources: Resources = {
    all,
    ofType: (type) => all.filter(([, { Type }]) => Type === type),
    find: (id) => (id === undefined ? undefined : template.Resources[id]),
  };
  return [
    ...routeProblems(resources),
    ...permissionProblems(resources),
    ...functionProblems(resources),
    ...roleProblems(resources),
    ...networkProblems(resources),
    ...clusterProblems(resources),
    ...partitionProblems(resources),
  ];
}

/** Functions behind the routes of an API. */
const integrationsOf = ({ ofType, find }: Resources) =>
  ofType("AWS::ApiGatewayV2::Integration").map(([id, integration]) => {
    const target = idsIn(properties(integration).IntegrationUri).find(
      (one) => find(one)?.Type === "AWS::Lambda::Function",
    );
    return { id, target, api: idsIn(properties(integration).ApiId)[0] };
  });

const socketsOf = ({ ofType }: Resources) =>
  ofType("AWS::ApiGatewayV2::Api").filter(([, api]) => properties(api).ProtocolType === "WEBSOCKET");

function routeProblems(resources: Resources): string[] {
  const { ofType } = resources;
  const integrations = integrationsOf(resources);
  const apis = ofType("AWS::ApiGatewayV2::Api").flatMap(([id, api]) => {
    const { ProtocolType } = properties(api);
    return ProtocolType === "HTTP" || ProtocolType === "WEBSOCKET"
      ? []
      : [`${id}: ProtocolType "${ProtocolType}" is neither HTTP nor WEBSOCKET`];
  });

  const routes = ofType("AWS::ApiGatewayV2::Route").flatMap(([id, route]) => {
    const { Target, ApiId, RouteKey, AuthorizationType, AuthorizerId } = properties(route);
    const integration = integrations.find((one) => idsIn(Target).includes(one.id));
    const api = idsIn(ApiId)[0];
    return [
      ...(integration === undefined ? [`${id}: "${RouteKey}" leads to no integration`] : []),
      ...(integration !== undefined && integration.api !== api ? [`${id}: "${RouteKey}" leads to another API`] : []),
      ...(integration !== undefined && !prefixed(Target)
        ? [`${id}: the target of "${RouteKey}" must begin with integrations/`]
        : []),
      ...(AuthorizationType === "CUSTOM" && AuthorizerId === undefined ? [`${id}: CUSTOM without an authorizer`] : []),
    ];
  });

  const keys = ofType("AWS::ApiGatewayV2::Route").map(
    ([, route]) => `${idsIn(properties(route).ApiId)[0]} ${properties(route).RouteKey}`,
  );
  const doubles = [...new Set(keys.filter((key, at) => keys.indexOf(key) !== at))].map(
    (key) => `two routes have the key "${key}"`,
  );

  const missingRoutes = socketsOf(resources).flatMap(([id]) =>
    ["$connect", "$default", "$disconnect"]
      .filter((key) => !keys.includes(`${id} ${key}`))
      .map((key) => `${id}: there is no route ${key}`),
  );

  const authorizers = ofType("AWS::ApiGatewayV2::Authorizer").flatMap(([id, authorizer]) => {
    const { AuthorizerType } = properties(authorizer);
    return AuthorizerType === "REQUEST" || AuthorizerType === "JWT"
      ? []
      : [`${id}: there is no type ${AuthorizerType}`];
  });

  return [...apis, ...routes, ...doubles, ...missingRoutes, ...authorizers];
}

function permissionProblems(resources: Resources): string[] {
  const { ofType, find } = resources;
  const permitted = ofType("AWS::Lambda::Permission").map(([, permission]) => {
    const { FunctionName, Principal, Action, SourceArn } = properties(permission);
    return { target: idsIn(FunctionName)[0], Principal, Action, sources: idsIn(SourceArn) };
  });
  const permissions = integrationsOf(resources).flatMap(({ id, target, api }) => {
    if (target === undefined) return [`${id}: no function behind it`];
    const may = permitted.some(
      (one) =>
        one.target === target &&
        one.Principal === "apigateway.amazonaws.com" &&
        one.Action === "lambda:InvokeFunction" &&
        one.sources.includes(String(api)),
    );
    return may ? [] : [`${id}: ${api} may not invoke ${target}`];
  });
  const schedules = ofType("AWS::Events::Rule").flatMap(([id, rule]) =>
    idsIn(properties(rule).Targets)
      .filter((target) => find(target)?.Type === "AWS::Lambda::Function")
      .filter((target) => !permitted.some((one) => one.target === target && one.Principal === "events.amazonaws.com"))
      .map((target) => `${id}: the clock may not invoke ${target}`),
  );

  return [...permissions, ...schedules];
}

function functionProblems(resources: Resources): string[] {
  const { ofType, find } = resources;
  const sockets = socketsOf(resources).map(([id]) => id);
  const functions = ofType("AWS::Lambda::Function");
  const roles = functions.map(([id]) => idsIn(properties(find(id)).Role)[0] ?? "");
  const shared = [...new Set(roles.filter((role, at) => roles.indexOf(role) !== at))].map(
    (role) => `${role}: two functions share it`,
  );
  const rights = functions.flatMap(([id, own], at) => needs(id, own, find(roles[at]), sockets));

  // A page uploads its picture directly to the bucket, which has another host than the page.
  const buckets = functions
    .map(([id, own], at) => ({ id, bucket: bucketOf(variablesOf(own)), role: find(roles[at]) }))
    .filter(({ role }) => statementsOf(role).some(({ Action }) => [Action].flat().includes("s3:PutObject")))
    .filter(({ bucket }) => {
      const cors = properties(find(bucket)).CorsConfiguration as { CorsRules?: Fields[] } | undefined;
      return !cors?.CorsRules?.some(({ AllowedMethods }) => [AllowedMethods].flat().includes("PUT"));
    })
    .map(({ id, bucket }) => `${id}: no page may put anything into ${bucket}`);

  const late = functions.flatMap(([id, own]) => {
    if (find("Schema") === undefined || !usesData(own) || isOwner(own)) return [];
    return [own.DependsOn ?? []].flat().includes("Schema") ? [] : [`${id}: takes requests before the tables are there`];
  });

  const secrets = functions.flatMap(([id, own]) =>
    Object.entries(variablesOf(own))
      .filter(([, value]) => /:\/\/[^/@{]*:[^/@{]+@/.test(JSON.stringify(value)) || isResolved(value))
      .map(([name]) => `${id}: ${name} holds a secret`),
  );

  return [...shared, ...rights, ...buckets, ...late, ...secrets];
}

function roleProblems({ ofType }: Resources): string[] {
  return ofType("AWS::IAM::Role").flatMap(([id, role]) =>
    statementsOf(role).flatMap(({ Action, Resource: on }) => [
      ...[Action]
        .flat()
        .flatMap((action) => (isKnown(String(action)) ? [] : [`${id}: there is no action "${action}"`])),
      ...(on === "*" && ![Action].flat().every((action) => withoutResource.test(String(action)))
        ? [`${id}: ${[Action].flat().join(", ")} on everything`]
        : []),
    ]),
  );
}

function networkProblems({ all, find }: Resources): string[] {
  return all.flatMap(([id, resource]) =>
    [...lists(properties(resource), /^(SecurityGroupIds|VpcSecurityGroupIds)$/)].flatMap((list) =>
      list
        .filter((one) => !idsIn(one).some((group) => find(group)?.Type === "AWS::EC2::SecurityGroup"))
        .filter((one) => typeof one !== "string" || !one.startsWith("sg-"))
        .map(() => `${id}: something that is no security group stands among its security groups`),
    ),
  );
}

function clusterProblems({ ofType }: Resources): string[] {
  return ofType("AWS::RDS::DBCluster").flatMap(([id, cluster]) => {
    const scaling = properties(cluster).ServerlessV2ScalingConfiguration as Fields | undefined;
    const [min, max] = [Number(scaling?.MinCapacity), Number(scaling?.MaxCapacity)];
    return [
      ...(scaling === undefined ? [`${id}: no capacity is given`] : []),
      ...(min > max ? [`${id}: its floor of ${min} is above its ceiling of ${max}`] : []),
      ...(max < 1 || max > 256 || !isHalf(max) ? [`${id}: a ceiling of ${max} is not from 1 to 256 in halves`] : []),
      ...(min < 0 || min > 256 || !isHalf(min) ? [`${id}: a floor of ${min} is not from 0 to 256 in halves`] : []),
      ...(properties(cluster).MasterUserPassword === undefined ? [] : [`${id}: a password stands in the template`]),
    ];
  });
}

function partitionProblems({ all }: Resources): string[] {
  return all.flatMap(([id, resource]) =>
    /"arn:aws:|amazonaws\.com[/"]/.test(JSON.stringify(withoutPrincipals(properties(resource))))
      ? [`${id}: names one partition of AWS, and there are others`]
      : [],
  );
}

// --- Functions against the rights of their roles ---------------------------------------------------------------------

/** Variable → the action that its use needs. */
const uses: readonly [RegExp, string][] = [
  [/^CALLBACK_URL$/, "execute-api:ManageConnections"],
  [/^DATABASE_AUTH$/, "rds-db:connect"],
  [/^WECHAT_BY$/, "lambda:InvokeFunction"],
];

/** Variable with the bucket → the folders whose objects its function may reach. */
const bucketVariables = { PICTURE_BUCKET: /\/pictures\/\*$/, FILES_BUCKET: /\/(files|incoming)\/\*$/ };

const bucketOf = ({ PICTURE_BUCKET, FILES_BUCKET }: Fields) => idsIn([PICTURE_BUCKET, FILES_BUCKET])[0];

/** A function with the bucket may reach its own folders there, and nothing else; one with files also knows what is missing. */
function bucketFaults(id: string, variables: Fields, statements: readonly Statement[]): string[] {
  const on = statements.filter(({ Action }) => [Action].flat().some((action) => String(action).startsWith("s3:")));
  const named = Object.entries(bucketVariables).filter(([name]) => variables[name] !== undefined);
  const mayReach = ({ Action, Resource }: Statement) =>
    [Resource].flat().every((one) => {
      const text = (one as { "Fn::Sub"?: string })["Fn::Sub"] ?? "";
      const isOwn = idsIn(one)[0] === bucketOf(variables);
      // A list is of the bucket itself.
      if (Action === "s3:ListBucket") return isOwn && text === "" && variables.FILES_BUCKET !== undefined;
      return isOwn && named.some(([, folders]) => folders.test(text));
    });
  return [
    ...(on.length === 0 ? named.map(([name]) => `${id}: ${name} without a right to its objects`) : []),
    ...on.filter((one) => !mayReach(one)).map(() => `${id}: may reach more than its folders of the bucket`),
  ];
}

function needs(id: string, own: Resource, role: Resource | undefined, sockets: readonly string[]): string[] {
  const statements = statementsOf(role);
  const may = (action: string) => statements.filter(({ Action }) => [Action].flat().includes(action));
  const variables = variablesOf(own);
  const missing = Object.entries(variables).flatMap(([name, value]) => {
    const action = uses.find(([pattern]) => pattern.test(name))?.[1] ?? readAction(value);
    return action !== undefined && may(action).length === 0 ? [`${id}: ${name} without the right to ${action}`] : [];
  });
  const unused = may("execute-api:ManageConnections").length > 0 && variables.CALLBACK_URL === undefined;
  const elsewhere = may("execute-api:ManageConnections")
    .filter(
      ({ Resource: on }) =>
        !sockets.some((socket) => idsIn(on).includes(socket)) || !/\/@connections\/\*/.test(JSON.stringify(on)),
    )
    .map(() => `${id}: may push elsewhere than to this socket's connections`);
  const unread = Object.values(variables)
    .flatMap(idsIn)
    .filter((secret) => /Key$/.test(secret))
    .filter((secret) => !may("secretsmanager:GetSecretValue").some(({ Resource: on }) => idsIn(on).includes(secret)))
    .map((secret) => `${id}: may not read ${secret}`);
  return [
    ...missing,
    ...elsewhere,
    ...bucketFaults(id, variables, statements),
    ...unread,
    ...(unused ? [`${id}: may push and does not know where`] : []),
    ...(role === undefined ? [`${id}: has no role of the template`] : []),
    ...(may("logs:PutLogEvents").length === 0 ? [`${id}: may not write its log`] : []),
    ...(properties(own).VpcConfig !== undefined && may("ec2:CreateNetworkInterface").length === 0
      ? [`${id}: may not enter its network`]
      : []),
  ];
}

const properties = (resource: Resource | undefined): Fields => resource?.Properties ?? {};

function readAction(value: Json): string | undefined {
  const text = JSON.stringify(value);
  if (/"secret:/.test(text)) return "secretsmanager:GetSecretValue";
  return /"parameter:/.test(text) ? "ssm:GetParameter" : undefined;
}

/** The actions of our roles. Any other is a mistake, or must be added here. */
const known = new Set([
  "logs:CreateLogStream",
  "logs:PutLogEvents",
  "secretsmanager:GetSecretValue",
  "ssm:GetParameter",
  "rds-db:connect",
  "execute-api:ManageConnections",
  "lambda:InvokeFunction",
  "s3:PutObject",
  "s3:GetObject",
  "s3:DeleteObject",
  "s3:ListMultipartUploadParts",
  "s3:AbortMultipartUpload",
  "s3:ListBucket",
  "ec2:CreateNetworkInterface",
  "ec2:DeleteNetworkInterface",
  "ec2:DescribeNetworkInterfaces",
  "ec2:DescribeSubnets",
]);
const isKnown = (action: string) => known.has(action);
/** EC2 takes no narrower resource for these. */
const withoutResource = /^ec2:(Create|Delete|Describe)(NetworkInterfaces?|Subnets)$/;

interface Statement {
  readonly Action: Json;
  readonly Resource: Json;
}

function statementsOf(role: Resource | undefined): Statement[] {
  const policies = (role?.Properties?.Policies ?? []) as { PolicyDocument: { Statement: Statement[] } }[];
  return policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
}

const variablesOf = (own: Resource): Fields =>
  ((properties(own).Environment as { Variables?: Fields } | undefined)?.Variables ?? {}) as Fields;
const usesData = (own: Resource) => ["DATABASE_URL", "DATABASE_URL_FROM"].some((name) => name in variablesOf(own));
const isOwner = (own: Resource) => String(properties(own).Handler).startsWith("functions/init_db.");
const isHalf = (units: number) => Number.isInteger(units * 2);
const isResolved = (value: Json) => /\{\{resolve:(secretsmanager|ssm-secure)/.test(JSON.stringify(value));

/** `integrations/…`, in any notation. */
const prefixed = (target: Json) => JSON.stringify(target).includes("integrations");

/** Names of services are the same in every partition. */
function withoutPrincipals(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutPrincipals);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value as Fields)
      .filter(([name]) => name !== "Principal" && name !== "DNSName")
      .map(([name, one]) => [name, withoutPrincipals(one)]),
  );
}

/** Every logical id that a value names by Ref, Fn::GetAtt or Fn::Sub. */
export function idsIn(value: Json): string[] {
  if (Array.isArray(value)) return value.flatMap(idsIn);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value as Fields).flatMap(([word, given]) => {
    if (word === "Ref") return [String(given)];
    if (word === "Fn::GetAtt") return [String([given].flat()[0]).split(".")[0] ?? ""];
    if (word === "Fn::Sub")
      return [...String([given].flat()[0]).matchAll(/\$\{([A-Za-z0-9]+)[.}]/g)].map(([, id]) => String(id));
    return idsIn(given);
  });
}

function* lists(value: Json, name: RegExp): Generator<Json[]> {
  if (typeof value !== "object" || value === null) return;
  for (const [key, one] of Object.entries(value as Fields))
    if (name.test(key) && Array.isArray(one)) yield one;
    else yield* lists(one, name);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const problems = checkTemplate(JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as Template);
  for (const problem of problems) console.log(problem);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
