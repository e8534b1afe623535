/** Ways to spoil a valid value, guided by its schema. */
import type { Json } from "../../scripts/read_api.ts";
import { api } from "./_scene.ts";

type Node = { [name: string]: Json };

/** The schema with whatever it refers to or is made of. */
function parts(schema: Json | undefined): Node[] {
  if (schema === null || typeof schema !== "object" || Array.isArray(schema)) return [];
  const inner = ["allOf", "oneOf", "anyOf"].flatMap((word) => (schema[word] ?? []) as Json[]);
  return [schema, ...(typeof schema.$ref === "string" ? parts(api.follow(schema)) : []), ...inner.flatMap(parts)];
}

const limits = (schema: Json, ...names: string[]) =>
  parts(schema).flatMap((part) => names.map((name) => part[name]).filter((found) => typeof found === "number"));

const properties = (schema: Json): Node => Object.assign({}, ...parts(schema).map((part) => part.properties ?? {}));
const itemsOf = (schema: Json): Json => parts(schema).find((part) => "items" in part)?.items ?? true;

/** Written between the quotes as it is: valid in JSON, impossible in JavaScript. */
const bare = (number: string) => `@bare:${number}`;
export const textOf = (value: Json) => JSON.stringify(value).replace(/"@bare:([^"]+)"/g, "$1");

const ofWrongTypes: readonly Json[] = [null, true, "x", "", 0, 7, [], {}, [[]], { $gt: "" }, ["x"]];
const numbers = ["-1", "0.5", "-0.5", "1e400", "-1e400", "1e308", "9007199254740993", "2147483648", "-2147483649"];
const texts: readonly string[] = ["\u0000", "a\u0000b", "\uD800", "\u202E", "a\u2028b", "a\r\nb", "中".repeat(2_000)];
/** Names of Object.prototype. */
const inherited = ["__proto__", "constructor", "toString"];

export interface Spoiled {
  /** Where: `lines.0.quantity`. */
  readonly place: string;
  readonly value: Json;
}

/** Each place of it, changed in each way; absent members are tried with wrong values too. */
export function* spoil(schema: Json, value: Json | undefined, place = ""): Generator<Spoiled> {
  for (const other of [...ofWrongTypes, ...numbers.map(bare), ...texts, ...around(schema, value)])
    yield { place, value: other };
  if (Array.isArray(value)) {
    const [first, ...rest] = value;
    if (first !== undefined)
      for (const one of spoil(itemsOf(schema), first, `${place}.0`)) yield { ...one, value: [one.value, ...rest] };
  } else if (value !== null && typeof value === "object") yield* spoilMembers(schema, value, place);
}

function* spoilMembers(schema: Json, value: Node, place: string): Generator<Spoiled> {
  for (const name of ["nonsense", ...inherited]) yield { place: `${place}.${name}`, value: { ...value, [name]: 1 } };
  for (const [name, inner] of Object.entries(properties(schema))) {
    const { [name]: part, ...rest } = value;
    if (part !== undefined) yield { place: `${place}.${name}`, value: rest };
    for (const one of spoil(inner, part, `${place}.${name}`)) yield { ...one, value: { ...rest, [name]: one.value } };
  }
}

/** Just beyond each limit that the schema has. */
function around(schema: Json, value: Json | undefined): Json[] {
  const [first = null] = Array.isArray(value) ? value : [];
  return [
    ...limits(schema, "minimum").map((least) => least - 1),
    ...limits(schema, "maximum").map((most) => most + 1),
    ...limits(schema, "maxLength").map((most) => "x".repeat(most + 1)),
    ...limits(schema, "maxItems").map((most) => Array.from({ length: most + 1 }, () => first)),
  ];
}

/** Each place of a text, with a function that replaces it. */
export function* textPlaces(
  schema: Json,
  value: Json,
  put: (text: Json) => Json = (text) => text,
  place = "",
): Generator<{ place: string; put: (text: Json) => Json }> {
  if (typeof value === "string") yield { place, put };
  else if (Array.isArray(value)) {
    const [first, ...rest] = value;
    if (first !== undefined) yield* textPlaces(itemsOf(schema), first, (text) => put([text, ...rest]), `${place}.0`);
  } else if (value !== null && typeof value === "object")
    for (const [name, part] of Object.entries(value))
      yield* textPlaces(
        properties(schema)[name] ?? true,
        part,
        (text) => put({ ...value, [name]: text }),
        `${place}.${name}`,
      );
}

/** Names of all members that a body of this schema can have. */
export function* memberPlaces(schema: Json, place = "", depth = 0): Generator<string> {
  if (depth > 12) return;
  for (const [name, inner] of Object.entries(properties(schema))) {
    yield `${place}.${name}`;
    yield* memberPlaces(inner, `${place}.${name}`, depth + 1);
  }
  const items = itemsOf(schema);
  if (items !== true) yield* memberPlaces(items, `${place}.0`, depth + 1);
}
