/**
 * A watched list against a reference model: whatever network, server and time do, each call shows the answer of the query at some commit,
 * whole and in its order; after the storm it shows the last one, and says that it is live.
 *
 * SCHEDULES=n runs n schedules; a failure prints the seed and the shortest schedule that fails.
 */
import fc from "fast-check";
import { makeApi } from "../../clients/api.ts";
import { type Channel, openChannel } from "../../clients/channel.ts";
import { collections, command, type ListState, type ListWatch } from "../../clients/collections.ts";
import { type Asked, answer, type Note, Watched } from "./_watched.ts";
import { calm, type Weather, World } from "./_world.ts";

const schedules = Number(process.env.SCHEDULES ?? 2_000);
const shards = 4;
/** A machine may be slow, and SCHEDULES large. */
const longMs = 3_600_000;

interface View {
  readonly asked: Asked;
  shown: readonly Note[] | undefined;
  watch: ListWatch<Note>;
}

interface Model {
  views: View[];
}

interface Real {
  readonly world: World;
  readonly channel: Channel;
  readonly watched: Watched;
  readonly faults: string[];
  readonly states: Set<string>;
  looks: number;
}

const textOf = (notes: readonly Note[] | undefined) => JSON.stringify(notes);

function look(real: Real, asked: Asked): View {
  const { channel, watched, faults, states } = real;
  real.looks += 1;
  let over = false;
  let state: ListState = "connecting";
  const { collection } = collections<{ notes: Omit<Note, "_id"> }>({ channel, ask: () => Promise.reject() });
  const all = collection("notes").where({ n: command.gte(asked.least) });
  const ordered = asked.ordered ? all.orderBy("n", "desc") : all;
  const watch = (asked.limit === undefined ? ordered : ordered.limit(asked.limit)).watch({
    onChange(notes, { added, changed, removed }) {
      if (over) faults.push("a list was shown after the end");
      if (!watched.states.some((one) => textOf(answer(one, asked)) === textOf(notes)))
        faults.push(`${textOf(notes)} was never the answer`);
      if (notes.some(({ at }) => !(at instanceof Date))) faults.push("a date is no date");
      // The difference leads from one call to the next.
      const next = new Map((view.shown ?? []).map((note) => [note._id, note]));
      for (const { _id } of removed) if (!next.delete(_id)) faults.push(`${_id} was removed, and not there`);
      for (const note of added) {
        if (next.has(note._id)) faults.push(`${note._id} was added, and there`);
        next.set(note._id, note);
      }
      for (const note of changed) {
        if (textOf([note]) === textOf([next.get(note._id) ?? note])) faults.push(`${note._id} has not changed`);
        next.set(note._id, note);
      }
      if (next.size !== notes.length || notes.some((note) => next.get(note._id) !== note))
        faults.push(`the difference does not lead to ${textOf(notes)}`);
      view.shown = notes;
    },
    onState(is) {
      if (over) faults.push("a state was told after the end");
      if (is === state) faults.push(`${is} was told twice`);
      state = is;
      states.add(is);
    },
    onError: ({ code }) => faults.push(`the watch is over: ${code}`),
  });
  const view: View = {
    asked,
    shown: undefined,
    watch: {
      ...watch,
      close() {
        over = true;
        watch.close();
      },
    },
  };
  return view;
}

// --- Commands --------------------------------------------------------------------------------------------------------

const does = (
  name: string,
  work: (real: Real, model: Model) => void | Promise<void>,
): fc.AsyncCommand<Model, Real> => ({
  check: () => true,
  async run(model, real) {
    await work(real, model);
    await real.world.pass(0);
    if (real.faults.length > 0) throw new Error(real.faults.join("; "));
  },
  toString: () => name,
});

const maxViews = 4;
const anyId = fc.constantFrom("a", "b", "c", "d", "e");
/** One document of a commit: another `n`, or gone. */
const change = fc.tuple(anyId, fc.option(fc.nat(5)));
const write = (changes: readonly (readonly [string, number | null])[], { world, watched }: Real) =>
  watched.commit((notes) => {
    for (const [_id, n] of changes)
      if (n === null) notes.delete(_id);
      else notes.set(_id, { _id, n, at: new Date(world.now) });
  });

const commit = fc
  .array(change, { minLength: 1, maxLength: 3 })
  .map((changes) => does(`commit ${JSON.stringify(changes)}`, (real) => write(changes, real)));
const commits = fc
  .array(change, { minLength: 2, maxLength: 6 })
  .map((changes) =>
    does(`commits ${JSON.stringify(changes)}`, (real) => changes.forEach((one) => void write([one], real))),
  );
const pass = fc.integer({ min: 1, max: 20_000 }).map((ms) => does(`pass ${ms}`, ({ world }) => world.pass(ms)));
const passALittle = fc.integer({ min: 1, max: 400 }).map((ms) => does(`pass ${ms}`, ({ world }) => world.pass(ms)));
const asked = fc.record<Asked>({
  least: fc.nat(3),
  ordered: fc.boolean(),
  limit: fc.constantFrom(undefined, undefined, 1, 2),
});
const lookAt = asked.map((one) =>
  does(`look ${JSON.stringify(one)}`, (real, model) => {
    if (model.views.length < maxViews) model.views.push(look(real, one));
  }),
);
const stop = fc
  .nat(maxViews)
  .map((at) => does(`stop ${at}`, (_, model) => model.views.splice(at, 1)[0]?.watch.close()));

const storm = [
  commit,
  commit,
  commits,
  pass,
  passALittle,
  passALittle,
  lookAt,
  stop,
  fc
    .record<Weather>({
      lost: fc.constantFrom(0, 0.1, 0.5),
      doubled: fc.constantFrom(0, 0.3),
      delayMs: fc.constantFrom(5, 400, 4_000),
    })
    .map((weather) =>
      does(`weather ${JSON.stringify(weather)}`, ({ world }) => void Object.assign(world, { weather })),
    ),
  fc
    .constantFrom(0, 0.5, 1)
    .map((trouble) => does(`trouble ${trouble}`, ({ watched }) => void Object.assign(watched, { trouble }))),
  fc.boolean().map((told) => does(`cut ${told}`, ({ world }) => world.cut(told))),
  fc.boolean().map((can) =>
    does(`sockets ${can}`, ({ world }) => {
      world.socketsCanBeHad = can;
      if (!can) world.cut(true);
    }),
  ),
  fc.boolean().map((can) => does(`reachable ${can}`, ({ world }) => void Object.assign(world, { reachable: can }))),
  fc.boolean().map((there) => does(`in front ${there}`, ({ world }) => world.inFront(there))),
  fc.constant(does("forget", ({ watched }) => watched.forget())),
  fc.tuple(fc.nat(4), fc.boolean()).map(([back, cut]) =>
    does(`restore ${back} ${cut}`, ({ watched, world }) => {
      watched.restore(back);
      if (cut) world.cut(true);
    }),
  ),
  fc.boolean().map((isIn) =>
    does(`signed in ${isIn}`, ({ world, channel }) => {
      world.sign(isIn);
      if (isIn) channel.restart();
    }),
  ),
];

// --- Properties ------------------------------------------------------------------------------------------------------

const schedule = (
  what: fc.Arbitrary<fc.AsyncCommand<Model, Real>>[],
  end: (real: Real, model: Model) => Promise<void>,
  begin: (real: Real) => void = () => {},
  states = new Set<string>(),
) =>
  fc.asyncProperty(fc.integer(), fc.commands(what, { maxCommands: 24 }), async (seed, steps) => {
    const world = new World(seed);
    const api = makeApi(world.platform, {
      url: "",
      token: () => world.token ?? "none",
      renew: async (stale) => (world.token === stale ? undefined : world.token),
    });
    const real: Real = {
      world,
      channel: openChannel(world.platform, api),
      watched: new Watched(world),
      faults: [],
      states,
      looks: 0,
    };
    const model: Model = { views: [] };
    begin(real);
    model.views.push(look(real, { least: 1, ordered: false, limit: undefined }));
    model.views.push(look(real, { least: 0, ordered: true, limit: 2 }));
    await fc.asyncModelRun(() => ({ model, real }), steps);
    await end(real, model);
    for (const { watch } of model.views) watch.close();
    await world.pass(100);
    expect(real.watched.watches).toBe(0);
    real.channel.close();
  });

/** After the storm every list is the present answer, at the latest after the longest wait. */
async function clears(real: Real, model: Model): Promise<void> {
  const { world, watched, channel } = real;
  Object.assign(world, { weather: calm, socketsCanBeHad: true, reachable: true });
  watched.trouble = 0;
  world.inFront(true);
  if (world.token === undefined) {
    world.sign(true);
    channel.restart();
  }
  // A socket that died untold is found out by its silence.
  await world.pass(40_000);
  await world.pass(180_000, () => lacks(real, model).length === 0);
  expect(lacks(real, model)).toEqual([]);
  // And goes on: a commit that comes now is shown at once.
  write([["z", 5]], real);
  await world.pass(100);
  expect(lacks(real, model)).toEqual([]);
}

/** What is lacking of: everything is shown, and the states say so. */
const lacks = ({ watched, channel, faults }: Real, { views }: Model): string[] => [
  ...faults,
  ...views
    .filter(({ shown, asked }) => textOf(shown) !== textOf(watched.present(asked)))
    .map(({ shown, asked }) => `${textOf(shown)} is shown, the answer is ${textOf(watched.present(asked))}`),
  ...views.filter(({ watch }) => watch.state() !== "live").map(({ watch }) => `a watch is ${watch.state()}`),
  ...(channel.state() === (views.length > 0 ? "live" : "idle") ? [] : [`the channel is ${channel.state()}`]),
];

describe("a watched list", () => {
  const states = new Set<string>();
  it.each(Array.from({ length: shards }, (_, at) => at + 1))(
    "shows answers of its query only, and the last one in the end, through any storm (part %i)",
    async (part) => {
      await fc.assert(
        schedule(storm, clears, () => {}, states),
        { numRuns: Math.ceil(schedules / shards), seed: part },
      );
    },
    longMs,
  );

  it("was in each of its states during the storms", () => {
    expect([...states].sort()).toEqual(["live", "stale"]);
  });

  it(
    "shows every commit at once where nothing is lost, and fetches no list twice, however frames overtake each other and come twice",
    async () => {
      const breeze = [commit, commit, commits, passALittle, lookAt, stop];
      const begin = ({ world }: Real) => {
        world.weather = { lost: 0, doubled: 0.3, delayMs: 200 };
      };
      const end = async (real: Real, model: Model) => {
        await real.world.pass(1_000);
        expect(lacks(real, model)).toEqual([]);
        expect(real.watched.begun).toBeLessThanOrEqual(real.looks);
      };
      await fc.assert(schedule(breeze, end, begin), { numRuns: Math.ceil(schedules / shards), seed: 0 });
    },
    longMs,
  );
});
