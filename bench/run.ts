/** `npm run bench`: see README.md. */
import { workloads } from "./_all.ts";
import { judge } from "./_judge.ts";
import { describeMachine, type Machine } from "./_machine.ts";
import { figuresOf, type Result, writeResult } from "./_result.ts";
import { type Options, type Outcome, runWorkload, secondsOf } from "./_runner.ts";
import { figureTable, targetTable } from "./_tables.ts";
import { targets } from "./_targets.ts";
import type { Profile, Workload } from "./_workload.ts";

interface Command {
  readonly profile: Profile;
  readonly chosen: readonly Workload[];
  readonly save: boolean;
  readonly options: Options;
}

const usage = `npm run bench                          the short profile: under 10 minutes, one table with ratios
npm run bench -- --full                the real one; writes bench/results/latest.json
npm run bench -- --full --only a,b     some workloads of it
npm run bench -- NAME --rate 500 …     one workload, with its options; --full for its full profile, --save to write the file
npm run bench -- picture               draws docs/pictures/bench.svg from the result file
workloads: ${workloads.map(({ name }) => name).join(", ")}`;

function workloadOf(name: string): Workload {
  const found = workloads.find((one) => one.name === name);
  if (found === undefined) throw new TypeError(`there is no workload "${name}"\n\n${usage}`);
  return found;
}

/** `--name value`, and `--full` and `--save` without one. */
export function readCommand(argv: readonly string[]): Command {
  const names: string[] = [];
  const options: Record<string, string> = {};
  const flags = new Set<string>();
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] as string;
    if (word === "--full" || word === "--save") flags.add(word);
    else if (word.startsWith("--")) {
      const value = argv[++at];
      if (value === undefined) throw new TypeError(`${word} needs a value\n\n${usage}`);
      options[word.slice(2)] = value;
    } else names.push(word);
  }
  const { only, ...rest } = options;
  const profile = flags.has("--full") ? "full" : "short";
  const wanted = [...names, ...(only?.split(",") ?? [])];
  const chosen =
    wanted.length > 0
      ? wanted.map(workloadOf)
      : workloads.filter(({ seconds }) => profile === "full" || seconds.short !== undefined);
  return { profile, chosen, save: flags.has("--save") || (profile === "full" && names.length === 0), options: rest };
}

function printMachine({
  processor,
  cores,
  memoryGb,
  kernel,
  load,
  node,
  fdatasyncMs,
  databases,
  commit,
}: Machine): void {
  console.log(
    `${processor}, ${cores} cores, ${memoryGb} GB, ${kernel}, Node ${node}, commit ${commit}, load ${load.toFixed(1)}`,
  );
  console.log(`fdatasync ${fdatasyncMs.p50.toFixed(2)} ms (p99 ${fdatasyncMs.p99.toFixed(2)})`);
  for (const [engine, { version, durable, settings }] of Object.entries(databases)) {
    const list = Object.entries(settings).map(([name, value]) => `${name} ${value}`);
    console.log(`${engine}: ${version.split(" (")[0]}, ${durable ? "durable" : "NOT durable"} (${list.join(", ")})`);
  }
}

function printOutcomes(outcomes: readonly Outcome[]): void {
  for (const { workload, figures, notes, problems, voids } of outcomes) {
    console.log(`\n${workload}`);
    if (figures.length > 0) console.log(figureTable(figures));
    for (const line of notes) console.log(`note: ${line}`);
    for (const line of voids) console.log(`void: ${line}`);
    for (const line of problems) console.log(`FAILED: ${line}`);
  }
}

export async function main(argv: readonly string[]): Promise<number> {
  const { profile, chosen, save, options } = readCommand(argv);
  const machine = await describeMachine();
  printMachine(machine);
  const seconds = chosen.reduce((sum, workload) => sum + secondsOf(workload, profile), 0);
  console.log(`${profile} profile, ${chosen.length} workloads, at most about ${Math.ceil(seconds / 60)} minutes`);
  const outcomes: Outcome[] = [];
  for (const workload of chosen) outcomes.push(await runWorkload(workload, profile, options));

  const result: Result = { profile, machine, options, outcomes };
  if (save) writeResult(result);
  printOutcomes(outcomes);
  const figures = figuresOf(result);
  const ran = new Set(outcomes.map(({ workload }) => workload));
  const reached = targets.filter(({ workload }) => ran.has(workload)).flatMap((target) => judge(target, figures));
  if (reached.length > 0) console.log(`\n${targetTable(reached)}`);
  const failed = outcomes.filter(({ problems }) => problems.length > 0);
  if (failed.length > 0) console.log(`\nfailed: ${failed.map(({ workload }) => workload).join(", ")}`);
  return failed.length > 0 ? 1 : 0;
}

// A workload that was given up may still hold sockets.
main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error) => {
    console.error((error as Error).message);
    process.exit(1);
  },
);
