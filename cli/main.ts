/** The command line: `npx orderbell …`. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { AddressWrong } from "../db/address.ts";
import { ConnectionLost } from "../db/database.ts";
import { explainRefusal } from "../db/explain.ts";
import { makeApp, printedLog, systemClock } from "../functions/_app.ts";
import { type AdminAnswer, type AdminEvent, administer } from "../functions/admin.ts";
import { ConfigError, databaseOptions, homeOf, readConfig } from "../shared/config.ts";
import { ensureIndexes } from "../shared/live/ensure_indexes.ts";
import { askServer, followLog } from "./admin_socket.ts";
import type { Ask, Output } from "./collection_commands.ts";
import { readCollections } from "./collections_file.ts";
import { help, type ParsedCommand, parseCommand, UsageError } from "./commands.ts";
import { demoKeys } from "./demo_keys.ts";
import { type StageOptions, splitStageOptions } from "./stage_options.ts";

type Environment = NodeJS.ProcessEnv;

/** @returns the exit code */
export async function main(argv: readonly string[], environment: Environment): Promise<number> {
  try {
    const { stageOptions, rest } = splitStageOptions(argv);
    if (stageOptions !== undefined) return await runInStage(stageOptions, rest, environment);
    switch (argv[0]) {
      case "start":
        await (await import("./start.ts")).start(argv.slice(1), environment);
        return 0;
      case "serve":
        await (await import("./serve.ts")).serve(argv.slice(1), environment);
        return 0;
      case "mock":
        await (await import("./mock.ts")).mock(argv.slice(1));
        return 0;
      case "init-db":
        return await initDb(environment);
      case "tail": {
        const followed = await followLog(homeOf(environment), (text) => process.stdout.write(text));
        return followed ? 0 : printError("no server runs here; start one with `npm start`");
      }
    }
    const command = parseCommand(argv);
    if (command === undefined) {
      if (argv.length > 0 && argv[0] !== "help" && argv[0] !== "--help")
        return printError(`there is no command "${argv.join(" ")}"\n\n${help()}`, 2);
      process.stdout.write(help());
      return 0;
    }
    if (command.calls === undefined) return await printAnswers(command, () => runAdmin(command.event, environment));
    const { calls } = command;
    return printAnswer(command, await withServer(environment, (ask) => calls(ask, output)));
  } catch (error) {
    if (error instanceof UsageError || error instanceof ConfigError || expectedErrors.has((error as Error).name))
      return printError((error as Error).message, 2);
    const problem = databaseProblem(error);
    if (problem !== undefined) return printError(`DATABASE_URL: ${problem}`, 2);
    // The reader of the output has enough, such as `head`.
    if ((error as NodeJS.ErrnoException).code === "EPIPE") return 0;
    // The port is in use or not permitted.
    if ((error as NodeJS.ErrnoException).syscall === "listen") return printError((error as Error).message);
    throw error;
  }
}

/** Errors whose message is enough for the user. */
const expectedErrors = new Set([
  "DirectoryLocked",
  "NoCredentials",
  "AwsRefused",
  "FunctionFailed",
  "SchemaTooNew",
  "LockTaken",
  "ServerEnded",
  "CollectionsWrong",
  "FileUnreadable",
]);

/** @returns why the database cannot be used, in a sentence; undefined for other errors */
function databaseProblem(error: unknown): string | undefined {
  if (error instanceof AddressWrong) return `it ${error.message}`;
  if (error instanceof ConnectionLost) return error.reason ?? error.message;
  return explainRefusal(error);
}

/** Runs a command for a stage in the cloud. */
async function runInStage(
  stageOptions: StageOptions,
  argv: readonly string[],
  environment: Environment,
): Promise<number> {
  // Loaded only for a command that needs the cloud.
  const { askStage } = await import("./stage.ts");
  if (argv[0] === "init-db") {
    const { applied } = (await askStage(stageOptions, "init_db", {}, environment)) as { applied: number[] };
    return printApplied(applied);
  }
  if (argv[0] === "doctor") {
    const { diagnose, formatFindings } = await import("./doctor.ts");
    const findings = await diagnose(stageOptions, environment);
    process.stdout.write(formatFindings(findings));
    return findings.every(({ ok }) => ok) ? 0 : 1;
  }
  const command = parseCommand(argv);
  if (command === undefined)
    throw new UsageError(
      `"${argv[0] ?? ""}" is not for a stage; the log of a stage is shown by \`npx serverless logs -f bill --tail\``,
    );
  const ask: Ask = async (event) => (await askStage(stageOptions, "admin", event, environment)) as AdminAnswer;
  if (command.calls !== undefined) return printAnswer(command, await command.calls(ask, output));
  return printAnswers(command, () => ask(command.event));
}

const followMs = 1_000;

/** Once; or, for a command that follows, until there is nothing more to come. */
async function printAnswers(command: ParsedCommand, ask: () => Promise<AdminAnswer>): Promise<number> {
  for (;;) {
    const answer = await ask();
    const code = printAnswer(command, answer);
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

const runAdmin = (event: AdminEvent, environment: Environment): Promise<AdminAnswer> =>
  withServer(environment, (ask) => ask(event));

/** Asks the server that runs here; without one works on the database itself, opened once: DATABASE_URL, or the embedded one. */
async function withServer<T>(environment: Environment, work: (ask: Ask) => Promise<T>): Promise<T> {
  let opened: ReturnType<typeof openApp> | undefined;
  const ask: Ask = async (event) => {
    // Even with a DATABASE_URL: only the server has the sockets, and its log is the one that is read.
    const answer = opened === undefined ? await askServer(homeOf(environment), event) : undefined;
    if (answer !== undefined) return answer;
    opened ??= openApp(environment);
    return administer(await opened)(event);
  };
  try {
    return await work(ask);
  } finally {
    await (await opened?.catch(() => undefined))?.db.close();
  }
}

async function openApp(environment: Environment): Promise<ReturnType<typeof makeApp>> {
  const home = homeOf(environment);
  const embedded = environment.DATABASE_URL === undefined;
  if (embedded && !existsSync(join(home, "data")))
    throw new UsageError("there is no database yet: run `npm start` once, or set DATABASE_URL");
  const config = {
    ...readConfig(embedded ? { ...environment, ...demoKeys(home), DATABASE_URL: `pglite:${home}` } : environment),
    collections: readCollections(environment),
  };
  const db = embedded
    ? await (await import("../db/pglite.ts")).openPglite({ directory: home })
    : await (await import("../db/open.ts")).openDatabase({ ...databaseOptions(config), maxConnections: 1 });
  return makeApp({ config, db, gateway: noGateway, log: printedLog("error"), invoke: async () => {} });
}

/** This process has no sockets; a running server notices changes by itself. */
const noGateway: Parameters<typeof makeApp>[0]["gateway"] = {
  renew: async () => {},
  subscribe: async () => "left",
  unsubscribe: async () => {},
  subscribers: () => [],
  publish: async () => ({ readers: 0, sent: 0, gone: 0 }),
  publishEach: async () => ({ readers: 0, sent: 0, gone: 0 }),
  send: async () => "gone",
  close: async () => {},
};

async function initDb(environment: Environment): Promise<number> {
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
