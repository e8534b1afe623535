/** Patterns of openapi.yaml: JavaScript, Go (RE2), Python and Java judge every text alike. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RE2JS } from "re2js";
import { patternsIn, strangeIn } from "../../scripts/check_patterns.ts";
import type { Json } from "../../scripts/read_api.ts";
import { readLaw } from "../_contract.ts";

const { document } = readLaw().api;
const patterns = [...new Set(patternsIn(document).map(([, pattern]) => pattern))];

const textsIn = (node: Json): string[] =>
  typeof node === "string"
    ? [node]
    : node === null || typeof node !== "object"
      ? []
      : Object.values(node).flatMap(textsIn);

/** Without those that end in a line end: `$` is before it too, in Python and Java. */
const samples = [
  ...new Set([
    ...textsIn(document).filter((text) => text.length < 100 && !text.startsWith("#/")),
    ...[
      "",
      " ",
      "-",
      "[",
      "]",
      "\\",
      "中",
      "😀",
      "é",
      "٣",
      "３",
      "\u2028a",
      "a\nb",
      "\u0000",
      "a".repeat(41),
      "9".repeat(16),
    ],
    ...[
      "com.orderbell.order",
      'attachment; filename="day.csv"',
      `a.${"b".repeat(43)}`,
      "comXorderbellX",
      "1234567890123456",
      "+86 139 0000 1234",
      "１３９００００１２３４",
    ],
  ]),
].filter((text) => !/[\n\r\u0085\u2028\u2029]$/.test(text));

type Verdicts = readonly string[];
const judge = (compile: (pattern: string) => (sample: string) => boolean): Verdicts =>
  patterns.map((pattern) => {
    const matches = compile(pattern);
    return samples.map((sample) => (matches(sample) ? 1 : 0)).join("");
  });

const ours = judge((pattern) => {
  const compiled = new RegExp(pattern, "u");
  return (sample) => compiled.test(sample);
});

const base64 = (texts: readonly string[]) => texts.map((text) => Buffer.from(text).toString("base64")).join("\n");

/** Patterns, then an empty line, then samples, each as a line of base64. */
const input = `${base64(patterns)}\n*\n${base64(samples)}\n`;

const python = `
import base64, re, sys
patterns, samples = ([base64.b64decode(line).decode() for line in part.split("\\n")] for part in sys.stdin.read()[:-1].split("\\n*\\n"))
for pattern in patterns:
    print("".join("1" if re.search(pattern, sample) else "0" for sample in samples))
`;

const java = `
import java.nio.charset.StandardCharsets;
import java.util.*;
import java.util.regex.Pattern;

class Patterns {
  static List<String> read(String part) {
    List<String> texts = new ArrayList<>();
    for (String line : part.split("\\n", -1)) texts.add(new String(Base64.getDecoder().decode(line), StandardCharsets.UTF_8));
    return texts;
  }
  public static void main(String[] args) throws Exception {
    String all = new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
    String[] parts = all.substring(0, all.length() - 1).split("\\n\\\\*\\n");
    for (String pattern : read(parts[0])) {
      Pattern compiled = Pattern.compile(pattern);
      StringBuilder line = new StringBuilder();
      for (String sample : read(parts[1])) line.append(compiled.matcher(sample).find() ? '1' : '0');
      System.out.println(line);
    }
  }
}
`;

const has = (command: string) => spawnSync(command, ["--version"]).status === 0;

/** How the program judges, line by line. */
function verdictsOf(command: string, name: string, program: string): Verdicts {
  const folder = mkdtempSync(join(tmpdir(), "orderbell-patterns-"));
  try {
    writeFileSync(join(folder, name), program);
    const { stdout, stderr, status } = spawnSync(command, [join(folder, name)], { input, encoding: "utf8" });
    expect([status, status === 0 ? "" : stderr]).toEqual([0, ""]);
    return stdout.trim().split(/\r?\n/);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("a pattern of openapi.yaml", () => {
  it("tells some of the texts from others", () => {
    expect(patterns.length).toBeGreaterThan(20);
    expect(patterns.filter((_, at) => !/01|10/.test(ours[at] ?? ""))).toEqual([]);
  });

  it("is read by RE2, and so by Go, as by JavaScript", () => {
    const theirs = judge((pattern) => {
      const compiled = RE2JS.compile(pattern);
      return (sample) => compiled.matcher(sample).find();
    });
    expect(theirs).toEqual(ours);
  });

  (has("python3") ? it : it.skip)("is read by Python as by JavaScript", () => {
    expect(verdictsOf("python3", "patterns.py", python)).toEqual(ours);
  });

  (has("java") ? it : it.skip)("is read by Java as by JavaScript", () => {
    expect(verdictsOf("java", "Patterns.java", java)).toEqual(ours);
  });
});

describe("check_patterns", () => {
  it.each([
    String.raw`^\d+$`,
    "^a.b$",
    "(?:a)",
    "(?=a)b",
    String.raw`[^\p{Cc}]`,
    String.raw`[\s]`,
    "[a&&b]",
    "[[a]",
    "a{1001}",
    "a$b",
    "a\u0000",
    "(a",
  ])("refuses %j", (pattern) => {
    expect(strangeIn(pattern)).toBeDefined();
  });

  it.each(["^(a|b)*$", "[.]", String.raw`^\.$`, "^[^/ ]{2,4}x?$", "Z$"])("takes %j", (pattern) => {
    expect(strangeIn(pattern)).toBeUndefined();
  });
});
