/** Checks every answer that a test receives against apigateway/openapi.yaml: an undeclared answer fails the test. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type HttpRoute, match } from "../apigateway/local/routes.ts";
import { type Api, apiOf, type Operation, openapiAsJson, problemType } from "../scripts/read_api.ts";

interface Received {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: unknown;
}

/** The answer is not what openapi.yaml says. */
export class ContractBroken extends Error {
  constructor(route: string, status: number, what: string) {
    super(`${route} answered ${status}: ${what}; openapi.yaml is the law`);
  }
}

/** Routes for Wafer's SDKs: what is wrong with a request stands in an answer of status 200 (test/wafer/bad_input.test.ts, test/wafer/channel_bad_input.test.ts). */
export const isForWafer = ({ path }: Operation) => /^\/(mina_auth|weapp|get\/wsurl|ws)\b/.test(path);

/** Routes for CloudBase's clients: refused in their own words, and more forgiving than their schemas (test/cloudbase/bad_input.test.ts, test/attacks/routes.test.ts). */
export const isForCloudbase = ({ path }: Operation) => /^\/(web|v1\/(database|storages)|auth\/v1)\b/.test(path);

/** What was answered so far: `POST /bill 201 application/json`, `POST /bill 409 SOLD_OUT`. */
export const witnessed = new Set<string>();

let law: { readonly api: Api; readonly routes: readonly HttpRoute[]; readonly operations: Map<string, Operation> };

/** openapi.yaml as JSON, which test/_setup.ts wrote. */
function openapiJson(): string {
  const folder = process.env.ORDERBELL_TEST_FOLDER;
  return folder === undefined ? openapiAsJson() : readFileSync(join(folder, "openapi.json"), "utf8");
}

/** Read when the first answer comes, and kept. */
export function readLaw(): typeof law {
  if (law !== undefined) return law;
  const api = apiOf(openapiJson());
  const routes = api.operations.map(({ key, method, segments }) => ({ function: "", routeKey: key, method, segments }));
  law = { api, routes, operations: new Map(api.operations.map((operation) => [operation.key, operation])) };
  return law;
}

/** @throws ContractBroken */
export function witness(method: string, path: string, answer: Received): void {
  const { routes, operations } = readLaw();
  const { pathname } = new URL(`http://local${path}`);
  // JSON that a browser guesses to be a page would be one.
  if (answer.headers.get("x-content-type-options") !== "nosniff")
    throw new ContractBroken(`${method} ${pathname}`, answer.status, 'no "X-Content-Type-Options: nosniff"');
  // People read it: words, never a pattern.
  const detail = String((answer.body as { detail?: unknown } | undefined)?.detail ?? "");
  if (/\/\^|\\[dpsuw]|\{\d+,\d*\}|\[\^/.test(detail))
    throw new ContractBroken(`${method} ${pathname}`, answer.status, `a pattern in its detail: ${detail}`);
  const operation = operations.get(match(routes, method, pathname)?.route.routeKey ?? "");
  if (operation === undefined) outside(`${method} ${pathname}`, method, answer);
  else inside(operation, answer);
}

/** The gateway's own answers, before a function has run: unreadable, too large, or it cannot serve now. */
const bareStatuses = [400, 413, 429, 503];

// By themselves, so that each is compiled once.
const bareSchema = { $ref: "schema:Bare" };
const problemSchema = { $ref: "schema:Problem", unevaluatedProperties: false };

/** Of an answer to HEAD the type alone tells. */
const isBareHead = (key: string, answer: Received) =>
  key.startsWith("HEAD ") && bareStatuses.includes(answer.status) && mediaType(answer) === "application/json";

const isBare = ({ status, body }: Received, statuses = bareStatuses) =>
  statuses.includes(status) && readLaw().api.fault(bareSchema, body) === undefined;

/** No such route: our 404, the gateway's own answer, a page, or what a browser asks before it sends from another origin. */
function outside(route: string, method: string, answer: Received): void {
  const broken = (what: string) => new ContractBroken(route, answer.status, what);
  if (mediaType(answer) === problemType) {
    if (method === "HEAD") return;
    const code = route.endsWith(" /pgws") ? "426 UPGRADE_REQUIRED" : "404 ROUTE_UNKNOWN";
    if (`${answer.status} ${codeOf(answer)}` !== code) throw broken("a route that is not written there");
    checkProblem(route, answer, problemSchema);
  } else if (!isBare(answer, [...bareStatuses, 404]) && !["GET", "HEAD", "OPTIONS"].includes(method))
    throw broken("a route that is not written there");
}

function inside({ key, responses }: Operation, answer: Received): void {
  const { status } = answer;
  const broken = (what: string) => new ContractBroken(key, status, what);
  if (key !== "GET /healthz" && (isBare(answer) || isBareHead(key, answer))) return;
  const written = responses[status];
  if (written === undefined) throw broken("a status that is not written there");

  // What GET would give, without its body.
  if (key.startsWith("HEAD ")) {
    checkHeaders(key, answer, written.headers);
    return void witnessed.add(`${key} ${status}`);
  }
  const type = mediaType(answer);
  const types = Object.keys(written.content);
  if (types.length === 0 && (answer.text !== "" || type !== "")) throw broken("a body where none is written");
  const media = written.content[type];
  if (types.length > 0 && media === undefined) throw broken(`the type "${type}", not ${types.join(" or ")}`);
  if (type === problemType) checkProblem(key, answer, media?.schema ?? true);
  else if (media !== undefined) checkBody(key, answer, media.schema);

  checkHeaders(key, answer, written.headers);
  witnessed.add([key, status, type].join(" ").trim());
  if (type === problemType) witnessed.add(`${key} ${status} ${codeOf(answer)}`);
}

function checkBody(route: string, answer: Received, schema: Parameters<Api["fault"]>[0]): void {
  const fault = readLaw().api.fault(schema, answer.body ?? answer.text);
  if (fault !== undefined) throw new ContractBroken(route, answer.status, `${codeOf(answer) ?? ""} ${fault}`.trim());
}

function checkProblem(route: string, answer: Received, schema: Parameters<Api["fault"]>[0]): void {
  checkBody(route, answer, schema);
  const { status, type, code } = answer.body as Record<string, unknown>;
  if (status !== answer.status) throw new ContractBroken(route, answer.status, `${code} says status ${status}`);
  if (type !== `/errors#${code}`) throw new ContractBroken(route, answer.status, `${code} has the type ${type}`);
}

/** Of the transport, or added by a gateway for pages of other origins; on any answer. */
const transport =
  /^(connection|content-encoding|content-length|content-type|date|keep-alive|transfer-encoding|vary|x-content-type-options|strict-transport-security|access-control-[a-z-]+)$/;

function checkHeaders(
  route: string,
  { status, headers }: Received,
  written: Operation["responses"][string]["headers"],
) {
  const broken = (what: string) => new ContractBroken(route, status, what);
  for (const { name, required, schema } of written) {
    const value = headers.get(name);
    if (value === null && required) throw broken(`the header "${name}" is missing`);
    const fault = value === null ? undefined : readLaw().api.fault(schema, value);
    if (fault !== undefined) throw broken(`header "${name}": ${fault}`);
  }
  const known = new Set(written.map(({ name }) => name.toLowerCase()));
  for (const name of headers.keys())
    if (!known.has(name) && !transport.test(name)) throw broken(`the header "${name}", which is not written there`);
}

const mediaType = ({ headers }: Received) => (headers.get("content-type") ?? "").split(";")[0]?.trim() ?? "";

const codeOf = ({ body }: Received) => (body as { code?: string } | undefined)?.code;
