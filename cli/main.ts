/** The command line: `npx orderbell …`. */
import { AddressWrong } from "../db/address.ts";
import { ConnectionLost } from "../db/database.ts";
import { explainRefusal } from "../db/explain.ts";
import { systemClock } from "../functions/_app.ts";
import type { AdminAnswer } from "../functions/admin.ts";
import { ConfigError, homeOf } from "../shared/config.ts";
import { ensureIndexes } from "../shared/live/ensure_indexes.ts";
import type { Ask, Output } from "./collection_commands.ts";
import { type Args, type BuiltCommand, buildCommand, type Command, commands } from "./commands.ts";
import { type OtherCommand, type Parsed, parseArguments } from "./parse_arguments.ts";
import { type Environment, openApp, type Reach, withAdmin } from "./reach_admin.ts";
import { splitStageOptions } from "./stage_options.ts";
import { UsageError } from "./usage_error.ts";

/** @returns the exit code: 0 done, 1 refused, 2 misused or misconfigured */
export async function main(argv: readonly string[], environment: Environment): Promise<number> {
  try {
    const { stageOptions: stage, rest } = splitStageOptions(argv);
    const parsed = parseArguments(rest);
    if ("text" in parsed) {
      process.stdout.write(parsed.text);
      return 0;
    }
    const onReached = (sentence: string) => {
      if (parsed.isVerbose) output.remark(sentence);
    };
    const reach = { environment, stage, onReached };
    const command: Command | undefined = commands[parsed.name];
    if (command === undefined) return await runOther(parsed, reach);
    if (parsed.name === "doctor" && stage !== undefined) return await diagnoseStage(reach);
    return await withAdmin(reach, (ask) => runCommand(built(parsed.name, command, parsed.args), ask, reach));
  } catch (error) {
    return exitCodeOf(error);
  }
}

function built(name: string, command: Command, args: Args): BuiltCommand {
  try {
    return buildCommand(command, args);
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\nusage: orderbell ${name} ${command.words}`.trim());
  }
}

async function runCommand(command: BuiltCommand, ask: Ask, reach: Reach): Promise<number> {
  const { calls, event } = command;
  return calls === undefined
    ? printAnswers(command, () => ask(event))
    : printAnswer(command, await calls(ask, output, reach));
}

type Running = Exclude<Parsed, { text: string }>;

/** Runs a command that is no call of the `admin` function. */
async function runOther({ name, args, routes }: Running, reach: Reach): Promise<number> {
  const { environment, stage } = reach;
  const { options, flags = new Set() } = args;
  const other = name as OtherCommand;
  if (stage !== undefined && other !== "init-db")
    throw new UsageError(
      `"${name}" is not for a stage; the log of a stage is shown by \`npx serverless logs -f bill --tail\``,
    );
  switch (other) {
    case "start":
      await (await import("./start.ts")).start(
        { port: options.port, lan: flags.has("lan"), tls: flags.has("tls") },
        environment,
      );
      return 0;
    case "serve":
      await (await import("./serve.ts")).serve({ port: options.port, only: options.only }, environment);
      return 0;
    case "mock":
      await (await import("./mock.ts")).mock({ port: options.port, gateway: options.gateway, routes });
      return 0;
    case "init-db":
      return initDb(reach);
    case "tail":
      return (await import("./tail.ts")).tail(homeOf(environment), args, output);
  }
}

/** Errors whose message is enough for the user. */
const expectedErrors = new Set([
  "DirectoryLocked",
  "NoCredentials",
  "AwsRefused",
  "FunctionFailed",
  "SchemaTooNew",
  "ServerTooOld",
  "LockTaken",
  "ServerEnded",
  "CollectionsWrong",
  "PurposesWrong",
  "FileUnreadable",
]);

/** Prints the sentence of an error that the user can mend. @throws every other one */
function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError || error instanceof ConfigError || expectedErrors.has((error as Error).name))
    return printError((error as Error).message, 2);
  const problem = databaseProblem(error);
  if (problem !== undefined) return printError(`DATABASE_URL: ${problem}`, 2);
  const { code, syscall, message, address, port } = error as NodeJS.ErrnoException & {
    address?: string;
    port?: number;
  };
  // The reader of the output has enough, such as `head`.
  if (code === "EPIPE") return 0;
  if (code === "EADDRINUSE" && port !== undefined)
    return printError(`another program listens at ${address}:${port} (EADDRINUSE); try --port ${port + 1}`);
  // Not permitted, or no such address.
  if (syscall === "listen") return printError(message);
  throw error;
}

/** @returns why the database cannot be used, in a sentence; undefined for other errors */
function databaseProblem(error: unknown): string | undefined {
  if (error instanceof AddressWrong) return `it ${error.message}`;
  if (error instanceof ConnectionLost) return error.reason ?? error.message;
  return explainRefusal(error);
}

async function diagnoseStage({ stage, environment }: Reach): Promise<number> {
  const { diagnose, formatFindings } = await import("./doctor.ts");
  const findings = await diagnose(stage as NonNullable<typeof stage>, environment);
  process.stdout.write(formatFindings(findings));
  return findings.every(({ ok }) => ok) ? 0 : 1;
}

const followMs = 1_000;

/** Once; or, for a command that follows, until there is nothing more to come. */
async function printAnswers(command: BuiltCommand, ask: () => Promise<AdminAnswer>): Promise<number> {
  for (;;) {
    const answer = await ask();
    const code = printAnswer(command, answer);
    if ("ok" in answer && command.next !== undefined && process.stdout.isTTY === true)
      output.remark(command.next(answer.ok));
    if (!("ok" in answer) || command.goesOn?.(answer.ok) !== true) return code;
    await systemClock.sleep(followMs);
  }
}

function printAnswer(command: { print(answer: unknown): string }, answer: AdminAnswer): number {
  if ("ok" in answer) {
    process.stdout.write(command.print(answer.ok));
    return 0;
  }
  const { code, message, errors } = answer.error;
  return printError(Array.isArray(errors) ? errors.join("\n") : `${code}: ${message}`);
}

function printApplied(applied: readonly number[]): number {
  process.stdout.write(applied.length === 0 ? "the tables are up to date\n" : `applied: ${applied.join(", ")}\n`);
  return 0;
}

function printError(message: string, code = 1): number {
  process.stderr.write(`${message}\n`);
  return code;
}

/** Slower readers than the database, such as a pipe, are waited for. */
const output: Output = {
  out: (text) =>
    new Promise((resolve, reject) => {
      const { stdout } = process;
      const done = () => {
        stdout.off("error", reject);
        resolve();
      };
      stdout.once("error", reject);
      // An error comes in the turn of the write, or while it waits.
      if (stdout.write(text)) setImmediate(done);
      else stdout.once("drain", done);
    }),
  remark: (text) => void process.stderr.write(`${text}\n`),
};

async function initDb({ environment, stage }: Reach): Promise<number> {
  if (stage !== undefined) {
    const { askStage } = await import("./stage.ts");
    const { applied } = (await askStage(stage, "init_db", {}, environment)) as { applied: number[] };
    return printApplied(applied);
  }
  const { migrate } = await import("../db/migrate.ts");
  const app = await openApp(environment);
  const { db } = app;
  try {
    const applied = await migrate(db as Parameters<typeof migrate>[0]);
    await ensureIndexes(app);
    return printApplied(applied);
  } finally {
    await db.close();
  }
}
