/** A short storm on each engine at once while fifty queries are watched: every list is its query's answer, in the end and on the way. */
import { engines, onEveryEngine } from "../_engines.ts";
import { type LedgerOutcome, runLedger } from "./_ledger_run.ts";

const seed = Number(process.env.FAULTS_SEED ?? 11);
const stormMs = Number(process.env.LEDGER_STORM_MS ?? 4_000);
const rounds = Number(process.env.LEDGER_ROUNDS ?? 2);

// Beside each other: they wait more than they work.
const runs = new Map<string, Promise<LedgerOutcome>>();
beforeAll(() => {
  for (const engine of engines) if (engine.here) runs.set(engine.name, runLedger({ engine, seed, stormMs, rounds }));
});

onEveryEngine((engine) => {
  it("every watch's list is its query's answer, through cuts, kills, restarts and a restored database", async () => {
    const { findings, figures } = (await runs.get(engine.name)) as LedgerOutcome;
    expect({ seed, findings }).toEqual({ seed, findings: [] });
    expect(figures.changes).toBeGreaterThan(figures.writes);
    expect(figures.rebuilt).toBeGreaterThan(0);
    if (engine.name !== "pglite") expect(figures.restores).toBe(1);
  });
});
