/** Import of a whole menu from a JSON or CSV file, or an error for each invalid line. */
import * as v from "valibot";
import { LineCounter, parseDocument } from "yaml";
import { MenuInvalid } from "../errors.ts";
import { contradictions, type Menu, menuShape } from "../menu.ts";
import * as shape from "../shape.ts";
import { CsvInvalid, readMenuCsv } from "./menu_csv.ts";

type Path = readonly (string | number)[];

/** @throws MenuInvalid with all errors, each beginning `line 12:` */
export function readMenuFile(text: string, format: "json" | "csv"): Menu {
  const { value, lineOf, nameOf } = format === "json" ? fromJson(text) : fromCsv(text);
  const result = v.safeParse(menuShape, value);
  if (!result.success)
    throw invalid(
      result.issues.map((issue) => {
        const path = (issue.path ?? []).map(({ key }) => key as string | number);
        return [lineOf(path), `${nameOf(path)}: ${shape.reason(issue)}`] as const;
      }),
    );
  const found = contradictions(result.output);
  if (found.length > 0) throw invalid(found.map(({ path, message }) => [lineOf(path), message] as const));
  return result.output;
}

type Found = readonly [line: number, message: string];

/** At most so many errors are reported at once. */
const maxErrors = 50;

function invalid(errors: readonly Found[]): MenuInvalid {
  const lines = errors.toSorted(([a], [b]) => a - b).map(([line, message]) => `line ${line}: ${message}`);
  const more = lines.length - maxErrors;
  return new MenuInvalid(more > 0 ? [...lines.slice(0, maxErrors), `and ${more} more`] : lines);
}

interface Read {
  readonly value: unknown;
  lineOf(path: Path): number;
  /** The value's place as the author of the file knows it: a path, or a column. */
  nameOf(path: Path): string;
}

/** JSON is also YAML, and the YAML parser has the line of each value. */
function fromJson(file: string): Read {
  const text = file.replace(/^\uFEFF/, "");
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  try {
    const value: unknown = JSON.parse(text);
    // JSON.parse silently takes the second of two fields with the same name.
    const twice = document.errors.filter(({ code }) => code === "DUPLICATE_KEY");
    if (twice.length > 0)
      throw invalid(twice.map(({ pos }) => [lines.linePos(pos[0]).line, "this field stands twice in its object"]));
    return {
      value,
      lineOf(path) {
        // A missing field has no line, so its object's is taken.
        for (let length = path.length; length >= 0; length--) {
          const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
          const start = (node as { range?: [number] | null } | undefined)?.range?.[0];
          if (start !== undefined) return lines.linePos(start).line;
        }
        return 1;
      },
      nameOf: (path) => path.join("."),
    };
  } catch (error) {
    if (error instanceof MenuInvalid) throw error;
    const at = faultIn(text);
    const comment = /^\s*(\/\/|\/\*|#)/.test(text.slice(at)) || /\/[/*]?$/.test(text.slice(0, at + 1));
    const message = comment ? "this is not JSON: it has no comments" : "this is not JSON";
    throw invalid([[text.slice(0, at).split("\n").length, message]]);
  }
}

/**
 * The position of a syntax error. V8 reports it for some errors only; but a text cut before the error fails only because it
 * ends, so the position is found by bisection.
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

/**
 * One item per row: `category`, `dish`, `option` (of the dish above it), `choice` (of the option above it).
 * Prices are in yuan, with at most two decimals; `available` is yes or no; an empty cell means none, or yes; an empty
 * category is that of the row above, as merged cells are written. Unused columns may be left out.
 */
function fromCsv(text: string): Read {
  const { rows, errors: faults } = tableOf(text);
  const errors: Found[] = [...faults];
  const lines = new Map<string, number>();
  const menu = { categories: [] as unknown[], dishes: [] as { options: { choices: unknown[] }[] }[] };
  let category = "";
  for (const { cells, line, cell } of rows) {
    const put = (path: Path) => lines.set(path.join("."), line);
    const names = both(cells.zh, cells.en);
    const description = both(cells.description_zh, cells.description_en);
    const dish = menu.dishes.at(-1);
    const option = dish?.options.at(-1);
    switch (cells.kind) {
      case "category":
        category = cells.id;
        put(["categories", menu.categories.push({ id: cells.id, names }) - 1]);
        break;
      case "dish": {
        category = cells.category || category;
        const at = menu.dishes.push({
          id: cells.id,
          category,
          names,
          priceFen: cell.money("price"),
          packingFen: cells.packing === "" ? 0 : cell.money("packing"),
          dailyStock: cells.stock === "" ? null : cell.whole("stock"),
          available: cell.yes("available"),
          ...(cells.station === "" ? {} : { station: cells.station }),
          ...(cells.picture === "" ? {} : { picture: cells.picture }),
          ...(Object.keys(description).length === 0 ? {} : { description }),
          options: [],
        } as never);
        put(["dishes", at - 1]);
        break;
      }
      case "option": {
        if (dish === undefined) {
          errors.push([line, "an option stands below its dish"]);
          break;
        }
        const range = { min: cell.whole("min"), max: cell.whole("max") };
        const at = dish.options.push({ id: cells.id, names, ...range, choices: [] } as never);
        put(["dishes", menu.dishes.length - 1, "options", at - 1]);
        break;
      }
      case "choice": {
        if (dish === undefined || option === undefined) {
          errors.push([line, "a choice stands below its option"]);
          break;
        }
        const at = option.choices.push({
          id: cells.id,
          names,
          priceFen: cells.price === "" ? 0 : cell.money("price"),
          available: cell.yes("available"),
          ...(cells.default === "" ? {} : { default: cell.yes("default") }),
        });
        put(["dishes", menu.dishes.length - 1, "options", dish.options.length - 1, "choices", at - 1]);
        break;
      }
      default:
        errors.push([line, `kind "${cells.kind}" is none of category, dish, option, choice`]);
    }
  }
  errors.push(...rows.flatMap(({ cell }) => cell.errors));
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
    nameOf: columnAt,
  };
}

function tableOf(text: string): ReturnType<typeof readMenuCsv> {
  try {
    return readMenuCsv(text);
  } catch (error) {
    if (error instanceof CsvInvalid) throw invalid([[error.line, error.message]]);
    throw error;
  }
}

/** The column that a value came from. */
function columnAt(path: Path): string {
  const [last, before] = [path.at(-1), path.at(-2)].map(String) as [string, string];
  const fields: Readonly<Record<string, string>> = { priceFen: "price", packingFen: "packing", dailyStock: "stock" };
  if (before === "description") return `description_${last}`;
  return fields[last] ?? last;
}

const both = (zh: string, en: string) => ({ ...(zh ? { zh } : {}), ...(en ? { en } : {}) });
