/** The declaration of collections: `collections.yml`. Reads the text and reports every error with its line. */
import { isScalar, isSeq } from "yaml";
import type { Action, Collection, CollectionLimits, Permission, Preset, Rule } from "../collection.ts";
import { presets } from "../collection.ts";
import { membersOf, type NamedNode, pairsOf, type Report, readDeclaration } from "../declaration.ts";
import { isIndex, whyNoName } from "./field_name.ts";
import { maxCollections, maxDocumentBytes, maxIndexes, maxPathLength } from "./limits.ts";
import { parseRule, RuleError } from "./rule_syntax.ts";

export type { Collection, CollectionLimits };

export interface Declaration {
  /** By name. Empty when there are errors: a server must not start with a part of its permissions. */
  readonly collections: ReadonlyMap<string, Collection>;
  /** Each begins with its line: `line 3: …`. */
  readonly errors: readonly string[];
}

/** What orderbell itself has under these names. */
const builtIn: ReadonlySet<string> = new Set(["shops", "menus", "orders"]);

const defaults = { documentBytes: maxDocumentBytes, documents: 100_000 };
const most: CollectionLimits = { documentBytes: maxDocumentBytes, documents: 10_000_000, documentsOfOne: 10_000_000 };
/** Owners have at least so many documents, where the declaration says nothing else. */
const leastOfOne = 100;

const actions: readonly Action[] = ["read", "create", "update", "delete"];

/**
 * Reads a declaration:
 *
 *     notes:
 *       permission: PRIVATE
 *       indexes: [done, author.id]
 *       limits: { documents: 10000 }
 *     rooms:
 *       rules: { read: true, write: "auth.uid in doc.members" }
 */
export function parseCollections(text: string): Declaration {
  const { list, errors } = readDeclaration(text, { what: "collections", most: maxCollections }, collectionOf);
  return { collections: new Map(list.map((one) => [one.name, one])), errors };
}

function collectionOf(one: NamedNode, report: Report): Collection {
  const { name, key } = one;
  if (builtIn.has(name)) report(key, `"${name}" is one of orderbell's own collections`);
  const known = membersOf(one, "collection", ["permission", "rules", "indexes", "limits"], report);
  return {
    name,
    permission: permissionOf(key, known.get("permission"), known.get("rules"), report),
    indexes: indexesOf(known.get("indexes")?.value, report),
    limits: limitsOf(known.get("limits")?.value, report),
  };
}

function permissionOf(
  key: unknown,
  preset: NamedNode | undefined,
  rules: NamedNode | undefined,
  report: Report,
): Permission {
  if ((preset === undefined) === (rules === undefined)) report(key, "a collection has either a permission or rules");
  if (rules !== undefined) return { rules: rulesOf(rules.value, report) };
  const name = isScalar(preset?.value) ? preset.value.value : undefined;
  if (preset !== undefined && !(presets as readonly unknown[]).includes(name))
    report(preset.value ?? preset.key, `the permission is one of ${presets.join(", ")}`);
  return { preset: name as Preset };
}

/** `write` stands for create, update and delete where these have no rule of their own. */
function rulesOf(node: unknown, report: Report): Partial<Record<Action, Rule>> {
  const rules: Partial<Record<Action, Rule>> = {};
  let write: Rule | undefined;
  for (const { name, key, value } of pairsOf(node, "rules", report)) {
    const rule = ruleOf(value, key, report);
    if (name === "write") write = rule;
    else if ((actions as readonly string[]).includes(name)) rules[name as Action] = rule;
    else report(key, `"${name.slice(0, 60)}" is unknown: there are read, write, create, update, delete`);
  }
  if (write !== undefined) for (const action of actions) if (action !== "read") rules[action] ??= write;
  return rules;
}

const denied: Rule = { kind: "literal", value: false };

function ruleOf(node: unknown, key: unknown, report: Report): Rule {
  const value = isScalar(node) ? node.value : undefined;
  if (typeof value === "boolean") return { kind: "literal", value };
  if (typeof value !== "string") {
    report(node ?? key, "a rule is true, false or a text");
    return denied;
  }
  try {
    return parseRule(value);
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    report(node, error.message);
    return denied;
  }
}

function indexesOf(node: unknown, report: Report): string[] {
  if (node === undefined) return [];
  if (!isSeq(node)) {
    report(node, "indexes is a list of fields");
    return [];
  }
  if (node.items.length > maxIndexes) report(node, `at most ${maxIndexes} indexed fields`);
  const indexes: string[] = [];
  for (const item of node.items) {
    const path = isScalar(item) ? item.value : undefined;
    const why = typeof path === "string" ? whyNoIndex(path) : "an indexed field is a text";
    if (why !== undefined) report(item, why);
    else if (indexes.includes(path as string)) report(item, `"${path}" stands twice in the indexes`);
    else indexes.push(path as string);
  }
  return indexes;
}

function whyNoIndex(path: string): string | undefined {
  const names = path.split(".");
  if (names.some(isIndex)) return `"${path.slice(0, 60)}" names a place in a list`;
  if (path === "_id" || path === "_openid") return `"${path}" is always indexed`;
  return path.length > maxPathLength ? "the path is too long" : names.map(whyNoName).find((why) => why !== undefined);
}

function limitsOf(node: unknown, report: Report): CollectionLimits {
  const given: Partial<Record<keyof CollectionLimits, number>> = {};
  for (const { name, key, value } of node === undefined ? [] : pairsOf(node, "limits", report)) {
    const limit: unknown = isScalar(value) ? value.value : undefined;
    if (name !== "documents" && name !== "documentsOfOne" && name !== "documentBytes")
      report(key, `"${name.slice(0, 60)}" is unknown: there are documents, documentsOfOne, documentBytes`);
    else if (!Number.isSafeInteger(limit) || Number(limit) < 1 || Number(limit) > most[name])
      report(value ?? key, `"${name}" is an integer from 1 to ${most[name]}`);
    else given[name] = Number(limit);
  }
  const { documents, documentBytes } = { ...defaults, ...given };
  return {
    documents,
    documentBytes,
    documentsOfOne: given.documentsOfOne ?? Math.max(leastOfOne, Math.floor(documents / 10)),
  };
}
