/** Judges figures by targets. */
import { pairedRatios, type Rounds, type Spread, spread } from "./_statistics.ts";
import type { Figure, Target } from "./_workload.ts";

export interface Reached {
  readonly target: Target;
  /** One for each case of the figure; undefined when it was not measured. */
  readonly case: string;
  readonly spread: Spread | undefined;
  readonly verdict: "aim reached" | "reached" | "not reached" | "not measured";
}

type Figures = readonly (Figure & { readonly workload: string })[];

/** @returns the values by round */
export function roundsOf(figures: readonly Figure[], contender: string, name: string, figure: string): Rounds {
  const own = figures.filter((one) => one.contender === contender && one.case === name && one.figure === figure);
  return new Map(own.map(({ round, value }) => [round, value]));
}

function verdictOf({ better, must, aim }: Target, median: number | undefined): Reached["verdict"] {
  if (median === undefined) return "not measured";
  const reaches = (bar: number) => (better === "lower" ? median <= bar : median >= bar);
  if (!reaches(must)) return "not reached";
  return aim !== undefined && reaches(aim) ? "aim reached" : "reached";
}

export function judge(target: Target, figures: Figures): Reached[] {
  const { workload, figure, of = "orderbell", to } = target;
  const own = figures.filter((one) => one.workload === workload);
  const cases = new Set(own.filter((one) => one.contender === of && one.figure === figure).map((one) => one.case));
  const against = to === "nothing" ? undefined : to.case;
  const wanted = target.case === undefined ? [...cases].filter((one) => one !== against) : [target.case];
  if (wanted.length === 0) return [{ target, case: "", spread: undefined, verdict: "not measured" }];
  return wanted.map((name) => {
    const values = roundsOf(own, of, name, figure);
    const list =
      to === "nothing"
        ? [...values.values()]
        : pairedRatios(values, roundsOf(own, to.contender ?? of, to.case ?? name, figure));
    const found = spread(list);
    return { target, case: name, spread: found, verdict: verdictOf(target, found?.median) };
  });
}
