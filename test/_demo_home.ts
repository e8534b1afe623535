/** A folder for the demo with all tables: creating the embedded database takes longer than starting the demo. */
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

/** Unpacks the tables that test/_setup.ts made. test/cli/start.test.ts tests a first start without them. */
export function layTables(home: string): void {
  const data = join(home, "data");
  mkdirSync(data, { recursive: true });
  const dump = join(process.env.ORDERBELL_TEST_FOLDER as string, "pglite.tar");
  execFileSync("tar", ["-xf", dump, "-C", data], { stdio: ["ignore", "ignore", "pipe"] });
}
