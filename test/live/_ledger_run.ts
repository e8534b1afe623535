/**
 * The ledger of watches: writers change documents at random while fifty queries are watched, through a storm of faults. At every
 * quiet moment each list must be the query's answer, worked out here from all documents.
 */
import { parseCollections } from "../../shared/live/collections.ts";
import type { Engine } from "../_engines.ts";
import { openHouse } from "../_house.ts";
import { Ledger } from "../faults/_ledger.ts";
import { pause } from "../faults/_people.ts";
import { type Fault, makeRandom, planRound } from "../faults/_plan.ts";
import { openStorage, World } from "../faults/_world.ts";
import { asker, type Figures, Lists, type Person } from "./_ledger_lists.ts";
import { begin, declaration, write } from "./_ledger_writers.ts";

const writesPerRound = 60;

export interface LedgerOptions {
  readonly engine: Engine;
  readonly seed: number;
  readonly stormMs: number;
  readonly rounds: number;
  readonly say?: (line: string) => void;
}

export interface LedgerOutcome {
  /** What was wrong. */
  readonly findings: readonly string[];
  readonly figures: Figures;
}

export async function runLedger(options: LedgerOptions): Promise<LedgerOutcome> {
  const { engine, seed, stormMs, rounds, say = () => {} } = options;
  const random = makeRandom(seed);
  const findings: string[] = [];
  const figures = { writes: 0, changes: 0, rebuilt: 0, faults: 0, restores: 0, rightAfterMs: 0 };
  const storage = await openStorage(engine);
  const people = await prepare(engine, storage.db);
  if (engine.name === "pglite") await storage.db.close();
  const world = new World(engine, storage, new Ledger(), { ORDERBELL_TEST_COLLECTIONS: declaration });
  const scene = { processes: engine.name === "pglite" ? 1 : 2, embedded: engine.name === "pglite" };
  await world.start(scene.processes);
  const urls = world.urls();
  const scenes = new Lists(urls, people, figures);
  findings.push(...(await scenes.untilRight()).wrong);

  for (let round = 0; round < rounds && findings.length === 0; round++) {
    let storm = true;
    const writers = people.map(async (person, at) => {
      const own = makeRandom(random() * 2 ** 31);
      const ask = asker(urls[at % urls.length] as string, person);
      while (storm) {
        if ((await attempt(() => write(own, ask))) === true) figures.writes += 1;
        await pause(own() * 60);
      }
    });
    const begunAt = performance.now();
    const plan = [...planRound(random, round, stormMs, scene), ...cuts(random, stormMs)];
    for (const { atMs, fault } of plan.toSorted((a, b) => a.atMs - b.atMs)) {
      await pause(Math.max(0, begunAt + atMs - performance.now()));
      say(`${Math.round(atMs)} ms ${JSON.stringify(fault)}`);
      figures.faults += 1;
      if (fault.kind === "page") scenes.cut(fault.page);
      else await world.break(fault);
      if (fault.kind === "restore") figures.restores += 1;
    }
    await pause(Math.max(0, begunAt + stormMs - performance.now()));
    await world.mended();
    // On a busy machine a storm is over before much was written.
    while (figures.writes < (round + 1) * writesPerRound) await pause(50);
    storm = false;
    await Promise.all(writers);
    const { wrong, tookMs } = await scenes.untilRight();
    findings.push(...wrong);
    figures.rightAfterMs = Math.max(figures.rightAfterMs, tookMs);
    say(`round ${round + 1}: right after ${tookMs} ms, ${JSON.stringify(figures)}`);
  }
  findings.push(...scenes.close());
  await world.stop();
  findings.push(...world.surprises);
  await storage.remove();
  return { findings, figures };
}

/** Everybody signs in and the first documents are written before the first fault, so that no copy is without them. */
async function prepare(engine: Engine, db: Awaited<ReturnType<typeof openStorage>>["db"]): Promise<Person[]> {
  const house = await openHouse(engine, { db, config: { collections: parseCollections(declaration).collections } });
  const people = await Promise.all([house.guest(), house.guest(), house.guest()]);
  await begin(asker(house.url, people[0] as Person));
  await house.stop();
  return people.map(({ user, token }) => ({ user, token }));
}

async function attempt(work: () => Promise<unknown>): Promise<true | Error> {
  try {
    await work();
    return true;
  } catch (error) {
    return error as Error;
  }
}

type Planned = { readonly atMs: number; readonly fault: Fault | { readonly kind: "page"; readonly page: number } };

/** A page's own network is cut, several times in a storm. */
const cuts = (random: () => number, stormMs: number): Planned[] =>
  Array.from({ length: 4 }, () => ({
    atMs: random() * stormMs,
    fault: { kind: "page", page: Math.floor(random() * 100) },
  }));
