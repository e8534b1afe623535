/** Runs one workload: paired rounds in alternating order, void rounds again, its time bounded, what it started stopped. */
import { type Running, type StartOptions, startContender } from "./_contender.ts";
import type { EngineName } from "./_database.ts";
import { installPeers, needsPackages } from "./_peers.ts";
import { digits } from "./_statistics.ts";
import { type Bench, type Figure, type Profile, type Rounds, VoidRound, type Workload } from "./_workload.ts";

/** Options of the command line by name, without the dashes. */
export type Options = Readonly<Record<string, string>>;

export interface Outcome {
  readonly workload: string;
  readonly seconds: number;
  readonly figures: readonly Figure[];
  /** Why its figures are not to be believed, or not there. */
  readonly problems: readonly string[];
  readonly notes: readonly string[];
  /** Rounds that said nothing, each with its reason. */
  readonly voids: readonly string[];
}

/** A void round is played again so often. */
const repeats = 2;

/** Beyond its time a workload gets this factor, then it is stopped: something hangs. */
const patience = 1.5;

const defaultRounds: Readonly<Record<Profile, number>> = { short: 3, full: 5 };

const print = (line: string) => console.log(`  ${line}`);

export class Run implements Bench {
  readonly profile: Profile;
  readonly engine: EngineName;
  readonly rounds: number;
  readonly figures: Figure[] = [];
  readonly problems: string[] = [];
  readonly notes: string[] = [];
  readonly voids: string[] = [];
  readonly #options: Options;
  readonly #until: number;
  readonly #running = new Set<Running>();
  /** Set once the workload was given up: what it still does is not reported. */
  #ended = false;

  constructor(profile: Profile, options: Options, seconds: number) {
    this.profile = profile;
    this.#options = options;
    this.engine = (options.engine ?? "postgres") as EngineName;
    this.rounds = this.number("rounds", defaultRounds);
    this.#until = performance.now() + seconds * 1_000;
  }

  number(name: string, defaults: Readonly<Record<Profile, number>>): number {
    const given = this.#options[name];
    const value = given === undefined ? defaults[this.profile] : Number(given);
    if (!Number.isFinite(value)) throw new TypeError(`--${name} must be a number, not "${given}"`);
    return value;
  }

  list<T extends string>(name: string, all: readonly T[]): T[] {
    const given = this.#options[name]?.split(",");
    const unknown = given?.filter((one) => !all.includes(one as T)) ?? [];
    if (unknown.length > 0) throw new TypeError(`--${name}: there is no ${unknown.join(", ")}; there are ${all}`);
    return all.filter((one) => given === undefined || given.includes(one));
  }

  async available<T extends string>(contenders: readonly T[]): Promise<T[]> {
    if (!contenders.some(needsPackages)) return [...contenders];
    const problem = await installPeers();
    if (problem === undefined) return [...contenders];
    for (const one of contenders.filter(needsPackages)) this.note(`${one} did not run: ${problem}`);
    return contenders.filter((one) => !needsPackages(one));
  }

  async start<T extends object>(script: string, options: StartOptions = {}): Promise<T & Running> {
    const contender = await startContender<T>(script, { engine: this.engine, ...options });
    const running: T & Running = {
      ...contender,
      stop: async () => {
        await contender.stop();
        this.#running.delete(running);
      },
    };
    this.#running.add(running);
    if (this.#ended) await running.stop();
    return running;
  }

  async play({ case: name, contenders, rounds = this.rounds, play }: Rounds): Promise<void> {
    const startedAt = performance.now();
    for (let round = 1; round <= rounds; round++) {
      const roundSeconds = (performance.now() - startedAt) / 1_000 / Math.max(1, round - 1);
      if (round > 1 && roundSeconds > this.secondsLeft()) {
        this.note(`${name}: ${round - 1} rounds of ${rounds}, then its time was up`);
        return;
      }
      for (const contender of round % 2 ? contenders : contenders.toReversed()) {
        if (this.#ended) return;
        await this.#playOne(name, contender, round, play);
      }
    }
  }

  async #playOne(name: string, contender: string, round: number, play: Rounds["play"]): Promise<void> {
    const title = `${name}, round ${round}, ${contender}`;
    for (let attempt = 0; attempt <= repeats && !this.#ended; attempt++)
      try {
        const measured = Object.entries(await play(contender, round));
        for (const [figure, [value, unit]] of measured)
          this.report({ contender, case: name, round, figure, unit, value });
        print(
          `${title}: ${measured.map(([figure, [value, unit]]) => `${figure} ${digits(value)} ${unit}`).join(", ")}`,
        );
        return;
      } catch (error) {
        if (!(error instanceof VoidRound)) return this.fail(`${title}: ${(error as Error).message}`);
        this.voids.push(`${title}: ${error.message}`);
        print(`${title}: void, ${error.message}`);
      }
  }

  report(figure: Figure): void {
    // A quantile of nothing: where nothing came, `late or lost` says so.
    if (!this.#ended && Number.isFinite(figure.value)) this.figures.push(figure);
  }

  fail(problem: string): void {
    if (this.#ended) return;
    this.problems.push(problem);
    print(`FAILED ${problem}`);
  }

  note(line: string): void {
    if (this.#ended || this.notes.includes(line)) return;
    this.notes.push(line);
    print(line);
  }

  secondsLeft(): number {
    return (this.#until - performance.now()) / 1_000;
  }

  async end(): Promise<void> {
    this.#ended = true;
    await Promise.all([...this.#running].map((running) => running.stop()));
  }
}

export const secondsOf = ({ seconds }: Workload, profile: Profile): number =>
  profile === "short" ? (seconds.short ?? seconds.full) : seconds.full;

/**
 * Never throws: what the workload throws is a problem of its outcome, and the others still run.
 * @param seconds its time
 */
export async function runWorkload(
  workload: Workload,
  profile: Profile,
  options: Options,
  seconds: number,
): Promise<Outcome> {
  console.log(`\n${workload.name}: ${workload.says}`);
  const startedAt = performance.now();
  const run = new Run(profile, options, seconds);
  let timer: NodeJS.Timeout | undefined;
  try {
    const hangs = new Promise<never>((_, reject) => {
      const error = new Error(`was stopped: more than ${patience} × ${Math.round(seconds)} s`);
      timer = setTimeout(() => reject(error), seconds * patience * 1_000);
    });
    await Promise.race([workload.run(run), hangs]);
  } catch (error) {
    run.fail(`${workload.name}: ${(error as Error).stack ?? error}`);
  } finally {
    clearTimeout(timer);
    await run.end().catch((error) => run.problems.push(`${workload.name}, at its end: ${error}`));
  }
  const { figures, problems, notes, voids } = run;
  return { workload: workload.name, seconds: (performance.now() - startedAt) / 1_000, figures, problems, notes, voids };
}
