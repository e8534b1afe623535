/** `watch()` of CloudBase's own client: lists that begin, change, grow, shrink, keep their order and their readers. */
import { parseCollections } from "../../shared/live/collections.ts";
import { newApiKey } from "../../shared/sessions/api_key.ts";
import { onEveryDialect } from "../_engines.ts";
import { type House, openHouse } from "../_house.ts";
import { type EndPointMode, endPointModes, openClient, type SignedIn, signIn } from "./_client.ts";
import { changesOf, type Doc, prepareNode, type Watched, watchOf } from "./_watched.ts";

const { collections } = parseCollections(`
notes: { rules: { read: true, write: auth != null }, indexes: [group] }
plain: { rules: { read: true, write: auth != null } }
diary: { permission: PRIVATE }
news: { permission: READONLY }
rooms: { rules: { read: true, write: auth != null } }
talk: { rules: { read: "get(\`database.rooms.\${doc.room}\`).open == true", write: auth != null } }
`);

beforeAll(prepareNode);

onEveryDialect((engine) => {
  let house: House;
  const open: Watched[] = [];
  let me: SignedIn;
  beforeAll(async () => {
    house = await openHouse(engine, { config: { collections } });
    me = await signIn(house);
  });
  afterEach(() => {
    for (const one of open.splice(0)) one.close();
  });
  afterAll(() => house.close());
  const watch = (...given: Parameters<typeof watchOf>) => {
    const one = watchOf(...given);
    open.push(one);
    return one;
  };
  let groups = 0;
  /** A group of documents that no other story touches. */
  const newGroup = () => {
    groups += 1;
    return `group ${groups}`;
  };

  it.each(endPointModes)(
    "a list begins, and follows adds, changes and removals (%s)",
    async (endPointMode: EndPointMode) => {
      const { db } = await signIn(house, { endPointMode });
      const _ = db.command;
      const group = newGroup();
      const notes = db.collection("notes");
      const { id } = await notes.add({ group, n: 1, done: false });
      const list = watch(notes.where({ group, n: _.lt(10) }));
      const first = await list.snapshot(1);
      expect(first.docs).toEqual([expect.objectContaining({ _id: id, group, n: 1, done: false })]);
      expect(changesOf(first)).toEqual(["init/init"]);

      const second = await notes.add({ group, n: 2 });
      expect(changesOf(await list.snapshot(2))).toEqual(["add/enqueue"]);
      await list.shows(["1", "2"]);

      await notes.doc(String(id)).update({ n: 3, done: _.remove(), more: { inside: [1, 2] } });
      const changed = await list.snapshot(3);
      expect(changesOf(changed)).toEqual(["update/update"]);
      expect(changed.docChanges[0]).toMatchObject({ docId: id, updatedFields: { n: 3, more: { inside: [1, 2] } } });
      expect(changed.docChanges[0]?.removedFields).toEqual(["done"]);
      const [now] = changed.docs.filter(({ _id }) => _id === id) as [Doc];
      expect(now).toMatchObject({ n: 3, more: { inside: [1, 2] } });
      expect(now).not.toHaveProperty("done");

      await notes.doc(String(id)).update({ n: 10 });
      expect(changesOf(await list.snapshot(4))).toEqual(["update/dequeue"]);
      await list.shows(["2"]);
      await notes.doc(String(id)).update({ n: _.inc(-4) });
      expect(changesOf(await list.snapshot(5))).toEqual(["update/enqueue"]);
      await list.shows(["2", "6"]);
      await notes.doc(String(id)).set({ group, n: 7 });
      expect(changesOf(await list.snapshot(6))).toEqual([expect.stringMatching(/^(replace|update)\/update$/)]);
      await list.shows(["2", "7"]);
      await notes.doc(String(second.id)).remove();
      expect(changesOf(await list.snapshot(7))).toEqual(["remove/dequeue"]);
      await list.shows(["7"]);
      expect(list.errors).toEqual([]);
      expect(list.snapshots.map(({ id }) => id)).toEqual(list.snapshots.map((_one, at) => first.id + at));
    },
  );

  it("documents that one request changes appear together", async () => {
    const { db } = me;
    const group = newGroup();
    const notes = db.collection("notes");
    const list = watch(notes.where({ group }));
    expect((await list.snapshot(1)).docs).toEqual([]);
    await notes.add([1, 2, 3].map((n) => ({ group, n })));
    expect(changesOf(await list.snapshot(2))).toEqual(["add/enqueue", "add/enqueue", "add/enqueue"]);
    await notes.where({ group }).update({ n: db.command.inc(10) });
    const changed = await list.snapshot(3);
    expect(changed.docs.map(({ n }) => n).toSorted()).toEqual([11, 12, 13]);
    await notes.where({ group }).remove();
    expect((await list.snapshot(4)).docs).toEqual([]);
    expect(list.snapshots).toHaveLength(4);
  });

  it("an ordered list with a limit shows its window, in order, at every moment", async () => {
    const { db } = me;
    const group = newGroup();
    const notes = db.collection("notes");
    const query = notes.where({ group }).orderBy("n", "desc").limit(3);
    const list = watch(query);
    await list.snapshot(1);
    const ids = new Map<number, string>();
    for (const n of [5, 1, 3]) ids.set(n, String((await notes.add({ group, n })).id));
    await list.shows(["5", "3", "1"]);
    await notes.add({ group, n: 4 });
    await list.shows(["5", "4", "3"]);
    await notes.doc(ids.get(3) as string).update({ n: 9 });
    await list.shows(["9", "5", "4"]);
    await notes.doc(ids.get(5) as string).remove();
    await list.shows(["9", "4", "1"]);
    // Below the window: nothing to show.
    const before = list.snapshots.length;
    await notes.add({ group, n: 0 });
    await notes.doc(ids.get(1) as string).update({ n: 2 });
    await list.shows(["9", "4", "2"]);
    expect(list.snapshots.length - before).toBe(1);
    await notes.where({ group }).remove();
    await list.shows([]);
    await notes.add({ group, n: 8 });
    await list.shows(["8"]);
    for (const { docs } of list.snapshots) {
      const shown = docs.map(({ n }) => Number(n));
      expect(shown).toEqual(shown.toSorted((a, b) => b - a));
      expect(shown.length).toBeLessThanOrEqual(3);
    }
    expect(list.errors).toEqual([]);
  });

  it("a list with a limit alone shows the newest", async () => {
    const { db } = me;
    const group = newGroup();
    const plain = db.collection("plain");
    for (const name of ["a", "b", "c"]) await plain.doc(`${group.replace(" ", "-")}-${name}`).set({ group, name });
    const list = watch(plain.where({ group }).limit(2));
    await list.shows(["c", "b"]);
    await plain.doc(`${group.replace(" ", "-")}-d`).set({ group, name: "d" });
    await list.shows(["d", "c"]);
    await plain.where({ group, name: db.command.in(["c", "d"]) }).remove();
    await list.shows(["b", "a"]);
  });

  it("one document is watched by its id, before it is there and after", async () => {
    const { db } = me;
    const id = newGroup().replace(" ", "-");
    const document = db.collection("plain").doc(id);
    const list = watch(document);
    expect((await list.snapshot(1)).docs).toEqual([]);
    await document.set({ name: "born" });
    await list.shows(["born"]);
    await document.remove();
    await list.shows([]);
    await document.set({ name: "again" });
    await list.shows(["again"]);
  });

  it("two people watch one private collection, and each sees their own", async () => {
    const other = await signIn(house);
    const [mine, theirs] = [me, other].map(({ db }) => ({
      diary: db.collection("diary"),
      list: watch(db.collection("diary")),
    })) as [ReturnType<typeof pair>, ReturnType<typeof pair>];
    await mine.diary.add({ name: "mine" });
    await mine.list.shows(["mine"]);
    await theirs.diary.add({ name: "theirs" });
    await theirs.list.shows(["theirs"]);
    await mine.diary.where({ name: "mine" }).update({ name: "still mine" });
    await mine.list.shows(["still mine"]);
    // Whoever may not read a document does not change it either.
    await theirs.diary.where({ name: "still mine" }).update({ name: "stolen" });
    await theirs.diary.where({ name: "theirs" }).update({ name: "done" });
    await theirs.list.shows(["done"]);
    for (const { list } of [mine, theirs]) expect(list.errors).toEqual([]);
    expect(JSON.stringify(theirs.list.snapshots.map(({ docs, docChanges }) => [docs, docChanges]))).not.toContain(
      "mine",
    );
    expect(JSON.stringify(mine.list.snapshots.map(({ docs, docChanges }) => [docs, docChanges]))).not.toContain(
      "theirs",
    );
  });
  const pair = (person: SignedIn) => ({
    diary: person.db.collection("diary"),
    list: watchOf(person.db.collection("diary")),
  });

  it("a rule that reads another document is asked again whenever that one changes", async () => {
    const { db } = me;
    const room = newGroup().replace(" ", "-");
    const rooms = db.collection("rooms");
    await rooms.doc(room).set({ open: true });
    const talk = db.collection("talk");
    await talk.add({ room, name: "hello" });
    const list = watch(talk.where({ room }));
    await list.shows(["hello"]);
    await talk.add({ room, name: "you" });
    await list.holds(["hello", "you"]);
    await rooms.doc(room).update({ seats: 5 });
    await rooms.doc(room).update({ open: false });
    await list.failed();
    await talk.add({ room, name: "nobody hears" });
    await rooms.doc(room).update({ open: true });
    const again = watch(talk.where({ room }));
    await again.holds(["hello", "you", "nobody hears"]);
    expect(JSON.stringify(list.snapshots.map(({ docs }) => docs))).not.toContain("nobody hears");
  });

  it("a publishable key watches what anybody may read, without a sign-in", async () => {
    const { key } = await newApiKey(house.app, "page", ["collections"], null);
    const visitor = openClient(house, { accessKey: key }).database();
    const list = watch(visitor.collection("news"));
    await list.snapshot(1);
    await me.db.collection("news").add({ name: "open" });
    await list.shows(["open"]);
    expect(list.errors).toEqual([]);
  });

  it("dates, texts and lists arrive as they were written", async () => {
    const { db } = me;
    const group = newGroup();
    const notes = db.collection("notes");
    const list = watch(notes.where({ group }));
    await list.snapshot(1);
    const at = new Date(1_750_000_000_000);
    const whole = {
      group,
      text: '面 \u{1F35C} "quoted"\n',
      list: [1, "a", { b: null }],
      deep: { er: { still: true } },
    };
    await notes.add({ ...whole, at });
    const { docs } = await list.snapshot(2);
    expect(docs[0]).toMatchObject({ ...whole, at: { $date: at.getTime() } });
    const { data } = await notes.where({ group }).get();
    expect(data[0].at).toEqual(at);
  });

  it("many watches of one page and of several pages show the same", async () => {
    const people = [me, await signIn(house), await signIn(house)];
    const group = newGroup();
    const lists = people.flatMap(({ db }) =>
      Array.from({ length: 8 }, (_, nth) =>
        watch(
          nth % 2
            ? db.collection("notes").where({ group, n: db.command.gte(nth) })
            : db
                .collection("notes")
                .where({ group, n: db.command.gte(nth) })
                .orderBy("n", "asc")
                .limit(5),
        ),
      ),
    );
    await Promise.all(lists.map((list) => list.snapshot(1)));
    await Promise.all(Array.from({ length: 12 }, (_, n) => people[n % 3]?.db.collection("notes").add({ group, n })));
    for (const [at, list] of lists.entries()) {
      const nth = at % 8;
      const all = Array.from({ length: 12 - nth }, (_, n) => n + nth);
      const wanted = nth % 2 ? all : all.slice(0, 5);
      await (nth % 2 ? list.holds(wanted.map(String)) : list.shows(wanted.map(String)));
    }
  });

  it("a closed watch is told nothing more, also when it is closed in its first answer", async () => {
    const { db } = me;
    const group = newGroup();
    const notes = db.collection("notes");
    const [witness, closed] = [watch(notes.where({ group })), watch(notes.where({ group }))];
    await Promise.all([witness.snapshot(1), closed.snapshot(1)]);
    closed.close();
    let calls = 0;
    const hasty: { close(): void } = notes.where({ group, n: db.command.gte(0) }).watch({
      onChange() {
        calls += 1;
        hasty.close();
      },
      onError() {},
    });
    for (let n = 0; n < 3; n++) await notes.add({ group, n });
    await witness.shows(["0", "1", "2"]);
    expect(closed.snapshots).toHaveLength(1);
    expect(calls).toBe(1);
  });
});
