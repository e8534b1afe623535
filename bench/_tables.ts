/** Tables of a result: figures of the contenders with ratios, and targets. */
import { type Reached, roundsOf } from "./_judge.ts";
import { digits, pairedRatios, type Spread, spread } from "./_statistics.ts";
import type { Figure } from "./_workload.ts";

const unique = <T>(list: readonly T[]) => [...new Set(list)];

const range = ({ median, min, max, of }: Spread, before = " (", behind = before === " (" ? ")" : "") =>
  of === 1 ? digits(median) : `${digits(median)}${before}${digits(min)}–${digits(max)}${behind}`;

/** Columns as wide as their widest cell. */
export function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** One row per case and figure: the median of each contender's rounds, with the first one's ratio to it, pair by pair. */
export function figureRows(figures: readonly Figure[]): string[][] {
  const names = unique(figures.map((one) => one.contender));
  const own = names.includes("orderbell") ? "orderbell" : (names[0] ?? "");
  const others = names.filter((name) => name !== own);
  const head = ["case", "figure", own, ...others.map((name) => `${name} (${own} / it)`)];
  const rows = unique(figures.map((one) => one.case)).flatMap((name) => {
    const ofCase = figures.filter((one) => one.case === name);
    return unique(ofCase.map((one) => one.figure)).map((figure) => {
      const unit = ofCase.find((one) => one.figure === figure)?.unit ?? "";
      const ownRounds = roundsOf(ofCase, own, name, figure);
      const cell = (contender: string) => {
        const rounds = roundsOf(ofCase, contender, name, figure);
        const values = spread([...rounds.values()]);
        if (values === undefined) return "";
        const ratio = contender === own ? undefined : spread(pairedRatios(ownRounds, rounds));
        const times = ratio === undefined || !Number.isFinite(ratio.median) ? "" : ` (× ${range(ratio, "; ")})`;
        return `${digits(values.median)}${unit === "count" ? "" : ` ${unit}`}${times}`;
      };
      return [name, figure, ...[own, ...others].map(cell)];
    });
  });
  return [head, ...rows];
}

export const figureTable = (figures: readonly Figure[]): string => aligned(figureRows(figures));

/** `target | reached | command`. */
export function targetRows(reached: readonly Reached[]): string[][] {
  return reached.map(({ target, case: name, spread: found, verdict }) => {
    const { better, must, aim, workload, says, to } = target;
    const sign = better === "lower" ? "≤" : "≥";
    const times = to === "nothing" ? "" : " ×";
    const bar = `${sign} ${must}${times}${aim === undefined ? "" : ` (aim ${aim})`}`;
    const subject = target.case === undefined && name !== "" ? `${says}, ${name}` : says;
    return [
      `${subject} ${bar}`,
      found === undefined ? verdict : `${range(found)}: ${verdict}`,
      `npm run bench -- ${workload} --full`,
    ];
  });
}

export const targetTable = (reached: readonly Reached[]): string =>
  aligned([["target", "reached", "command"], ...targetRows(reached)]);
