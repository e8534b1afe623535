/** Builds the pages of a fresh clone in a process of its own, before the server starts. */
import { spawn } from "node:child_process";
import { readdirSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { pagesFolder } from "./serve_pages.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
/** The sources of the pages. */
const sources = [
  "web",
  "clients",
  "shared/protocol.ts",
  "shared/order_states.ts",
  "vite.config.ts",
  "apigateway/openapi.yaml",
  "shared/errors.ts",
];

/** Whether there is a build and no source is newer. */
export function isBuilt(folder = pagesFolder, base = root): boolean {
  const built = statSync(join(folder, "index.html"), { throwIfNoEntry: false });
  return built !== undefined && sources.every((name) => newest(join(base, name)) <= built.mtimeMs);
}

/** Folders count: removing a file changes only its folder. */
function newest(path: string): number {
  const found: Stats | undefined = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return 0;
  if (!found.isDirectory()) return found.mtimeMs;
  return readdirSync(path).reduce((latest, name) => Math.max(latest, newest(join(path, name))), found.mtimeMs);
}

/** Builds the pages unless they are built. The API runs without them, so a failure is only printed. */
export async function ensurePages(say: (line: string) => void): Promise<void> {
  if (isBuilt()) return;
  say("building the pages …");
  const failure = await run(["--import", "tsx", join(root, "scripts/build_pages.ts")]);
  if (failure !== undefined) say(`the pages could not be built, only the API is here:\n${failure}`);
}

/** @returns its output, if it failed */
function run(args: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code) =>
      resolve(code === 0 ? undefined : stripVTControlCharacters(output).trim().slice(0, 2_000)),
    );
  });
}
