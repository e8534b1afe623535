/**
 * `npm run bundle-report`: KB and load time of each function's bundle, beside a control that can only reach a database and sign
 * a push. The ratio is the cost of our own code; a function without a database may be below 1.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { buildFunction, functionNames, type Variant } from "./build.ts";
import { driverOnly, loadMs } from "./bundle_control.ts";

const rounds = 10;

async function report(variant: Variant): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "orderbell-bundles-"));
  try {
    const bundles = new Map([["(control)", await driverOnly(variant.engine === "postgres" ? "pg" : "mysql2/promise")]]);
    for (const name of functionNames()) bundles.set(name, (await buildFunction(name, variant)).code);
    const paths = new Map(
      [...bundles].map(([name, code]) => {
        const path = join(folder, name, "index.js");
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, code);
        return [name, path];
      }),
    );
    // In rounds, so that a busy moment of the machine affects all bundles.
    const samples = new Map([...paths].map(([name]) => [name, [] as number[]]));
    for (let round = 0; round < rounds; round++)
      for (const [name, path] of paths) samples.get(name)?.push(loadMs(path));

    const own = [...bundles].map(([name, code]) => ({
      name,
      kb: code.length / 1_024,
      gzip: gzipSync(code).length / 1_024,
      // The minimum, because a busy machine can only make it slower.
      ms: Math.min(...(samples.get(name) ?? [])),
    }));
    const base = own[0];
    console.log(
      `\n${variant.engine}${variant.network ? ", network" : ""}: the quickest of ${rounds} fresh processes, Node ${process.version}`,
    );
    console.log("function           KB   gzip KB   load ms   KB ratio   ms ratio");
    for (const { name, kb, gzip, ms } of own)
      console.log(
        [
          name.padEnd(14),
          kb.toFixed(0).padStart(6),
          gzip.toFixed(0).padStart(9),
          ms.toFixed(1).padStart(9),
          (kb / (base?.kb ?? 1)).toFixed(2).padStart(10),
          (ms / (base?.ms ?? 1)).toFixed(2).padStart(10),
        ].join(" "),
      );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

await report({ engine: "postgres", network: false });
await report({ engine: "mysql", network: true });
