/** A reader of one stream: each event is delivered once and in order, whatever the network does. */
import fc from "fast-check";
import { makeReader, type Reader } from "../../clients/reader.ts";
import type { Position, StreamEvent } from "../../shared/protocol.ts";

const epoch = "e1";
const event = (seq: number): StreamEvent => ({
  seq,
  tag: `t${seq}`,
  prev: seq === 1 ? "" : `t${seq - 1}`,
  event: "order.placed",
  at: "2026-11-21T10:00:00.000Z",
  data: { seq },
});
const position = (seq: number, of = epoch): Position => ({
  epoch: of,
  seq,
  tag: seq === 0 ? "" : `t${seq}`,
});
/** What pushes come with. */
const from = position(0);
const range = (from: number, to: number) =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, at) => event(from + at));
const numbers = (events: readonly StreamEvent[]) => events.map(({ seq }) => seq);

function take(reader: Reader, ...what: Parameters<Reader["_take"]>) {
  const [events, missing, strange] = reader._take(...what);
  return { events, missing, strange };
}

/** A server that holds `count` events and answers what lies behind a position, `chunk` at a time. */
const answer = (at: Position | undefined, count: number, chunk: number) =>
  range((at?.seq ?? 0) + 1, Math.min(count, (at?.seq ?? 0) + chunk));

/** Takes pushes, asks for gaps as a channel does, and at last checks against the head. Gives what was delivered. */
function drive(reader: Reader, pushes: readonly (readonly number[])[], count: number, chunk: number): number[] {
  const delivered: number[] = [];
  const push = (events: readonly StreamEvent[]) => {
    const { events: ready, missing } = take(reader, from, events);
    delivered.push(...numbers(ready));
    expect(reader._position()?.seq).toBe(delivered.at(-1) ?? reader._position()?.seq);
    return missing;
  };
  for (const pushed of pushes) if (push(pushed.map(event))) push(answer(reader._position(), count, chunk));
  for (let asked = 0; !reader._has(position(count)); asked++) {
    if (asked > count) throw new Error(`it is stuck at ${reader._position()?.seq} of ${count}`);
    push(answer(reader._position(), count, chunk));
  }
  return delivered;
}

describe("a reader", () => {
  it("delivers each event once and in order, under any loss, doubling and disorder", () => {
    const road = fc.integer({ min: 1, max: 60 }).chain((count) =>
      fc.record({
        count: fc.constant(count),
        start: fc.integer({ min: 0, max: count }),
        chunk: fc.integer({ min: 1, max: 20 }),
        // What comes at all, in any order, any number of times, one or several at once.
        pushes: fc.array(fc.array(fc.integer({ min: 1, max: count }), { maxLength: 6 }), { maxLength: 80 }),
      }),
    );
    fc.assert(
      fc.property(road, ({ count, start, chunk, pushes }) => {
        const reader = makeReader(position(start));
        expect(drive(reader, pushes, count, chunk)).toEqual(numbers(range(start + 1, count)));
        expect(reader._position()).toEqual(position(count));
        expect(take(reader, from, range(1, count))).toEqual({ events: [], missing: false, strange: false });
      }),
      { numRuns: 500 },
    );
  });

  it("delivers a permutation in which nothing is lost, and asks for nothing", () => {
    const permutation = fc
      .integer({ min: 1, max: 40 })
      .chain((count) => fc.shuffledSubarray(numbers(range(1, count)), { minLength: count, maxLength: count }));
    fc.assert(
      fc.property(permutation, (order) => {
        const reader = makeReader(position(0));
        const taken = order.map((seq) => take(reader, from, [event(seq)]));
        expect(numbers(taken.flatMap(({ events }) => events))).toEqual(order.toSorted((a, b) => a - b));
        // It lacks something exactly as long as something later than its position is held.
        for (const [at, { missing }] of taken.entries()) {
          const come = order.slice(0, at + 1);
          const whole = come.every((seq) => seq <= come.length);
          expect(missing).toBe(!whole && Math.max(...come) > Math.max(0, ...prefix(come)));
        }
        expect(taken.at(-1)?.missing).toBe(false);
      }),
    );
  });

  it("goes on when a gap is filled after more events than it holds have come early", () => {
    for (const early of [499, 500, 501, 2_000]) {
      const reader = makeReader(position(0));
      for (const late of range(2, early + 1)) expect(take(reader, from, [late]).missing).toBe(true);
      const delivered = drive(reader, [[1]], early + 1, 100);
      expect(delivered).toEqual(numbers(range(1, early + 1)));
    }
  });

  it("delivers a push of more events than it holds", () => {
    const reader = makeReader(position(0));
    expect(numbers(take(reader, from, range(1, 1_200)).events)).toEqual(numbers(range(1, 1_200)));
  });
});

/** The numbers from 1 on that have all come. */
function prefix(come: readonly number[]): number[] {
  const there = new Set(come);
  const found: number[] = [];
  for (let seq = 1; there.has(seq); seq++) found.push(seq);
  return found;
}

describe("a reader's position", () => {
  it("is unknown before the first answer, and nothing is delivered then", () => {
    const reader = makeReader();
    expect(reader._position()).toBeUndefined();
    expect(reader._has(position(0))).toBe(false);
    expect(take(reader, from, [event(1)])).toMatchObject({ events: [], missing: true });
    take(reader, position(7), []);
    expect(reader._position()).toEqual(position(7));
    expect(numbers(take(reader, from, [event(7), event(8)]).events)).toEqual([8]);
  });

  it("is moved by events only, once it is known", () => {
    const reader = makeReader(position(3));
    take(reader, position(9), []);
    expect(reader._position()).toEqual(position(3));
  });

  it("takes the epoch of the first event of a stream that was empty", () => {
    const reader = makeReader({ epoch: "", seq: 0, tag: "" });
    expect(numbers(take(reader, from, [event(1)]).events)).toEqual([1]);
    expect(reader._position()).toEqual(position(1));
    const other = makeReader({ epoch: "", seq: 0, tag: "" });
    take(other, position(4), []);
    expect(other._position()).toEqual(position(4));
  });

  it("does not take events of another history, and does not hold them", () => {
    const reader = makeReader(position(3));
    expect(take(reader, position(0, "e2"), [event(4)])).toMatchObject({ events: [], missing: true });
    expect(reader._position()).toEqual(position(3));
    expect(take(reader, from, [])).toEqual({ events: [], missing: false, strange: false });
    expect(numbers(take(reader, from, [event(4)]).events)).toEqual([4]);
  });

  it("starts anew from a snapshot, without what was held before", () => {
    const reader = makeReader(position(3));
    expect(take(reader, from, [event(5)]).missing).toBe(true);
    reader._restart(position(4, "e2"));
    expect(take(reader, position(0, "e2"), [])).toEqual({ events: [], missing: false, strange: false });
    expect(take(reader, from, [event(5)])).toMatchObject({ events: [], missing: true });
    expect(reader._position()).toEqual(position(4, "e2"));
    reader._restart(undefined);
    expect(reader._position()).toBeUndefined();
  });

  it.each([
    ["a later number", position(7), false],
    ["the same", position(6), true],
    ["an earlier one", position(4), true],
    ["that of its state", position(3), true],
    ["one before its state, which it cannot know", position(2), false],
    ["an earlier number with another tag", { epoch, seq: 4, tag: "other" }, false],
    ["another epoch", position(6, "e2"), false],
    ["an earlier number of another epoch", position(4, "e2"), false],
    ["another tag", { epoch, seq: 6, tag: "other" }, false],
  ])("has a head with %s: %j %p", (_, head, has) => {
    const reader = makeReader(position(3));
    take(reader, from, range(4, 6));
    expect(reader._has(head)).toBe(has);
  });

  it("keeps the tags of the last numbers only", () => {
    const reader = makeReader(position(0));
    take(reader, from, range(1, 1_000));
    expect([501, 500, 1].map((seq) => reader._has(position(seq)))).toEqual([true, false, false]);
  });
});

describe("another history, recognised by the predecessor of each event", () => {
  const other = (seq: number, prev = `o${seq - 1}`): StreamEvent => ({ ...event(seq), tag: `o${seq}`, prev });

  it("is not followed: only an event that follows the reader's own is delivered", () => {
    const reader = makeReader(position(3));
    expect(take(reader, from, [other(4)])).toMatchObject({ events: [], strange: true });
    expect(reader._position()).toEqual(position(3));
    // From the last event that both have it could be either.
    expect(numbers(take(reader, from, [other(4, "t3")]).events)).toEqual([4]);
    expect(take(reader, from, [event(5)])).toMatchObject({ events: [], strange: true });
  });

  it("is reported when a known number comes with another event; a double of its own is ignored", () => {
    const reader = makeReader(position(3));
    take(reader, from, range(4, 6));
    expect(take(reader, from, [event(5)])).toEqual({ events: [], missing: false, strange: false });
    expect(take(reader, from, [other(5)])).toMatchObject({ events: [], strange: true });
    expect(take(reader, from, [event(7)])).toEqual({ events: [event(7)], missing: false, strange: false });
  });

  it("holds up nothing of the reader's own by events that came early", () => {
    const reader = makeReader(position(3));
    expect(take(reader, from, [other(5), other(6)]).missing).toBe(true);
    expect(take(reader, from, [event(4)])).toMatchObject({ events: [event(4)], strange: true });
    expect(numbers(take(reader, from, [event(5), event(6)]).events)).toEqual([5, 6]);
    take(reader, from, [other(9)]);
    reader._dropEarly();
    expect(take(reader, from, [event(7)])).toEqual({ events: [event(7)], missing: false, strange: false });
  });
});
