/** Tables of a result: figures of the contenders with ratios, and targets. */
import { type Reached, roundsOf } from "./_judge.ts";
import { digits, pairedRatios, type Spread, spread } from "./_statistics.ts";
import type { Figure } from "./_workload.ts";

const unique = <T>(list: readonly T[]) => [...new Set(list)];

const range = ({ median, min, max, of }: Spread) =>
  of === 1 ? digits(median) : `${digits(median)} (${digits(min)}–${digits(max)})`;

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

/** One row per case, figure and contender: the median of its rounds with minimum and maximum, and the first contender's ratio to it. */
export function figureRows(figures: readonly Figure[]): string[][] {
  const own = figures.some((one) => one.contender === "orderbell") ? "orderbell" : figures[0]?.contender;
  if (own === undefined) return [];
  return unique(figures.map((one) => one.case)).flatMap((name) => {
    const ofCase = figures.filter((one) => one.case === name);
    return unique(ofCase.map((one) => one.figure)).flatMap((figure) => {
      const ofFigure = ofCase.filter((one) => one.figure === figure);
      const ownRounds = roundsOf(ofFigure, own, name, figure);
      return unique([own, ...ofFigure.map((one) => one.contender)]).flatMap((contender) => {
        const rounds = roundsOf(ofFigure, contender, name, figure);
        const values = spread([...rounds.values()]);
        if (values === undefined) return [];
        const ratio = contender === own ? undefined : spread(pairedRatios(ownRounds, rounds));
        const unit = ofFigure[0]?.unit ?? "";
        return [[name, figure, contender, `${range(values)} ${unit}`, ratio === undefined ? "" : `× ${range(ratio)}`]];
      });
    });
  });
}

export const figureTable = (figures: readonly Figure[]): string => {
  const own = figures.some((one) => one.contender === "orderbell") ? "orderbell" : (figures[0]?.contender ?? "");
  return aligned([["case", "figure", "contender", "median (min–max)", `${own} / it`], ...figureRows(figures)]);
};

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
