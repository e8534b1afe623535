/**
 * Finds built-ins that a phone of `floor` lacks, in the files that browsers and WeChat load. A build compiles syntax down to its
 * target but adds no built-ins; so the built files are read: globals, `Name.member`, called methods, options of Intl, regular
 * expressions, and features of style sheets. The years are MDN's. Methods are compared by name alone: one is reported if no
 * type had a method of that name yet.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, extname, join } from "node:path";
import bcd from "@mdn/browser-compat-data" with { type: "json" };
import type { CompatStatement, Identifier, SupportStatement } from "@mdn/browser-compat-data";
import { build } from "esbuild";
import { parseAst } from "vite";
import { pack } from "./build_miniprogram.ts";
import { bundling, peers } from "./build_sdk.ts";
import { buildPagesInto } from "./check_page_size.ts";
import { filesIn } from "./files_in.ts";

/** The oldest phone that is supported; the syntax of the builds is of the same year. */
export const floor = { chrome_android: 80, webview_android: 80, safari_ios: 13.4 } as const;

/** Exceptions: used although a phone of `floor` lacks them, with the reason. */
const allowed: Readonly<Record<string, string>> = {
  ".showModal()": "web/shared/dialog.tsx opens it otherwise where there is none",
  ".exitFullscreen()": "only where something fills the screen",
  ".login()": "of WeChat",
  ".moveBefore()": "Preact asks first",
  AudioContext: "web/shared/audio.ts takes the older name where there is no other",
  createImageBitmap: "web/owner/upload.ts sends the picture as it is where there is none",
};

const isThere = (support: SupportStatement | undefined, version: number): boolean =>
  [support ?? []].flat().some(({ version_added: added, version_removed: removed, flags, prefix, alternative_name }) => {
    if (typeof added !== "string" || flags || prefix || alternative_name || removed) return false;
    return Number.parseFloat(added.replace("≤", "")) <= version;
  });

const isOldEnough = ({ support }: CompatStatement): boolean =>
  Object.entries(floor).every(([browser, version]) => isThere(support[browser as keyof typeof floor], version));

/** Whether a phone of `floor` has one of the features of this name; undefined if there is no such feature. */
const anyOld = (found: readonly (Identifier | undefined)[]): boolean | undefined => {
  const known = found.flatMap((one) => (one?.__compat === undefined ? [] : [one.__compat]));
  return known.length === 0 ? undefined : known.some(isOldEnough);
};

const members = (of: Identifier | undefined): [string, Identifier][] =>
  Object.entries(of ?? {}).filter(([name]) => name !== "__compat") as [string, Identifier][];

// --- Scripts -------------------------------------------------------------------------------------------------------

const { builtins } = bcd.javascript as { builtins: Identifier };
const types = [...members(builtins), ...members(bcd.api as Identifier), ...members(builtins.Intl)];
const own = (name: string) => (Object.hasOwn(builtins, name) ? builtins[name] : undefined);
const ofApi = (name: string) => (Object.hasOwn(bcd.api, name) ? (bcd.api as Identifier)[name] : undefined);

const languageMembers = new Set(members(builtins).flatMap(([, type]) => members(type).map(([, member]) => member)));
const methods = new Map<string, Identifier[]>();
const options = new Map<string, Identifier[]>();
const add = (to: Map<string, Identifier[]>, name: string, one: Identifier) =>
  to.set(name, [...(to.get(name) ?? []), one]);
for (const [, type] of types)
  for (const [name, member] of members(type)) if (!name.endsWith("_static")) add(methods, name, member);
const collectOptions = (of: Identifier): void => {
  for (const [name, member] of members(of)) {
    const [, option] = /^options_(\w+)_parameter$/.exec(name) ?? [];
    if (option !== undefined) add(options, option, member);
    collectOptions(member);
  }
};
if (builtins.Intl !== undefined) collectOptions(builtins.Intl);

const globalOld = (name: string) =>
  anyOld([own(name), ofApi(name), ofApi("Window")?.[name], ofApi("WorkerGlobalScope")?.[name]]);
const staticOld = (type: string, name: string) =>
  anyOld([own(type)?.[name], ofApi(type)?.[`${name}_static`], ofApi(type)?.[name]]);

type Node = { readonly type: string; readonly [member: string]: unknown };
const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null && "type" in value;

function* nodesIn(value: unknown, parent?: Node): Generator<[node: Node, parent: Node | undefined]> {
  if (Array.isArray(value)) for (const one of value) yield* nodesIn(one, parent);
  else if (isNode(value)) {
    yield [value, parent];
    for (const [name, child] of Object.entries(value)) if (name !== "parent") yield* nodesIn(child, value);
  }
}

const nameOf = (node: unknown): string | undefined =>
  isNode(node) && node.type === "Identifier" ? String(node.name) : undefined;

/** Every name that the script declares itself. */
function declaredIn(tree: unknown): Set<string> {
  const names = new Set<string>();
  const declare = (pattern: unknown) => {
    for (const [node] of nodesIn(pattern)) if (node.type === "Identifier") names.add(String(node.name));
  };
  for (const [node] of nodesIn(tree)) {
    if (/Function|Class|VariableDeclarator/.test(node.type)) declare(node.id);
    if (/Function/.test(node.type)) declare(node.params);
    if (node.type === "CatchClause") declare(node.param);
    if (/^Import.*Specifier$/.test(node.type)) declare(node.local);
  }
  return names;
}

/** Methods of the script's own objects and classes: a call of that name may be to one of them. */
function ownMethodsIn(tree: unknown): Set<string> {
  const names = new Set<string>();
  for (const [node] of nodesIn(tree)) {
    const { type, key, value } = node;
    const isFunction = isNode(value) && /Function/.test(value.type);
    if (type === "MethodDefinition" || (type === "Property" && isFunction)) names.add(nameOf(key) ?? "");
  }
  return names;
}

/** Names of all members of such objects. They excuse a type of the web with the same member, but not a type of the language. */
const ownMembersIn = (tree: unknown): Set<string> =>
  new Set([...nodesIn(tree)].flatMap(([{ type, key }]) => (type === "Property" ? [nameOf(key) ?? ""] : [])));

const isIntl = (call: Node | undefined): boolean => {
  const callee = isNode(call?.callee) ? call.callee : undefined;
  return /Format$|^toLocale|^PluralRules$|^Collator$/.test(nameOf(callee?.property) ?? "");
};

/** @param all every script that is loaded with it @returns what the script uses that a phone of `floor` lacks */
export function newIn(script: string, all: readonly string[] = [script]): string[] {
  const trees = all.map((one): unknown => parseAst(one));
  const ownMethods = new Set(trees.flatMap((one) => [...ownMethodsIn(one)]));
  const ownMembers = new Set(trees.flatMap((one) => [...ownMembersIn(one)]));
  const isOldMethod = (name: string) => {
    if (ownMethods.has(name)) return true;
    const language = (methods.get(name) ?? []).filter((one) => languageMembers.has(one));
    return anyOld(ownMembers.has(name) ? language : (methods.get(name) ?? [])) !== false;
  };
  const tree: unknown = parseAst(script);
  const declared = declaredIn(tree);
  const found = new Set<string>();
  const global = (node: unknown) => {
    const name = nameOf(node);
    return name === undefined || declared.has(name) ? undefined : name;
  };
  for (const [node, parent] of nodesIn(tree)) {
    const { type, object, property, computed } = node;
    const key = computed === true ? undefined : nameOf(property);
    if (type === "MemberExpression" && key !== undefined) {
      const of = global(object);
      if (of === "self" || of === "window" || of === "globalThis") {
        if (globalOld(key) === false) found.add(key);
      } else if (of !== undefined && staticOld(of, key) === false) found.add(`${of}.${key}`);
      const isCalled = parent?.type === "CallExpression" && parent.callee === node && parent.optional !== true;
      const isStatic = of !== undefined && staticOld(of, key) !== undefined;
      if (isCalled && !isStatic && !isOldMethod(key)) found.add(`.${key}()`);
    } else if (type === "Identifier") {
      const name = global(node);
      const isKey = parent?.computed !== true && (parent?.property === node || parent?.key === node);
      const isAsked = parent?.type === "UnaryExpression" && parent.operator === "typeof";
      if (name !== undefined && !isKey && !isAsked && globalOld(name) === false) found.add(name);
    } else if ((type === "NewExpression" || type === "CallExpression") && isIntl(node)) {
      for (const [{ type: kind, key: option }] of nodesIn(node.arguments))
        if (kind === "Property" && anyOld(options.get(nameOf(option) ?? "") ?? []) === false)
          found.add(`{${nameOf(option)}}`);
    } else if (type === "Literal") {
      const { pattern = String(node.value), flags = "" } = (node.regex ?? {}) as { pattern?: string; flags?: string };
      if (/\(\?<[=!]/.test(pattern)) found.add("(?<=…)");
      if (/[dv]/.test(flags)) found.add(`/…/${flags}`);
    }
  }
  return [...found].filter((one) => !(one in allowed)).sort();
}

// --- Style sheets --------------------------------------------------------------------------------------------------

/** Features that a phone of `floor` may lack, because the page can be read and used without them. */
const graceful = [
  // The look under a pointer, while pressed, or with the focus.
  "cursor",
  "outline",
  ":focus-visible",
  "resize",
  "appearance",
  "accent-color",
  "color-scheme",
  "text-decoration-thickness",
  "text-underline-offset",
  "mask",
  // Scrolling: the page behind moves too.
  "overscroll-behavior",
  "overflow: clip",
  ":has",
  // A shadow darkens the page behind a dialog where this is missing.
  ":backdrop",
  // Long words break between letters, or overflow.
  "hyphens",
  // Only for paper.
  "@page",
  // Used only behind @supports.
  "aspect-ratio",
];

/** @returns features that the style sheet uses and a phone of `floor` lacks */
export function newInStyle(sheet: string): string[] {
  const { properties, selectors, "at-rules": rules, types: values } = bcd.css as Record<string, Identifier>;
  const found = new Set<string>();
  const look = (what: string, one: Identifier | undefined) => {
    if (anyOld([one]) === false) found.add(what);
  };
  const text = sheet.replace(/\/\*[\s\S]*?\*\//g, "").replace(/"[^"]*"|'[^']*'/g, '""');
  /** A fallback for older phones: declared before, in the same block. */
  let before = new Set<string>();
  for (const [, part = "", end] of text.matchAll(/([^{};]*)([{};])/g)) {
    const piece = part.trim();
    if (end === "{") before = new Set();
    const [, rule] = /^@([a-z-]+)/.exec(piece) ?? [];
    if (rule !== undefined && !rule.startsWith("-")) look(`@${rule}`, rules?.[rule]);
    else if (end === "{") {
      for (const [, name = ""] of piece.matchAll(/::?([a-z-]+)/g))
        if (!name.startsWith("-")) look(`:${name}`, selectors?.[name]);
    } else {
      const [, property = "", value = ""] = /^([a-z-]+)\s*:([\s\S]*)$/.exec(piece) ?? [];
      if (property === "" || property.startsWith("-")) continue;
      look(property, properties?.[property]);
      if (before.has(property)) continue;
      before.add(property);
      for (const [, name = ""] of value.matchAll(/([a-z][a-z-]*)\(/g))
        look(`${name}()`, values?.[name] ?? values?.color?.[name]);
      for (const [, unit = ""] of value.matchAll(/\d([dsl]v[hw]|cq\w+|lh|rlh|cap|ic)\b/g)) found.add(unit);
    }
  }
  return [...found].filter((one) => !graceful.includes(one)).sort();
}

// --- The built files -----------------------------------------------------------------------------------------------

/** The built files: pages, the SDK in a page, the mini-program with its own. */
async function builtFiles(folder: string): Promise<Map<string, string>> {
  const [pages, miniprogram] = [join(folder, "pages"), join(folder, "miniprogram")];
  buildPagesInto(pages);
  await pack(miniprogram);
  const { outputFiles } = await build({
    ...bundling,
    entryPoints: ["browser", "react", "vue"].map((entry) => join(import.meta.dirname, `../clients/${entry}.ts`)),
    outdir: join(folder, "sdk"),
    external: peers,
    write: false,
  });
  const read = (root: string, name: string) =>
    filesIn(root).map((file): [string, string] => [`${name}/${file}`, readFileSync(join(root, file), "utf8")]);
  return new Map([
    ...read(pages, "pages"),
    ...read(miniprogram, "miniprogram"),
    ...outputFiles.map(({ path, text }): [string, string] => [`sdk/${basename(path)}`, text]),
  ]);
}

/** @returns a line for each feature that is too new */
export async function checkBuiltIns(): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "orderbell-built-ins-"));
  try {
    const files = [...(await builtFiles(folder))];
    const together = (file: string) => file.split("/")[0];
    return files.flatMap(([file, text]) => {
      const kind = extname(file);
      const scripts = files.filter(([other]) => other.endsWith(".js") && together(other) === together(file));
      const all = scripts.map(([, script]) => script);
      const found = kind === ".js" ? newIn(text, all) : kind === ".css" || kind === ".wxss" ? newInStyle(text) : [];
      return found.map(
        (one) => `${file} uses ${one}, which Chrome ${floor.chrome_android} or iOS ${floor.safari_ios} lacks`,
      );
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
