/** apigateway/openapi.yaml as pages without scripts: its errors, and every operation with its parameters, bodies, answers and examples. */
import { createHash } from "node:crypto";
import { parse } from "yaml";
import { errorPage } from "./error_reference.ts";
import { type Html, html, htmlPage, inline, markdown } from "./markup.ts";
import { codesIn, followIn, methods } from "./openapi_document.ts";
import { type Node, schemaMarkup } from "./schema_markup.ts";

interface Described extends Node {
  readonly description?: string;
}

/** The name of an answer that several operations share. */
const sharedName = (node: Node): string | undefined =>
  typeof node.$ref === "string" ? /^#\/components\/responses\/(\w+)$/.exec(node.$ref)?.[1] : undefined;

/** @returns files by name, relative to the folder of the pages */
export function apiPage(yaml: string, css: string): Readonly<Record<string, string>> {
  // The name contains a hash, as for other assets: browsers cache them for ever.
  const sheet = `assets/docs-${createHash("sha256").update(css).digest("base64url").slice(0, 8)}.css`;
  return { "docs.html": page(parse(yaml) as Node, sheet), "errors.html": errorPage(yaml, sheet), [sheet]: css };
}

function page(document: Node, sheet: string): string {
  const components = document.components as Record<string, Record<string, Node>>;
  const follow = followIn(document);

  const operations = Object.entries(document.paths as Record<string, Node>).flatMap(([path, item]) =>
    methods.filter((method) => method in item).map((method) => ({ path, method, item, node: item[method] as Node })),
  );
  const tags = document.tags as { name: string; description: string }[];
  const info = document.info as { title: string; version: string; summary: string; description: string };
  const ofTag = (name: string) => operations.filter(({ node }) => (node.tags as string[]).includes(name));

  /** The sessions or keys with which it may be called. */
  const needs = (security: readonly Node[]): Html =>
    security.length === 0
      ? html`<p class="needs">Needs no session.</p>`
      : html`<p class="needs">Needs ${security.map((one, at) => {
          const [name] = Object.keys(one);
          return [at > 0 && " or ", name === undefined ? "nothing" : html`<a href="#security-${name}">${name}</a>`];
        })}.</p>`;

  const example = (title: string, value: unknown): Html =>
    html`<figure><figcaption>Example${title !== "" && ": "}${title}</figcaption><pre><code>${
      typeof value === "string" ? value : JSON.stringify(value, undefined, 2)
    }</code></pre></figure>`;

  const media = (content: unknown): Html =>
    html`${Object.entries((content ?? {}) as Record<string, Node>).map(
      ([type, { schema, examples = {} }]) =>
        html`<div class="media"><p><code>${type}</code></p><div class="schema">${schemaMarkup(schema as Node)}</div>${Object.entries(
          examples as Record<string, Node>,
        ).map(([name, one]) => example(String(one.summary ?? name), follow(one).value))}</div>`,
    )}`;

  const parameter = (node: Node): Html => {
    const { name, in: where, required, description, schema, example: value } = node as Described;
    return html`<li><code class="name">${name as string}</code> in ${where as string}${
      required === true && html` <em class="required">required</em>`
    } ${schemaMarkup(schema as Node)}${description !== undefined && html` <span>${inline(description)}</span>`}${
      value !== undefined &&
      html` <span>Example: <code>${typeof value === "string" ? value : JSON.stringify(value)}</code></span>`
    }</li>`;
  };

  const answerBody = ({ headers = {}, content }: Node): Html => {
    const named = Object.entries(headers as Record<string, Node>).map(([name, node]) => {
      const { required, description, schema } = follow(node) as Described;
      return html`<li><code class="name">${name}</code>${required === true && html` <em class="required">always</em>`} ${schemaMarkup(
        schema as Node,
      )}${description !== undefined && html` <span>${inline(description)}</span>`}</li>`;
    });
    return html`${named.length > 0 && html`<p>Headers</p><ul class="members">${named}</ul>`}${media(content)}`;
  };

  const answer = ([status, node]: readonly [string, Node]): Html => {
    const name = sharedName(node);
    const found = follow(node) as Described;
    const title = html`<strong>${status}</strong> ${codesOf(found)}`;
    if (name !== undefined)
      return html`<li>${title}<div>${markdown(found.description)}<p><a href="#answer-${name}">${name}, in full</a></p></div></li>`;
    return html`<li>${title}<div>${markdown(found.description)}<details><summary>Headers, body and examples of ${status}</summary>${answerBody(
      found,
    )}</details></div></li>`;
  };

  const operation = ({ path, method, item, node }: (typeof operations)[number]): Html => {
    const parameters = [...((item.parameters ?? []) as Node[]), ...((node.parameters ?? []) as Node[])].map(follow);
    const body = node.requestBody === undefined ? undefined : follow(node.requestBody as Node);
    return html`<article id="${node.operationId as string}">
<h3><span class="method ${method}">${method.toUpperCase()}</span> <code>${path}</code></h3>
<p class="summary">${node.deprecated === true && "Deprecated. "}${inline(node.summary as string)}</p>
${markdown(node.description as string | undefined)}
${needs((node.security ?? document.security) as Node[])}
${parameters.length > 0 && html`<h4>Parameters</h4><ul class="members">${parameters.map(parameter)}</ul>`}
${body !== undefined && html`<h4>Body${body.required !== true && " (may be left out)"}</h4>${media(body.content)}`}
<h4>Answers</h4><ul class="answers">${Object.entries(node.responses as Record<string, Node>).map(answer)}</ul>
</article>`;
  };

  return htmlPage(
    `HTTP API · ${info.title}`,
    sheet,
    html`<a class="skip" href="#operations">To the operations</a>
<header>
<h1>${info.title}: HTTP API</h1>
<p>${info.summary} Version ${info.version}; the socket is described in <code>docs/protocol.md</code>.</p>
${markdown(info.description)}
</header>
<nav aria-label="Operations">
<h2>Operations</h2>
${tags.map(
  ({ name }) =>
    html`<h3><a href="#tag-${name}">${name}</a></h3><ul>${ofTag(name).map(
      ({ path, method, node }) =>
        html`<li><a href="#${node.operationId as string}"><span class="method ${method}">${method.toUpperCase()}</span> <code>${path}</code></a></li>`,
    )}</ul>`,
)}
<h3><a href="#answers">Shared answers</a></h3>
<h3><a href="#schemas">Schemas</a></h3>
</nav>
<main id="operations">
${tags.map(
  ({ name, description }) =>
    html`<section aria-labelledby="tag-${name}"><h2 id="tag-${name}">${name}</h2>${markdown(description)}${ofTag(name).map(operation)}</section>`,
)}
<section aria-labelledby="security"><h2 id="security">Who calls</h2><dl>${Object.entries(
      components.securitySchemes ?? {},
    ).map(
      ([name, { description }]) =>
        html`<dt id="security-${name}">${name}</dt><dd>${markdown(description as string)}</dd>`,
    )}</dl></section>
<section aria-labelledby="answers"><h2 id="answers">Shared answers</h2>${Object.entries(components.responses ?? {}).map(
      ([name, node]) =>
        html`<article id="answer-${name}"><h3>${name}</h3><p>${codesOf(node)}</p>${markdown(node.description as string)}${answerBody(node)}</article>`,
    )}</section>
<section aria-labelledby="schemas"><h2 id="schemas">Schemas</h2>${Object.entries(components.schemas ?? {}).map(
      ([name, node]) =>
        html`<article id="schema-${name}"><h3>${name}</h3><div class="schema">${schemaMarkup(node)}</div></article>`,
    )}</section>
</main>`,
  );
}

/** The error codes that an answer lists, for its title. */
const codesOf = (node: Node): Html =>
  html`${codesIn(node.content).map((code, at) => [at > 0 && " ", html`<a href="/errors#${code}"><code>${code}</code></a>`])}`;
