/**
 * The ledger of watches where functions share no memory: writers change documents at random while fifty queries are watched, pushes are
 * lost or late, sockets are cut, and whoever pushes dies now and then. At the quiet moment each list is its query's answer.
 */
import { sql } from "../../db/sql.ts";
import { parseCollections } from "../../shared/live/collections.ts";
import { type Engine, onEveryDialect } from "../_engines.ts";
import { openCloud } from "../apigateway/_clouds.ts";
import { pause } from "../faults/_people.ts";
import { makeRandom } from "../faults/_plan.ts";
import { asker, Lists } from "./_ledger_lists.ts";
import { begin, declaration, write } from "./_ledger_writers.ts";

const seed = 11;
const writes = 30;

async function run(engine: Engine) {
  const random = makeRandom(seed);
  const figures = { writes: 0, changes: 0, rebuilt: 0, faults: 0, restores: 0, rightAfterMs: 0 };
  let storm = false;
  const house = await openCloud(engine, "aws", {
    mayFail: true,
    config: { collections: parseCollections(declaration).collections },
    faults: {
      push(_, frame) {
        if (!storm || !frame.includes('"NEXT_EVENT"')) return undefined;
        const drawn = random();
        if (drawn < 0.03) figures.faults += 1;
        return drawn < 0.03 ? "drop" : drawn < 0.2 ? Math.floor(drawn * 200) : undefined;
      },
    },
  });
  const people = await Promise.all([house.guest(), house.guest(), house.guest()]);
  const asks = people.map((person) => asker(house.url, person));
  await begin(asks[0] as (typeof asks)[number]);
  const lists = new Lists([house.url], people, figures);
  storm = true;
  const writers = asks.map(async (ask, at) => {
    const own = makeRandom(seed + at);
    while (figures.writes < writes) {
      figures.writes += 1;
      // A write that has found no connection of the database in time is none.
      await write(own, ask).catch(() => {});
      await pause(own() * 80);
    }
  });
  while (figures.writes < writes) {
    await pause(random() * 400);
    if (random() < 0.3) lists.cut(Math.floor(random() * 3));
    // It has counted, and will not be heard of again.
    const until = house.clock.now() + Math.floor(random() * 600);
    await house.db.flight({
      statements: [sql`UPDATE watch_streams SET lease = 'dead', leased_until = ${until}`],
      repeatable: true,
    });
    figures.faults += 1;
  }
  await Promise.all(writers);
  storm = false;
  const { wrong, tookMs } = await lists.untilRight();
  const findings = [...wrong, ...lists.close()];
  await house.close();
  return { findings, figures: { ...figures, rightAfterMs: tookMs } };
}

onEveryDialect((engine) => {
  it("every watch's list is its query's answer", async () => {
    const { findings, figures } = await run(engine);
    expect({ seed, findings }).toEqual({ seed, findings: [] });
    expect(figures.changes).toBeGreaterThan(figures.writes);
    expect(figures.faults).toBeGreaterThan(2);
  }, 120_000);
});
