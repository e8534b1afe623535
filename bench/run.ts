/** `npm run bench`: see README.md. */
import { workloads } from "./_all.ts";
import { type Command, mostMinutes, readCommand } from "./_command.ts";
import { judge } from "./_judge.ts";
import { describeMachine, type Machine } from "./_machine.ts";
import { drawPicture } from "./_picture.ts";
import { figuresOf, merged, readResult, writeResult } from "./_result.ts";
import { type Outcome, runWorkload, secondsOf } from "./_runner.ts";
import { figureTable, targetTable } from "./_tables.ts";
import { targets } from "./_targets.ts";

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

/** A workload gets its own time: less in proportion where all together would take too long, and more where `--minutes` says so. */
async function runAll({ chosen, profile, options, minutes }: Command): Promise<Outcome[]> {
  const seconds = chosen.reduce((sum, workload) => sum + secondsOf(workload, profile), 0);
  const share = ((minutes ?? mostMinutes[profile]) * 60) / seconds;
  const scale = minutes === undefined ? Math.min(1, share) : share;
  const most = Math.ceil((seconds * scale) / 60);
  console.log(`${profile} profile, ${chosen.length} workloads, at most about ${most} minutes`);
  const outcomes: Outcome[] = [];
  for (const workload of chosen)
    outcomes.push(await runWorkload(workload, profile, options, secondsOf(workload, profile) * scale));
  return outcomes;
}

function printTargets(outcomes: readonly Outcome[]): void {
  const ran = new Set(outcomes.map(({ workload }) => workload));
  const figures = figuresOf({ outcomes });
  const reached = targets.filter(({ workload }) => ran.has(workload)).flatMap((target) => judge(target, figures));
  if (reached.length > 0) console.log(`\n${targetTable(reached)}`);
}

async function main(argv: readonly string[]): Promise<number> {
  if (argv[0] === "picture") {
    drawPicture();
    return 0;
  }
  const command = readCommand(argv, workloads);
  const { profile, save, options } = command;
  const machine = await describeMachine();
  printMachine(machine);
  const outcomes = await runAll(command);
  if (save) {
    const { at, commit } = machine;
    const result = { profile, machine, options, outcomes: outcomes.map((outcome) => ({ ...outcome, at, commit })) };
    const known = workloads.map(({ name }) => name);
    writeResult(merged(result, readResult(), known));
  }
  printOutcomes(outcomes);
  printTargets(outcomes);
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
