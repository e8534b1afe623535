/** Names of files: which are taken, and how they stand in a header. */
import * as v from "valibot";
import { disposition, fileName } from "../../shared/files/names.ts";
import { readLaw } from "../_contract.ts";

const taken = (name: string) => v.safeParse(fileName, name).success;
const fits = (name: string) => readLaw().api.fault({ $ref: "schema:FileName" }, name) === undefined;

it.each([
  "一笔到底.png",
  "Ünïcödé – \u201cquotes\u201d.pdf",
  "e\u0301 (as a Mac writes it).txt",
  "ملف.zip",
  "קובץ \u200fעם סימן.doc",
  "👩‍👩‍👧 family.jpg",
  " spaces around ",
  'semi;colon="quoted" 100%.csv',
  "CON",
  "...",
  ".htaccess",
  "a".repeat(255),
  "面".repeat(255),
  "🍜".repeat(255),
])("the name %s is taken as it is", (name) => {
  expect(v.parse(fileName, name)).toBe(name);
  expect(fits(name)).toBe(true);
});

it.each([
  ["nothing", ""],
  ["one dot", "."],
  ["two dots", ".."],
  ["a path", "../../etc/passwd"],
  ["a path from the root", "/etc/passwd"],
  ["a path of Windows", "..\\boot.ini"],
  ["a NUL", "a.png\0.html"],
  ["a line end", "a\r\nSet-Cookie: x=1"],
  ["a tab", "a\tb"],
  ["an escape", "\u001b[2J"],
  ["a C1 control", "a\u0085b"],
  ["a separator of lines", "a\u2028b"],
  ["a mark that turns the direction", "photo\u202Egpj.exe"],
  ["an isolate", "a\u2066b\u2069"],
  ["half of a character", "a\uD83C"],
  ["no character", "a\uFFFF"],
  ["256 characters", "a".repeat(256)],
  ["no text", 5 as unknown as string],
])("%s is no name", (_, name) => {
  expect(taken(name)).toBe(false);
  expect(fits(name)).toBe(false);
});

/** What a browser makes of it: RFC 8187's form first. */
function nameIn(header: string): { plain: string | undefined; whole: string } {
  const whole = /filename\*=UTF-8''([!#$&+.^_`|~A-Za-z0-9%-]*)$/.exec(header)?.[1] ?? "";
  return { plain: /filename="([^"\\]*)"/.exec(header)?.[1], whole: decodeURIComponent(whole) };
}

it.each([
  ["一笔.png", "__.png"],
  ['a"b\\c%41.txt', "a_b_c_41.txt"],
  ["it's (1)*.pdf", "it's (1)*.pdf"],
  ["🍜 bowl.jpg", "_ bowl.jpg"],
  ["plain.zip", "plain.zip"],
])("the name %s stands in a header whole, and as %s for old clients", (name, plain) => {
  const header = disposition("attachment", name);
  expect(header).toMatch(/^[\x20-\x7e]+$/);
  expect(header.startsWith("attachment; filename=")).toBe(true);
  expect(nameIn(header)).toEqual({ plain, whole: name });
});
