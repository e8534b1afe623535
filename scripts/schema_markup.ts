/** Makes HTML of a schema of openapi.yaml: the allowed values in words, and the members as a list. */
import { type Html, html, inline } from "./markup.ts";

export type Node = { readonly [name: string]: unknown };
type Schema = Node | boolean;

/** Keywords that need no words of their own. */
const structure = ["$ref", "type", "properties", "required", "items", "allOf", "oneOf", "anyOf", "if", "then"];
const unsaid = ["additionalProperties", "unevaluatedProperties", "examples", "description", "x-do", "x-zh", "x-retry"];

const json = (value: unknown) => html`<code>${JSON.stringify(value)}</code>`;

/** A limit → its words. */
const limits: Readonly<Record<string, (value: unknown) => Html>> = {
  minLength: (n) => html`at least ${n as number} characters`,
  maxLength: (n) => html`at most ${n as number} characters`,
  minimum: (n) => html`from ${n as number}`,
  maximum: (n) => html`to ${n as number}`,
  minItems: (n) => html`at least ${n as number} items`,
  maxItems: (n) => html`at most ${n as number} items`,
  minProperties: (n) => html`at least ${n as number} members`,
  pattern: (text) => html`matches <code>${text as string}</code>`,
  format: (text) => html`${text as string}`,
  default: (value) => html`default ${json(value)}`,
  const: (value) => html`always ${json(value)}`,
  enum: (values) => html`one of ${(values as unknown[]).map((one, at) => [at > 0 && ", ", json(one)])}`,
  not: (schema) => html`but not ${schemaMarkup(schema as Schema)}`,
  propertyNames: (schema) => html`names: ${schemaMarkup(schema as Schema)}`,
  discriminator: (by) => html`told apart by <code>${(by as Node).propertyName as string}</code>`,
  deprecated: (yes) => html`${yes === true && "deprecated"}`,
  dependentRequired: (needs) =>
    html`${Object.entries(needs as Record<string, string[]>).map(
      ([name, others], at) => html`${at > 0 && "; "}<code>${name}</code> needs ${others.map((one) => json(one))}`,
    )}`,
};

const nameOf = (reference: unknown): string | undefined =>
  typeof reference === "string" ? /^#\/components\/schemas\/(\w+)$/.exec(reference)?.[1] : undefined;

/** @throws TypeError for a keyword that has no words here: a page without it would be wrong */
export function schemaMarkup(schema: Schema | undefined): Html {
  if (schema === undefined || schema === true) return html`anything`;
  if (schema === false) return html`never`;
  for (const word of Object.keys(schema))
    if (!structure.includes(word) && !unsaid.includes(word) && limits[word] === undefined)
      throw new TypeError(`openapi.yaml: no words for the schema keyword "${word}"`);

  const name = nameOf(schema.$ref);
  const type = [schema.type ?? []].flat().join(" or ");
  const said = Object.entries(limits).flatMap(([word, say]) => (word in schema ? [say(schema[word])] : []));
  const facts = [
    ...(name === undefined ? [] : [html`<a href="#schema-${name}">${name}</a>`]),
    ...(type === "" ? [] : [html`${type}`]),
    ...said,
  ];
  return html`<span class="facts">${facts.map((fact, at) => [at > 0 && ", ", fact])}</span>${
    typeof schema.description === "string" && html` <span>${inline(schema.description)}</span>`
  }${members(schema)}${parts(schema)}`;
}

function members({ properties, required = [], additionalProperties: others }: Node): Html | undefined {
  const named = Object.entries((properties ?? {}) as Record<string, Schema>);
  const other = typeof others === "object" ? html`<li>other members: ${schemaMarkup(others as Node)}</li>` : undefined;
  const missing = (required as string[]).filter((name) => !named.some(([known]) => known === name));
  if (named.length === 0 && missing.length === 0) return other && html`<ul class="members">${other}</ul>`;
  return html`<ul class="members">${named.map(
    ([name, schema]) =>
      html`<li><code class="name">${name}</code>${
        (required as string[]).includes(name) && html` <em class="required">required</em>`
      } ${schemaMarkup(schema)}</li>`,
  )}${missing.map((name) => html`<li><code class="name">${name}</code> <em class="required">required</em></li>`)}${other}</ul>`;
}

/** Schemas inside it, each with words for how it applies. */
function parts(schema: Node): Html {
  const several = (word: string, title: string) => {
    const list = schema[word] as Schema[] | undefined;
    return list && html`<ul class="members">${list.map((one) => html`<li>${title} ${schemaMarkup(one)}</li>`)}</ul>`;
  };
  return html`${
    schema.items !== undefined &&
    html`<ul class="members"><li>each item: ${schemaMarkup(schema.items as Schema)}</li></ul>`
  }${several("allOf", "also")}${several("oneOf", "or")}${several("anyOf", "or")}${
    schema.if !== undefined &&
    html`<ul class="members"><li>if ${schemaMarkup(schema.if as Schema)}</li><li>then ${schemaMarkup(
      schema.then as Schema,
    )}</li></ul>`
  }`;
}
