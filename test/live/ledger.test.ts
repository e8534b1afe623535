/** A short storm on each engine while fifty queries are watched: every list is its query's answer, in the end and on the way. */
import { onEveryDialect } from "../_engines.ts";
import { runLedger } from "./_ledger_run.ts";

const seed = Number(process.env.FAULTS_SEED ?? 11);
const stormMs = Number(process.env.LEDGER_STORM_MS ?? 2_500);
const rounds = Number(process.env.LEDGER_ROUNDS ?? 2);

// One engine after another: PGlite works in this thread, and a server ends a transaction that waits for it too long.
onEveryDialect((engine) => {
  it("every watch's list is its query's answer, through cuts, kills, restarts and a restored database", async () => {
    const { findings, figures } = await runLedger({ engine, seed, stormMs, rounds });
    expect({ seed, findings }).toEqual({ seed, findings: [] });
    expect(figures.changes).toBeGreaterThan(figures.writes);
    expect(figures.rebuilt).toBeGreaterThan(0);
    if (engine.name !== "pglite") expect(figures.restores).toBe(1);
  });
});
