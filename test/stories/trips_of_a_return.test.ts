/** Round trips of a client that comes back: one for its ticket, one for the upgrade, two for the resume with the backlog. */
import { type Engine, engines, openAgain, type TestDatabase } from "../_engines.ts";
import { openHouse, openSocket } from "../_house.ts";
import { startProxy } from "../_proxy.ts";

const postgres = engines.find(({ name }) => name === "postgres") as Engine;

(postgres.here ? describe : describe.skip)("postgres", () => {
  let direct: TestDatabase;
  beforeAll(async () => {
    direct = await postgres.open();
  });
  afterAll(() => direct.remove());

  it("ticket, upgrade and resume are four trips to the database", async () => {
    const proxy = await startProxy(postgres.server, 50);
    const db = await openAgain(postgres, direct, proxy, 1);
    // Nothing else talks to the database meanwhile.
    const house = await openHouse(postgres, { db, lookMs: 3_600_000, tickMs: 3_600_000 });
    const guest = await house.guest();
    await guest.order();
    // What is read once for each process, such as what webhooks ask for, is read.
    const first = await guest.connect();
    const trips: number[] = [];
    let before = proxy.trips();
    const count = () => {
      trips.push(proxy.trips() - before);
      before = proxy.trips();
    };
    const ticket = await guest.ticket();
    count();
    const socket = await openSocket(`${house.url.replace("http", "ws")}/pgws`, ["orderbell.v1", `ticket.${ticket}`]);
    count();
    const answer = await socket.resume({ stream: `user:${guest.user}`, epoch: "", seq: 0, tag: "" });
    count();
    expect(answer).toMatchObject({ type: "resumed", events: [{ seq: 1 }] });
    expect(trips).toEqual([1, 1, 2]);
    for (const one of [first, socket]) one.close();
    await house.close();
    await db.close();
    await proxy.close();
  });
});
