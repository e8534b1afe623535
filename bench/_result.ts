/** The result file: figures with what they were measured on. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Machine } from "./_machine.ts";
import type { Outcome } from "./_runner.ts";
import type { Figure, Profile } from "./_workload.ts";

export const resultPath = fileURLToPath(new URL("results/latest.json", import.meta.url));

/** An outcome with where and when it was measured: `--only` replaces some, and keeps the others. */
export interface Stored extends Outcome {
  readonly at: string;
  readonly commit: string;
}

export interface Result {
  readonly profile: Profile;
  readonly machine: Machine;
  readonly options: Readonly<Record<string, string>>;
  readonly outcomes: readonly Stored[];
}

export const figuresOf = ({ outcomes }: { readonly outcomes: readonly Outcome[] }): (Figure & { workload: string })[] =>
  outcomes.flatMap(({ workload, figures }) => figures.map((figure) => ({ workload, ...figure })));

export const readResult = (): Result | undefined =>
  existsSync(resultPath) ? JSON.parse(readFileSync(resultPath, "utf8")) : undefined;

const line = (value: unknown) => `        ${JSON.stringify(value)}`;

function printStored({ figures, problems, notes, voids, seconds, ...head }: Stored): string {
  const rounded = figures.map(({ value, ...figure }) => ({ ...figure, value: Number(value.toPrecision(5)) }));
  const lists = Object.entries({ problems, notes, voids, figures: rounded }).map(([name, list]) =>
    list.length === 0 ? `      "${name}": []` : `      "${name}": [\n${list.map(line).join(",\n")}\n      ]`,
  );
  const fields = Object.entries({ ...head, seconds: Math.round(seconds) });
  return `    {\n${[...fields.map(([name, value]) => `      "${name}": ${JSON.stringify(value)}`), ...lists].join(",\n")}\n    }`;
}

/** One line per figure, so that a difference can be read. */
export const printResult = ({ outcomes, ...head }: Result): string =>
  `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "outcomes": [\n${outcomes.map(printStored).join(",\n")}\n  ]\n}\n`;

/** @param known the workloads that there are, in their order: what was removed is not kept */
export function merged(result: Result, before: Result | undefined, known: readonly string[]): Result {
  const kept = before?.profile === result.profile ? before.outcomes : [];
  const outcomes = known.flatMap((name) => {
    const of = (list: readonly Stored[]) => list.filter(({ workload }) => workload === name);
    return [...of(result.outcomes), ...of(kept)].slice(0, 1);
  });
  return { ...result, outcomes };
}

export function writeResult(result: Result): void {
  mkdirSync(fileURLToPath(new URL("results/", import.meta.url)), { recursive: true });
  writeFileSync(resultPath, printResult(result));
}
