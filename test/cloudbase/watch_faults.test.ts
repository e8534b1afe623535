/**
 * `watch()` of CloudBase's own client when something goes wrong. Its timers are its own (a check after 10 s, a dead socket after 25 s), so
 * all stories run beside each other; each goes through a wire of its own.
 */
import { parseCollections } from "../../shared/live/collections.ts";
import { anyEngine } from "../_engines.ts";
import { type House, openHouse } from "../_house.ts";
import { startProxy, type Wire } from "../_proxy.ts";
import { type SignedIn, signIn } from "./_client.ts";
import { prepareNode, type Watched, watchOf } from "./_watched.ts";

const { collections } = parseCollections(`
notes: { rules: { read: true, write: auth != null }, indexes: [group] }
shared: { rules: { read: "auth.uid in doc.members", write: auth != null } }
`);

interface Scene {
  readonly house: House;
  /** Whose network is whole. */
  readonly writer: SignedIn;
  readonly reader: SignedIn;
  readonly wire: Wire;
  readonly group: string;
  add(n: number): Promise<unknown>;
  /** A list that began with one document, 0, and is alive. */
  readonly list: Watched;
}

type Story = (scene: Scene) => Promise<void>;

/** Pushes about a group whose stories wish so are swallowed. */
const swallowed = new Map<string, number>();
function push(_connection: string, frame: string): "drop" | undefined {
  if (!frame.includes("NEXT_EVENT")) return undefined;
  for (const [group, left] of swallowed)
    if (left > 0 && frame.includes(group)) {
      swallowed.set(group, left - 1);
      return "drop";
    }
  return undefined;
}

/** No error, and no number left out or given twice. */
function expectWhole({ snapshots, errors }: Watched): void {
  expect(errors).toEqual([]);
  expect(snapshots.map(({ id }) => id)).toEqual(snapshots.map((_one, at) => Number(snapshots[0]?.id) + at));
}

const stories: Readonly<Record<string, Story>> = {
  async "a push that was lost is missed with the next one, and the list is made whole"({ add, list, group }) {
    swallowed.set(group, 1);
    await add(1);
    await add(2);
    await list.holds(["0", "1", "2"]);
    expect(swallowed.get(group)).toBe(0);
    await add(3);
    await list.holds(["0", "1", "2", "3"]);
    expectWhole(list);
  },

  async "the last push was lost, and the client's own check finds it"({ add, list, group }) {
    swallowed.set(group, 1);
    await add(1);
    await list.holds(["0", "1"]);
    expect(swallowed.get(group)).toBe(0);
    // It goes on checking.
    swallowed.set(group, 1);
    await add(2);
    await list.holds(["0", "1", "2"]);
    expectWhole(list);
  },

  async "a socket that is cut is opened again, and the list has what happened meanwhile"({
    add,
    list,
    wire,
    writer,
    group,
  }) {
    wire.cut();
    await add(1);
    await writer.db.collection("notes").where({ group, n: 0 }).remove();
    wire.mend();
    await list.holds(["1"]);
    wire.cut();
    wire.mend();
    await add(2);
    await list.holds(["1", "2"]);
    expectWhole(list);
  },

  async "an outage of some seconds ends with a whole list, also when it has become empty"({
    list,
    wire,
    writer,
    group,
  }) {
    wire.cut();
    // The first try is at once and fails.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await writer.db.collection("notes").where({ group }).remove();
    wire.mend();
    await list.shows([]);
    await writer.db.collection("notes").add({ group, n: 5 });
    await list.shows(["5"]);
    expectWhole(list);
  },

  async "a socket that carries nothing any more is given up and replaced"({ add, list, wire }) {
    wire.lose();
    await add(1);
    await list.holds(["0", "1"]);
    await add(2);
    await list.holds(["0", "1", "2"]);
    expectWhole(list);
  },

  async "a document that its reader may not see any more leaves the list, and comes back"({ writer, reader, group }) {
    const all = [writer.uid, reader.uid];
    const shared = writer.db.collection("shared");
    const { id } = await shared.add({ group, name: "ours", members: all });
    await shared.add({ group, name: "also ours", members: all });
    const list = watchOf(reader.db.collection("shared").where({ group, members: reader.uid }));
    await list.holds(["ours", "also ours"]);
    await shared.doc(String(id)).update({ members: [writer.uid], name: "not for you" });
    await list.holds(["also ours"]);
    expect(JSON.stringify(list.snapshots.map(({ docs, docChanges }) => [docs, docChanges]))).not.toContain(
      "not for you",
    );
    await shared.doc(String(id)).update({ members: all, name: "ours again" });
    await list.holds(["also ours", "ours again"]);
    expect(list.errors).toEqual([]);
    list.close();
  },

  async "a session that ends ends its watches with an error, and they are told nothing more"({
    add,
    list,
    reader,
    house,
  }) {
    const { accessToken } = await reader.app.auth().getAccessToken();
    const ended = await house.http("DELETE", "/session", { token: String(accessToken) });
    expect(ended.status).toBe(204);
    await add(1);
    await list.failed();
    await add(2);
    expect(list.snapshots).toHaveLength(1);
  },
};

async function sceneOf(house: House, writer: SignedIn, nth: number): Promise<{ scene: Scene; end(): Promise<void> }> {
  const wire = await startProxy({ host: "127.0.0.1", port: Number(new URL(house.url).port) });
  const reader = await signIn({ url: `http://127.0.0.1:${wire.port}` });
  const group = `story ${nth} of its own`;
  const add = (n: number) => writer.db.collection("notes").add({ group, n });
  await add(0);
  const list = watchOf(reader.db.collection("notes").where({ group }));
  await list.shows(["0"]);
  const end = async () => {
    list.close();
    await wire.close();
  };
  return { scene: { house, writer, reader, wire, group, add, list }, end };
}

const restart = "a server that was restarted knows no watch, and every list goes on";

/** A server of its own: it is stopped. */
async function restartStory(): Promise<void> {
  const house = await openHouse(anyEngine, { config: { collections } });
  const [writer, reader] = [await signIn(house), await signIn(house)];
  const group = "restarted";
  const lists = [
    watchOf(reader.db.collection("notes").where({ group })),
    watchOf(reader.db.collection("notes").where({ group }).orderBy("n", "desc").limit(2)),
  ] as const;
  await writer.db.collection("notes").add([1, 2].map((n) => ({ group, n })));
  await lists[0].holds(["1", "2"]);
  await lists[1].shows(["2", "1"]);
  await house.restart();
  await writer.db.collection("notes").add({ group, n: 3 });
  await lists[0].holds(["1", "2", "3"]);
  await lists[1].shows(["3", "2"]);
  await writer.db.collection("notes").where({ group, n: 2 }).remove();
  await lists[0].holds(["1", "3"]);
  await lists[1].shows(["3", "1"]);
  for (const list of lists) {
    expectWhole(list);
    list.close();
  }
  await house.close();
}

let house: House;
const runs = new Map<string, Promise<void>>();
beforeAll(async () => {
  prepareNode();
  house = await openHouse(anyEngine, { config: { collections }, faults: { push }, mayFail: true });
  const writer = await signIn(house);
  for (const [at, [name, story]] of Object.entries(stories).entries()) {
    const run = async () => {
      const { scene, end } = await sceneOf(house, writer, at);
      await story(scene).finally(end);
    };
    runs.set(name, run());
  }
  runs.set(restart, restartStory());
  // Each is awaited by its own test; until then its failure is no unhandled one.
  for (const run of runs.values()) run.catch(() => {});
});
afterAll(async () => {
  await Promise.allSettled(runs.values());
  await house.close();
});

it.each([...Object.keys(stories), restart])("%s", async (name) => {
  await runs.get(name);
});
