/**
 * `npm run faults -- --minutes N --seed S --engine postgres|mysql|pglite --processes P`: storms for N minutes on real servers,
 * judged by a ledger. The last line is the verdict; a failing seed makes the same plan again. See docs/testing.md.
 */
import { parseArgs } from "node:util";
import setup from "../_setup.ts";
import teardown from "../_teardown.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "5" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 1_000_000)) },
    engine: { type: "string", default: "postgres" },
    processes: { type: "string", default: "2" },
    "storm-seconds": { type: "string", default: "12" },
  },
});

// The engines are read from what the setup has found, when they are loaded.
await setup();
const { engines } = await import("../_engines.ts");
const { runFaults } = await import("./_run.ts");
const engine = engines.find(({ name }) => name === values.engine);
if (engine === undefined || !engine.here) {
  console.error(`--engine ${values.engine}: it is not here`);
  await teardown();
  process.exit(2);
}
const seed = Number(values.seed);
const endMs = Date.now() + Number(values.minutes) * 60_000;
const { findings, verdict, figures } = await runFaults({
  engine,
  seed,
  stormMs: Number(values["storm-seconds"]) * 1_000,
  processes: Number(values.processes),
  goesOn: (round) => round === 0 || Date.now() < endMs,
  say: (line) => console.log(line),
});
await teardown();
for (const { wrong, what } of findings.slice(0, 50)) console.log(`${wrong}: ${what}`);
const told = Object.entries(figures).map(([name, value]) => `${name} ${value}`);
console.log(`${engine.name}, seed ${seed}, ${values.processes} processes, ${told.join(", ")}; ${verdict}`);
process.exit(findings.length === 0 ? 0 : 1);
