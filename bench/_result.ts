/** The result file: figures with what they were measured on. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Machine } from "./_machine.ts";
import type { Outcome } from "./_runner.ts";
import type { Figure, Profile } from "./_workload.ts";

export const resultPath = fileURLToPath(new URL("results/latest.json", import.meta.url));

export interface Result {
  readonly profile: Profile;
  readonly machine: Machine;
  readonly options: Readonly<Record<string, string>>;
  readonly outcomes: readonly Outcome[];
}

export const figuresOf = ({ outcomes }: Pick<Result, "outcomes">): (Figure & { workload: string })[] =>
  outcomes.flatMap(({ workload, figures }) => figures.map((figure) => ({ workload, ...figure })));

export const readResult = (): Result => JSON.parse(readFileSync(resultPath, "utf8"));

/** One line per figure, so that a difference can be read. */
export function printResult({ outcomes, ...head }: Result): string {
  const list = (name: string, lines: readonly unknown[]) =>
    `      ${JSON.stringify(name)}: [${lines.map((line) => `\n        ${JSON.stringify(line)}`).join(",")}${lines.length ? "\n      " : ""}]`;
  const texts = outcomes.map(
    ({ workload, seconds, problems, notes, voids, figures }) =>
      `    {\n      "workload": ${JSON.stringify(workload)},\n      "seconds": ${Math.round(seconds)},\n${[
        list("problems", problems),
        list("notes", notes),
        list("voids", voids),
        list(
          "figures",
          figures.map((figure) => ({ ...figure, value: Number(figure.value.toPrecision(5)) })),
        ),
      ].join(",\n")}\n    }`,
  );
  return `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "outcomes": [\n${texts.join(",\n")}\n  ]\n}\n`;
}

export function writeResult(result: Result): void {
  mkdirSync(fileURLToPath(new URL("results/", import.meta.url)), { recursive: true });
  writeFileSync(resultPath, printResult(result));
}
