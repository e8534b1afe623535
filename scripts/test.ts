/**
 * `npm test`: runs all tests, then prints the slowest files and searches the output for secrets. The last line counts the tests.
 * Arguments go to jest: `npm test -- test/stories`.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { scan } from "./scan_output.ts";

const folder = mkdtempSync(join(tmpdir(), "orderbell-test-"));
const results = join(folder, "results.json");
const jest = ["--experimental-vm-modules", "--no-warnings", "node_modules/jest/bin/jest.js"];
const child = spawn(
  process.execPath,
  [...jest, "--reporters=default", "--json", `--outputFile=${results}`, ...process.argv.slice(2)],
  {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, NODE_OPTIONS: "--experimental-vm-modules --no-warnings", ORDERBELL_TEST_FOLDER: folder },
  },
);
await new Promise((resolve) => child.on("close", resolve));

interface Results {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  numRuntimeErrorTestSuites: number;
  testResults: { name: string; startTime: number; endTime: number }[];
}

let outcome: Results | undefined;
try {
  outcome = JSON.parse(readFileSync(results, "utf8"));
} catch {
  console.log("jest did not finish");
}
const slowest = (outcome?.testResults ?? [])
  .map(({ name, startTime, endTime }) => ({ name: relative(process.cwd(), name), tookMs: endTime - startTime }))
  .toSorted((a, b) => b.tookMs - a.tookMs)
  .slice(0, 10);
console.log(`slowest: ${slowest.map(({ name, tookMs }) => `${name} ${Math.round(tookMs / 1_000)} s`).join(", ")}`);
const printed = readdirSync(folder).filter((name) => name.startsWith("printed-"));
const found = printed.flatMap((name) => scan(readFileSync(join(folder, name), "utf8")));
console.log(
  `searched ${printed.length} logs for secrets and personal data: ${found.length === 0 ? "none" : `${found.length} lines`}`,
);
for (const line of found.slice(0, 20)) console.log(`  ${line}`);
rmSync(folder, { recursive: true, force: true });

const searched = found.length === 0 ? 1 : 0;
const passed = (outcome?.numPassedTests ?? 0) + searched;
const failed = (outcome?.numFailedTests ?? 1) + (outcome?.numRuntimeErrorTestSuites ?? 0) + 1 - searched;
const skipped = (outcome?.numPendingTests ?? 0) + (outcome?.numTodoTests ?? 0);
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed === 0 ? 0 : 1;
