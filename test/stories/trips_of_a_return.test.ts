/** Round trips of clients that come back: one for the ticket, one for the upgrade, two for the resume with the backlog; and of those that left. */
import { sql } from "../../db/sql.ts";
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

  it("sockets that close together are removed together", async () => {
    const proxy = await startProxy(postgres.server, 50);
    const db = await openAgain(postgres, direct, proxy, 1);
    const house = await openHouse(postgres, { db, lookMs: 3_600_000, tickMs: 3_600_000 });
    const guest = await house.guest();
    const others = await Promise.all(Array.from({ length: 40 }, () => house.guest()));
    const sockets = await Promise.all(others.map((other) => other.connect()));
    const stay = await guest.connect();
    const before = proxy.trips();
    for (const socket of sockets) socket.close();
    const countOpen = async () => {
      const [rows] = await direct.read([sql`SELECT count(*) AS open FROM connections`]);
      return Number(rows[0]?.open);
    };
    while ((await countOpen()) > 1) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await countOpen()).toBe(1);
    // One by one they were 80.
    expect(proxy.trips() - before).toBeLessThan(20);
    stay.close();
    await house.close();
    await db.close();
    await proxy.close();
  });
});
