/**
 * The reference of errors, made of apigateway/openapi.yaml: docs/errors.md, and the page to which the `type` of a problem leads.
 *
 *     node --import tsx scripts/error_reference.ts
 *
 * writes docs/errors.md; `npm run check` compares it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Code, codes, statusOf } from "../shared/errors.ts";
import { html, htmlPage, inline } from "./markup.ts";
import { codesIn } from "./openapi_document.ts";
import { type Api, problemType, readApi, readOpenapi } from "./read_api.ts";

const file = new URL("../docs/errors.md", import.meta.url);

/** What openapi.yaml says about a code. */
interface ErrorEntry {
  readonly code: Code;
  readonly status: number;
  readonly meaning: string;
  readonly todo: string;
  readonly chinese: string;
  readonly retry: boolean;
  /** Members that only this error has. */
  readonly members: readonly string[];
  /** Routes that answer it; none for those of the socket alone. */
  readonly routes: readonly string[];
}

function entriesOf(api: Api): ErrorEntry[] {
  const routes = new Map<string, string[]>();
  for (const { key, responses } of api.operations)
    for (const { content } of Object.values(responses))
      for (const code of codesIn(content[problemType]?.schema)) routes.set(code, [...(routes.get(code) ?? []), key]);
  const entries = codes.map((code): ErrorEntry => {
    const schema = api.follow({ $ref: `schema:${code}` });
    return {
      code,
      status: statusOf[code],
      meaning: String(schema.description).trim(),
      todo: String(schema["x-do"]),
      chinese: String(schema["x-zh"]),
      retry: schema["x-retry"] === true,
      members: Object.keys(schema.properties as object).filter((name) => !["code", "status"].includes(name)),
      routes: routes.get(code) ?? [],
    };
  });
  return entries.sort((a, b) => a.status - b.status);
}

/** More routes than these are not listed: the error is of every kind of request. */
const maxRoutes = 12;

const intro = [
  "Every error of HTTP is a problem document (RFC 9457). `code` is stable and for programs; `title` and `detail` are for people. `type` leads to the code's entry on this page, as the server itself serves it at `/errors`.",
  "**Retry: yes** means that the same request may succeed later, unchanged; `Retry-After` says how many seconds later, where that is known. Otherwise a repeat gets the same error, until something else has changed.",
  "An error of the socket is a message `error` with the same code, and `retry` as here.",
];

const retryOf = ({ retry }: ErrorEntry) => (retry ? "yes" : "no");

const sources = ({ routes }: ErrorEntry): string =>
  routes.length === 0
    ? "the socket, or a path that is no route"
    : routes.length > maxRoutes
      ? "many routes"
      : routes.map((route) => `\`${route}\``).join(", ");

const membersOf = ({ members }: ErrorEntry) => `Further members: ${members.map((name) => `\`${name}\``).join(", ")}`;

/** @returns the text of docs/errors.md */
export function errorReference(api: Api): string {
  const entries = entriesOf(api).map((entry) =>
    [
      `### ${entry.code}`,
      `Status ${entry.status} · Retry: ${retryOf(entry)} · Answered by ${sources(entry)}`,
      `${entry.meaning} **Do:** ${entry.todo}`,
      ...(entry.members.length === 0 ? [] : [membersOf(entry)]),
      entry.chinese,
    ].join("\n\n"),
  );
  const head = "<!-- Made by scripts/error_reference.ts of apigateway/openapi.yaml. Edit that. -->";
  return `${["# Errors", head, ...intro, ...entries].join("\n\n")}\n`;
}

/** @param sheet the path of the style sheet @returns the page, with the code itself as the name of each entry */
export function errorPage(yaml: string, sheet: string): string {
  const entries = entriesOf(readApi(yaml));
  return htmlPage(
    "Errors · orderbell",
    sheet,
    html`<header><h1>Errors</h1>${intro.map((text) => html`<p>${inline(text)}</p>`)}<p><a href="/docs">The HTTP API</a></p></header>
<nav aria-label="Codes"><h2>Codes</h2><ul>${entries.map(({ code }) => html`<li><a href="#${code}"><code>${code}</code></a></li>`)}</ul></nav>
<main>${entries.map(
      (entry) => html`<article id="${entry.code}"><h3>${entry.code}</h3>
<p>Status ${entry.status} · Retry: ${retryOf(entry)} · Answered by ${inline(sources(entry))}</p>
<p>${inline(entry.meaning)}</p><p><strong>Do:</strong> ${inline(entry.todo)}</p><p lang="zh-Hans">${entry.chinese}</p><p>${entry.members.length > 0 && [inline(membersOf(entry)), ". "]}<a href="/docs#schema-${entry.code}">Its schema</a></p></article>`,
    )}</main>`,
  );
}

/** @returns a sentence, if docs/errors.md is not what openapi.yaml says */
export function checkErrorReference(text = readFileSync(file, "utf8")): string[] {
  return text === errorReference(readApi(readOpenapi()))
    ? []
    : ["docs/errors.md is not made of this openapi.yaml: node --import tsx scripts/error_reference.ts"];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(file, errorReference(readApi(readOpenapi())));
