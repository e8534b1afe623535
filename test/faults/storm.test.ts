/** A short storm of every kind of fault on each engine at once, judged by the ledger. `npm run faults` makes long ones. */
import { type Engine, engines, onEveryEngine, servers } from "../_engines.ts";
import { type Outcome, runFaults } from "./_run.ts";

const seed = Number(process.env.FAULTS_SEED ?? 8);
/** PGlite works in this thread: a second there is a second of CPU. */
const stormMsOn = (engine: Engine) => (engine.name === "pglite" ? 3_000 : 6_000);

const start = (engine: Engine) =>
  runFaults({ engine, seed, stormMs: stormMsOn(engine), goesOn: (round) => round === 0 });

// Servers beside each other: they wait more than they work. PGlite after them: while it loads, this thread hears nothing, and their
// connections would be given up.
const runs = new Map<string, Promise<Outcome>>();
beforeAll(() => {
  for (const engine of servers) if (engine.here) runs.set(engine.name, start(engine));
  const storms = Promise.allSettled(runs.values());
  for (const engine of engines.filter((one) => !servers.includes(one)))
    runs.set(
      engine.name,
      storms.then(() => start(engine)),
    );
});

onEveryEngine((engine) => {
  it("a storm of faults loses, doubles and reorders nothing, and every screen is right in the end", async () => {
    const { findings, figures } = (await runs.get(engine.name)) as Outcome;
    expect({ seed, findings }).toEqual({ seed, findings: [] });
    expect(figures.orders).toBeGreaterThan(0);
    expect(figures.shown).toBeGreaterThan(figures.orders);
    if (engine.name !== "pglite") expect(figures.restores).toBe(1);
  });
});
