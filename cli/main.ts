/** The command line: `npx orderbell …`. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { makeApp } from "../functions/_app.ts";
import { type AdminAnswer, type AdminEvent, administer } from "../functions/admin.ts";
import { ConfigError, homeOf, readConfig } from "../shared/config.ts";
import { commandOf, help, Misused } from "./commands.ts";
import { demoKeys } from "./keys.ts";
import { type Place, placeOf } from "./place.ts";
import { askServer, follow } from "./socket.ts";

type Environment = NodeJS.ProcessEnv;

/** @returns the exit code */
export async function main(argv: readonly string[], environment: Environment): Promise<number> {
  try {
    const { place, rest } = placeOf(argv);
    if (place !== undefined) return await inStage(place, rest, environment);
    switch (argv[0]) {
      case "start":
        await (await import("./start.ts")).start(argv.slice(1), environment);
        return 0;
      case "serve":
        await (await import("./serve.ts")).serve(environment);
        return 0;
      case "mock":
        await (await import("./mock.ts")).mock(argv.slice(1));
        return 0;
      case "init-db":
        return await initDb(environment);
      case "tail": {
        const followed = await follow(homeOf(environment), (text) => process.stdout.write(text));
        return followed ? 0 : complain("no server runs here; start one with `npm start`");
      }
    }
    const command = commandOf(argv);
    if (command === undefined) {
      if (argv.length > 0 && argv[0] !== "help" && argv[0] !== "--help")
        return complain(`there is no command "${argv.join(" ")}"\n\n${help()}`, 2);
      process.stdout.write(help());
      return 0;
    }
    return tell(command, await ask(command.event, environment));
  } catch (error) {
    if (error instanceof Misused || error instanceof ConfigError || expected.has((error as Error).name))
      return complain((error as Error).message, 2);
    // The port is taken, or not ours to have.
    if ((error as NodeJS.ErrnoException).syscall === "listen") return complain((error as Error).message);
    throw error;
  }
}

/** Not ours to repair, and the message says all. */
const expected = new Set(["DirectoryLocked", "NoCredentials", "AwsRefused", "FunctionFailed"]);

/** The same words, for a stage in the cloud. */
async function inStage(place: Place, argv: readonly string[], environment: Environment): Promise<number> {
  // Only who asks a cloud loads what it takes.
  const { askStage } = await import("./stage.ts");
  if (argv[0] === "init-db") {
    const { applied } = (await askStage(place, "init_db", {}, environment)) as { applied: number[] };
    return told(applied);
  }
  const command = commandOf(argv);
  if (command === undefined)
    throw new Misused(
      `"${argv[0] ?? ""}" is not for a stage; its log is shown by \`npx serverless logs -f bill --tail\``,
    );
  return tell(command, (await askStage(place, "admin", command.event, environment)) as AdminAnswer);
}

function tell(command: { print(answer: unknown): string }, answer: AdminAnswer): number {
  if ("ok" in answer) {
    process.stdout.write(command.print(answer.ok));
    return 0;
  }
  const { code, message, errors } = answer.error;
  return complain(Array.isArray(errors) ? errors.join("\n") : `${code}: ${message}`);
}

function told(applied: readonly number[]): number {
  process.stdout.write(applied.length === 0 ? "the tables are up to date\n" : `applied: ${applied.join(", ")}\n`);
  return 0;
}

function complain(message: string, code = 1): number {
  process.stderr.write(`${message}\n`);
  return code;
}

/** Asks the server that runs here; if none does, the database itself: of the address, or the embedded one. */
async function ask(event: AdminEvent, environment: Environment): Promise<AdminAnswer> {
  const home = homeOf(environment);
  const answer = environment.DATABASE_URL === undefined ? await askServer(home, event) : undefined;
  if (answer !== undefined) return answer;
  return withDatabase(environment, (app) => administer(app)(event));
}

async function withDatabase<T>(
  environment: Environment,
  work: (app: ReturnType<typeof makeApp>) => Promise<T>,
): Promise<T> {
  const home = homeOf(environment);
  const embedded = environment.DATABASE_URL === undefined;
  if (embedded && !existsSync(join(home, "data")))
    throw new Misused("there is no database yet: run `npm start` once, or set DATABASE_URL");
  const config = readConfig(
    embedded ? { ...environment, ...demoKeys(home), DATABASE_URL: `pglite:${home}` } : environment,
  );
  const db = embedded
    ? await (await import("../db/pglite.ts")).openPglite({ directory: home })
    : await (await import("../db/open.ts")).openDatabase({
        url: config.databaseUrl,
        maxConnections: 1,
        connectTimeoutMs: config.databaseConnectTimeoutMs,
      });
  try {
    return await work(
      makeApp({ config: { ...config, logLevel: "error" }, db, gateway: nobody, invoke: async () => {} }),
    );
  } finally {
    await db.close();
  }
}

/** No sockets are here; those of a running server find out by themselves. */
const nobody: Parameters<typeof makeApp>[0]["gateway"] = {
  renew: async () => {},
  subscribe: async () => "left",
  unsubscribe: async () => {},
  audience: () => [],
  publish: async () => {},
  send: async () => "gone",
  close: async () => {},
};

async function initDb(environment: Environment): Promise<number> {
  const { migrate } = await import("../db/migrate.ts");
  const applied = await withDatabase(environment, ({ db }) => migrate(db as Parameters<typeof migrate>[0]));
  return told(applied);
}
