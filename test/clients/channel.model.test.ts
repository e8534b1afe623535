/**
 * The channel against a reference model: whatever network, server and time do, each reader sees the truth: a state, then
 * each event once and in order; and when the storm is over it sees all of it, and says that it is live.
 *
 * SCHEDULES=n runs so many schedules; a failure prints the seed and the shortest schedule that fails.
 */
import fc from "fast-check";
import { makeApi } from "../../clients/api.ts";
import { type Channel, openChannel, type State } from "../../clients/channel.ts";
import type { Position, StreamEvent } from "../../shared/protocol.ts";
import { calm, type Weather, World } from "./_world.ts";

const schedules = Number(process.env.SCHEDULES ?? 10_000);
const shards = 10;
/** A machine may be slow, and SCHEDULES large. */
const longMs = 3_600_000;

/** A page that shows one stream. */
interface View {
  stream: string;
  shown: StreamEvent[];
  snapshots: number;
  stop(): void;
}

/** The reference model: who looks at what. The truth itself is the world's. */
interface Model {
  views: View[];
}

interface Real {
  world: World;
  channel: Channel;
  faults: string[];
}

/** What a view shows is the beginning of one history, whole and in order. @returns what is wrong */
function check(world: World, { shown, stream }: View): string[] {
  const { log, ended } = world.truth(stream);
  const isBeginning = (history: StreamEvent[]) =>
    shown.length <= history.length && shown.every(({ tag }, at) => history[at]?.tag === tag);
  if ([log, ...ended].some(isBeginning)) return [];
  return [`${stream} shows ${shown.map(({ data }) => data)}, truth is ${log.map(({ data }) => data)}`];
}

function look({ world, channel, faults }: Real, stream: string): View {
  const view: View = { stream, shown: [], snapshots: 0, stop: () => {} };
  const api = apiOf(world);
  let over = false;
  const stop = channel.subscribe(stream, {
    async snapshot(still) {
      const { log, position } = await api.ask<{ log: StreamEvent[]; position: Position }>({
        method: "GET",
        path: `/state?stream=${stream}`,
      });
      if (still()) {
        if (over) faults.push("a state was shown after the end");
        view.shown = log;
        faults.push(...check(world, view));
        view.snapshots += 1;
      }
      return position;
    },
    onEvent(event) {
      if (over) faults.push("an event was shown after the end");
      if (event.seq !== view.shown.length + 1) faults.push(`${event.seq} came after ${view.shown.length}`);
      view.shown = [...view.shown, event];
      faults.push(...check(world, view));
    },
    onError: ({ code }) => faults.push(`${stream} is over: ${code}`),
  });
  view.stop = () => {
    over = true;
    stop();
  };
  return view;
}

const apiOf = (world: World) =>
  makeApi(world.platform, {
    url: "",
    token: () => world.token ?? "none",
    renew: async (stale) => (world.token === stale ? undefined : world.token),
  });

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

const streams = ["shop:a", "menu:a", "user:b"];
const anyStream = fc.constantFrom(...streams);
const maxViews = 4;

const publish = fc.tuple(anyStream, fc.integer({ min: 1, max: 5 })).map(([stream, times]) =>
  does(`publish ${stream} ${times}`, ({ world }) => {
    for (let k = 0; k < times; k++) world.publish(stream);
  }),
);
const pass = fc.integer({ min: 1, max: 8_000 }).map((ms) => does(`pass ${ms}`, ({ world }) => world.pass(ms)));
const passALittle = fc.integer({ min: 1, max: 300 }).map((ms) => does(`pass ${ms}`, ({ world }) => world.pass(ms)));
const sweep = fc.constant(does("sweep", ({ world }) => world.sweep()));
const lookAt = anyStream.map((stream) =>
  does(`look ${stream}`, (real, model) => {
    if (model.views.length < maxViews) model.views.push(look(real, stream));
  }),
);
const stop = fc.nat(maxViews).map((at) => does(`stop ${at}`, (_, model) => model.views.splice(at, 1)[0]?.stop()));

/** Everything that can go wrong. */
const storm = [
  publish,
  publish,
  pass,
  passALittle,
  fc.integer({ min: 10_000, max: 60_000 }).map((ms) => does(`pass ${ms}`, ({ world }) => world.pass(ms))),
  sweep,
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
  fc.boolean().map((told) => does(`cut ${told}`, ({ world }) => world.cut(told))),
  fc.boolean().map((can) =>
    does(`sockets ${can}`, ({ world }) => {
      world.socketsCanBeHad = can;
      if (!can) world.cut(true);
    }),
  ),
  fc.boolean().map((can) => does(`reachable ${can}`, ({ world }) => void Object.assign(world, { reachable: can }))),
  // A database that is back from a backup is soon written again.
  fc.tuple(anyStream, fc.integer({ min: 1, max: 4 }), fc.nat(3)).map(([stream, back, times]) =>
    does(`restore ${stream} ${back} ${times}`, ({ world }) => {
      world.restore(stream, back);
      for (let k = 0; k < times; k++) world.publish(stream);
    }),
  ),
  anyStream.map((stream) => does(`new history ${stream}`, ({ world }) => world.newHistory(stream))),
  anyStream.map((stream) => does(`trim ${stream}`, ({ world }) => world.trim(stream))),
  fc.boolean().map((there) => does(`in front ${there}`, ({ world }) => world.inFront(there))),
  fc.boolean().map((isIn) =>
    does(`signed in ${isIn}`, ({ world, channel }) => {
      world.sign(isIn);
      if (isIn) channel.restart();
    }),
  ),
];

/** Pushes are lost, but never the last of them. */
const publishWithGaps = fc.tuple(anyStream, fc.integer({ min: 1, max: 5 })).map(([stream, times]) =>
  does(`publish ${stream} ${times} with gaps`, ({ world }) => {
    for (let k = 1; k <= times; k++) world.publish(stream, k === times ? 0 : 0.5);
  }),
);

/** Whatever is lost shows as a gap; frames overtake each other, come twice, and readers come and go. */
const breeze = [publishWithGaps, publishWithGaps, pass, passALittle, passALittle, sweep, lookAt, stop];

// --- Properties ------------------------------------------------------------------------------------------------------

/** Runs the schedule in a new world, with two readers at the start, and looks at what there is in the end. */
const schedule = (
  what: fc.Arbitrary<fc.AsyncCommand<Model, Real>>[],
  begin: (world: World) => void,
  end: (real: Real, model: Model) => Promise<void>,
  states = new Set<string>(),
) =>
  fc.asyncProperty(fc.integer(), fc.commands(what, { maxCommands: 24 }), async (seed, commands) => {
    const world = new World(seed);
    begin(world);
    const channel = openChannel(world.platform, apiOf(world), {
      url: "wss://world/pgws",
      onState: (state) => states.add(state),
    });
    const real: Real = { world, channel, faults: [] };
    const model: Model = { views: [] };
    for (const stream of streams.slice(0, 2)) model.views.push(look(real, stream));
    await fc.asyncModelRun(() => ({ model, real }), commands);
    await end(real, model);
    channel.close();
  });

/** The storm is over: whoever looks sees all of it, at the latest after the longest wait there is. */
async function clears(real: Real, model: Model): Promise<void> {
  const { world, channel } = real;
  Object.assign(world, { weather: calm, socketsCanBeHad: true, reachable: true });
  world.inFront(true);
  if (world.token === undefined) {
    world.sign(true);
    channel.restart();
  }
  // A socket that died untold is found out by its silence; and where none can be had, the same is shown by asking.
  world.socketsCanBeHad = world.random() < 0.5;
  if (!world.socketsCanBeHad) world.cut(world.random() < 0.5);
  await world.pass(30_000);
  if (!world.socketsCanBeHad && model.views.length > 0) {
    await world.pass(90_000, () => lacks(real, model, "polling").length === 0);
    for (const stream of streams) world.publish(stream);
    await world.pass(15_000, () => lacks(real, model, "polling").length === 0);
    expect(lacks(real, model, "polling")).toEqual([]);
    world.socketsCanBeHad = true;
  }
  await world.pass(90_000, () => lacks(real, model).length === 0);
  // And goes on: an event that comes now is shown at once, and only once.
  for (const stream of streams) world.publish(stream);
  await world.pass(100);
  expect(lacks(real, model)).toEqual([]);
}

/** What is lacking of: everything is shown, and the state says so. */
function lacks({ world, channel, faults }: Real, { views }: Model, state: State = "live"): string[] {
  const missing = views.map(({ stream, shown }) => [stream, shown.length, world.truth(stream).log.length] as const);
  return [
    ...faults,
    ...missing
      .filter(([, shown, is]) => shown !== is)
      .map(([stream, shown, is]) => `${stream} shows ${shown} of ${is}`),
    ...(channel.state() === state ? [] : [`the state is ${channel.state()}`]),
  ];
}

describe("the channel", () => {
  const states = new Set<string>();
  // One seed for each part, so that a failure is found again by its line alone.
  it.each(Array.from({ length: shards }, (_, at) => at + 1))(
    "shows the truth, once and in order, through any storm (part %i)",
    async (part) => {
      await fc.assert(
        schedule(storm, () => {}, clears, states),
        { numRuns: Math.ceil(schedules / shards), seed: part },
      );
    },
    longMs,
  );

  it("has been in every state on the way", () => {
    expect([...states].sort()).toEqual(["catching up", "live", "offline", "polling", "signed out"]);
  });

  it(
    "waits for no check where a gap shows what was lost, and fetches no state twice",
    async () => {
      const begin = (world: World) =>
        Object.assign(world, { checkMs: 3_600_000, weather: { lost: 0, doubled: 0.3, delayMs: 400 } });
      const end = async (real: Real, model: Model) => {
        await real.world.pass(10_000);
        expect(lacks(real, model)).toEqual([]);
        for (const { snapshots } of model.views) expect(snapshots).toBe(1);
      };
      await fc.assert(schedule(breeze, begin, end), { numRuns: Math.ceil(schedules / shards), seed: 0 });
    },
    longMs,
  );
});
