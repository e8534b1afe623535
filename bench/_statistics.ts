/** Arithmetic of the benchmark: percentiles, ratios of paired rounds, and when a round says nothing. */

export const ascending = (list: readonly number[]) => list.toSorted((a, b) => a - b);

/** The value that `share` of a sorted list are at most (nearest rank); NaN of none. */
export const at = (sorted: ArrayLike<number>, share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * share) - 1))] ?? Number.NaN;

export interface Quantiles {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

export function quantiles(sorted: ArrayLike<number>): Quantiles {
  const [p50, p90, p99, p999, max] = [0.5, 0.9, 0.99, 0.999, 1].map((share) => at(sorted, share)) as [
    number,
    number,
    number,
    number,
    number,
  ];
  return { count: sorted.length, p50, p90, p99, p999, max };
}

/** Median, minimum and maximum, of rounds or of their ratios. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly of: number;
}

/** The median of an even number of values is the mean of the two in the middle. */
export function spread(list: readonly number[]): Spread | undefined {
  if (list.length === 0) return undefined;
  const sorted = ascending(list);
  const [low, high] = [Math.floor((list.length - 1) / 2), Math.ceil((list.length - 1) / 2)];
  const median = ((sorted[low] as number) + (sorted[high] as number)) / 2;
  return { median, min: sorted[0] as number, max: sorted.at(-1) as number, of: list.length };
}

/** Values by round. */
export type Rounds = ReadonlyMap<number, number>;

/** The ratio of each round that both have: what disturbed the machine in one round disturbed both. */
export const pairedRatios = (own: Rounds, other: Rounds): number[] =>
  [...own].flatMap(([round, value]) => {
    const against = other.get(round);
    return against === undefined ? [] : [value / against];
  });

/** A generator that was late for more than this says nothing about the server. */
export const latePercent = 0.1;

export const isVoid = (late: number, sent: number, percent = latePercent) => late > (sent * percent) / 100;

/** Three significant digits: more would be noise. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return "–";
  return Number.isInteger(value) || Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** Prints median, minimum and maximum of the pairs of one ratio. */
export function printRatio(name: string, list: readonly number[]): void {
  const { median, min, max } = spread(list) ?? { median: Number.NaN, min: Number.NaN, max: Number.NaN };
  console.log(`${name}: median ${median.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)}) of ${list.length} pairs`);
}
