/**
 * CSV files of a menu as Excel, WPS, Numbers, LibreOffice and Google write them: any of their separators, headings in either
 * language, amounts and yes/no as people type them. An ambiguous value is an error with its line.
 */
import { type Info, parse } from "csv-parse/sync";
import { oneLine, severalLines, whyRefused } from "../text.ts";

/** Columns by name, with their accepted headings. */
export const headings = {
  kind: ["类型", "种类", "type"],
  id: ["编号", "代号", "code"],
  zh: ["中文", "中文名", "名称", "菜名", "name_zh", "chinese"],
  en: ["英文", "英文名", "name_en", "english"],
  price: ["价格", "单价", "售价"],
  category: ["分类", "类别", "分类编号"],
  min: ["最少", "至少"],
  max: ["最多", "至多"],
  stock: ["库存", "每日库存", "份数"],
  packing: ["打包费", "包装费", "餐盒费"],
  station: ["档口", "工位"],
  description_zh: ["描述", "中文描述", "介绍"],
  description_en: ["英文描述"],
  picture: ["图片", "image"],
  available: ["供应", "上架", "在售"],
  default: ["默认", "预选"],
} as const;
export type Column = keyof typeof headings;
const columns = Object.keys(headings) as Column[];
const columnOf = new Map<string, Column>(
  columns.flatMap((name) => [name, ...headings[name]].map((heading) => [heading, name] as const)),
);
/** Columns whose cells may have several lines. */
const multiline: ReadonlySet<Column> = new Set(["description_zh", "description_en"]);

const kinds = new Map(
  Object.entries({
    category: ["分类", "类别"],
    dish: ["菜品", "菜", "商品", "item"],
    option: ["选项", "规格"],
    choice: ["选择", "选项值", "可选项"],
  }).flatMap(([kind, names]) => [kind, ...names].map((name) => [name, kind] as const)),
);

export type CsvRow = Record<Column, string>;
type Found = readonly [line: number, message: string];

export interface TableRow {
  readonly cells: CsvRow;
  /** Where the row begins, from 1. */
  readonly line: number;
  readonly cell: Cells;
}

export function readMenuCsv(file: string): { rows: TableRow[]; errors: Found[] } {
  // Excel for the Mac ends lines with CR alone; some programs fill the last block with zeros.
  const text = file
    .replace(/^\uFEFF/, "")
    .replace(/\0+$/, "")
    .replace(/\r\n?/g, "\n");
  const named = /^"?sep=(.)"?[^\n]*\n/i.exec(text);
  const body = named === null ? text : text.slice(named[0].length);
  const [first, ...rest] = recordsOf(body, named?.[1] ?? delimiterOf(body), named === null ? 0 : 1);
  if (first === undefined || rest.length === 0) return { rows: [], errors: [[1, "there is no row in this file"]] };
  const { found, errors } = columnsOf(first, rest);
  const rows = rest.map(({ record, line }) => {
    const cells = Object.fromEntries(columns.map((name) => [name, ""])) as CsvRow;
    for (const [at, raw] of record.entries()) {
      const column = found[at];
      const why = whyRefused(raw);
      if (why !== undefined) errors.push([line, `column ${letter(at)} holds ${why}`]);
      const folded = column !== undefined && multiline.has(column) ? severalLines(raw) : oneLine(raw);
      if (column !== undefined) cells[column] = folded;
      else if (folded !== "") errors.push([line, `column ${letter(at)} has no heading, and here it is not empty`]);
    }
    cells.kind = kinds.get(cells.kind.toLowerCase()) ?? cells.kind;
    return { cells, line, cell: new Cells(cells, line) };
  });
  return { rows, errors };
}

/** The separator of spreadsheets that occurs most often in the first line. */
function delimiterOf(text: string): string {
  const line = text.split("\n", 1)[0] ?? "";
  const count = (mark: string) => line.split(mark).length;
  return [",", ";", "\t"].toSorted((a, b) => count(b) - count(a))[0] as string;
}

interface CsvRecord {
  readonly record: string[];
  readonly line: number;
}

function recordsOf(text: string, delimiter: string, linesBefore: number): CsvRecord[] {
  let begins = linesBefore + 1;
  const found: CsvRecord[] = [];
  try {
    const read = parse(text, { delimiter, relax_column_count: true, info: true }) as unknown as {
      record: string[];
      info: Info;
    }[];
    for (const { record, info } of read) {
      // The parser reports where a record ends; it begins after the previous one.
      if (record.some((cell) => oneLine(cell) !== "")) found.push({ record, line: begins });
      begins = linesBefore + info.lines + 1;
    }
  } catch (error) {
    const { lines = 1 } = error as { lines?: number };
    throw new CsvInvalid(linesBefore + lines);
  }
  return found;
}

/** The text is not valid CSV: a quotation mark is not closed, or is in the middle of a cell. */
export class CsvInvalid extends Error {
  override readonly name = "CsvInvalid";
  readonly line: number;
  constructor(line: number) {
    super("a quotation mark is opened and not closed, or stands in the middle of a cell");
    this.line = line;
  }
}

/** The column at each index. An unknown or duplicate heading is an error of the first line. */
function columnsOf(
  { record, line }: CsvRecord,
  rest: readonly CsvRecord[],
): { found: (Column | undefined)[]; errors: Found[] } {
  const errors: Found[] = [];
  const found = record.map((raw, at) => {
    const heading = oneLine(raw.normalize("NFKC")).toLowerCase().replaceAll(/[ -]/g, "_");
    const column = columnOf.get(heading);
    if (column === undefined && heading !== "" && rest.some((row) => oneLine(row.record[at] ?? "") !== ""))
      errors.push([line, `column ${letter(at)} "${oneLine(raw)}" is none of ${columns.join(", ")}`]);
    return column;
  });
  for (const column of columns) {
    const at = found.flatMap((one, index) => (one === column ? [letter(index)] : []));
    if (at.length > 1) errors.push([line, `column "${column}" stands twice: ${at.join(" and ")}`]);
  }
  return { found, errors };
}

/** A, B, … Z, AA: as spreadsheets name their columns. */
const letter = (at: number): string =>
  (at < 26 ? "" : letter(Math.floor(at / 26) - 1)) + String.fromCharCode(65 + (at % 26));

const yesWords = new Set(["", "yes", "y", "true", "1", "on", "是", "有", "上架", "供应", "√", "✓"]);
const noWords = new Set(["no", "n", "false", "0", "off", "否", "无", "下架", "停售", "×", "x"]);

/** Parses the cells of one row as amounts, numbers, and yes or no. */
class Cells {
  readonly errors: Found[] = [];
  readonly #cells: CsvRow;
  readonly #line: number;

  constructor(cells: CsvRow, line: number) {
    this.#cells = cells;
    this.#line = line;
  }

  money(column: Column): number | undefined {
    const cell = this.#cells[column];
    const plain = cell.normalize("NFKC").replace(/^(?:rmb|cny|¥|￥)\s*|\s*(?:元|块|rmb|cny|¥)$/gi, "");
    return fenOf(plain) ?? this.#fail(column, "is not an amount in yuan, such as 12.50");
  }

  whole(column: Column): number | undefined {
    const [, digits] = /^(\d{1,3}(?:,\d{3})+|\d{1,6})(?:\.0+)?$/.exec(this.#cells[column].normalize("NFKC")) ?? [];
    return digits === undefined ? this.#fail(column, "is not a number") : Number(digits.replaceAll(",", ""));
  }

  yes(column: Column): boolean | undefined {
    const word = this.#cells[column].normalize("NFKC").toLowerCase();
    if (yesWords.has(word)) return true;
    return noWords.has(word) ? false : this.#fail(column, "is neither yes nor no");
  }

  #fail(column: Column, what: string): undefined {
    const cell = this.#cells[column];
    const why = isDate(cell)
      ? "; the spreadsheet has made a date of it: set the column to text"
      : /^\d(?:\.\d+)?e[+-]?\d+$/i.test(cell)
        ? "; the spreadsheet has shortened it: set the column to text"
        : "";
    this.errors.push([this.#line, `${column} "${cell.slice(0, 40)}" ${what}${why}`]);
    return undefined;
  }
}

const isDate = (cell: string) => /^\d{1,4}[-/年]\d{1,2}([-/月]|$)|^\d{1,2}月\d{1,2}日?$|^\d{1,2}-[a-z]{3}/i.test(cell);

/** `18`, `18.5`, `-2.00`, `(2)`, `1,200.00`, `12,50` → fen, without floating point; undefined if it is ambiguous. */
function fenOf(yuan: string): number | undefined {
  const [, open = "", sign = "", whole = "", part = "", close = ""] =
    /^(\(?)([-\u2212]?)(\d{1,7}|\d{1,3}(?:,\d{3})+|\d{1,3}(?:\.\d{3})+(?=,\d{1,2}\)?$))(?:[.,](\d{1,2}))?(\)?)$/.exec(
      yuan,
    ) ?? [];
  if (whole === "" || (open === "") !== (close === "")) return undefined;
  const fen = Number(whole.replaceAll(/[.,]/g, "")) * 100 + Number(part.padEnd(2, "0"));
  return sign !== "" || open !== "" ? 0 - fen : fen;
}
