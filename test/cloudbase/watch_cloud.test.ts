/** CloudBase's own client, unmodified, with functions that share no memory: their events come in, pushes go out by AWS's HTTP calls. */
import { endSession } from "../../db/sessions.ts";
import { sql } from "../../db/sql.ts";
import { parseCollections } from "../../shared/live/collections.ts";
import { anyEngine, type Engine, onEveryDialect } from "../_engines.ts";
import { until } from "../_until.ts";
import { type CloudHouse, openCloud } from "../apigateway/_clouds.ts";
import { type SignedIn, signIn } from "./_client.ts";
import { prepareNode, type Watchable, type Watched, watchOf } from "./_watched.ts";

const collections = `
notes: { permission: READONLY, indexes: [n] }
diary: { permission: PRIVATE }
`;

interface Scene {
  readonly house: CloudHouse;
  readonly people: readonly SignedIn[];
  /** Frames to clients that are lost, by what they say; and how many were. */
  losing: ((frame: string) => boolean) | undefined;
  lost: number;
  notes(at: number): ReturnType<SignedIn["db"]["collection"]>;
  close(): Promise<void>;
}

async function openScene(engine: Engine): Promise<Scene> {
  prepareNode();
  const house = await openCloud(engine, "aws", {
    config: { collections: parseCollections(collections).collections },
    environment: { GUEST_SESSIONS_PER_HOUR: "1000" },
    faults: {
      push(_, frame) {
        if (scene.losing?.(frame) !== true) return undefined;
        scene.lost += 1;
        return "drop";
      },
    },
  });
  const people = [await signIn(house), await signIn(house)];
  const scene: Scene = {
    house,
    people,
    losing: undefined,
    lost: 0,
    notes: (at) => (people[at] as SignedIn).db.collection("notes"),
    close: () => house.close(),
  };
  return scene;
}

const watch = (query: unknown): Watched => watchOf(query as Watchable);
const idsOf = ({ snapshots }: Watched) => snapshots.map(({ id }) => id);
const isPush = (frame: string) => frame.includes('"NEXT_EVENT"') && frame.includes('"requestId":"push_');

/** No id is left out: the client has asked for nothing anew. */
function expectWhole(list: Watched): void {
  const ids = idsOf(list);
  expect(ids).toEqual(ids.map((_, at) => (ids[0] ?? 0) + at));
  expect(list.errors).toEqual([]);
}

onEveryDialect((engine) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene(engine);
  });
  afterAll(() => scene.close());

  it("shows a list and each change to two users, and leaves no row when they go", async () => {
    const { house, notes } = scene;
    const lists = [0, 1].map((at) => watch(notes(at).where({ film: "a" })));
    for (const list of lists) await list.shows([]);
    await notes(0).add([
      { film: "a", name: "x", n: 1 },
      { film: "a", name: "y", n: 2 },
      { film: "b", name: "z", n: 3 },
    ]);
    for (const list of lists) await list.holds(["x", "y"]);
    const before = lists.map(({ snapshots }) => snapshots.length);
    await notes(0).where({ name: "x" }).update({ n: 5 });
    for (const list of lists) await until(() => list.docs()?.some(({ n }) => n === 5) === true, "the change");
    await notes(0).where({ name: "z" }).update({ n: 9 });
    await notes(0).where({ name: "y" }).update({ film: "b" });
    for (const list of lists) await list.shows(["x"]);
    await notes(0).where({ name: "x" }).remove();
    for (const list of lists) await list.shows([]);
    // The change of what they do not see has no id.
    expect(lists.map(({ snapshots }, at) => snapshots.length - (before[at] ?? 0))).toEqual([3, 3]);
    for (const list of lists) expectWhole(list);
    for (const list of lists) list.close();
    let left = 2;
    const look = async () => {
      left = Number((await house.db.read([sql`SELECT count(*) AS n FROM watches`]))[0]?.[0]?.n);
    };
    const isEmpty = () => {
      void look();
      return left === 0;
    };
    await until(isEmpty, "no row of a watch");
    await house.call("sweep", { trim: true, orders: false });
  });

  it("keeps an order and a limit, and a long list comes in parts", async () => {
    const { notes } = scene;
    const text = "面".repeat(1_500);
    const names = Array.from({ length: 60 }, (_, n) => `n${String(n).padStart(2, "0")}`);
    await notes(0).add(names.map((name, n) => ({ film: "long", name, n, text })));
    const all = watch(notes(1).where({ film: "long" }).orderBy("n", "asc"));
    const first = watch(notes(1).where({ film: "long" }).orderBy("n", "desc").limit(2));
    await all.shows(names);
    await first.shows(["n59", "n58"]);
    // 60 documents of more than 4.5 KB.
    expect(all.snapshots.length).toBeGreaterThan(2);
    await notes(0).where({ film: "long", n: 3 }).update({ n: 100 });
    await first.shows(["n03", "n59"]);
    await all.shows([...names.filter((name) => name !== "n03"), "n03"]);
    await notes(0).where({ film: "long", n: 100 }).remove();
    await first.shows(["n59", "n58"]);
    for (const list of [all, first]) expectWhole(list);
    for (const list of [all, first]) list.close();
    await notes(0).where({ film: "long" }).remove();
  });

  it("shows each user the own documents of a private collection", async () => {
    const [a, b] = scene.people.map(({ db }) => db.collection("diary")) as [
      ReturnType<Scene["notes"]>,
      ReturnType<Scene["notes"]>,
    ];
    const lists = [watch(a.where({})), watch(b.where({}))];
    for (const list of lists) await list.shows([]);
    await a.add({ name: "mine" });
    await lists[0]?.shows(["mine"]);
    await b.add({ name: "yours" });
    await lists[1]?.shows(["yours"]);
    await lists[0]?.shows(["mine"]);
    for (const list of lists) expectWhole(list);
    for (const list of lists) list.close();
  });

  it("many changes at once arrive all, in one order", async () => {
    const { notes } = scene;
    const list = watch(notes(0).where({ film: "many" }));
    await list.shows([]);
    const names = Array.from({ length: 30 }, (_, at) => `n${at}`);
    await Promise.all(names.map((name, at) => notes(at % 2).add({ film: "many", name })));
    await list.holds(names);
    expectWhole(list);
    list.close();
  });

  it("pushes nothing to a session that has ended, and its watch ends with an error", async () => {
    const { house, notes } = scene;
    const gone = await signIn(house);
    const list = watch(gone.db.collection("notes").where({ film: "end" }));
    await list.shows([]);
    await notes(1).add({ film: "end", name: "x" });
    await list.shows(["x"]);
    const [own] = (await house.db.read([sql`SELECT id FROM sessions WHERE user_id = ${gone.uid}`]))[0] ?? [];
    await house.db.flight({ statements: [endSession(String(own?.id), "logout", house.clock.now())] });
    await notes(1).add({ film: "end", name: "y" });
    await list.failed();
    await list.shows(["x"]);
  });
});

describe("what is lost", () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene(anyEngine);
  });
  afterAll(() => scene.close());

  it("heals a lost push with the next one, and finds the last one, and what a function that died was to push", async () => {
    const { house, notes } = scene;
    const list = watch(notes(0).where({ film: "lost" }));
    await list.shows([]);
    scene.losing = isPush;
    await notes(1).add({ film: "lost", name: "x" });
    await until(() => scene.lost === 1, "a lost push");
    scene.losing = undefined;
    await notes(1).add({ film: "lost", name: "y" });
    await list.holds(["x", "y"]);
    scene.losing = isPush;
    await notes(1).add({ film: "lost", name: "z" });
    await until(() => scene.lost === 2, "another lost push");
    scene.losing = undefined;
    // It has taken the stream and will not be heard of again.
    const hold = (until: number) =>
      house.db.flight({ statements: [sql`UPDATE watch_streams SET lease = 'dead', leased_until = ${until}`] });
    const dead = watch(notes(1).where({ film: "dead" }));
    await dead.shows([]);
    await hold(house.clock.now() + 60_000);
    await notes(1).add({ film: "dead", name: "x" });
    // By their checks, which come after ten seconds.
    await Promise.all([list.holds(["x", "y", "z"]), dead.shows(["x"])]);

    await hold(house.clock.now() + 60_000);
    await notes(1).add({ film: "dead", name: "y" });
    await hold(0);
    const before = dead.snapshots.length;
    await house.call("sweep", {});
    await dead.holds(["x", "y"]);
    expect(dead.snapshots.length).toBe(before + 1);
    for (const one of [list, dead]) expectWhole(one);
    for (const one of [list, dead]) one.close();
  });
});
