/**
 * Types of the API for the SDK, made from apigateway/openapi.yaml and shared/errors.ts: each route's body and answer, each code's
 * further members. `npm run build:types` writes clients/api_types.ts, and `npm run check` compares.
 * Our own, because openapi-typescript needs TypeScript 5 (scripts/tsc.ts), and writes every header and error of every route.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { codes } from "../shared/errors.ts";
import { type Api, apiOf, type Json, openapiAsJson } from "./read_api.ts";

type Node = { readonly [name: string]: Json };

export const typesFile = new URL("../clients/api_types.ts", import.meta.url);

/** Routes of other SDKs: Wafer's and CloudBase's. */
const foreign = /^\w+ \/(v1|auth|mina_auth|weapp|get\/wsurl|ws)(\/|$)/;

const isNode = (node: Json | undefined): node is Node =>
  typeof node === "object" && node !== null && !Array.isArray(node);
const union = (types: readonly string[]): string => [...new Set(types)].join(" | ") || "never";

/** @returns the text of clients/api_types.ts, not yet formatted */
export function apiTypes(api: Api = apiOf(openapiAsJson())): string {
  const schemas = (api.document.components as Node).schemas as Node;
  const used = new Set<string>();

  /** A type as TypeScript has it; limits of length and value are left out. */
  function typeOf(node: Json | undefined): string {
    if (node === false) return "undefined";
    if (!isNode(node)) return "unknown";
    if (typeof node.$ref === "string") {
      const name = node.$ref.replace("schema:", "");
      const plain = typeOf(schemas[name]);
      if (!/[{&]/.test(plain)) return plain;
      used.add(name);
      return name;
    }
    if ("const" in node) return JSON.stringify(node.const);
    if (Array.isArray(node.enum)) return union(node.enum.map((one) => JSON.stringify(one)));
    const { oneOf, anyOf, allOf, ...own } = node;
    const choices = (oneOf ?? anyOf) as Node[] | undefined;
    if (choices) return union(choices.map((one) => typeOf("$ref" in one ? one : merged(own, one))));
    const parts = ((allOf ?? []) as Node[]).map(typeOf);
    const rest = own.properties || own.required || parts.length === 0 ? [plainOf(own)] : [];
    return [...parts, ...rest].join(" & ");
  }

  /** A choice says what is different from the schema around it. */
  const merged = (around: Node, choice: Node): Node => ({
    ...around,
    ...choice,
    properties: { ...(around.properties as Node), ...(choice.properties as Node) },
    required: [...((around.required ?? []) as string[]), ...((choice.required ?? []) as string[])],
  });

  function plainOf(node: Node): string {
    const types = [node.type ?? (node.properties ? "object" : "unknown")].flat() as string[];
    return union(
      types.map((type) => {
        if (type === "integer") return "number";
        if (type === "array") return `${typeOf(node.items).replace(/^(.*[|&].*)$/s, "($1)")}[]`;
        return type === "object" ? objectOf(node) : type;
      }),
    );
  }

  function objectOf({ properties = {}, required = [], additionalProperties }: Node): string {
    const members = Object.entries(properties as Node).map(([name, node]) => {
      const isRequired = (required as string[]).includes(name);
      return `${JSON.stringify(name)}${isRequired ? "" : "?"}: ${typeOf(node)};`;
    });
    if (additionalProperties === true || isNode(additionalProperties) || members.length === 0)
      members.push(`[name: string]: ${isNode(additionalProperties) ? typeOf(additionalProperties) : "unknown"};`);
    return `{ ${members.join(" ")} }`;
  }

  const routes = api.operations
    .filter(
      ({ key, responses }) => !foreign.test(key) && Object.keys(responses).some((status) => status.startsWith("2")),
    )
    .map(({ key, body, responses }) => {
      const good = Object.entries(responses).filter(([status]) => status.startsWith("2"));
      const answers = good.map(([, { content }]) =>
        content["application/json"] ? typeOf(content["application/json"].schema) : "undefined",
      );
      const sent = body["application/json"];
      return `${JSON.stringify(key)}: { body: ${sent ? typeOf(sent.schema) : "undefined"}; answer: ${union(answers)} };`;
    });

  const extras = codes.flatMap((code) => {
    const members = extrasOf(schemas, code);
    return members ? [`${code}: ${objectOf(members)};`] : [];
  });

  const written = new Map<string, string>();
  for (let more = [...used]; more.length > 0; more = [...used].filter((name) => !written.has(name)))
    for (const name of more) written.set(name, typeOf(schemas[name]));
  return [
    "/** Made by scripts/api_types.ts from apigateway/openapi.yaml and shared/errors.ts; `npm run check` compares them. */",
    "\n\n/** Codes of the server's errors. */",
    `export type ServerCode = ${union(codes.map((code) => JSON.stringify(code)))};`,
    "\n\n/** Codes that collections have beside them: those that apps for CloudBase compare with. */",
    `export type CloudbaseCode = ${typeOf(schemas.CloudbaseCode)};`,
    "\n\n/** Further members of an error, by its code. */",
    `export interface ErrorExtras { ${extras.join(" ")} }`,
    "\n\n/** Body and answer of each route. */",
    `export interface Routes { ${routes.join(" ")} }`,
    ...[...written].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, type]) => `\n\nexport type ${name} = ${type};`),
    "\n",
  ].join("\n");
}

/** Members of a code's own beside those of every problem. */
function extrasOf(schemas: Node, code: string): Node | undefined {
  const own = schemas[code] as Node | undefined;
  const when = ((schemas.Problem as Node).allOf ?? []) as { if: Node; then: Node }[];
  const is = ({ if: { properties } }: { if: Node }) => {
    const { const: one, enum: some = [] } = (properties as { code: { const?: string; enum?: string[] } }).code;
    return one === code || some.includes(code);
  };
  const found = own ?? when.find(is)?.then;
  const members = Object.entries((found?.properties ?? {}) as Node).filter(
    ([name]) => name !== "code" && name !== "status",
  );
  if (!found || members.length === 0) return undefined;
  return { properties: Object.fromEntries(members), required: found.required ?? [] };
}

const biome = fileURLToPath(new URL("../node_modules/@biomejs/biome/bin/biome", import.meta.url));

/** As `npm run check` wants a file. @throws with Biome's message */
function formatted(text: string): string {
  const options = ["format", "--stdin-file-path=clients/api_types.ts"];
  const { status, stdout, stderr } = spawnSync(process.execPath, [biome, ...options], {
    input: text,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

/** @returns a line when the file is not what it would be */
export const checkApiTypes = (text = readFileSync(typesFile, "utf8")): string[] =>
  text === formatted(apiTypes()) ? [] : ["clients/api_types.ts is out of date: `npm run build:types` writes it"];

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(typesFile, formatted(apiTypes()));
