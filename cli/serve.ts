/** `npm run serve`: the server for one shop on one machine. Does not start without a database and keys. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Part, parts } from "../apigateway/local/routes.ts";
import { waitAtMost } from "../apigateway/local/wait_at_most.ts";
import { readAddress } from "../db/address.ts";
import { migrate } from "../db/migrate.ts";
import { openDatabase } from "../db/open.ts";
import { waitForDatabase } from "../db/wait_for_database.ts";
import { systemClock } from "../functions/_app.ts";
import { wechatClient } from "../functions/_wechat_client.ts";
import { ConfigError, databaseOptions, homeOf, readConfig, readServerConfig } from "../shared/config.ts";
import { makeLog } from "../shared/log.ts";
import { makeWechat } from "../shared/wechat.ts";
import { listenForAdmin } from "./admin_socket.ts";
import { bucketStore, filesFolder, warnOfBucket } from "./bucket_store.ts";
import { readCollections } from "./collections_file.ts";
import { ensureExamples } from "./ensure_pages.ts";
import { logStart, stopAndLog } from "./first_and_last_line.ts";
import { openLogFiles } from "./log_files.ts";
import { logOutput } from "./log_output.ts";
import { startMachine } from "./machine.ts";
import { lineSeenBy } from "./machine_instrument.ts";
import { openMeasuring } from "./measure.ts";
import { readPurposes } from "./purposes_file.ts";
import { serveExamples, withExamples } from "./serve_examples.ts";
import { servePages } from "./serve_pages.ts";
import { untilStopped } from "./signals.ts";
import { UsageError } from "./usage_error.ts";

/** After the machine has stopped: for closing the database, and for what is then still open. */
const closeMs = 2_000;
const lastMs = 500;

export interface ServeOptions {
  /** Instead of PORT. */
  readonly port: string | undefined;
  readonly only: string | undefined;
}

export async function serve({ port, only: part }: ServeOptions, environment: NodeJS.ProcessEnv): Promise<void> {
  const only = partOf(part);
  const config = {
    ...readConfig(environment),
    collections: readCollections(environment),
    purposes: readPurposes(environment),
  };
  const server = readServerConfig({ ...environment, ...(port === undefined ? {} : { PORT: port }) });
  if (!/^(postgres|postgresql|mysql|mariadb):\/\//.test(config.databaseUrl))
    throw new ConfigError(
      "DATABASE_URL",
      "must start with postgres:// or mysql://; the embedded database is the demo's",
    );
  const measuring = await openMeasuring(server);
  const options = { ...databaseOptions(config), onTrip: measuring.onTrip };
  const db = await openDatabase(options);
  const output = logOutput((text) => void process.stdout.write(text));
  let admin: Awaited<ReturnType<typeof listenForAdmin>> | undefined;
  let files: ReturnType<typeof openLogFiles>;
  /** Lines from before the files: a server that does not start makes none. */
  const early: string[] = [];
  const write = (line: string) => {
    output.write(line);
    if (files === undefined && admin === undefined) early.push(line);
    files?.write(line);
    admin?.write(line);
  };
  const log = makeLog(config.logLevel, systemClock.now, write, lineSeenBy(measuring.instruments));
  try {
    // No request is served before the tables exist.
    const applied = await waitForDatabase(
      db,
      () => migrate(db, undefined, systemClock.now(), { onWait: (reason) => log.info("migration.waits", { reason }) }),
      { maxWaitMs: config.databaseWaitMs, onWait: (reason) => log.warn("database.waits", { reason }) },
    );
    await logStart(log, db, applied);
  } catch (error) {
    await db.close();
    throw error;
  }
  if (readAddress(options.url, options).plain)
    log.warn("database.plain", {
      setting: "DATABASE_URL",
      hint: "the database is on another machine, and the connection to it is not encrypted: docs/databases.md",
    });
  files = openLogFiles({
    home: homeOf(environment),
    keepBytes: server.logKeepBytes,
    name: String(process.pid),
    now: systemClock.now,
    onFailure: (code) => log.warn("log.files", { code }),
  });
  for (const line of early) files?.write(line);
  if (config.examples && only === undefined) await ensureExamples((reason) => log.warn("examples", { reason }));
  const bucket = bucketStore(server.files);
  const elsewhere = { socketUrl: config.socketUrl, filesUrl: bucket?.url };
  const pages = servePages(undefined, elsewhere.socketUrl, elsewhere.filesUrl);
  const machine = await startMachine({
    config,
    db,
    wechat: makeWechat(wechatClient(config.wechatUrl)),
    write,
    host: server.host,
    port: server.port,
    tls: server.tls && {
      cert: readFileSync(server.tls.certPath, "utf8"),
      key: readFileSync(server.tls.keyPath, "utf8"),
    },
    trustedProxies: server.trustedProxies,
    files: config.examples ? withExamples(serveExamples(elsewhere), pages) : pages,
    pictures: join(homeOf(environment), "pictures"),
    ...(bucket === undefined
      ? { filesFolder: filesFolder(server.files, homeOf(environment)) }
      : { store: bucket.store }),
    limits: server,
    only,
    instruments: measuring.instruments,
    scrape: measuring.scrape,
  });
  admin = await listenForAdmin(homeOf(environment), (event) => machine.call("admin", event) as never, files);
  machine.app.log.info("listening", {
    ...{ host: server.host, port: machine.server.port, tls: server.tls !== undefined },
    metrics: measuring.metricsUrl,
  });
  if (bucket !== undefined) void warnOfBucket(bucket.store, machine.app.log);
  if (server.tls === undefined && server.trustedProxies.length === 0)
    machine.app.log.warn("proxies.none", {
      setting: "TRUSTED_PROXIES",
      hint: "no proxy is believed: behind one, all guests count as one address and share its limits",
    });
  await stopAndLog(machine, await untilStopped());
  await waitAtMost(closeMs, Promise.all([admin.close(), db.close(), measuring.close()]));
  // Work that still hangs must not keep the process alive.
  setTimeout(() => process.exit(0), lastMs).unref();
}

/** @throws UsageError */
function partOf(only: string | undefined): Part | undefined {
  const part = parts.find((one) => one === only);
  if (only !== undefined && part === undefined) throw new UsageError(`--only is one of ${parts.join(", ")}`);
  return part;
}
