/** The declaration of purposes: `files.yml`. Reads the text and reports every error with its line. */
import { isMap, isScalar, isSeq } from "yaml";
import { membersOf, type NamedNode, pairsOf, type Report, readDeclaration } from "../declaration.ts";
import { type Purpose, purposesByName, uploaders, visibilities } from "../purpose.ts";
import { kinds } from "./kinds.ts";

export interface Declaration {
  /** By name, with those that are built in. Without any when there are errors. */
  readonly purposes: ReadonlyMap<string, Purpose>;
  /** Each begins with its line: `line 3: …`. */
  readonly errors: readonly string[];
}

const maxPurposes = 50;
/** S3's own limit of an object in parts of 16 MB. */
const mostBytes = 10_000 * 16 * 1_024 * 1_024;
const fields = ["types", "members", "maxBytes", "perUser", "total", "visibility", "who", "unusedDays"] as const;
type Field = (typeof fields)[number];

/**
 * Reads a declaration:
 *
 *     avatar:
 *       types: [jpg, png]
 *       maxBytes: 1 MB
 *       perUser: { files: 10, bytes: 5 MB }
 *       total: { bytes: 10 GB }
 *       visibility: [public]
 *       who: [wechat, own]
 */
export function parsePurposes(text: string): Declaration {
  const { list, errors } = readDeclaration(text, { what: "purposes", most: maxPurposes }, purposeOf);
  return { purposes: errors.length > 0 ? new Map() : purposesByName(list), errors };
}

function purposeOf(declared: NamedNode, report: Report): Purpose {
  const { name, key } = declared;
  const known = membersOf(declared, "purpose", fields, report);
  const need = (field: Field): NamedNode => {
    const one = known.get(field);
    if (one === undefined && isMap(declared.value)) report(key, `purpose "${name}" has no ${field}`);
    return one ?? { name: field, key, value: undefined };
  };
  const members = known.get("members");
  const days = known.get("unusedDays");
  if (members !== undefined && days !== undefined) report(days.key, "files with members have no unusedDays");
  const perUser = numbersOf(need("perUser"), ["files", "bytes"], report);
  return {
    name,
    types: wordsOf(need("types"), [...kinds.keys()], report),
    members: members === undefined ? [] : wordsOf(members, [...kinds.keys()], report),
    maxBytes: sizeOf(need("maxBytes"), report),
    perUser: { files: perUser.files ?? 0, bytes: perUser.bytes ?? 0 },
    total: { bytes: numbersOf(need("total"), ["bytes"], report).bytes ?? 0 },
    visibility: wordsOf(need("visibility"), visibilities, report),
    who: wordsOf(need("who"), uploaders, report),
    unusedDays: days === undefined ? null : countOf(days, 3_650, report),
  };
}

/** A list of some of these words, at least one. */
function wordsOf<const T extends string>({ name, key, value }: NamedNode, words: readonly T[], report: Report): T[] {
  const items = isSeq(value) ? value.items : [];
  if (value !== undefined && items.length === 0) report(value ?? key, `${name} is a list of ${words.join(", ")}`);
  return items.flatMap((item) => {
    const word: unknown = isScalar(item) ? item.value : undefined;
    const known = words.find((one) => one === word);
    if (known === undefined)
      report(item, `"${String(word).slice(0, 60)}" is none of ${name}: there are ${words.join(", ")}`);
    return known === undefined ? [] : [known];
  });
}

function numbersOf<const T extends string>({ name, key, value }: NamedNode, names: readonly T[], report: Report) {
  const given: Partial<Record<T, number>> = {};
  const pairs = value === undefined ? [] : pairsOf(value, name, report);
  for (const pair of pairs) {
    const known = names.find((one) => one === pair.name);
    if (known === undefined)
      report(pair.key, `"${pair.name.slice(0, 60)}" is unknown: there is ${names.join(" and ")}`);
    else
      given[known] =
        known === "bytes" ? sizeOf(pair, report, Number.MAX_SAFE_INTEGER) : countOf(pair, 10_000_000, report);
  }
  for (const one of names) if (value !== undefined && given[one] === undefined) report(key, `${name} has no ${one}`);
  return given;
}

function countOf({ name, key, value }: NamedNode, most: number, report: Report): number {
  const count: unknown = isScalar(value) ? value.value : undefined;
  if (Number.isSafeInteger(count) && Number(count) >= 1 && Number(count) <= most) return Number(count);
  report(value ?? key, `"${name}" is an integer from 1 to ${most}`);
  return 0;
}

const units = { "": 1, KB: 1_024, MB: 1_024 ** 2, GB: 1_024 ** 3, TB: 1_024 ** 4 } as const;

/** Bytes: `4096`, `200 KB`, `2 GB`. */
function sizeOf({ name, key, value }: NamedNode, report: Report, most = mostBytes): number {
  if (value === undefined) return 0;
  const [, digits = "", unit = ""] =
    /^(\d{1,15}) ?(|KB|MB|GB|TB)$/.exec(isScalar(value) ? String(value.value) : "") ?? [];
  const bytes = Number(digits) * units[unit as keyof typeof units];
  if (digits !== "" && bytes >= 1 && bytes <= most) return bytes;
  report(
    value ?? key,
    `"${name}" is a number of bytes, such as 4096, 200 KB, 2 GB${most === mostBytes ? "; at most 156 GB" : ""}`,
  );
  return 0;
}
