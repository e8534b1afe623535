/** `npm run check`: types, lint and format, the API's law, the protocol's law, what pages weigh. Says everything that is wrong, not only the first. */
import { spawnSync } from "node:child_process";
import { checkApi } from "./check_api.ts";
import { checkLock } from "./check_lock.ts";
import { checkPageSize } from "./check_page_size.ts";
import { checkProtocol } from "./check_protocol.ts";
import { checkSize } from "./check_size.ts";

const run =
  (command: string, ...args: string[]) =>
  () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [`node_modules/${command}`, ...args], {
      encoding: "utf8",
    });
    return status === 0 ? [] : [`${stdout}${stderr}`.trim()];
  };

const checks: [string, () => string[] | Promise<string[]>][] = [
  ["types", run("typescript/bin/tsc", "-p", ".")],
  ["types of the pages", run("typescript/bin/tsc", "--noEmit", "-p", "web")],
  ["lint and format", run("@biomejs/biome/bin/biome", "check", ".")],
  ["apigateway/openapi.yaml", checkApi],
  ["docs/protocol.md", checkProtocol],
  ["package-lock.json", checkLock],
  ["size of the SDK", checkSize],
  ["size of the customer's page", checkPageSize],
];

let failed = 0;
for (const [name, check] of checks) {
  const problems = await check();
  console.log(`${problems.length === 0 ? "ok  " : "FAIL"} ${name}`);
  for (const problem of problems) console.log(problem.replace(/^/gm, "     "));
  failed += problems.length;
}
process.exitCode = failed === 0 ? 0 : 1;
