/** Memory of a contender's process, as it says itself after a collection. */
import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Memory {
  readonly rssBytes: number;
  readonly heapBytes: number;
}

export interface Probe {
  /** To be given to the contender. */
  readonly environment: Readonly<Record<string, string>>;
  memory(): Promise<Memory>;
}

export function newProbe(): Probe {
  const path = join(tmpdir(), `orderbell-probe-${randomBytes(6).toString("hex")}`);
  const preload = fileURLToPath(new URL("_probe.mjs", import.meta.url));
  return {
    environment: { NODE_OPTIONS: `--import ${preload}`, BENCH_PROBE: path },
    async memory() {
      let text = "";
      for await (const chunk of connect(path).setEncoding("utf8")) text += chunk;
      return JSON.parse(text) as Memory;
    },
  };
}
