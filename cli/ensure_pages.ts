/** Builds the pages, and the SDK of the examples, of a fresh clone: in a process of its own, before the server starts. */
import { spawn } from "node:child_process";
import { readdirSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { sdkFolder } from "./serve_examples.ts";
import { pagesFolder } from "./serve_pages.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
/** The sources of the SDK, and of the pages. */
const sdkSources = ["clients", "shared/protocol.ts", "shared/order_states.ts"];
const sources = [...sdkSources, "web", "vite.config.ts", "apigateway/openapi.yaml", "shared/errors.ts"];

/** Whether there is a build of the pages and no source is newer. */
export const isBuilt = (folder = pagesFolder, base = root): boolean =>
  isNewer(join(folder, "index.html"), sources, base);

function isNewer(file: string, than: readonly string[], base = root): boolean {
  const built = statSync(file, { throwIfNoEntry: false });
  return built !== undefined && than.every((name) => newest(join(base, name)) <= built.mtimeMs);
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

/** Builds the modules that the examples' pages load, unless they are built. The API runs without them too. */
export async function ensureExamples(say: (line: string) => void): Promise<void> {
  if (isNewer(join(sdkFolder, "index.js"), sdkSources)) return;
  const failure = await run(["--import", "tsx", join(root, "scripts/build_sdk.ts"), "--modules", sdkFolder]);
  if (failure !== undefined) say(`the examples' SDK could not be built: ${failure}`);
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
