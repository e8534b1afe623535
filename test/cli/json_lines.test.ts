/** JSON Lines in portions: every line once, with its number, whatever the file's pieces are. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Portion, portionsOf } from "../../cli/json_lines.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "orderbell-lines-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function read(bytes: string | Uint8Array): Promise<Portion[]> {
  const path = join(folder, "file.jsonl");
  writeFileSync(path, bytes);
  const all: Portion[] = [];
  for await (const portion of portionsOf(path)) all.push(portion);
  return all;
}

it("a large file comes in portions of bounded size, in order, its characters whole", async () => {
  // Three bytes each: the pieces of a file end within some of them.
  const lines = Array.from({ length: 3_000 }, (_, nth) => `{"n":${nth},"text":"${"面".repeat(nth % 97)}"}`);
  const portions = await read(lines.join("\r\n"));
  expect(portions.flatMap((portion) => portion.lines)).toEqual(lines);
  let from = 1;
  for (const portion of portions) {
    expect(portion.from).toBe(from);
    expect(portion.lines.length).toBeLessThanOrEqual(200);
    from += portion.lines.length;
  }
  const wide = await read(Array.from({ length: 30 }, () => "x".repeat(100_000)).join("\n"));
  expect(Math.max(...wide.map((portion) => portion.lines.join("").length))).toBeLessThanOrEqual(512 * 1_024);
  expect(wide.flatMap((portion) => portion.lines)).toHaveLength(30);
});

it("an empty file is one empty portion, and a last line needs no end", async () => {
  expect(await read("")).toEqual([{ from: 1, lines: [] }]);
  expect(await read("\uFEFFa\n\nb")).toEqual([{ from: 1, lines: ["a", "", "b"] }]);
  expect(await read("a\n")).toEqual([{ from: 1, lines: ["a"] }]);
});

it("what is no text of lines is refused with its line", async () => {
  await expect(read(`a\n${"x".repeat(300_000)}`)).rejects.toThrow(
    "line 2 is too long: each line holds one document as JSON",
  );
  await expect(read(Uint8Array.of(0x61, 0x0a, 0xff, 0x61))).rejects.toThrow(
    /^line \d or one soon after it is not UTF-8$/,
  );
  await expect(portionsOf(join(folder, "none")).next()).rejects.toThrow("ENOENT");
});
