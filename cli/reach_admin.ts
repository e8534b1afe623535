/** Reaches the `admin` function: in the server that runs here, in a stage in the cloud, or in this process on the database. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { makeApp, printedLog } from "../functions/_app.ts";
import { type AdminAnswer, administer } from "../functions/admin.ts";
import { databaseOptions, homeOf, readConfig } from "../shared/config.ts";
import { askServer } from "./admin_socket.ts";
import type { Ask } from "./collection_commands.ts";
import { readCollections } from "./collections_file.ts";
import { demoKeys } from "./demo_keys.ts";
import { operator } from "./operator.ts";
import { readPurposes } from "./purposes_file.ts";
import type { StageOptions } from "./stage_options.ts";
import { UsageError } from "./usage_error.ts";

export type Environment = NodeJS.ProcessEnv;

export interface Reach {
  readonly environment: Environment;
  readonly stage: StageOptions | undefined;
  /** Is told who answers. */
  readonly onReached: (sentence: string) => void;
}

/** Gives `work` the way to `admin`, and closes what was opened for it. */
export async function withAdmin<T>(
  { environment, stage, onReached }: Reach,
  work: (ask: Ask) => Promise<T>,
): Promise<T> {
  const by = operator();
  if (stage !== undefined) {
    // Loaded only for a command that needs the cloud.
    const { askStage } = await import("./stage.ts");
    onReached(`asking stage "${stage.stage}"`);
    return work(async (event) => (await askStage(stage, "admin", { ...event, by }, environment)) as AdminAnswer);
  }
  const home = homeOf(environment);
  let opened: ReturnType<typeof openApp> | undefined;
  let isTold = false;
  const tell = (sentence: string) => {
    if (!isTold) onReached(sentence);
    isTold = true;
  };
  const ask: Ask = async (event) => {
    // Even with a DATABASE_URL: only the server has the sockets, and its log is the one that is read.
    const answer = opened === undefined ? await askServer(home, { ...event, by }) : undefined;
    if (answer !== undefined) {
      tell(`asked the server that runs on ${home}`);
      return answer;
    }
    const where =
      environment.DATABASE_URL === undefined ? `the embedded database in ${home}` : "the database of DATABASE_URL";
    tell(`no server runs on ${home}; using ${where}`);
    opened ??= openApp(environment);
    return administer(await opened)({ ...event, by });
  };
  try {
    return await work(ask);
  } finally {
    await (await opened?.catch(() => undefined))?.db.close();
  }
}

/** An app on the database itself: DATABASE_URL's, or the embedded one. @throws UsageError when there is none */
export async function openApp(environment: Environment): Promise<ReturnType<typeof makeApp>> {
  const home = homeOf(environment);
  const embedded = environment.DATABASE_URL === undefined;
  if (embedded && !existsSync(join(home, "data")))
    throw new UsageError("there is no database yet: run `npm start` once, or set DATABASE_URL");
  const config = {
    ...readConfig(embedded ? { ...environment, ...demoKeys(home), DATABASE_URL: `pglite:${home}` } : environment),
    collections: readCollections(environment),
    purposes: readPurposes(environment),
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
