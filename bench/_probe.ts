/** Memory of a contender's process, as it says itself after a collection. */
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Memory {
  readonly rssBytes: number;
  readonly heapBytes: number;
}

/** To be given to a contender whose memory will be asked for. */
export const probed: Readonly<Record<string, string>> = {
  NODE_OPTIONS: `--import ${fileURLToPath(new URL("_probe.mjs", import.meta.url))}`,
};

/** @param pid of a process that was started with `probed` */
export async function memoryOf(pid: number): Promise<Memory> {
  let text = "";
  for await (const chunk of connect(join(tmpdir(), `orderbell-probe-${pid}`)).setEncoding("utf8")) text += chunk;
  return JSON.parse(text) as Memory;
}
