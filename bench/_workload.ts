/** A workload of the benchmark, what it is given, and what it reports. Ratios and targets are derived from the figures. */
import type { Running, StartOptions } from "./_contender.ts";
import type { EngineName } from "./_database.ts";

export type Profile = "short" | "full";

/** `count`: of a thing that is counted, such as statements. `/s`: a rate, of which more is better. */
export type Unit = "ms" | "µs" | "s" | "/s" | "B" | "KB" | "MB" | "count";

/** One number of one round. Rounds begin with 1; a figure that is measured once has round 1. */
export interface Figure {
  readonly contender: string;
  readonly case: string;
  readonly round: number;
  readonly figure: string;
  readonly unit: Unit;
  readonly value: number;
}

/** Figures of one contender's round by name, such as `{ "push p50": [1.2, "ms"] }`. */
export type Measured = Readonly<Record<string, readonly [value: number, unit: Unit]>>;

/** Thrown by a round that says nothing: the generator was late. It is named in the result and played again, at most twice. */
export class VoidRound extends Error {
  override readonly name = "VoidRound";
}

export interface Rounds {
  readonly case: string;
  /** Played in this order in odd rounds, backwards in even ones, so that none always runs on the warm machine. */
  readonly contenders: readonly string[];
  /** Default: `--rounds`, else what the profile says. */
  readonly rounds?: number;
  /** Plays one round of one contender. @throws VoidRound */
  play(contender: string, round: number): Promise<Measured>;
}

export interface Bench {
  readonly profile: Profile;
  /** `--engine`, else PostgreSQL. */
  readonly engine: EngineName;
  /** `--rounds`, else 3 in the short profile and 5 in the full one. */
  readonly rounds: number;
  /** The number after `--name`, else the profile's. */
  number(name: string, defaults: Readonly<Record<Profile, number>>): number;
  /** The list after `--name` (`--contenders a,b`), else all of these. */
  list<T extends string>(name: string, all: readonly T[]): T[];
  /** Of these the ones that can run here, which means that packages of `bench/peers/` are installed first; the others are noted. */
  available<T extends string>(contenders: readonly T[]): Promise<T[]>;
  /** Starts a contender: a process of its own on a fresh database. What is still running when the workload ends is stopped. */
  start<T extends object>(script: string, options?: StartOptions): Promise<T & Running>;
  /** Plays paired rounds and reports their figures; begins no round for which the workload's time does not suffice. */
  play(rounds: Rounds): Promise<void>;
  report(figure: Figure): void;
  /** The run is wrong, whatever its figures: an order was lost, doubled or out of order. The workload goes on and has failed. */
  fail(problem: string): void;
  /** A line for the reader of the result: what was not measured, and why. */
  note(line: string): void;
  /** Seconds that this workload still has. */
  secondsLeft(): number;
}

export interface Workload {
  readonly name: string;
  /** What one number means, in one line; more stands in README.md. */
  readonly says: string;
  /** Its time in seconds, at most; without `short` it runs in the full profile or by its name only. */
  readonly seconds: { readonly short?: number; readonly full: number };
  run(bench: Bench): Promise<void>;
}

/** What must be reached, and what should be: a ratio of paired rounds, or with `to: "nothing"` the figure itself. */
export interface Target {
  readonly workload: string;
  /** As README.md and the table name it. */
  readonly says: string;
  readonly figure: string;
  /** Default: the only case, or each. */
  readonly case?: string;
  /** Default: orderbell. */
  readonly of?: string;
  readonly to: { readonly contender?: string; readonly case?: string } | "nothing";
  readonly better: "lower" | "higher";
  readonly must: number;
  readonly aim?: number;
}
