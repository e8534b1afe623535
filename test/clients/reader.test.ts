/** One stream at its reader: whatever the road does to the events, each is delivered once and in order. */
import fc from "fast-check";
import { makeReader, type Reader } from "../../clients/reader.ts";
import type { Position, StreamEvent } from "../../shared/protocol.ts";

const epoch = "e1";
const event = (seq: number): StreamEvent => ({
  seq,
  tag: `t${seq}`,
  event: "order.placed",
  at: "2026-11-21T10:00:00.000Z",
  data: { seq },
});
const position = (seq: number, of = epoch): Position => ({ epoch: of, seq, tag: `t${seq}` });
const range = (from: number, to: number) =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, at) => event(from + at));
const numbers = (events: readonly StreamEvent[]) => events.map(({ seq }) => seq);

/** A server that holds `count` events and answers what lies behind a position, `chunk` at a time. */
const answer = (at: Position | undefined, count: number, chunk: number) =>
  range((at?.seq ?? 0) + 1, Math.min(count, (at?.seq ?? 0) + chunk));

/** Takes pushes, asks for gaps as a channel does, and at last checks against the head. Gives what was delivered. */
function drive(reader: Reader, pushes: readonly (readonly number[])[], count: number, chunk: number): number[] {
  const delivered: number[] = [];
  const take = (events: readonly StreamEvent[]) => {
    const { events: ready, missing } = reader.take(epoch, events);
    delivered.push(...numbers(ready));
    expect(reader.position()?.seq).toBe(delivered.at(-1) ?? reader.position()?.seq);
    return missing;
  };
  for (const push of pushes) if (take(push.map(event))) take(answer(reader.position(), count, chunk));
  for (let asked = 0; reader.isBehind(position(count)); asked++) {
    if (asked > count) throw new Error(`it is stuck at ${reader.position()?.seq} of ${count}`);
    take(answer(reader.position(), count, chunk));
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
        expect(reader.position()).toEqual(position(count));
        expect(reader.take(epoch, range(1, count))).toEqual({ events: [], missing: false });
      }),
      { numRuns: 500 },
    );
  });

  it("delivers a permutation in which nothing is lost without asking once", () => {
    const permutation = fc
      .integer({ min: 1, max: 40 })
      .chain((count) => fc.shuffledSubarray(numbers(range(1, count)), { minLength: count, maxLength: count }));
    fc.assert(
      fc.property(permutation, (order) => {
        const reader = makeReader(position(0));
        const taken = order.map((seq) => reader.take(epoch, [event(seq)]));
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
      for (const late of range(2, early + 1)) expect(reader.take(epoch, [late]).missing).toBe(true);
      const delivered = drive(reader, [[1]], early + 1, 100);
      expect(delivered).toEqual(numbers(range(1, early + 1)));
    }
  });

  it("delivers a push of more events than it holds", () => {
    const reader = makeReader(position(0));
    expect(numbers(reader.take(epoch, range(1, 1_200)).events)).toEqual(numbers(range(1, 1_200)));
  });
});

/** The numbers from 1 on that have all come. */
function prefix(come: readonly number[]): number[] {
  const there = new Set(come);
  const found: number[] = [];
  for (let seq = 1; there.has(seq); seq++) found.push(seq);
  return found;
}

describe("where a reader stands", () => {
  it("is unknown before the first answer, and nothing is delivered then", () => {
    const reader = makeReader();
    expect(reader.position()).toBeUndefined();
    expect(reader.isBehind(position(0))).toBe(true);
    expect(reader.take(epoch, [event(1)])).toEqual({ events: [], missing: true });
    reader.arrive(position(7));
    expect(reader.position()).toEqual(position(7));
    expect(numbers(reader.take(epoch, [event(7), event(8)]).events)).toEqual([8]);
  });

  it("is not moved by an answer once it is known: only events move it", () => {
    const reader = makeReader(position(3));
    reader.arrive(position(9));
    expect(reader.position()).toEqual(position(3));
  });

  it("takes the epoch of the first event of a stream that nobody had written", () => {
    const reader = makeReader({ epoch: "", seq: 0, tag: "" });
    expect(numbers(reader.take(epoch, [event(1)]).events)).toEqual([1]);
    expect(reader.position()).toEqual(position(1));
    const other = makeReader({ epoch: "", seq: 0, tag: "" });
    other.arrive(position(4));
    expect(other.position()).toEqual(position(4));
  });

  it("takes nothing of another history, and does not hold it", () => {
    const reader = makeReader(position(3));
    expect(reader.take("e2", [event(4)])).toEqual({ events: [], missing: true });
    expect(reader.position()).toEqual(position(3));
    expect(reader.take(epoch, [])).toEqual({ events: [], missing: false });
    expect(numbers(reader.take(epoch, [event(4)]).events)).toEqual([4]);
  });

  it("begins anew from a snapshot, without what was held before", () => {
    const reader = makeReader(position(3));
    expect(reader.take(epoch, [event(5)]).missing).toBe(true);
    reader.restart(position(4, "e2"));
    expect(reader.take("e2", [])).toEqual({ events: [], missing: false });
    expect(reader.take(epoch, [event(5)])).toEqual({ events: [], missing: true });
    expect(reader.position()).toEqual(position(4, "e2"));
    reader.restart(undefined);
    expect(reader.position()).toBeUndefined();
  });

  it.each([
    ["a later number", position(4), true],
    ["the same", position(3), false],
    ["an earlier one", position(2), false],
    ["another epoch", position(3, "e2"), true],
    ["an earlier number of another epoch", position(1, "e2"), true],
    ["another tag", { epoch, seq: 3, tag: "other" }, true],
  ])("is behind a head with %s: %j %p", (_, head, behind) => {
    expect(makeReader(position(3)).isBehind(head)).toBe(behind);
  });
});
