/** Pushes to more readers than one function can serve in its time. */
import type { Row } from "../../db/database.ts";
import type { App, FanOut } from "../../shared/app.ts";
import type { StoredEvent } from "../../shared/streams/change.ts";
import { maxReaders, publishEvents, publishRange } from "../../shared/streams/deliver.ts";

const stream = "menu:noodle-house";
const event: StoredEvent = {
  stream,
  epoch: "e",
  seq: 7,
  tag: "t7",
  prev: "t6",
  type: "menu.state",
  data: "{}",
  at: 0,
} as never;
const rowsOf = (count: number): Row[] =>
  Array.from({ length: count }, (_, at) => ({ stream, connection_id: `c${at}`, gateway: "g" }));

/** A cloud with so many readers of the stream. */
function cloudWith(count: number) {
  const rows = [...rowsOf(count), { stream: "menu:other", connection_id: "x", gateway: "g" }];
  const published: string[][] = [];
  const invoked: FanOut[] = [];
  const errors: string[] = [];
  const app = {
    gateway: {
      subscribers: () => [],
      async publish(_: string, __: readonly string[], [own = []]: readonly Row[][]) {
        published.push(own.filter((row) => row.stream === stream).map((row) => String(row.connection_id)));
        return { readers: own.length, sent: own.length, gone: 0 };
      },
    },
    db: { read: async () => [[{ name: stream, epoch: "e", seq: 7, tag: "t7" }], [event], rows] },
    async invoke(_: string, asked: FanOut) {
      invoked.push(asked);
      if (invoked.length === 2) throw new Error("throttled");
    },
    random: { fraction: Math.random },
    clock: { now: () => 0 },
    log: { error: (what: string) => errors.push(what), info() {} },
  } as unknown as App;
  return { app, rows, published, invoked, errors };
}

it("an event is pushed by one function as long as it can", async () => {
  const { app, rows, published, invoked } = cloudWith(maxReaders);
  await publishEvents(app, stream, [event], [rows]);
  await publishRange(app, { stream, after: 6, upTo: 7 });
  expect([published.map(({ length }) => length), invoked]).toEqual([[maxReaders, maxReaders], []]);
});

it.each(["an event", "a range"])(
  "an event is shared out among several functions: %s reaches each reader once, in another order",
  async (what) => {
    const count = 2 * maxReaders + 1;
    const { app, rows, published, invoked, errors } = cloudWith(count);
    await (what === "an event"
      ? publishEvents(app, stream, [event], [rows])
      : publishRange(app, { stream, after: 6, upTo: 7 }));
    // One that could not be started does not keep the others.
    expect([published, invoked.length, errors]).toEqual([[], 3, ["push"]]);
    for (const { rooms } of invoked) for (const range of rooms) await publishRange(app, { ...range, stream });
    const all = rowsOf(count).map((row) => String(row.connection_id));
    expect(published.flat().toSorted()).toEqual(all.toSorted());
    expect(published.flat()).not.toEqual(all);
    // Fair enough that each has its time.
    for (const { length } of published) expect(length).toBeLessThan(1.2 * (count / 3));
  },
);
