/** The built pages, served with the headers of production. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { servePages } from "../../cli/serve_pages.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

export interface BuiltPages {
  readonly folder: string;
  /** For `files` of a machine or a house. */
  readonly files: ReturnType<typeof servePages>;
  remove(): void;
}

// Vite is an ES module with a binary part: it runs in a process of its own, not inside jest.
const program = `
import { build, loadConfigFromFile } from "vite";
const [folder, ...names] = process.argv.slice(1);
const { config } = await loadConfigFromFile({ command: "build", mode: "production" }, "vite.config.ts");
const { input } = config.build.rolldownOptions;
if (names.length > 0) config.build.rolldownOptions.input = Object.fromEntries(names.map((name) => [name, input[name]]));
await build({ ...config, configFile: false, logLevel: "warn", build: { ...config.build, outDir: folder } });
`;

/**
 * Builds the pages into a folder of their own.
 * @param names such as "index"; without any, all of them @throws with Vite's words
 */
export function buildPages(...names: string[]): BuiltPages {
  const folder = mkdtempSync(join(tmpdir(), "orderbell-pages-"));
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--input-type=module", "-e", program, folder, ...names],
    { cwd: root, env: { ...process.env, NODE_OPTIONS: "", NODE_ENV: "production" }, encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`the pages were not built: ${stdout}${stderr}`);
  return {
    folder,
    files: servePages(folder),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
