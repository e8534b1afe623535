/** What a function's bundle is compared with: the driver and what signs a push, which no such function can do without; and its load time. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { functionFormat } from "./build.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** @returns the code of a function that has only these */
export async function driverOnly(driver: "pg" | "mysql2/promise"): Promise<string> {
  const contents = `import driver from "${driver}"; import { AwsClient } from "aws4fetch"; export const handler = async () => [driver, AwsClient];`;
  const { outputFiles } = await build({ ...functionFormat, stdin: { contents, resolveDir: root } });
  return outputFiles[0]?.text ?? "";
}

const clock = `const at = process.hrtime.bigint(); require(process.argv[1]); process.stdout.write(String(process.hrtime.bigint() - at));`;

/** Milliseconds of one load in a process of its own. */
export function loadMs(path: string): number {
  const { stdout, status } = spawnSync(process.execPath, ["-e", clock, path], { encoding: "utf8" });
  if (status !== 0) throw new Error(`${path} does not load`);
  return Number(stdout) / 1e6;
}
