/** The pure parts of watches: what the vendor's client makes of the events is what the query answers. */
import fc from "fast-check";
import type { DocumentChange } from "../../shared/live/changes.ts";
import { compileMatch } from "../../shared/live/match.ts";
import { parseQuery } from "../../shared/live/query.ts";
import { comparator, type Order } from "../../shared/live/sort.ts";
import { type Document, isSame } from "../../shared/live/value.ts";
import { compareLists } from "../../shared/live/watch_compare.ts";
import { directEvents, fillerEvents, listEvents, type WatchEvent } from "../../shared/live/watch_events.ts";
import { template } from "../../shared/live/watch_frames.ts";
import { equalityOf, WatchIndex } from "../../shared/live/watch_index.ts";
import { WatchMember } from "../../shared/live/watch_member.ts";
import { applyToWindow } from "../../shared/live/watch_window.ts";
import { encode } from "../../shared/live/wire_value.ts";
import { context, fields, query } from "./_arbitrary.ts";
import { ClientList, type WireEvent } from "./_watch_client.ts";

const wire = (events: readonly WatchEvent[], id: number): WireEvent[] => JSON.parse(`[${template(events)(id)}]`);
const onWire = (documents: readonly Document[]) => documents.map((one) => encode(one));

const visitor = { auth: null, session: undefined };

/** A commit: what becomes of some documents; undefined removes one. */
const id = fc.constantFrom("1", "2", "3", "4", "5", "6", "7");
const commit = fc.uniqueArray(fc.tuple(id, fc.option(fields, { nil: undefined })), {
  minLength: 1,
  maxLength: 4,
  selector: ([one]) => one,
});
const commits = fc.array(commit, { minLength: 1, maxLength: 8 });
const order: fc.Arbitrary<Order> = fc.array(
  fc.record({ path: fc.constantFrom("a", "b", "_id"), descending: fc.boolean() }),
  { maxLength: 2 },
);

/** Applies commits to a collection. */
class Collection {
  readonly documents = new Map<string, Document>();

  change(commit: readonly (readonly [string, Readonly<object> | undefined])[]): DocumentChange[] {
    return commit.flatMap(([id, fields]): DocumentChange[] => {
      const before = this.documents.get(id);
      const after = fields === undefined ? undefined : { ...fields, _id: id };
      if (after === undefined) this.documents.delete(id);
      else this.documents.set(id, after);
      return before === undefined && after === undefined ? [] : [{ id, before, after }];
    });
  }
}

it("a list without an order follows from the commits alone", () => {
  let told = 0;
  fc.assert(
    fc.property(query, commits, (input, all) => {
      const visible = compileMatch(parseQuery(input, context));
      const [collection, client] = [new Collection(), new ClientList()];
      client.init(1, []);
      for (const one of all) {
        const events = directEvents({ changes: collection.change(one) }, visible);
        told += events.length;
        if (events.length > 0) client.apply(wire(events, client.at + 1));
        const wanted = onWire([...collection.documents.values()].filter(visible));
        expect(client.hasGap).toBe(false);
        expect(new Set(client.docs)).toEqual(new Set(wanted));
        expect(client.docs).toHaveLength(wanted.length);
      }
    }),
    { numRuns: 1_000 },
  );
  expect(told).toBeGreaterThan(1_000);
});

it("a list with order and limit is what the query answers, in its order; the window decides without a read where it can", () => {
  let [read, kept] = [0, 0];
  fc.assert(
    fc.property(
      query,
      order,
      fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
      commits,
      (input, by, limit, all) => {
        const visible = compileMatch(parseQuery(input, context));
        const compare = comparator(by);
        const [collection, client] = [new Collection(), new ClientList()];
        let window: readonly Document[] = [];
        client.init(1, []);
        for (const one of all) {
          const changes = collection.change(one);
          const answer = [...collection.documents.values()].filter(visible).toSorted(compare).slice(0, limit);
          const next = applyToWindow(window, changes, { limit, order: compare, visible });
          if (next === undefined) read++;
          else {
            kept++;
            expect(next).toEqual(answer);
          }
          const causes = new Map(changes.map((change) => [change.id, change]));
          const events = compareLists(window, answer, all.length % 2 === 0 ? { causes, visible } : {});
          if (events.length > 0) client.apply(wire(events, client.at + 1));
          else expect(isSame(window, answer)).toBe(true);
          expect(client.docs).toEqual(onWire(answer));
          window = answer;
        }
      },
    ),
    { numRuns: 1_000 },
  );
  expect(read).toBeGreaterThan(20);
  expect(kept).toBeGreaterThan(1_000);
});

it("a client that sorts by itself is told which documents there are, and never the whole list again", () => {
  const documents = (ids: readonly string[]) => ids.map((_id) => ({ _id }));
  fc.assert(
    fc.property(fc.uniqueArray(id, { maxLength: 7 }), fc.uniqueArray(id, { maxLength: 7 }), (before, after) => {
      const client = new ClientList();
      client.init(1, wire(listEvents(documents(before)), 1));
      const events = compareLists(documents(before), documents(after), { sorts: true });
      expect(events.some(({ queueType }) => queueType === "init")).toBe(false);
      if (events.length > 0) client.apply(wire(events, 2));
      expect(new Set(client.docs.map(({ _id }) => _id))).toEqual(new Set(after));
    }),
  );
});

it("an empty list, and an id that changes nothing, are two events", () => {
  const client = new ClientList();
  client.init(7, wire(listEvents([{ _id: "1" }, { _id: "2" }]), 0));
  client.apply([...wire(listEvents([]), 8), ...wire(fillerEvents, 9)]);
  expect([client.docs, client.at]).toEqual([[], 9]);
  client.apply(
    wire(
      directEvents({ changes: [{ id: "3", before: undefined, after: { _id: "3" } }] }, () => true),
      10,
    ),
  );
  client.apply(wire(fillerEvents, 11));
  expect([client.docs, client.at]).toEqual([[{ _id: "3" }], 11]);
});

it("an answer uses up the numbers of frames that may be on their way", () => {
  const spec = { collection: "a", query: "{}", order: [], limit: undefined, sorts: false, at: 0 };
  const opening = { connection: "c", watchId: "w", requestId: "r", queryId: "q", spec, caller: visitor, after: 3 };
  const eventsOf = (frame: string) => (JSON.parse(frame) as { msgData: { events: WireEvent[] } }).msgData.events;
  const member = new WatchMember(opening, 0, 6);
  const answer = eventsOf(member.answer(template(listEvents([{ _id: "1" }])), false, 1));
  member.queue(template(directEvents({ changes: [{ id: "1", before: { _id: "1" }, after: undefined }] }, () => true)));
  const client = new ClientList();
  client.init(3, []);
  client.apply(answer);
  client.apply(wire(listEvents([{ _id: "late" }]), 5));
  expect([client.at, client.docs]).toEqual([6, [{ _id: "1" }]]);
  client.apply(eventsOf(member.takeFrame() ?? ""));
  expect([client.at, client.docs]).toEqual([7, []]);
});

it("says why: by limit, by a change, added, removed; and nothing of what leaves", () => {
  const [a, b, c] = [
    { _id: "a", n: 0 },
    { _id: "b", n: 1 },
    { _id: "c", n: 2 },
  ];
  const kinds = (events: readonly WatchEvent[]) =>
    events.map(
      ({ dataType, queueType, id, document }) =>
        `${dataType}/${queueType} ${id}${document === undefined ? "" : " whole"}`,
    );
  const visible = ({ hidden }: Document) => hidden !== true;
  const compared = (before: Document[], after: Document[], changes: DocumentChange[]) =>
    kinds(compareLists(before, after, { causes: new Map(changes.map((one) => [one.id, one])), visible }));
  expect(compared([a, b], [b, c], [{ id: "a", before: a, after: undefined }])).toEqual([
    "remove/dequeue a",
    "limit/enqueue c whole",
  ]);
  expect(compared([b, c], [a, b], [{ id: "a", before: undefined, after: a }])).toEqual([
    "init/init a whole",
    "init/init b whole",
  ]);
  const hidden = { ...b, hidden: true };
  expect(compared([a, b], [a], [{ id: "b", before: b, after: hidden }])).toEqual(["update/dequeue b"]);
  expect(compared([a], [a, b], [{ id: "b", before: hidden, after: b }])).toEqual(["update/enqueue b whole"]);
  expect(kinds(directEvents({ changes: [{ id: "b", before: b, after: hidden }] }, visible))).toEqual([
    "update/dequeue b",
  ]);
  const list = { _id: "a", list: [1, 2, 3] };
  expect(
    kinds(directEvents({ changes: [{ id: "a", before: list, after: { _id: "a", list: [3] } }] }, visible)),
  ).toEqual(["update/update a whole"]);
});

it("the index finds every query that a change concerns", () => {
  let skipped = 0;
  fc.assert(
    fc.property(fc.array(query, { minLength: 1, maxLength: 8 }), commits, (inputs, all) => {
      const queries = inputs.map((input) => parseQuery(input, context));
      const index = new WatchIndex<number>();
      for (const [at, condition] of queries.entries()) index.add(at, equalityOf(condition));
      const collection = new Collection();
      for (const one of all) {
        const changes = collection.change(one);
        const found = index.find(changes);
        for (const [at, condition] of queries.entries()) {
          const concerned = directEvents({ changes }, compileMatch(condition)).length > 0;
          if (concerned) expect(found.has(at)).toBe(true);
          else if (!found.has(at)) skipped++;
        }
      }
      for (const [at, condition] of queries.entries()) index.remove(at, equalityOf(condition));
      expect(index.size).toBe(0);
    }),
    { numRuns: 500 },
  );
  expect(skipped).toBeGreaterThan(500);
});

it("prefers the equality that the fewest documents satisfy", () => {
  const path = (input: unknown) => equalityOf(parseQuery(input, context))?.path;
  expect(path({ a: 1, _openid: "me", _id: "x" })).toBe("_id");
  expect(path({ a: { $in: [1, 2] }, b: 3 })).toBe("b");
  expect(path({ a: { $gt: 1 } })).toBeUndefined();
  expect(path({ $or: [{ a: 1 }, { b: 1 }] })).toBeUndefined();
});
