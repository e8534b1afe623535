/**
 * A server process that a fault run kills, freezes and disturbs: `_server.ts <database url> <port>`.
 * Sends `{port}` to its parent when it is ready, and gets `{clockMs}` (the error of its wall clock) and `{weather}`
 * (the faults of its pushes) from it. ORDERBELL_TEST_COLLECTIONS is the text of a `collections.yml`.
 */
import { startMachine } from "../../cli/machine.ts";
import { openDatabase } from "../../db/open.ts";
import { openPglite } from "../../db/pglite.ts";
import { readConfig } from "../../shared/config.ts";
import { parseCollections } from "../../shared/live/collections.ts";

export interface Weather {
  readonly lost: number;
  readonly delayed: number;
  readonly delayMs: number;
}

const [url = "", port = "0", clockMs = "0"] = process.argv.slice(2);
let aheadMs = Number(clockMs);
const wallClock = Date.now;
// Set first of all: processes that share a database use its clock, whatever their own says.
Date.now = () => wallClock() + aheadMs;
let weather: Weather | undefined;
const closeMs = 2_000;
process.on("message", (told: { clockMs?: number; weather?: Weather | null }) => {
  if (told.clockMs !== undefined) aheadMs = told.clockMs;
  if (told.weather !== undefined) weather = told.weather ?? undefined;
});

const { collections } = parseCollections(process.env.ORDERBELL_TEST_COLLECTIONS ?? "");
const config = { ...readConfig({ ...process.env, DATABASE_URL: url }), collections };
const db = url.startsWith("pglite:")
  ? await openPglite({ directory: url.slice("pglite:".length) })
  : await openDatabase({ url, maxConnections: 5, connectTimeoutMs: 1_000 });
const machine = await startMachine({
  config,
  db,
  host: "127.0.0.1",
  port: Number(port),
  tickMs: 200,
  write: (line) => process.stderr.write(line),
  faults: {
    push() {
      if (weather === undefined) return undefined;
      const drawn = Math.random();
      if (drawn < weather.lost) return "drop";
      return drawn < weather.lost + weather.delayed ? Math.random() * weather.delayMs : undefined;
    },
  },
});
process.send?.({ port: machine.server.port });
process.once("SIGTERM", async () => {
  await machine.stop();
  // A connection whose wire swallows everything never ends; `serve` does not wait for it either.
  await Promise.race([db.close(), new Promise((resolve) => setTimeout(resolve, closeMs))]);
  process.exit(0);
});
