/** `npm run serve`: the server for one shop on one machine. Needs a database and keys, and refuses to start without. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import axios from "axios";
import { migrate } from "../db/migrate.ts";
import { openDatabase } from "../db/open.ts";
import { ConfigError, homeOf, readConfig, readServerConfig } from "../shared/config.ts";
import { makeWechat } from "../shared/wechat.ts";
import { pages } from "./files.ts";
import { type Machine, startMachine } from "./machine.ts";
import { untilStopped } from "./signals.ts";
import { listen } from "./socket.ts";

const wechatTimeoutMs = 5_000;

export async function serve(environment: NodeJS.ProcessEnv): Promise<void> {
  const config = readConfig(environment);
  const server = readServerConfig(environment);
  if (!/^(postgres|postgresql|mysql|mariadb):\/\//.test(config.databaseUrl))
    throw new ConfigError(
      "DATABASE_URL",
      "must start with postgres:// or mysql://; the embedded database is the demo's",
    );
  const db = await openDatabase({
    url: config.databaseUrl,
    maxConnections: config.maxDatabaseConnections,
    connectTimeoutMs: config.databaseConnectTimeoutMs,
  });
  // Nobody is served before the tables are there.
  await migrate(db);
  let admin: Awaited<ReturnType<typeof listen>> | undefined;
  const machine: Machine = await startMachine({
    config,
    db,
    wechat: makeWechat(axios.create({ baseURL: config.wechatUrl, timeout: wechatTimeoutMs })),
    write(line) {
      process.stdout.write(line);
      admin?.write(line);
    },
    host: server.host,
    port: server.port,
    tls: server.tls && {
      cert: readFileSync(server.tls.certPath, "utf8"),
      key: readFileSync(server.tls.keyPath, "utf8"),
    },
    trustedProxies: server.trustedProxies,
    files: pages(),
    pictures: join(homeOf(environment), "pictures"),
    limits: server,
  });
  admin = await listen(homeOf(environment), (event) => machine.call("admin", event) as never);
  machine.app.log.info("listening", { host: server.host, port: machine.server.port, tls: server.tls !== undefined });
  await untilStopped();
  await machine.stop();
  await admin.close();
  await db.close();
}
