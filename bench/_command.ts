/** Reads the command line of `npm run bench`. */
import type { Options } from "./_runner.ts";
import type { Profile, Workload } from "./_workload.ts";

/** What all workloads together may take. */
export const mostMinutes: Readonly<Record<Profile, number>> = { short: 10, full: 30 };

export interface Command {
  readonly profile: Profile;
  readonly chosen: readonly Workload[];
  readonly save: boolean;
  /** Of all workloads together, if the command says so. */
  readonly minutes: number | undefined;
  readonly options: Options;
}

const usageOf = (
  workloads: readonly Workload[],
) => `npm run bench                          the short profile: under 10 minutes, one table with ratios
npm run bench -- --full                the real one; writes bench/results/latest.json
npm run bench -- --full --only a,b     some workloads of it
npm run bench -- NAME --rate 500 …     one workload, with its options; --full for its full profile, --save to write the file
npm run bench -- picture               draws docs/pictures/bench.svg from the result file
workloads: ${workloads.map(({ name }) => name).join(", ")}`;

/** `--name value`, and `--full` and `--save` without one. */
export function readCommand(argv: readonly string[], workloads: readonly Workload[]): Command {
  const refuse = (problem: string): never => {
    throw new TypeError(`${problem}\n\n${usageOf(workloads)}`);
  };
  const workloadOf = (name: string) =>
    workloads.find((one) => one.name === name) ?? refuse(`there is no workload "${name}"`);
  const names: string[] = [];
  const options: Record<string, string> = {};
  const flags = new Set<string>();
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] as string;
    if (word === "--full" || word === "--save") flags.add(word);
    else if (word.startsWith("--")) {
      options[word.slice(2)] = argv[++at] ?? refuse(`${word} needs a value`);
    } else names.push(word);
  }
  const { only, minutes, ...rest } = options;
  const profile = flags.has("--full") ? "full" : "short";
  const wanted = [...names, ...(only?.split(",") ?? [])];
  const chosen =
    wanted.length > 0
      ? wanted.map(workloadOf)
      : workloads.filter(({ seconds }) => profile === "full" || seconds.short !== undefined);
  const save = flags.has("--save") || (profile === "full" && names.length === 0);
  return { profile, chosen, save, minutes: minutes === undefined ? undefined : Number(minutes), options: rest };
}
