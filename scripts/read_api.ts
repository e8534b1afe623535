/** Reads apigateway/openapi.yaml: its operations, and a check for each of its schemas. */
import { readFileSync } from "node:fs";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { parse } from "yaml";
import { followIn, methods } from "./openapi_document.ts";

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
type Node = { [name: string]: Json };

export interface Api {
  readonly operations: readonly Operation[];
  /** The whole document. Its references to schemas are `schema:<name>`, so that any schema can be compiled by itself. */
  readonly document: Node;
  /** The node, or the target of its reference. */
  follow(node: Json | undefined): Node;
  /** @returns the value's problems. A schema object is compiled when it is first used. */
  fault(schema: Json, value: unknown): string | undefined;
}

export interface Operation {
  /** As in serverless.yml: `POST /bill`. */
  readonly key: string;
  readonly method: string;
  readonly path: string;
  readonly segments: readonly string[];
  readonly parameters: readonly Parameter[];
  /** Media type → schema and examples. */
  readonly body: Readonly<Record<string, Media>>;
  /** Status → answer. */
  readonly responses: Readonly<Record<string, Answer>>;
}

export interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required: boolean;
  readonly schema: Json;
  readonly example: Json | undefined;
}

export interface Answer {
  readonly headers: readonly { readonly name: string; readonly required: boolean; readonly schema: Json }[];
  readonly content: Readonly<Record<string, Media>>;
}

export interface Media {
  readonly schema: Json;
  readonly examples: readonly (readonly [name: string, value: Json])[];
}

export const problemType = "application/problem+json";

/** What the document's own formats mean, where no pattern says it that every language reads alike. */
const text = String.raw`(?:[^\p{Cc}\p{Cs}\uFFFE\uFFFF]|[\t\n\v\f\r\u0085])*`;
const unseen = String.raw`\s\xAD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B-\u200F\u202A-\u202E\u2060-\u206F\u2800\u3164\uFE00-\uFE0F\uFEFF\uFFA0\uFFF0-\uFFFB`;
const ownFormats = {
  text: new RegExp(`^${text}$`, "u"),
  words: new RegExp(`^(?=.*[^${unseen}])${text}$`, "su"),
  "file-name": /^[^\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}\u2028-\u202E\u2066-\u2069]*$/u,
};

/** The project's own. */
export const openapiFile = new URL("../apigateway/openapi.yaml", import.meta.url);
export const readOpenapi = (): string => readFileSync(openapiFile, "utf8");

export const openapiAsJson = (): string => JSON.stringify(parse(readOpenapi()));

/** @param yaml the text of an OpenAPI document without references to other files */
export const readApi = (yaml: string): Api => apiOf(JSON.stringify(parse(yaml)));

/** @param json the same document as JSON: parsing YAML takes a hundred times as long */
export function apiOf(json: string): Api {
  const text = json.replaceAll('"$ref":"#/components/schemas/', '"$ref":"schema:');
  const document = JSON.parse(text) as Node;
  // A reference with a limit beside it has no type of its own, and a member that an `allOf` requires may be in another part.
  const ajv = new Ajv2020({
    strict: true,
    strictTypes: false,
    strictRequired: false,
    allowUnionTypes: true,
    discriminator: true,
  });
  formats.default(ajv);
  for (const [name, format] of Object.entries(ownFormats)) ajv.addFormat(name, format);
  ajv.addVocabulary(["x-do", "x-zh", "x-retry"]);
  const { schemas = {} } = document.components as Node;
  for (const [name, schema] of Object.entries(schemas as Node)) ajv.addSchema(schema as object, `schema:${name}`);
  const compiled = new Map<Json, ValidateFunction>();
  /** By the text of the reference: callers make a new object each time. */
  const keyOf = (schema: Json): Json => (typeof (schema as Node).$ref === "string" ? JSON.stringify(schema) : schema);

  const resolve = followIn(document);
  const follow = (node: Json | undefined): Node => resolve((node ?? {}) as Node);

  function fault(schema: Json, value: unknown): string | undefined {
    const key = keyOf(schema);
    const validate = compiled.get(key) ?? ajv.compile(schema as object | boolean);
    compiled.set(key, validate);
    return validate(value) ? undefined : ajv.errorsText(validate.errors, { dataVar: "body" });
  }

  const operations = Object.entries(document.paths as Node).flatMap(([path, item]) =>
    methods
      .filter((method) => method in (item as Node))
      .map((method) => operationOf(follow, method, path, item as Node)),
  );
  return { operations, document, follow, fault };
}

type Follow = Api["follow"];

function operationOf(follow: Follow, method: string, path: string, item: Node): Operation {
  const operation = item[method] as Node;
  const parameters = [...list(item.parameters), ...list(operation.parameters)].map(follow);
  return {
    key: `${method.toUpperCase()} ${path}`,
    method: method.toUpperCase(),
    path,
    segments: path.split("/").slice(1),
    parameters: parameters.map(({ name, in: where, required = false, schema = true, example }) => ({
      name: String(name),
      in: String(where),
      required: required === true,
      schema,
      example,
    })),
    body: mediaOf(follow, follow(operation.requestBody).content),
    responses: mapped(operation.responses, (node) => answerOf(follow, follow(node))),
  };
}

const answerOf = (follow: Follow, { headers, content }: Node): Answer => ({
  headers: Object.entries((headers ?? {}) as Node).map(([name, node]) => {
    const { required, schema = true } = follow(node);
    return { name, required: required === true, schema };
  }),
  content: mediaOf(follow, content),
});

const mediaOf = (follow: Follow, content: Json | undefined): Record<string, Media> =>
  mapped(content, (node) => {
    const { schema = true, examples = {} } = node as Node;
    const values = Object.entries(examples as Node).map(([name, one]) => [name, follow(one).value as Json] as const);
    return { schema, examples: values };
  });

const list = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : []);

const mapped = <T>(value: Json | undefined, each: (node: Json) => T): Record<string, T> =>
  Object.fromEntries(Object.entries((value ?? {}) as Node).map(([name, node]) => [name, each(node)]));
