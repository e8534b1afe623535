/**
 * Checks apigateway/openapi.yaml: lints it, and compares it with the code that it describes.
 *
 *     node --import tsx scripts/check_api.ts [openapi.yaml [serverless.yml]]
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readRoutes } from "../apigateway/local/routes.ts";
import { checkPatterns } from "./check_patterns.ts";
import { checkProblems } from "./check_problems.ts";
import { type Api, type Json, type Media, type Operation, readApi, readOpenapi } from "./read_api.ts";

/** Answered by the gateway of this machine itself. */
const ownRoutes = ["GET /healthz"];
/** Another spelling of routes that are written there. */
const isGreedy = (routeKey: string) => routeKey.endsWith("+}");

export interface Texts {
  readonly openapi?: string;
  readonly serverless?: string;
}

/** @returns a sentence for each problem */
export async function checkApi({
  openapi = readOpenapi(),
  serverless = readFileSync(new URL("../serverless.yml", import.meta.url), "utf8"),
}: Texts = {}): Promise<string[]> {
  const found = await lint(openapi);
  // A document that is not valid cannot be compared.
  if (found.some((problem) => problem.startsWith("struct") || problem.startsWith("no-unresolved-refs"))) return found;
  const api = readApi(openapi);
  return [
    ...found,
    ...compareRoutes(api, serverless),
    ...checkProblems(api),
    ...checkPatterns(api.document),
    ...wrongExamples(api),
    ...openObjects(api),
    ...openLists(api),
  ];
}

// --- Lint ----------------------------------------------------------------------------------------------------------

/** The recommended rules except these. */
const rules = {
  // JSON Schema 2020-12 allows a $ref with a limit beside it: a text, and its maximum length here.
  "spec-ref-siblings": "off",
  // The rule looks for a required member in the same schema; ours may be in another part of an `allOf`.
  "no-required-schema-properties-undefined": "off",
  // The examples are checked below, by the validator that checks the answers.
  "no-invalid-media-type-examples": "off",
  "no-invalid-parameter-examples": "off",
} as const;

/** Rule → where it does not hold: the health check has no client error, Wafer's login reports failures with 200, and its session server has two addresses; CloudBase's native commands are refused; an address of its files leads elsewhere. */
const excuses: Readonly<Record<string, RegExp>> = {
  "operation-4xx-response": /^#\/paths\/~1(healthz|weapp~1\w+)\//,
  // Commands of another database are always refused; an address of a file leads to the storage.
  "operation-2xx-response": /(~1commands\/post|~1objects~1\{address\}~1\{name\}\/get)\//,
  // Errors of the socket, and of paths that are no routes: no answer names them.
  "no-unused-components": /^#\/components\/schemas\/[A-Z_]+$/,
  "no-path-trailing-slash": /^#\/paths\/~1mina_auth~1$/,
};
const excused = (rule: string, pointer: string) => excuses[rule]?.test(pointer) ?? false;

async function lint(source: string): Promise<string[]> {
  const { createConfig, lintFromString } = await import("@redocly/openapi-core");
  const config = await createConfig({ extends: ["recommended"], rules });
  const problems = await lintFromString({ source, absoluteRef: "openapi.yaml", config });
  return problems
    .map(({ ruleId, message, location }) => ({ ruleId, message, pointer: location[0]?.pointer ?? "#" }))
    .filter(({ ruleId, pointer }) => !excused(ruleId, pointer))
    .map(({ ruleId, message, pointer }) => `${ruleId}: ${message} (${pointer})`);
}

// --- Compare -------------------------------------------------------------------------------------------------------

function compareRoutes({ operations }: Api, serverless: string): string[] {
  // Pages and pictures, which a browser loads by itself, are not part of the API.
  const routes = readRoutes(serverless)
    .http.filter((route) => route.function !== "pages")
    .map(({ routeKey }) => routeKey);
  const served = new Set([...routes.filter((key) => key !== "$default" && !isGreedy(key)), ...ownRoutes]);
  const written = new Set(operations.map(({ key }) => key));
  return [
    ...[...served].filter((key) => !written.has(key)).map((key) => `route "${key}" is not in openapi.yaml`),
    ...[...written].filter((key) => !served.has(key)).map((key) => `route "${key}" is not in serverless.yml`),
  ];
}

/** Every request and every success needs an example, and every example must match its schema. */
function wrongExamples(api: Api): string[] {
  return api.operations.flatMap((operation) => [
    ...operation.parameters.flatMap(({ name, schema, example }) => {
      const fault = example === undefined ? undefined : api.fault(schema, example);
      return fault === undefined ? [] : [`${operation.key}, parameter "${name}": the example does not fit: ${fault}`];
    }),
    ...mediaOf(operation).flatMap(([where, media, needed]) => [
      ...(needed && media.examples.length === 0 ? [`${where}: there is no example`] : []),
      ...media.examples.flatMap(([name, value]) => {
        const fault = api.fault(media.schema, value);
        return fault === undefined ? [] : [`${where}: the example "${name}" does not fit: ${fault}`];
      }),
    ]),
  ]);
}

function mediaOf({ key, body, responses }: Operation): (readonly [where: string, media: Media, needed: boolean])[] {
  return [
    ...Object.entries(body).map(([type, media]) => [`${key}, request ${type}`, media, true] as const),
    ...Object.entries(responses).flatMap(([status, { content }]) =>
      Object.entries(content).map(
        ([type, media]) => [`${key}, ${status} ${type}`, media, status.startsWith("2")] as const,
      ),
    ),
  ];
}

/** An object schema without a rule for further members would accept undocumented ones. */
function openObjects(api: Api): string[] {
  const found = new Set<string>();
  const seen = new Set<Json>();

  /** @param closed whether a schema around it forbids further members */
  function visit(node: Json | undefined, where: string, closed: boolean): void {
    if (node === null || typeof node !== "object" || Array.isArray(node)) return;
    const isClosed = closed || "additionalProperties" in node || "unevaluatedProperties" in node;
    if (!isClosed && (node.type === "object" || "properties" in node)) found.add(`${where}: an object is left open`);
    const same = [node.allOf, node.oneOf, node.anyOf, node.if, node.then, node.else].flat();
    for (const part of same) visit(part, where, isClosed);
    for (const [name, part] of Object.entries((node.properties ?? {}) as object))
      visit(part, `${where}.${name}`, false);
    visit(node.items, `${where}[]`, false);
    if (typeof node.$ref !== "string") return;
    const target = api.follow(node);
    if (seen.has(target)) return;
    // A schema that is closed here may be used open elsewhere: only the stricter visit counts as done.
    if (!isClosed) seen.add(target);
    visit(target, node.$ref.replace("schema:", ""), isClosed);
  }

  for (const operation of api.operations)
    for (const [where, { schema }] of mediaOf(operation)) visit(schema, where, false);
  return [...found];
}

/** Lists that end by themselves: the steps of one order, the dishes sold on one day. */
const endingLists = ["GET /orders/{id}: history", "GET /shops/{shop}/report: dishes"];

/** A list that is answered says how long it can be; one that may have a next page takes `limit`. */
function openLists(api: Api): string[] {
  const members = (schema: Json | undefined): [string, Json][] => {
    const { properties = {}, oneOf = [], allOf = [] } = api.follow(schema);
    return [...Object.entries(properties as object), ...[oneOf, allOf].flat().flatMap(members)];
  };
  return api.operations
    .filter(({ method }) => method === "GET")
    .flatMap(({ key, responses, parameters }) => {
      const found = Object.entries(responses)
        .filter(([status]) => status.startsWith("2"))
        .flatMap(([, { content }]) => Object.values(content).flatMap(({ schema }) => members(schema)));
      const open = found.filter(([, node]) => {
        const { type, maxItems } = api.follow(node);
        return type === "array" && maxItems === undefined;
      });
      const isPaged = found.some(([name]) => name === "more") && !parameters.some(({ name }) => name === "stream");
      const limit = parameters.find(({ name }) => name === "limit");
      return [
        ...open
          .map(([name]) => `${key}: ${name}`)
          .filter((one) => !endingLists.includes(one))
          .map((one) => `${one} is a list of any length`),
        ...(isPaged && api.follow(limit?.schema).maximum === undefined
          ? [`${key}: "more" without a "limit" that has a maximum`]
          : []),
      ];
    });
}

// --- By hand -------------------------------------------------------------------------------------------------------

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [openapi, serverless] = process.argv.slice(2).map((file) => readFileSync(file, "utf8"));
  const texts = { ...(openapi === undefined ? {} : { openapi }), ...(serverless === undefined ? {} : { serverless }) };
  void checkApi(texts).then((problems) => {
    for (const problem of problems) console.log(problem);
    process.exitCode = problems.length === 0 ? 0 : 1;
  });
}
