/** The documents against the code: paths, links, log lines, variables, columns. */
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { filesIn } from "../scripts/files_in.ts";
import { headings } from "../shared/shop/menu_csv.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");

const filesBelow = (folder: string) =>
  filesIn(join(root, folder))
    // The benchmark's peers have packages of their own.
    .filter((name) => !name.includes("node_modules/"))
    .map((name) => `${folder}/${name}`);

/** A section by its heading, up to the next one of the same depth. */
function section(path: string, heading: string): string {
  const found = new RegExp(`^${heading}$([\\s\\S]*?)(?=^${/^#+/.exec(heading)?.[0]} |(?![\\s\\S]))`, "m").exec(
    read(path),
  );
  if (found === null) throw new Error(`${path} has no "${heading}"`);
  return found[1] ?? "";
}

/** The code words of the first cell of each row. */
const firstCells = (text: string) =>
  text
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .flatMap((line) => [...(line.split("|")[1] ?? "").matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name));

const documents = [
  "README.md",
  "README.zh-CN.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "CHANGELOG.md",
  "clients/README.md",
  "examples/README.md",
  "bench/README.md",
  ...filesBelow("docs").filter((path) => path.endsWith(".md")),
];

describe("links of the documents", () => {
  const anchorsOf = (path: string) =>
    [...read(path).matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    );

  it.each(documents)("of %s lead to a file and a heading that are there", (path) => {
    const text = read(path).replace(/```[\s\S]*?```/g, "");
    const lost = [...text.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = ""]) => target)
      .filter((target) => !/^https?:/.test(target))
      .filter((target) => {
        const [file = "", anchor] = target.split("#");
        const to = file === "" ? path : join(dirname(path), file);
        if (!existsSync(join(root, to))) return true;
        return anchor !== undefined && !anchorsOf(to).includes(anchor);
      });
    expect(lost).toEqual([]);
  });
});

describe("docs/README.md", () => {
  it("links every other document once", () => {
    const front = "docs/README.md";
    const linked = [...read(front).matchAll(/\]\(([^)#\s]+)/g)].map(([, to = ""]) => join(dirname(front), to));
    const others = documents.filter((path) => !["docs/README.md", "README.md", "README.zh-CN.md"].includes(path));
    expect(others.filter((path) => linked.filter((to) => to === path).length !== 1)).toEqual([]);
  });

  it("and its Chinese documents are those that the Chinese README links", () => {
    const chinese = documents.filter((path) => /^docs\/.*zh-CN\.md$/.test(path));
    expect(chinese.length).toBeGreaterThan(3);
    expect(chinese.filter((path) => !read("README.zh-CN.md").includes(`](${path}`))).toEqual([]);
  });
});

describe("the README's first screen", () => {
  it.each(["README.md", "README.zh-CN.md"])("of %s says how to begin, and shows pictures that can be read", (path) => {
    const [before = ""] = read(path).split(/^## /m);
    expect(before).toContain("npm ci && npm start");
    expect(before).toContain("client.watch(");
    const widths = [...read(path).matchAll(/<img [^>]*width="(\d+)"/g)].map(([, width]) => Number(width));
    expect(widths.length).toBeGreaterThan(2);
    expect(widths.filter((width) => width < 400)).toEqual([]);
  });
});

describe("docs/extending.md", () => {
  it("names files that are there", () => {
    const named = [...read("docs/extending.md").matchAll(/`((?:[\w.-]+\/)+[\w.-]*)`/g)].map(([, path = ""]) => path);
    expect(named.length).toBeGreaterThan(60);
    expect([...new Set(named)].filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it("lists an order's way as the imports lead it, through at most eight files of the server", () => {
    const rows = section("docs/extending.md", "## One order's way through the files")
      .split("\n")
      .filter((line) => /^\| \d/.test(line));
    const way = rows.map((row) => /`([^`]+)`/.exec(row)?.[1] ?? "");
    expect(way.length).toBeGreaterThan(4);
    expect(way.length).toBeLessThanOrEqual(8);
    const importsOf = (path: string) =>
      [...read(path).matchAll(/from "(\.[^"]+)"/g)].map(([, name = ""]) => join(dirname(path), name));
    const app = "shared/app.ts";
    // A port is reached through the app, and an adapter imports the port that it keeps.
    const leads = (from: string, to: string) =>
      importsOf(from).includes(to) ||
      importsOf(to).includes(from) ||
      (importsOf(from).includes(app) && importsOf(app).includes(to));
    const lost = way.slice(1).filter((path, at) => !way.slice(0, at + 1).some((before) => leads(before, path)));
    expect(lost).toEqual([]);
  });
});

describe("docs/operations.md", () => {
  it("has every event of the log, and no other", () => {
    const code = ["functions", "shared", "apigateway", "cli", "cloud", "db"]
      .flatMap(filesBelow)
      .filter((path) => path.endsWith(".ts"))
      .map(read)
      .join("\n");
    const calls = [
      ...code.matchAll(/\blog(?:\(\))?\s*\.\s*(?:debug|info|warn|error)\(\s*([^,()]+(?:\([^)]*\))?[^,()]*)[,)]/g),
      ...code.matchAll(/\battempt\(app, ("[a-z.]+")/g),
    ].map(([, first = ""]) => first);
    // `event` is what `attempt` was given.
    const names = calls
      .filter((first) => first !== "event")
      .flatMap((first) => {
        const texts = [...first.replace(/^.*\?/s, "").matchAll(/"([a-z_.]+)"/g)].map(([, name = ""]) => name);
        if (texts.length > 0) return texts;
        const [, before] = /^`([a-z]+\.)\$\{\w+\}`$/.exec(first.trim()) ?? [];
        if (before === undefined) throw new Error(`an event of the log that cannot be read: ${first}`);
        const conditions = /hints: Readonly<Record<Condition, string>> = \{([\s\S]*?)\n\}/.exec(code)?.[1] ?? "";
        return [...conditions.matchAll(/^\s+(\w+):/gm)].map(([, name]) => before + name);
      });
    expect(names.length).toBeGreaterThan(40);
    const documented = firstCells(section("docs/operations.md", "## Log lines"));
    expect(documented.toSorted()).toEqual([...new Set(names)].toSorted());
  });

  it("names each variable that tools and tests read", () => {
    const text = read("docs/operations.md");
    const found = ["scripts", "bench", "test"]
      .flatMap(filesBelow)
      .filter((path) => /\.(ts|mjs|cjs)$/.test(path) && path !== "test/architecture.test.ts")
      .flatMap((path) => [...read(path).matchAll(/\bprocess\.env\.([A-Z_]+)/g)].map(([, name = ""]) => name));
    // Passed from the tests' own beginning to their files; PATH is the system's.
    const own = /^(ORDERBELL_TEST_.*|PATH)$/;
    expect([...new Set(found)].filter((name) => !own.test(name) && !text.includes(`\`${name}\``))).toEqual([]);
  });
});

it("docs/testing.md has every file of shared/ in its table, and names files and tests that are there", () => {
  const rows = section("docs/testing.md", "## File → tests")
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .slice(2);
  const named = (line: string, cell: number) =>
    [...(line.split("|")[cell] ?? "").matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);
  const files = rows.flatMap((line) => named(line, 1));
  const isPath = (name: string) => /[/.]/.test(name);
  const inShared = filesBelow("shared").map((path) => basename(path, ".ts"));
  expect(files.filter((name) => !isPath(name)).toSorted()).toEqual(inShared.toSorted());
  expect(files.filter((name) => isPath(name) && !existsSync(join(root, name)))).toEqual([]);
  const tests = rows.flatMap((line) => named(line, 2));
  expect(tests.length).toBeGreaterThan(60);
  const isThere = (name: string) => existsSync(join(root, name.endsWith("/") ? name : `${name}.test.ts`));
  expect(tests.filter((name) => !isThere(name))).toEqual([]);
});

it("docs/menu.md has every column of a menu's table, with each heading that is taken for it", () => {
  const rows = section("docs/menu.md", "## CSV")
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => line.split("|").map((cell) => cell.trim()));
  const documented = Object.fromEntries(
    rows.map(([, name = "", others = ""]) => [name.replaceAll("`", ""), others.split(", ")]),
  );
  expect(documented).toEqual(headings);
});
