/** Compares the schemas of errors in apigateway/openapi.yaml with shared/errors.ts, and the form of the answers that name them. */
import { codes, statusOf } from "../shared/errors.ts";
import { codesIn } from "./openapi_document.ts";
import { type Api, type Json, problemType } from "./read_api.ts";

type Node = Record<string, Json>;

/** @returns a sentence for each difference */
export function checkProblems(api: Api): string[] {
  const { schemas } = api.document.components as { schemas: Record<string, Node> };
  const named = Object.keys(schemas).filter((name) => /^[A-Z][A-Z_]+$/.test(name));
  const known = new Set<string>(codes);
  return [
    ...named.filter((code) => !known.has(code)).map((code) => `code "${code}" is not in shared/errors.ts`),
    ...codes.flatMap((code) => wrongSchema(code, schemas[code])),
    ...api.operations.flatMap(({ key, responses }) =>
      Object.entries(responses).flatMap(([status, { content }]) => {
        const schema = content[problemType]?.schema;
        return schema === undefined ? [] : wrongAnswer(`${key}, ${status}`, Number(status), schema);
      }),
    ),
  ];
}

function wrongSchema(code: (typeof codes)[number], schema: Node | undefined): string[] {
  if (schema === undefined) return [`code "${code}" of shared/errors.ts has no schema of this name`];
  const { code: own, status } = (schema.properties ?? {}) as { code?: Node; status?: Node };
  const missing = ["description", "x-do", "x-zh", "x-retry"].filter((name) => schema[name] === undefined);
  return [
    ...missing.map((name) => `${code}: "${name}" is missing`),
    ...(own?.const === code && (schema.required as string[]).includes("code") ? [] : [`${code}: "code" is another`]),
    ...(status?.const === statusOf[code] ? [] : [`${code}: "status" is not ${statusOf[code]}`]),
    ...(schema.unevaluatedProperties === false ? [] : [`${code}: further members are not refused`]),
  ];
}

/** One reference, or several that generators can tell apart by `code`. */
function wrongAnswer(where: string, status: number, schema: Json): string[] {
  const { $ref, oneOf, discriminator, ...more } = schema as Node;
  const several = Array.isArray(oneOf) && oneOf.length > 1 && codesIn(oneOf).length === oneOf.length;
  const isTold = (discriminator as Node | undefined)?.propertyName === "code";
  const isPlain =
    Object.keys(more).length === 0 && (several ? isTold && $ref === undefined : codesIn({ $ref }).length === 1);
  if (!isPlain)
    return [`${where}: an error is a reference to its code's schema, or a oneOf of them with a discriminator`];
  const others = codesIn(schema).filter((code) => (statusOf as Record<string, number>)[code] !== status);
  return others.map((code) => `${where}: ${code} has another status`);
}
