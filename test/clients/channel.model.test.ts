/**
 * The channel against a reference model: whatever network, server and time do, each reader is shown a state, then each event
 * once and in order; after the storm it has all events, and reports that it is live.
 *
 * SCHEDULES=n runs n schedules; a failure prints the seed and the shortest schedule that fails.
 */
import fc from "fast-check";
import { makeApi } from "../../clients/api.ts";
import { type Channel, openChannel, type State } from "../../clients/channel.ts";
import type { Platform } from "../../clients/platform.ts";
import type { Position, ServerMessage, StreamEvent } from "../../shared/protocol.ts";
import { calm, type Weather, World } from "./_world.ts";

const schedules = Number(process.env.SCHEDULES ?? 10_000);
const shards = 10;
/** A machine may be slow, and SCHEDULES large. */
const longMs = 3_600_000;

/** A page that shows one stream. */
interface View {
  stream: string;
  shown: StreamEvent[];
  /** Where its state stood. */
  from: number;
  snapshots: number;
  stop(): void;
}

/** The reference model: which reader follows what. The rows themselves are the world's. */
interface Model {
  views: View[];
}

interface Real {
  world: World;
  channel: Channel;
  faults: string[];
}

/** What a view shows is the beginning of one history, whole and in order; of a room, events of one, none twice. @returns what is wrong */
function check(world: World, { shown, stream }: View): string[] {
  const { log, ended } = world.truth(stream);
  if (isRoom(stream)) {
    const known = new Set([log, ...ended].flat().map(({ tag }) => tag));
    const tags = shown.map(({ tag }) => tag);
    return new Set(tags).size === tags.length && tags.every((tag) => known.has(tag)) ? [] : [`${stream} shows ${tags}`];
  }
  const isBeginning = (history: StreamEvent[]) =>
    shown.length <= history.length && shown.every(({ tag }, at) => history[at]?.tag === tag);
  if ([log, ...ended].some(isBeginning)) return [];
  return [`${stream} shows ${shown.map(({ data }) => data)}, truth is ${log.map(({ data }) => data)}`];
}

const isRoom = (stream: string) => stream.startsWith("room:");

function look({ world, channel, faults }: Real, stream: string): View {
  const view: View = { stream, shown: [], from: 0, snapshots: 0, stop: () => {} };
  const api = apiOf(world);
  let over = false;
  const room = isRoom(stream);
  const stop = channel.subscribe(stream, {
    // A room has no state to begin with: it goes on from now.
    ...(!room && { snapshot }),
    onEvent(event) {
      if (over) faults.push("an event was shown after the end");
      if (!room && event.seq !== view.shown.length + 1) faults.push(`${event.seq} came after ${view.shown.length}`);
      view.shown = [...view.shown, event];
      faults.push(...check(world, view));
    },
    onError: ({ code }) => faults.push(`${stream} is over: ${code}`),
  });
  async function snapshot(still: () => boolean): Promise<Position> {
    const { log, position } = await api.ask<{ log: StreamEvent[]; position: Position }>({
      method: "GET",
      path: `/state?stream=${stream}`,
    });
    if (still()) {
      if (over) faults.push("a state was shown after the end");
      view.shown = log;
      view.from = log.length;
      faults.push(...check(world, view));
      view.snapshots += 1;
    }
    return position;
  }
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

const streams = ["shop:a", "menu:a", "user:b", "room:c"];
const anyStream = fc.constantFrom(...streams);
const maxViews = 4;

/** Several processes: some push at once, some only when something else has happened. */
const slowMs = fc.constantFrom(0, 0, 700);
const publish = fc.tuple(anyStream, fc.integer({ min: 1, max: 5 }), slowMs).map(([stream, times, slow]) =>
  does(`publish ${stream} ${times} after ${slow}`, ({ world }) => {
    for (let k = 0; k < times; k++) world.publish(stream, world.weather.lost, slow);
  }),
);
const tell = fc
  .tuple(anyStream, slowMs)
  .map(([stream, slow]) => does(`tell ${stream} after ${slow}`, ({ world }) => world.tell(stream, slow)));
const pass = fc.integer({ min: 1, max: 8_000 }).map((ms) => does(`pass ${ms}`, ({ world }) => world.pass(ms)));
const passALittle = fc.integer({ min: 1, max: 300 }).map((ms) => does(`pass ${ms}`, ({ world }) => world.pass(ms)));
const sweep = fc.constant(does("sweep", ({ world }) => world.sweep()));
const lookAt = anyStream.map((stream) =>
  does(`look ${stream}`, (real, model) => {
    if (model.views.length < maxViews) model.views.push(look(real, stream));
  }),
);
const stop = fc.nat(maxViews).map((at) => does(`stop ${at}`, (_, model) => model.views.splice(at, 1)[0]?.stop()));

/** What happens to a database, and with it to history. */
const histories = [
  // A database that has gone back gets new events at once, while sockets stay open; or the sockets die with it.
  fc
    .tuple(anyStream, fc.integer({ min: 1, max: 4 }), fc.nat(6), slowMs, fc.boolean())
    .map(([stream, back, times, slow, cut]) =>
      does(`restore ${stream} ${back} ${times} after ${slow} ${cut}`, ({ world }) => {
        world.restore(stream, back);
        if (cut) world.cut(true);
        for (let k = 0; k < times; k++) world.publish(stream, world.weather.lost, slow);
      }),
    ),
  // To a copy that lags, and to the first one again.
  fc
    .tuple(anyStream, fc.integer({ min: 1, max: 4 }), fc.nat(6), fc.nat(3_000), fc.nat(3))
    .map(([stream, back, there, ms, here]) =>
      does(`fail over ${stream} ${back} ${there} ${ms} ${here}`, async ({ world }) => {
        const { log } = world.truth(stream);
        world.restore(stream, back);
        for (let k = 0; k < there; k++) world.publish(stream);
        await world.pass(ms);
        world.returnTo(stream, log);
        for (let k = 0; k < here; k++) world.publish(stream);
      }),
    ),
  fc.tuple(anyStream, fc.boolean()).map(([stream, cut]) =>
    does(`new history ${stream} ${cut}`, ({ world }) => {
      world.newHistory(stream);
      if (cut) world.cut(true);
    }),
  ),
];

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
  ...histories,
  tell,
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

/** The world's platform, with a witness: what contradicts the screen, or shows that it lacks something, ends `live` at once. */
const witnessed = (world: World, { views }: Model, faults: string[], state: () => State): Platform => ({
  ...world.platform,
  socket: (url, protocols, on) =>
    world.platform.socket(url, protocols, {
      ...on,
      message(text) {
        const message = JSON.parse(text) as ServerMessage;
        const news = message.type === "event" || message.type === "head" ? message : undefined;
        const wrong = views.filter(({ stream, shown, from }) => {
          if (stream !== news?.stream || isRoom(stream)) return false;
          // Of the events before its snapshot a page knows the last one only.
          if (news.type === "event" && news.seq < from) return false;
          if (news.seq <= shown.length) return news.seq > 0 && shown[news.seq - 1]?.tag !== news.tag;
          const next = news.seq === shown.length + 1 && "prev" in news;
          return !(next && news.prev === (shown.at(-1)?.tag ?? ""));
        });
        on.message(text);
        if (wrong.length > 0 && state() === "live") faults.push(`live, though told ${text}`);
      },
    }),
});

// --- Properties ------------------------------------------------------------------------------------------------------

/** Runs the schedule in a new world, with two readers at the start, and checks the end. */
const schedule = (
  what: fc.Arbitrary<fc.AsyncCommand<Model, Real>>[],
  begin: (world: World) => void,
  end: (real: Real, model: Model) => Promise<void>,
  states = new Set<string>(),
) =>
  fc.asyncProperty(fc.integer(), fc.commands(what, { maxCommands: 24 }), async (seed, commands) => {
    const world = new World(seed);
    begin(world);
    const model: Model = { views: [] };
    const faults: string[] = [];
    const channel = openChannel(
      witnessed(world, model, faults, () => channel.state()),
      apiOf(world),
    );
    channel.onState((state) => states.add(state));
    const real: Real = { world, channel, faults };
    for (const stream of streams.slice(0, 2)) model.views.push(look(real, stream));
    await fc.asyncModelRun(() => ({ model, real }), commands);
    await end(real, model);
    channel.close();
  });

/** After the storm every reader has all events, at the latest after the longest wait. */
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
  for (const { stream, shown } of model.views) expect(shown.at(-1)?.tag).toBe(world.truth(stream).log.at(-1)?.tag);
}

/** The kitchen works on while the database goes back and forth. One check interval later everything is right again. */
async function comesRight(real: Real, model: Model): Promise<void> {
  const { world } = real;
  for (let ms = 0; ms < world.checkMs; ms += 250) {
    for (const stream of streams) world.publish(stream);
    await world.pass(250);
  }
  await world.pass(100);
  expect(lacks(real, model)).toEqual([]);
  for (const { stream, shown } of model.views) expect(shown.at(-1)?.tag).toBe(world.truth(stream).log.at(-1)?.tag);
}

/** What is lacking of: everything is shown, and the state says so. */
function lacks({ world, channel, faults }: Real, { views }: Model, state: State = "live"): string[] {
  const missing = views
    .filter(({ stream }) => !isRoom(stream))
    .map(({ stream, shown }) => [stream, shown.length, world.truth(stream).log.length] as const);
  return [
    ...faults,
    ...missing
      .filter(([, shown, is]) => shown !== is)
      .map(([stream, shown, is]) => `${stream} shows ${shown} of ${is}`),
    ...(channel.state() === (views.length > 0 ? state : "idle") ? [] : [`the state is ${channel.state()}`]),
  ];
}

describe("the channel", () => {
  const states = new Set<string>();
  // One seed for each part, so that a failure is found again by its line alone.
  it.each(Array.from({ length: shards }, (_, at) => at + 1))(
    "shows the true state, once and in order, through any storm (part %i)",
    async (part) => {
      await fc.assert(
        schedule(storm, () => {}, clears, states),
        { numRuns: Math.ceil(schedules / shards), seed: part },
      );
    },
    longMs,
  );

  it("was in each of its states during the storms", () => {
    expect([...states].sort()).toEqual(["catching up", "closed", "idle", "live", "offline", "polling", "signed out"]);
  });

  it(
    "is right again within one check interval when the database goes back or forth while orders keep coming",
    async () => {
      const restores = [...histories, ...histories, publish, publish, passALittle, tell];
      await fc.assert(
        schedule(restores, () => {}, comesRight),
        { numRuns: Math.ceil(schedules / shards), seed: 0 },
      );
    },
    longMs,
  );

  it(
    "waits for no check where a gap shows what was lost, and fetches no state twice",
    async () => {
      const begin = (world: World) =>
        Object.assign(world, { checkMs: 3_600_000, weather: { lost: 0, doubled: 0.3, delayMs: 400 } });
      const end = async (real: Real, model: Model) => {
        await real.world.pass(10_000);
        expect(lacks(real, model)).toEqual([]);
        for (const { stream, snapshots } of model.views) expect(snapshots).toBe(isRoom(stream) ? 0 : 1);
      };
      await fc.assert(schedule(breeze, begin, end), { numRuns: Math.ceil(schedules / shards), seed: 0 });
    },
    longMs,
  );
});
