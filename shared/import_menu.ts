/** Reads a whole menu from a file, JSON or CSV. All of it or nothing; every error with its line. */
import { parse as parseCsv } from "csv-parse/sync";
import * as v from "valibot";
import { LineCounter, parseDocument } from "yaml";
import { MenuInvalid } from "./errors.ts";
import { contradictions, type Menu, menuShape } from "./menu.ts";

type Path = readonly (string | number)[];

/** @throws MenuInvalid with all errors, each beginning `line 12:` */
export function readMenuFile(text: string, format: "json" | "csv"): Menu {
  const { value, lineOf } = format === "json" ? fromJson(text) : fromCsv(text);
  const result = v.safeParse(menuShape, value);
  if (!result.success)
    throw invalid(
      result.issues.map((issue) => {
        const path = (issue.path ?? []).map(({ key }) => key as string | number);
        const what =
          issue.expected === "never"
            ? "is not a known field"
            : issue.expected === null || issue.expected === undefined
              ? issue.message
              : `expected ${issue.expected}`;
        return [lineOf(path), `${path.join(".")}: ${what}`] as const;
      }),
    );
  const found = contradictions(result.output);
  if (found.length > 0) throw invalid(found.map(({ path, message }) => [lineOf(path), message] as const));
  return result.output;
}

const invalid = (errors: readonly (readonly [line: number, message: string])[]) =>
  new MenuInvalid(errors.toSorted(([a], [b]) => a - b).map(([line, message]) => `line ${line}: ${message}`));

interface Read {
  readonly value: unknown;
  lineOf(path: Path): number;
}

/** JSON is YAML too, and the YAML parser knows where each value stands. */
function fromJson(text: string): Read {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  try {
    const value: unknown = JSON.parse(text);
    return {
      value,
      lineOf(path) {
        // What is missing has no place; what it is missing from has.
        for (let length = path.length; length >= 0; length--) {
          const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
          const start = (node as { range?: [number] | null } | undefined)?.range?.[0];
          if (start !== undefined) return lines.linePos(start).line;
        }
        return 1;
      },
    };
  } catch {
    throw invalid([[text.slice(0, faultIn(text)).split("\n").length, "this is not JSON"]]);
  }
}

/**
 * Where a text stops being JSON. V8 tells it of some faults only; but a text that is cut before its fault fails for its
 * end alone, so the fault is found by halving.
 */
function faultIn(text: string): number {
  let [sound, faulty] = [0, text.length];
  while (sound < faulty) {
    const middle = Math.ceil((sound + faulty) / 2);
    if (failsOnlyForItsEnd(text.slice(0, middle))) sound = middle;
    else faulty = middle - 1;
  }
  return sound;
}

function failsOnlyForItsEnd(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    const { message } = error as Error;
    const at = /position (\d+)/.exec(message)?.[1];
    return at === undefined ? /end of JSON/.test(message) : Number(at) >= text.length;
  }
}

const columns = [
  "kind",
  "id",
  "zh",
  "en",
  "price",
  "category",
  "min",
  "max",
  "stock",
  "packing",
  "station",
  "description_zh",
  "description_en",
  "picture",
  "available",
] as const;
type CsvRow = Record<(typeof columns)[number], string>;

/**
 * One thing a row: `category`, `dish`, `option` (of the dish above it), `choice` (of the option above it).
 * Prices are in yuan, with at most two decimals; `available` is yes or no; an empty cell means none, or yes. Columns that
 * nobody needs may be left out.
 */
function fromCsv(text: string): Read {
  const errors: [number, string][] = [];
  const lines = new Map<string, number>();
  const menu = { categories: [] as unknown[], dishes: [] as { options: { choices: unknown[] }[] }[] };
  for (const { record, line } of readRows(text)) {
    const fail = (message: string) => errors.push([line, message]);
    const put = (path: Path) => lines.set(path.join("."), line);
    const both = (zh: string, en: string) => ({ ...(zh ? { zh } : {}), ...(en ? { en } : {}) });
    const names = both(record.zh, record.en);
    const description = both(record.description_zh, record.description_en);
    const money = (cell: string, column: string) => fenOf(cell) ?? fail(`${column} "${cell}" is not an amount in yuan`);
    const whole = (cell: string, column: string) =>
      /^\d{1,6}$/.test(cell) ? Number(cell) : fail(`${column} "${cell}" is not a number`);
    const yes = (cell: string, column: string) =>
      cell === "" || cell === "yes" || (cell !== "no" && fail(`${column} "${cell}" is neither yes nor no`));
    const dish = menu.dishes.at(-1);
    const option = dish?.options.at(-1);
    switch (record.kind) {
      case "category":
        put(["categories", menu.categories.push({ id: record.id, names }) - 1]);
        break;
      case "dish": {
        const at = menu.dishes.push({
          id: record.id,
          category: record.category,
          names,
          priceFen: money(record.price, "price"),
          packingFen: record.packing === "" ? 0 : money(record.packing, "packing"),
          dailyStock: record.stock === "" ? null : whole(record.stock, "stock"),
          available: yes(record.available, "available"),
          ...(record.station === "" ? {} : { station: record.station }),
          ...(record.picture === "" ? {} : { picture: record.picture }),
          ...(Object.keys(description).length === 0 ? {} : { description }),
          options: [],
        } as never);
        put(["dishes", at - 1]);
        break;
      }
      case "option": {
        if (dish === undefined) {
          fail("an option stands below its dish");
          break;
        }
        const range = { min: whole(record.min, "min"), max: whole(record.max, "max") };
        const at = dish.options.push({ id: record.id, names, ...range, choices: [] } as never);
        put(["dishes", menu.dishes.length - 1, "options", at - 1]);
        break;
      }
      case "choice": {
        if (dish === undefined || option === undefined) {
          fail("a choice stands below its option");
          break;
        }
        const at = option.choices.push({
          id: record.id,
          names,
          priceFen: record.price === "" ? 0 : money(record.price, "price"),
          available: yes(record.available, "available"),
        });
        put(["dishes", menu.dishes.length - 1, "options", dish.options.length - 1, "choices", at - 1]);
        break;
      }
      default:
        fail(`kind "${record.kind}" is none of category, dish, option, choice`);
    }
  }
  if (errors.length > 0) throw invalid(errors);
  return {
    value: menu,
    lineOf(path) {
      for (let length = path.length; length > 0; length--) {
        const line = lines.get(path.slice(0, length).join("."));
        if (line !== undefined) return line;
      }
      return 1;
    },
  };
}

function readRows(text: string): { record: CsvRow; line: number }[] {
  try {
    const rows = parseCsv(text, {
      columns: true,
      bom: true,
      trim: true,
      skip_empty_lines: true,
      info: true,
    }) as unknown as {
      record: Record<string, string>;
      info: { lines: number };
    }[];
    // An empty file is a mistake, not the wish to sell nothing.
    if (rows.length === 0) throw invalid([[1, "there is no row in this file"]]);
    const unknown = Object.keys(rows[0]?.record ?? {}).filter((name) => !(columns as readonly string[]).includes(name));
    if (unknown.length > 0) throw invalid([[1, `column "${unknown[0]}" is none of ${columns.join(", ")}`]]);
    const empty = Object.fromEntries(columns.map((name) => [name, ""])) as CsvRow;
    return rows.map(({ record, info }) => ({ record: { ...empty, ...record }, line: info.lines }));
  } catch (error) {
    if (error instanceof MenuInvalid) throw error;
    const { lines = 1 } = error as { lines?: number };
    throw invalid([[lines, "this row has not as many cells as the first"]]);
  }
}

/** `18`, `18.5`, `-2.00` → fen, without floating point. */
function fenOf(yuan: string): number | undefined {
  const [, sign = "", whole = "", part = ""] = /^(-?)(\d{1,7})(?:\.(\d{1,2}))?$/.exec(yuan) ?? [];
  if (whole === "") return undefined;
  return (sign === "-" ? -1 : 1) * (Number(whole) * 100 + Number(part.padEnd(2, "0")));
}
