/** A server process for tests that kill it: node --import tsx test/_server.ts <database url> <port>. Prints its port when it is ready. */
import { startMachine } from "../cli/machine.ts";
import { openDatabase } from "../db/open.ts";
import { openPglite } from "../db/pglite.ts";
import { readConfig } from "../shared/config.ts";

const [url = "", port = "0"] = process.argv.slice(2);
const config = readConfig({ ...process.env, DATABASE_URL: url });
const db = url.startsWith("pglite:")
  ? await openPglite({ directory: url.slice("pglite:".length) })
  : await openDatabase({ url, maxConnections: 5, connectTimeoutMs: 5_000 });
const machine = await startMachine({ config, db, host: "127.0.0.1", port: Number(port), tickMs: 200, write: () => {} });
await machine.call("init_db", {});
process.stdout.write(`${machine.server.port}\n`);
process.once(
  "SIGTERM",
  () =>
    void machine
      .stop()
      .then(() => db.close())
      .then(() => process.exit(0)),
);
