/** Events cut into messages for a gateway that takes no large ones: the client's list is the same, and no id is left out. */
import fc from "fast-check";
import type { Document } from "../../shared/live/value.ts";
import { answerFrames, cut, cutList, partOf, pushFrames } from "../../shared/live/watch_cloud_cut.ts";
import { entered, fillerEvents, left, updated, type WatchEvent } from "../../shared/live/watch_events.ts";
import { ClientList, type WireEvent } from "./_watch_client.ts";

interface Heard {
  readonly msgType: string;
  readonly watchId: string;
  readonly requestId: string;
  readonly msgData: { readonly queryID: string; readonly currEvent: number; readonly events: readonly WireEvent[] };
}

const parsed = (frame: string): Heard => JSON.parse(frame);
const answered = { watchId: "w", requestId: "r", queryId: "q" };
const plain = (documents: readonly Document[]) => JSON.parse(JSON.stringify(documents));

/** Texts of one, two and three bytes, and some that grow as JSON in JSON. */
const document = fc.record({
  text: fc.string({ unit: fc.constantFrom("a", "é", "面", '"', "\\", "\n"), maxLength: 400 }),
});
const documents = fc
  .array(document, { maxLength: 30 })
  .map((list) => list.map((one, at): Document => ({ _id: `d${at}`, ...one })));
const most = fc.integer({ min: 200, max: 4_000 });

/** One event alone may be larger than a message should be. */
function expectSizes(frames: readonly string[], limit: number): void {
  for (const frame of frames) {
    const { events } = parsed(frame).msgData;
    const bytes = Buffer.byteLength(JSON.stringify(events));
    expect(bytes <= limit || new Set(events.map(({ ID, QueueType }) => `${ID} ${QueueType}`)).size === 1).toBe(true);
    if (events.length > 1 && new Set(events.map(({ ID }) => ID)).size > 1) expect(bytes).toBeLessThanOrEqual(limit);
  }
}

it("a list is the same at the client, however it is cut, as the first answer and as a later one", () => {
  fc.assert(
    fc.property(documents, most, fc.integer({ min: 0, max: 10 ** 9 }), (list, limit, before) => {
      const parts = cutList(list, limit);
      const init = answerFrames("INIT_EVENT", answered, list.length === 0 ? [] : parts, before + 1, limit).map(parsed);
      const client = new ClientList();
      client.init(init[0]?.msgData.currEvent ?? 0, init[0]?.msgData.events ?? []);
      for (const { msgData } of init.slice(1)) client.apply(msgData.events);
      expect([client.hasGap, client.docs]).toEqual([false, plain(list)]);
      expect(init.map(({ msgType }) => msgType)).toEqual(["INIT_EVENT", ...init.slice(1).map(() => "NEXT_EVENT")]);
      // Only who waits for the answer gets the query's id: it is long.
      expect(init.map(({ msgData }) => msgData.queryID)).toEqual(["q", ...init.slice(1).map(() => "")]);

      const again = answerFrames("NEXT_EVENT", answered, parts, client.at + 1, limit);
      const at = client.at;
      for (const { msgData } of again.map(parsed)) client.apply(msgData.events);
      expect([client.hasGap, client.at - at, client.docs]).toEqual([false, parts.length, plain(list)]);
      expectSizes(again, limit);
    }),
  );
});

it("the events of a commit are told in their order, in as few messages as they fit into", () => {
  fc.assert(
    fc.property(documents, most, (list, limit) => {
      const client = new ClientList();
      client.init(7, []);
      const events: WatchEvent[] = list.flatMap((one, at) => [
        entered(one, "add"),
        ...(at % 2 === 0 ? updated(one, { ...one, text: "later" }) : []),
        ...(at % 3 === 0 ? [left(one._id, "remove")] : []),
      ]);
      const parts = cut(events, limit);
      const frames = pushFrames("w", parts, 8, limit);
      for (const frame of frames) client.apply(parsed(frame).msgData.events);
      const expected = list
        .map((one, at) => ({ ...one, ...(at % 2 === 0 ? { text: "later" } : {}) }))
        .filter((_, at) => at % 3 !== 0);
      expect([client.hasGap, client.at, client.docs]).toEqual([false, 7 + parts.length, plain(expected)]);
      expect(frames.map(parsed).at(-1)?.msgData.currEvent ?? client.at).toBe(client.at);
      expectSizes(frames, limit);
      // Handed to another function, they are the same.
      const handed = JSON.parse(JSON.stringify(parts.map(({ pieces }) => pieces))) as string[][];
      expect(pushFrames("w", handed.map(partOf), 8, limit)).toEqual(frames);
    }),
  );
});

it("an empty event uses an id up and changes nothing", () => {
  const client = new ClientList();
  client.init(1, []);
  for (const frame of pushFrames("w", [...cut(fillerEvents), ...cut(fillerEvents)], 2))
    client.apply(parsed(frame).msgData.events);
  expect([client.at, client.docs]).toEqual([3, []]);
});

it("the largest documents fit into a message of AWS with what stands around them", () => {
  // 24 KB as JSON, each quote of which is written twice as long in a text.
  const largest: Document = { _id: "d", list: Array.from({ length: 6_000 }, () => "") };
  const changed: Document = { ...largest, list: [...(largest.list as string[]).slice(1), "x"] };
  const parts = [...cut(updated(largest, changed)), ...cutList([largest, changed])];
  const frames = answerFrames("NEXT_EVENT", { ...answered, queryId: "q".repeat(24_000) }, parts, 1);
  expect(JSON.stringify(largest).length).toBeGreaterThan(18_000);
  for (const frame of frames) expect(Buffer.byteLength(frame)).toBeLessThanOrEqual(128 * 1_024);
});
