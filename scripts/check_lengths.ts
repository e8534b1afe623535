/** Prints the longest functions, so that the author of a longer one notices. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { filesIn } from "./files_in.ts";

export interface Length {
  readonly file: string;
  readonly line: number;
  readonly lines: number;
}

const folders = ["apigateway", "cli", "clients", "cloud", "db", "demo", "functions", "miniprogram", "shared", "web"];

/** A line that begins a function. Other lines that end in a brace begin a block or a list. */
const begins =
  /(\bfunction\b.*|=>|^\s*(?:(?:async|static|get|set|private) )*#?[\w$]+\(.*\)(?:: [^{}]+)?) \{$|^\s*\)(?:: .+)? \{$/;
const isBlock = /^\s*(?:\} )?(?:if|else|for|while|switch|try|catch|do|class|interface|describe|it)\b/;

/** @param text as Biome formats it: a function's first and last line have the same indentation */
export function lengthsIn(file: string, text: string): Length[] {
  const lines = text.split("\n");
  const depthOf = (line: string) => line.length - line.trimStart().length;
  return lines.flatMap((line, at) => {
    if (!begins.test(line) || isBlock.test(line)) return [];
    const depth = depthOf(line);
    const end = lines.findIndex((one, nth) => nth > at && depthOf(one) === depth && one.trimStart().startsWith("}"));
    return end < 0 ? [] : [{ file, line: at + 1, lines: end - at + 1 }];
  });
}

/** The longest first. A component of a page counts with its markup. */
export function longest(count: number, root = fileURLToPath(new URL("..", import.meta.url))): Length[] {
  return folders
    .flatMap((folder) =>
      filesIn(`${root}${folder}`)
        .filter((name) => /\.tsx?$/.test(name))
        .map((name) => `${folder}/${name}`),
    )
    .flatMap((file) => lengthsIn(file, readFileSync(`${root}${file}`, "utf8")))
    .toSorted((a, b) => b.lines - a.lines)
    .slice(0, count);
}

export function checkLengths(): string[] {
  for (const { file, line, lines } of longest(3)) console.log(`     ${lines} lines: the function at ${file}:${line}`);
  return [];
}
