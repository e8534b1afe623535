/** `npm run check`: types, lint and format, the API's and the protocol's documents, the collections, sizes of pages. Reports every problem, not only the first. */
import { spawnSync } from "node:child_process";
import { checkApiTypes } from "./api_types.ts";
import { checkApi } from "./check_api.ts";
import { checkBuiltIns } from "./check_built_ins.ts";
import { checkCollections } from "./check_collections.ts";
import { checkLengths } from "./check_lengths.ts";
import { checkLock } from "./check_lock.ts";
import { checkPageSize } from "./check_page_size.ts";
import { checkProtocol } from "./check_protocol.ts";
import { checkPurposes } from "./check_purposes.ts";
import { checkSize } from "./check_size.ts";
import { checkErrorReference } from "./error_reference.ts";
import { tsc } from "./tsc.ts";

const run =
  (command: string, ...args: string[]) =>
  () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], {
      encoding: "utf8",
    });
    return status === 0 ? [] : [`${stdout}${stderr}`.trim()];
  };

const checks: [string, () => string[] | Promise<string[]>][] = [
  ["types", run(tsc, "-p", ".")],
  ["types of the pages", run(tsc, "--noEmit", "-p", "web")],
  ["lint and format", run("node_modules/@biomejs/biome/bin/biome", "check", ".")],
  ["apigateway/openapi.yaml", checkApi],
  ["clients/api_types.ts", () => checkApiTypes()],
  ["docs/errors.md", () => checkErrorReference()],
  ["docs/protocol.md", checkProtocol],
  ["collections.yml", () => checkCollections()],
  ["files.yml", () => checkPurposes()],
  ["package-lock.json", checkLock],
  ["size of the SDK", checkSize],
  ["size of the customer's page", checkPageSize],
  ["old phones", checkBuiltIns],
  ["the longest functions", checkLengths],
];

let failed = 0;
for (const [name, check] of checks) {
  const problems = await check();
  console.log(`${problems.length === 0 ? "ok  " : "FAIL"} ${name}`);
  for (const problem of problems) console.log(problem.replace(/^/gm, "     "));
  failed += problems.length;
}
process.exitCode = failed === 0 ? 0 : 1;
