/** Rooms of the SDK against whole servers: messages, history and members through cuts, kills, expired grants, and without memory. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type ApiError, type Client, makeClient } from "../../clients/index.ts";
import { createClient, nodePlatform } from "../../clients/node.ts";
import {
  createRoom,
  type Member,
  type MembersChange,
  type Message,
  type Room,
  type RoomOptions,
  room,
} from "../../clients/rooms.ts";
import { anyEngine, onEveryDialect } from "../_engines.ts";
import { type House, openHouse, testKeys } from "../_house.ts";
import { program } from "../_programs.ts";
import { startProxy, type Wire } from "../_proxy.ts";
import { until } from "../_until.ts";
import { openCloud } from "../apigateway/_clouds.ts";

interface Said {
  text: string;
}
interface Who {
  name: string;
  typing?: boolean;
}

/** A room on somebody's screen. */
interface Screen {
  readonly room: Room<Said, Who>;
  readonly messages: Message<Said>[];
  readonly isNew: boolean[];
  members: Member<Who>[];
  readonly changes: MembersChange<Who>[];
  readonly errors: ApiError[];
  resets: number;
}

const open: Client[] = [];
afterEach(() => {
  for (const client of open.splice(0)) client.close();
});

const person = (url: string): Client => {
  const client = createClient({ url });
  open.push(client);
  return client;
};

/** A person whose time runs faster, so that no story waits for a client's patience. */
function hasty(url: string, factor = 3): Client {
  const platform = nodePlatform();
  const began = platform.now();
  const client = makeClient(
    {
      ...platform,
      now: () => began + (platform.now() - began) * factor,
      later: (work, ms) => platform.later(work, ms / factor),
    },
    { url, begin: async () => ({ method: "POST", path: "/login/guest" }) },
  );
  open.push(client);
  return client;
}

type Grant = RoomOptions<Said, Who>["grant"];

function join(client: Client, id: string, grant: Grant, more: Partial<RoomOptions<Said, Who>> = {}): Screen {
  const screen: Omit<Screen, "room"> = { messages: [], isNew: [], members: [], changes: [], errors: [], resets: 0 };
  const joined = room<Said, Who>(client, id, {
    grant,
    onMessage(message, isNew) {
      screen.messages.push(message);
      screen.isNew.push(isNew);
    },
    onMembers(members, change) {
      screen.members = members;
      screen.changes.push(change);
    },
    onReset() {
      screen.resets += 1;
      screen.messages.length = 0;
    },
    onError: (error) => screen.errors.push(error),
    ...more,
  });
  return Object.assign(screen, { room: joined });
}

const texts = ({ messages }: Screen) => messages.map(({ data }) => data.text);
const names = ({ members }: Screen) => members.map(({ data }) => data.name).join();
const shows = (screen: Screen, wanted: readonly string[]) =>
  until(
    () => texts(screen).join() === wanted.join(),
    wanted.join(),
    () => [texts(screen), screen.errors],
  );
const sees = (screen: Screen, wanted: string) =>
  until(
    () => names(screen) === wanted,
    `members ${wanted}`,
    () => [names(screen), screen.errors],
  );
const inOrder = ({ messages }: Screen) => {
  const seqs = messages.map(({ seq }) => seq);
  expect(seqs).toEqual(seqs.map((_, at) => (seqs[0] as number) + at));
};

onEveryDialect((engine) => {
  let house: House;
  let wire: Wire;
  beforeAll(async () => {
    house = await openHouse(engine, { environment: { MEMBER_MS: "2000" } });
    wire = await startProxy({ host: "127.0.0.1", port: Number(new URL(house.url).port) });
  });
  afterAll(async () => {
    await wire.close();
    await house.close();
  });
  const distantUrl = () => `http://127.0.0.1:${wire.port}`;

  it("two talk: each message is there once, in order, on a line that is cut again and again", async () => {
    const [li, wang] = [hasty(distantUrl()), person(house.url)];
    const { id, grant } = await createRoom(wang);
    const [there, here] = [join(li, id, grant), join(wang, id, grant)];
    const said = Array.from({ length: 36 }, (_, at) => `${at}`);
    const answers: Promise<{ id: string; seq: number }>[] = [];
    for (const [nth, harm] of ([wire.cut, wire.lose, wire.cut] as const).entries()) {
      answers.push(...said.slice(nth * 12, nth * 12 + 12).map((text) => there.room.publish({ text })));
      await until(() => here.messages.length > nth * 12, "some messages");
      harm();
      wire.mend();
    }
    const stored = await Promise.all(answers);
    await shows(here, said);
    await until(() => there.messages.at(-1)?.data.text === "35", "his own last one");
    inOrder(here);
    inOrder(there);
    expect(stored.map(({ seq }) => seq)).toEqual(here.messages.map(({ seq }) => seq));
    expect(here.messages[0]).toMatchObject({ id: stored[0]?.id, sender: li.session()?.user.id, mine: false });
    expect(there.messages.at(-1)?.mine).toBe(true);
  });

  it("who comes late has the last messages, and older ones page by page", async () => {
    const [li, wang] = [person(house.url), person(house.url)];
    const { id, grant } = await createRoom(li);
    const first = join(li, id, grant);
    for (let at = 1; at <= 7; at++) await first.room.publish({ text: `${at}` });
    const late = join(wang, id, grant, { history: 3 });
    await shows(late, ["5", "6", "7"]);
    await first.room.publish({ text: "8" });
    await shows(late, ["5", "6", "7", "8"]);
    expect(late.isNew).toEqual([false, false, false, true]);
    const older = await late.room.history(late.messages[0]?.seq, 3);
    expect([older.messages.map(({ data }) => data.text), older.more]).toEqual([["2", "3", "4"], true]);
    const oldest = await late.room.history(older.messages[0]?.seq, 3);
    expect([oldest.messages.map(({ data }) => data.text), oldest.more]).toEqual([["1"], false]);
    // The same id again is the same message.
    const [one, two] = [await late.room.publish({ text: "9" }, "mine"), await late.room.publish({ text: "9" }, "mine")];
    expect(one).toEqual(two);
  });

  it("everybody sees who is there, what they do, and who has gone, whether they say so or not", async () => {
    const [li, wang] = [hasty(distantUrl()), hasty(house.url)];
    const { id, grant } = await createRoom(wang);
    const here = join(wang, id, grant, { me: { name: "王" } });
    await sees(here, "王");
    const there = join(li, id, grant, { me: { name: "李" } });
    await sees(here, "王,李");
    await sees(there, "王,李");
    expect(there.members.map(({ me }) => me)).toEqual([false, true]);
    expect(here.changes.at(-1)).toMatchObject({ joined: { data: { name: "李" } } });
    for (const typing of [true, false, true]) there.room.update({ typing });
    await until(() => here.members[1]?.data.typing === true, "typing");
    // A second tab is the same member.
    const tab = join(li, id, grant, { me: { name: "李" } });
    await until(() => here.members[1]?.connections === 2, "two connections");
    tab.room.leave();
    await until(() => here.members[1]?.connections === 1, "one connection");
    there.room.leave();
    await sees(here, "王");
    expect(here.changes.at(-1)).toMatchObject({ left: { data: { name: "李" } } });
    // Nothing is said of this one: its line is dead.
    const again = join(li, id, grant, { me: { name: "李" } });
    await sees(here, "王,李");
    const before = here.changes.length;
    wire.lose();
    await sees(here, "王");
    // It finds another line, and comes back.
    await sees(here, "王,李");
    const told = here.changes.slice(before).flatMap((change) => Object.entries(change));
    expect(told.filter(([, { me }]) => !me).map(([kind]) => kind)).toEqual(["left", "joined"]);
    again.room.leave();
  });

  it("a restart of the server loses no message and doubles none", async () => {
    const [li, wang] = [hasty(house.url), hasty(house.url)];
    const { id, grant } = await createRoom(li);
    const [a, b] = [join(li, id, grant), join(wang, id, grant)];
    await a.room.publish({ text: "before" });
    await shows(b, ["before"]);
    const restarted = house.restart();
    const during = ["1", "2", "3"].map((text) => b.room.publish({ text }));
    await restarted;
    await Promise.all(during);
    for (const screen of [a, b]) await shows(screen, ["before", "1", "2", "3"]);
  });

  it("an expired grant is fetched anew, and nothing is missing", async () => {
    const [li, wang] = [person(house.url), person(house.url)];
    const { id } = await createRoom(li);
    const asked: string[] = [];
    const sign = async () => {
      const { grant } = await li.ask<{ grant: string }>({
        method: "POST",
        path: `/rooms/${id}/grants`,
        body: { grantSec: 60 },
      });
      asked.push(grant);
      return grant;
    };
    const here = join(wang, id, sign, { me: { name: "王" } });
    const there = join(li, id, await sign(), {});
    await sees(here, "王");
    await there.room.publish({ text: "1" });
    await shows(here, ["1"]);
    const before = asked.length;
    house.clock.forward(61_000);
    await here.room.publish({ text: "2" });
    await shows(here, ["1", "2"]);
    await until(() => wang.state() === "live", "live");
    expect(asked.length - before).toBeGreaterThanOrEqual(1);
    expect(here.errors).toEqual([]);
    // Without a way to another one the room is over, and says why.
    await until(() => there.errors.length === 1, "the end of the other one");
    expect(there.errors[0]).toMatchObject({ code: "GRANT_INVALID" });
    await expect(there.room.publish({ text: "3" })).rejects.toMatchObject({ code: "GRANT_INVALID" });
    expect((await here.room.publish({ text: "4" })).seq).toBe(3);
  });

  it("a refused message says its code, and those behind it go on", async () => {
    const client = person(house.url);
    const { id, grant } = await createRoom(client);
    const here = join(client, id, grant);
    const long = "x".repeat(25_000);
    const outcomes = await Promise.allSettled(["1", long, "2", "3"].map((text) => here.room.publish({ text })));
    expect(outcomes.map((one) => (one.status === "rejected" ? one.reason.code : one.value.seq))).toEqual([
      1,
      "EVENT_TOO_LARGE",
      2,
      3,
    ]);
    // Faster than one may: it takes longer.
    const many = await Promise.all(Array.from({ length: 30 }, (_, at) => here.room.publish({ text: `m${at}` })));
    expect(many.map(({ seq }) => seq)).toEqual(Array.from({ length: 30 }, (_, at) => at + 4));
    await until(() => here.messages.length === 33, "all of them");
    inOrder(here);
    // Too much about oneself: nobody sees it, and the room goes on.
    here.room.update({ name: "x".repeat(2_000) });
    await until(() => here.errors.length === 1, "an error");
    expect(here.errors[0]).toMatchObject({ code: "EVENT_TOO_LARGE" });
    here.room.update({ name: "王" });
    await sees(here, "王");
    const left = here.room.publish({ text: "last" });
    client.close();
    await expect(left).rejects.toMatchObject({ code: "CLOSED" });
    await expect(here.room.publish({ text: "later" })).rejects.toMatchObject({ code: "CLOSED" });
  });

  it("of two processes one is killed: the other tells who is gone, and what was said is there once", async () => {
    const first = await serveElsewhere(house);
    const [li, wang] = [hasty(first.url), hasty(house.url)];
    const { id, grant } = await createRoom(wang);
    const [there, here] = [join(li, id, grant, { me: { name: "李" } }), join(wang, id, grant, { me: { name: "王" } })];
    await until(
      () => here.members.length === 2 && there.members.length === 2,
      "both",
      () => [here.members, there.errors],
    );
    await there.room.publish({ text: "1" });
    await here.room.publish({ text: "2" });
    await shows(here, ["1", "2"]);
    await shows(there, ["1", "2"]);
    const pending = there.room.publish({ text: "3" });
    first.kill();
    await sees(here, "王");
    const second = await serveElsewhere(house, first.port);
    await pending;
    await until(() => here.members.length === 2, "both again");
    await shows(here, ["1", "2", "3"]);
    await shows(there, ["1", "2", "3"]);
    there.room.leave();
    await sees(here, "王");
    second.kill();
    await second.ended;
  }, 60_000);
});

/** Another process on the same database. */
async function serveElsewhere({ db }: House, port = 0) {
  const { url } = db;
  const child: ChildProcess = spawn(process.execPath, [...program("test/_server.ts"), url, String(port)], {
    env: {
      ...process.env,
      NODE_OPTIONS: "",
      ...testKeys,
      LOG_LEVEL: "silent",
      CHECK_OTHER_MS: "500",
      MEMBER_MS: "2000",
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
  const at = Number(line.toString());
  return { url: `http://127.0.0.1:${at}`, port: at, ended, kill: () => void child.kill("SIGKILL") };
}

it("where functions share no memory, members and messages are the same", async () => {
  const house = await openCloud(anyEngine, "aws", {
    environment: { MEMBER_MS: "2000" },
    // The sweep of the minute does not come: members notice by themselves who is gone.
    tickMs: 3_600_000,
  });
  const [li, wang] = [hasty(house.url), hasty(house.url)];
  const { id, grant } = await createRoom(wang);
  const [there, here] = [join(li, id, grant, { me: { name: "李" } }), join(wang, id, grant, { me: { name: "王" } })];
  await until(() => here.members.length === 2 && there.members.length === 2, "both");
  const said = Array.from({ length: 12 }, (_, at) => `${at}`);
  // Frames run at the same time there, and overtake each other.
  await Promise.all(said.map((text) => there.room.publish({ text })));
  await shows(here, said);
  inOrder(here);
  there.room.update({ typing: true });
  await until(() => here.members.some(({ data }) => data.typing), "typing");
  li.close();
  await sees(here, "王");
  wang.close();
  await house.close();
});
