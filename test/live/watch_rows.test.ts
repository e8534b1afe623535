/** The rows of watches in the cloud: how groups are found, and what a change of them writes. */

import { sql } from "../../db/sql.ts";
import {
  activateWatch,
  countEvents,
  countWatchers,
  countWatches,
  insertGroup,
  insertKeys,
  lockGroups,
  lockWatch,
  movePosition,
  openWatch,
  readAllWatches,
  readGroupsFor,
  readPaths,
  readPositions,
  readUncounted,
  readUnusedGroups,
  readUsedGroups,
  readWatch,
  readWatchers,
  removeGroups,
  removeUnwatchedStreams,
  startStream,
  trimWatches,
} from "../../db/watches.ts";
import { onEveryDialect, type TestDatabase } from "../_engines.ts";

onEveryDialect((engine) => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await engine.open();
  });
  afterAll(() => db.remove());
  const stream = "collection:notes";
  const ids = (rows: readonly Record<string, unknown>[] = []) => rows.map(({ id }) => id).toSorted();

  it("groups are found by one value at a path, and those of every document always", async () => {
    const group = (id: string) => insertGroup(db.dialect, { id, collection: "notes", spec: "{}", at: 5 });
    const key = (id: string, path: string, valueKey: string) =>
      insertKeys(db.dialect, id, [{ stream, path, valueKey }]);
    await db.flight({
      statements: [
        ...["all", "own", "other", "done"].flatMap(group),
        ...key("all", "", ""),
        ...key("own", "_openid", "s1"),
        ...key("other", "_openid", "s2"),
        ...key("done", "done", "b1"),
        // A second time nothing changes.
        ...key("done", "done", "b1"),
        ...insertKeys(db.dialect, "other", [{ stream: "collection:others", path: "a", valueKey: "b" }]),
      ],
    });
    const [paths] = await db.read([readPaths(stream)]);
    expect(paths?.map(({ path }) => path)).toEqual(["", "_openid", "done"]);
    expect((await db.read([readPaths("collection:none")]))[0]).toEqual([]);
    const found = async (keys: Record<string, readonly string[]>) =>
      ids((await db.read([readGroupsFor(stream, new Map(Object.entries(keys)))]))[0]);
    expect(await found({})).toEqual(["all"]);
    expect(await found({ _openid: ["s1"], done: ["b0"] })).toEqual(["all", "own"]);
    expect(await found({ _openid: ["s1", "s2", "s3"], done: ["b0", "b1"] })).toEqual(["all", "done", "other", "own"]);
  });

  it("a stream is counted from its head on, and who is behind is found", async () => {
    const head = { epoch: "e", seq: 7, tag: "t7" };
    await db.flight({
      statements: [
        sql`INSERT INTO streams (name, epoch, seq, tag, prev, changed_at, source_seq) VALUES (${stream}, 'e', 7, 't7', 't6', 1, 0)`,
        startStream(db.dialect, stream),
        startStream(db.dialect, "collection:new"),
      ],
    });
    const positions = async () => (await db.read([readPositions([stream, "collection:new"])]))[0];
    expect(await positions()).toEqual(
      expect.arrayContaining([
        { stream, ...head, head_epoch: "e", head_seq: 7, head_tag: "t7", next_prev: null },
        {
          stream: "collection:new",
          epoch: "",
          seq: 0,
          tag: "",
          head_epoch: null,
          head_seq: null,
          head_tag: null,
          next_prev: null,
        },
      ]),
    );
    const uncounted = async () => (await db.read([readUncounted(10)]))[0]?.map((row) => row.stream);
    expect(await uncounted()).toEqual(["collection:new"]);
    await db.flight({ statements: [sql`UPDATE streams SET seq = 8, tag = 't8' WHERE name = ${stream}`] });
    expect(await uncounted()).toEqual(["collection:new", stream]);
    // Somebody else comes: how far the groups count stays.
    await db.flight({ statements: [startStream(db.dialect, stream)] });
    expect(await uncounted()).toEqual(["collection:new", stream]);
    await db.flight({ statements: [movePosition(stream, { epoch: "e", seq: 8, tag: "t8" }, { name: "l", until: 5 })] });
    expect(await uncounted()).toEqual(["collection:new"]);
  });

  it("a watch is pushed to while it is active, with its group's counter", async () => {
    await db.flight({
      statements: [
        sql`INSERT INTO sessions (id, user_id, kind, token_hash, created_at, seen_at, expires_at) VALUES ('s', 'u', 'guest', 'h', 1, 1, 9)`,
        sql`INSERT INTO connections (id, session_id, gateway, connected_at) VALUES ('c', 's', 'g', 1)`,
      ],
    });
    const watch = { connection: "c", watch: "w", group: "own", query: "q", at: 3 };
    await db.flight({ statements: openWatch(db.dialect, { ...watch, opening: "1" }) });
    const watchers = async () => (await db.read([readWatchers(["own", "all"])]))[0];
    expect(await watchers()).toEqual([]);
    await db.flight({ statements: [activateWatch("c", "w", 4), countEvents(["own", "all"], 2, undefined)] });
    expect(await watchers()).toMatchObject([
      { connection_id: "c", watch_id: "w", shift: 4, gateway: "g", expires_at: 9 },
    ]);
    expect((await db.read([readWatch("c", "w")]))[0]).toMatchObject([
      { counter: 2, shift: 4, active: 1, group_id: "own" },
    ]);
    await db.flight({ statements: openWatch(db.dialect, { ...watch, opening: "2" }) });
    const { rows } = await db.flight({
      statements: [lockWatch("c", "w"), readWatch("c", "w"), countWatches("c"), lockGroups(["own", "all"])],
    });
    expect(rows.slice(0, 3)).toMatchObject([[{ active: 0, opening: "2", shift: 4 }], [{ counter: 2 }], [{ n: 1 }]]);
    expect(rows[3]).toMatchObject([{ id: "all" }, { id: "own" }]);
    expect(await watchers()).toEqual([]);
    const [all, counts] = await db.read([readAllWatches(10), countWatchers()]);
    expect(all).toMatchObject([{ collection: "notes", user_id: "u", kind: "guest", opened_at: 3 }]);
    expect(counts).toMatchObject([{ collection: "notes", n: 1 }]);
  });

  it("what nobody watches any more goes, and nothing else", async () => {
    const unused = async () => ids((await db.read([readUnusedGroups(6, 10)]))[0]);
    expect(await unused()).toEqual(["all", "done", "other"]);
    expect((await db.read([readUsedGroups(["all", "own"])]))[0]).toEqual([{ group_id: "own" }]);
    await db.flight({
      statements: [...removeGroups(["all", "done", "other"]), removeUnwatchedStreams(), trimWatches(9)],
    });
    expect((await db.read([readPaths(stream)]))[0]).toEqual([{ path: "_openid" }]);
    expect((await db.read([sql`SELECT stream FROM watch_streams`]))[0]).toEqual([{ stream }]);
    await db.flight({ statements: [sql`DELETE FROM connections`, trimWatches(3)] });
    expect((await db.read([countWatches("c")]))[0]).toEqual([{ n: 1 }]);
    await db.flight({ statements: [trimWatches(4)] });
    expect(await unused()).toEqual(["own"]);
  });
});
