/** CloudBase's own client, unmodified, with functions that share no memory: their events come in, pushes go out by AWS's HTTP calls. */
import { WebSocket } from "ws";
import { endSession } from "../../db/sessions.ts";
import { sql } from "../../db/sql.ts";
import { parseCollections } from "../../shared/live/collections.ts";
import { onEveryEngine } from "../_engines.ts";
import { until } from "../_until.ts";
import { type CloudHouse, openCloud } from "../apigateway/_clouds.ts";
import { type SignedIn, signIn } from "./_client.ts";

type Doc = Readonly<Record<string, unknown>>;

/** A list as the client shows it to its app. */
interface Shown {
  readonly docs: readonly Doc[];
  readonly ids: readonly number[];
  readonly errors: readonly unknown[];
  close(): void;
}

interface Snapshot {
  readonly id: number;
  readonly docs: readonly Doc[];
}

interface Watchable {
  watch(listener: { onChange(snapshot: Snapshot): void; onError(error: unknown): void }): { close(): void };
}

function show(query: unknown): Shown {
  const shown = { docs: [] as readonly Doc[], ids: [] as number[], errors: [] as unknown[] };
  const listener = (query as Watchable).watch({
    onChange({ id, docs }) {
      shown.docs = docs;
      shown.ids.push(id);
    },
    onError: (error) => void shown.errors.push(error),
  });
  return Object.assign(shown, { close: () => listener.close() });
}

const collections = `
notes: { permission: READONLY, indexes: [n] }
diary: { permission: PRIVATE }
`;

onEveryEngine((engine) => {
  let house: CloudHouse;
  /** Frames to clients that are lost, by what they say. */
  let losing: ((frame: string) => boolean) | undefined;
  let lost = 0;
  const people: SignedIn[] = [];

  beforeAll(async () => {
    Object.assign(globalThis, { WebSocket });
    // It prints every step of a watch.
    Object.assign(console, { log() {}, warn() {}, error() {} });
    house = await openCloud(engine, "aws", {
      config: { collections: parseCollections(collections).collections },
      environment: { GUEST_SESSIONS_PER_HOUR: "1000" },
      faults: {
        push(_, frame) {
          if (losing?.(frame) !== true) return undefined;
          lost += 1;
          return "drop";
        },
      },
    });
    people.push(await signIn(house), await signIn(house));
  });
  afterAll(() => house.close());
  afterEach(() => {
    losing = undefined;
    lost = 0;
  });

  const [notesOf, diaryOf] = ["notes", "diary"].map(
    (name) => (at: number) => (people[at] as SignedIn).db.collection(name),
  ) as [
    (at: number) => ReturnType<SignedIn["db"]["collection"]>,
    (at: number) => ReturnType<SignedIn["db"]["collection"]>,
  ];
  const namesOf = ({ docs }: Shown) => docs.map(({ name }) => name);
  const shows = (shown: Shown, names: readonly string[]) =>
    until(
      () => JSON.stringify(namesOf(shown)) === JSON.stringify(names),
      `the list ${names}`,
      () => ({ shown: namesOf(shown), ids: shown.ids, errors: shown.errors }),
    );
  const isPush = (frame: string) => frame.includes('"NEXT_EVENT"') && frame.includes('"requestId":"push_');
  const countRows = async () => Number((await house.db.read([sql`SELECT count(*) AS n FROM watches`]))[0]?.[0]?.n);

  it("shows a list and each change to two users, and leaves no row when they go", async () => {
    const lists = [0, 1].map((at) => show(notesOf(at).where({ film: "a" })));
    for (const list of lists) await until(() => list.ids.length > 0, "the empty list");
    await notesOf(0).add([
      { film: "a", name: "x", n: 1 },
      { film: "a", name: "y", n: 2 },
      { film: "b", name: "z", n: 3 },
    ]);
    for (const list of lists) await shows(list, ["x", "y"]);
    const before = lists.map(({ ids }) => ids.length);
    await notesOf(0).where({ name: "x" }).update({ n: 5 });
    for (const list of lists) await until(() => list.docs[0]?.n === 5, "the change");
    await notesOf(0).where({ name: "z" }).update({ n: 9 });
    await notesOf(0).where({ name: "y" }).update({ film: "b" });
    for (const list of lists) await shows(list, ["x"]);
    await notesOf(0).where({ name: "x" }).remove();
    for (const list of lists) await shows(list, []);
    // The change of what they do not see has no id.
    expect(lists.map(({ ids }, at) => ids.length - (before[at] ?? 0))).toEqual([3, 3]);
    for (const list of lists) expect(list.ids).toEqual(list.ids.map((_, at) => (list.ids[0] ?? 0) + at));
    for (const list of lists) list.close();
    let left = 2;
    const look = async () => {
      left = await countRows();
    };
    const isEmpty = () => {
      void look();
      return left === 0;
    };
    await until(isEmpty, "no row of a watch");
    expect(lists.flatMap(({ errors }) => errors)).toEqual([]);
    await house.call("sweep", { trim: true, orders: false });
  });

  it("keeps an order and a limit, and a long list comes in parts", async () => {
    const text = "面".repeat(1_500);
    await notesOf(0).add(
      Array.from({ length: 60 }, (_, n) => ({ film: "long", name: `n${String(n).padStart(2, "0")}`, n, text })),
    );
    const all = show(notesOf(1).where({ film: "long" }).orderBy("n", "asc"));
    const first = show(notesOf(1).where({ film: "long" }).orderBy("n", "desc").limit(2));
    const names = Array.from({ length: 60 }, (_, n) => `n${String(n).padStart(2, "0")}`);
    await shows(all, names);
    await shows(first, ["n59", "n58"]);
    // 60 documents of more than 4.5 KB.
    expect(all.ids.length).toBeGreaterThan(2);
    await notesOf(0).where({ film: "long", n: 3 }).update({ n: 100 });
    await shows(first, ["n03", "n59"]);
    await shows(all, [...names.filter((name) => name !== "n03"), "n03"]);
    await notesOf(0).where({ film: "long", n: 100 }).remove();
    await shows(first, ["n59", "n58"]);
    expect([...all.errors, ...first.errors]).toEqual([]);
    all.close();
    first.close();
    await notesOf(0).where({ film: "long" }).remove();
  });

  it("shows each user the own documents of a private collection", async () => {
    const lists = [0, 1].map((at) => show(diaryOf(at).where({})));
    for (const list of lists) await until(() => list.ids.length > 0, "the empty list");
    await diaryOf(0).add({ name: "mine" });
    await shows(lists[0] as Shown, ["mine"]);
    await diaryOf(1).add({ name: "yours" });
    await shows(lists[1] as Shown, ["yours"]);
    expect(namesOf(lists[0] as Shown)).toEqual(["mine"]);
    for (const list of lists) list.close();
  });

  it("heals a lost push with the next one, and a lost last one by its check", async () => {
    const list = show(notesOf(0).where({ film: "lost" }));
    await until(() => list.ids.length > 0, "the empty list");
    losing = isPush;
    await notesOf(1).add({ film: "lost", name: "x" });
    await until(() => lost === 1, "a lost push");
    losing = undefined;
    await notesOf(1).add({ film: "lost", name: "y" });
    await until(() => list.docs.length === 2, "both");
    losing = isPush;
    await notesOf(1).add({ film: "lost", name: "z" });
    await until(() => lost === 2, "another lost push");
    losing = undefined;
    await until(() => list.docs.length === 3, "the last one");
    expect(namesOf(list).toSorted()).toEqual(["x", "y", "z"]);
    expect(list.errors).toEqual([]);
    list.close();
  });

  it("finds what a function that died has counted, held, or never begun", async () => {
    const list = show(notesOf(0).where({ film: "dead" }));
    await until(() => list.ids.length > 0, "the empty list");
    // It has taken the stream and will not be heard of again.
    const hold = (until: number) =>
      house.db.flight({ statements: [sql`UPDATE watch_streams SET lease = 'dead', leased_until = ${until}`] });
    await hold(house.clock.now() + 60_000);
    await notesOf(1).add({ film: "dead", name: "x" });
    await shows(list, ["x"]);
    await hold(house.clock.now() + 60_000);
    await notesOf(1).add({ film: "dead", name: "y" });
    await hold(0);
    const before = list.ids.length;
    await house.call("sweep", {});
    await until(() => list.docs.length === 2, "what the sweep found");
    expect(list.ids.length).toBe(before + 1);
    expect(list.errors).toEqual([]);
    list.close();
  });

  it("pushes nothing to a session that has ended, and its watch ends with an error", async () => {
    const gone = await signIn(house);
    const list = show(gone.db.collection("notes").where({ film: "end" }));
    await until(() => list.ids.length > 0, "the empty list");
    await notesOf(1).add({ film: "end", name: "x" });
    await shows(list, ["x"]);
    const [own] = (await house.db.read([sql`SELECT id FROM sessions WHERE user_id = ${gone.uid}`]))[0] ?? [];
    await house.db.flight({ statements: [endSession(String(own?.id), "logout", house.clock.now())] });
    await notesOf(1).add({ film: "end", name: "y" });
    await until(() => list.errors.length > 0, "an error");
    expect(namesOf(list)).toEqual(["x"]);
  });
});
