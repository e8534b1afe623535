/** The mini-program as DevTools would upload it, in a folder of its own. Made by another process: esbuild does not run in jsdom. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Pack {
  readonly folder: string;
  remove(): void;
}

export function packMiniprogram(): Pack {
  // Its real path: jest knows modules by that one.
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "orderbell-miniprogram-")));
  const script = join(__dirname, "../../scripts/build_miniprogram.ts");
  const { status, stderr } = spawnSync(process.execPath, ["--import", "tsx", script, "--pack", folder], {
    encoding: "utf8",
    env: { ...process.env, NODE_OPTIONS: "" },
    cwd: join(__dirname, "../.."),
  });
  if (status !== 0) throw new Error(`the mini-program was not packed: ${stderr}`);
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
