/** Several processes on one database and no other link: each finds what the others committed and ended. */
import { localGateway } from "../../apigateway/local.ts";
import { type GatewayParts, partsOfLocal } from "../../cli/machine.ts";
import { openDatabase } from "../../db/open.ts";
import { sql } from "../../db/sql.ts";
import { type Head, readHeads, headOf as rowToHead } from "../../db/streams.ts";
import type { Position } from "../../shared/protocol.ts";
import type { Pushes } from "../../shared/pushes.ts";
import { CatchUp } from "../../shared/streams/catch_up.ts";
import { type Engine, onEveryDialect, type TestDatabase } from "../_engines.ts";
import { type House, newKey, oneBowl, openHouse, openSocket, type Person, type TestSocket } from "../_house.ts";
import { until } from "../_until.ts";

/** The same database, as another process would open it. */
async function another({ url }: TestDatabase): Promise<TestDatabase> {
  const database = await openDatabase({ url, maxConnections: 5, connectTimeoutMs: 5_000 });
  return { ...database, url, remove: () => database.close() };
}

/** A person who signed in here and has the socket there. */
const connectTo = async (house: House, person: Person) =>
  openSocket(`${house.url.replace("http", "ws")}/pgws`, ["orderbell.v1", `ticket.${await person.ticket()}`]);

async function positionOf(socket: TestSocket, stream: string): Promise<Position> {
  const answer = await socket.resume({ stream });
  if (answer.type !== "resumed") throw new Error(`"${answer.type}" instead of "resumed"`);
  const { epoch, seq, tag } = answer;
  return { epoch, seq, tag };
}

/** Waits for a first frame of the stream. */
async function told({ frames }: TestSocket, stream: string): Promise<void> {
  await until(() => frames.some((frame) => "stream" in frame && frame.stream === stream), `a frame of ${stream}`);
}

async function headOf(house: House, stream: string): Promise<Head> {
  const [rows] = await house.db.read([readHeads([stream])]);
  return rowToHead(rows?.[0]);
}

onEveryDialect((engine) => {
  // An embedded database has one process.
  if (engine.name !== "pglite") twoMachines(engine);
  oneMachine(engine);
});

function twoMachines(engine: Engine): void {
  describe("two machines", () => {
    let here: House;
    let there: House;
    let thereDb: TestDatabase;
    beforeAll(async () => {
      here = await openHouse(engine, { lookMs: 50 });
      thereDb = await another(here.db);
      there = await openHouse(engine, { db: thereDb, lookMs: 50 });
    });
    afterAll(async () => {
      await there.close();
      await thereDb.remove();
      await here.close();
    });

    it("an order placed at one is pushed to the kitchen's socket at the other, which need not ask", async () => {
      const kitchen = await here.staff("kitchen");
      const screen = await connectTo(there, kitchen);
      const stream = `shop:${here.shop}`;
      await positionOf(screen, stream);
      // The event of the first heartbeat; with it the other process has begun to push on this stream.
      await told(screen, stream);
      const placed = await (await here.guest()).order();
      expect(placed.status).toBe(201);
      const { seq } = await headOf(here, stream);
      const pushed = await screen.next("event", ({ event }) => event === "order.placed");
      expect(pushed).toMatchObject({ stream, data: { order: { id: placed.body.order.id } } });
      expect(pushed.seq).toBeLessThanOrEqual(seq);
      const heads = screen.frames.filter((frame) => frame.type === "head" && frame.seq >= pushed.seq);
      expect(heads).toEqual([]);
      screen.close();
    });

    it("a customer at the other receives a step that the kitchen took here", async () => {
      const customer = await here.guest();
      const phone = await connectTo(there, customer);
      const stream = `user:${customer.user}`;
      await positionOf(phone, stream);
      const { body } = await customer.order();
      const kitchen = await here.staff("kitchen");
      await told(phone, stream);
      const step = await kitchen.http("POST", `/orders/${body.order.id}/accept`, { body: { version: 1 } });
      expect(step.status).toBe(200);
      await phone.next("event", (frame) => frame.stream === stream && frame.seq === 2);
      phone.close();
    });

    it("a reader of a stream with a history is pushed the next event itself, whichever process commits it", async () => {
      const customer = await here.guest();
      expect((await customer.order()).status).toBe(201);
      const phone = await connectTo(there, customer);
      const stream = `user:${customer.user}`;
      const before = await positionOf(phone, stream);
      expect((await customer.order()).status).toBe(201);
      await told(phone, stream);
      expect(phone.frames).toMatchObject([{ type: "event", stream, seq: before.seq + 1, event: "order.placed" }]);
      phone.close();
    });

    it("of two readers who subscribe at once, the one who read the lower head misses no event", async () => {
      const customer = await here.guest();
      const stream = `user:${customer.user}`;
      await customer.order();
      const first = await headOf(here, stream);
      await customer.order();
      const before = new Set([...there.server.connections.all()]);
      const [low, high] = [await connectTo(there, customer), await connectTo(there, customer)];
      await positionOf(low, `menu:${here.shop}`);
      const { gateway, pushes } = there.app;
      const id =
        [...there.server.connections.all()].find((one) => !before.has(one) && one.session !== undefined)?.id ?? "";
      // It has read the head before the second order, and its answer is on the way while the other one resumes.
      expect(await gateway.subscribe(id, stream, 5)).toBe("subscribed");
      const answering = gateway.answering?.(id, stream, "resume");
      const second = await positionOf(high, stream);
      await pushes?.start(stream, first);
      answering?.goOn({ seq: first.seq, more: false });
      expect(await low.next("event")).toMatchObject({ ...second, stream });
      // The other one has it, so it is not sent again.
      expect(high.frames).toEqual([]);
      low.close();
      high.close();
    });

    it("a session that is ended at one loses its sockets at the other, and no other session does", async () => {
      const [leaving, staying] = [await here.guest(), await here.guest()];
      const sockets = [await connectTo(there, leaving), await connectTo(there, staying)] as [TestSocket, TestSocket];
      await positionOf(sockets[0], `user:${leaving.user}`);
      await positionOf(sockets[1], `user:${staying.user}`);
      expect((await leaving.http("DELETE", "/session")).status).toBe(204);
      expect(await sockets[0].next("error")).toMatchObject({ code: "SESSION_ENDED", retry: false });
      expect(await sockets[0].closed).toBe(1008);
      await staying.order();
      await told(sockets[1], `user:${staying.user}`);
      sockets[1].close();
    });
  });
}

function oneMachine(engine: Engine): void {
  describe("one machine", () => {
    let house: House;
    let deaths = 0;
    beforeAll(async () => {
      house = await openHouse(engine, {
        mayFail: true,
        gateway(parts: GatewayParts) {
          const real = localGateway(partsOfLocal(parts));
          return {
            ...real,
            async publish(stream, ...push) {
              if (deaths > 0 && stream.startsWith("shop:")) {
                deaths -= 1;
                throw new Error("the function died after its commit");
              }
              return real.publish(stream, ...push);
            },
          };
        },
      });
    });
    afterAll(() => house.close());

    const screenOf = async () => {
      const screen = await (await house.staff("kitchen")).connect();
      const stream = `shop:${house.shop}`;
      // Twice: a screen's first heartbeat is an event itself.
      await positionOf(screen, stream);
      await positionOf(screen, stream);
      return screen;
    };

    it.each([
      ["the push is", 1],
      ["the first word of it is as well", 2],
    ])("pushes an order though the function died between commit and publish, and %s lost", async (_, lost) => {
      const screen = await screenOf();
      deaths = lost;
      const placed = await (await house.guest()).order();
      expect(placed.status).toBe(201);
      const pushed = await screen.next("event", ({ event }) => event === "order.placed");
      expect([pushed.data, deaths]).toMatchObject([{ order: { id: placed.body.order.id } }, 0]);
      screen.close();
      await screen.closed;
    });
  });

  describe("a catch-up", () => {
    let house: House;
    let other: House;
    let catchUp: CatchUp;
    beforeAll(async () => {
      const quiet = { lookMs: 3_600_000, tickMs: 3_600_000 };
      house = await openHouse(engine, quiet);
      other = await openHouse(engine, { ...quiet, db: house.db });
      const { db, pushes, clock } = house.app;
      catchUp = new CatchUp({ db, pushes: pushes as Pushes, sleep: clock.sleep }, () =>
        house.server.connections.streams(),
      );
    });
    afterAll(async () => {
      await other.close();
      await house.close();
    });

    /** The frames until now: a last frame proves that none is in flight. */
    const heardAt = async (socket: TestSocket) => {
      socket.send("not a message");
      await socket.next("error");
      return socket.frames
        .splice(0)
        .flatMap((frame) => (frame.type === "head" || frame.type === "event" ? [`${frame.type} ${frame.seq}`] : []));
    };
    const orderAt = async ({ http, shop }: House, { token }: Person) => {
      const order = { token, body: { shop, ...oneBowl }, headers: { "idempotency-key": newKey() } };
      expect((await http("POST", "/bill", order)).status).toBe(201);
    };

    it("pushes nothing twice: only what another process committed, once and in order", async () => {
      const stream = `shop:${house.shop}`;
      const screen = await (await house.staff("kitchen")).connect();
      await positionOf(screen, stream);
      await catchUp.run();
      await heardAt(screen);
      const customer = await house.guest();
      await orderAt(house, customer);
      const { seq: first } = await headOf(house, stream);
      await catchUp.run();
      expect(await heardAt(screen)).toEqual([`event ${first}`]);

      await orderAt(other, customer);
      await orderAt(other, customer);
      // An own event follows unknown ones: it finds those first.
      await orderAt(house, customer);
      expect(await heardAt(screen)).toEqual([1, 2, 3].map((at) => `event ${first + at}`));
      await orderAt(other, customer);
      await catchUp.run();
      await catchUp.run();
      expect(await heardAt(screen)).toEqual([`event ${first + 4}`]);
      screen.close();
      await screen.closed;
    });

    async function backlogsReadBy(work: () => Promise<void>): Promise<number> {
      const reads = jest.spyOn(house.db, "read");
      await work();
      const statements = reads.mock.calls.flatMap(([list]) => list);
      reads.mockRestore();
      return statements.filter((one) => "sql" in one && typeof one.sql === "string" && /FROM events/.test(one.sql))
        .length;
    }

    it("reads no events for a head that this process pushed while it was read", async () => {
      const stream = `shop:${house.shop}`;
      const screen = await (await house.staff("kitchen")).connect();
      await positionOf(screen, stream);
      await catchUp.run();
      await heardAt(screen);
      const customer = await house.guest();
      await orderAt(house, customer);
      const { db, pushes, clock } = house.app;
      const read: typeof db.read = async (statements) => {
        const rows = await db.read(statements);
        await orderAt(house, customer);
        return rows;
      };
      const options = { db: { ...db, read }, pushes: pushes as Pushes, sleep: clock.sleep };
      expect(await backlogsReadBy(() => new CatchUp(options, () => [stream]).run())).toBe(0);
      const { seq } = await headOf(house, stream);
      expect(await heardAt(screen)).toEqual([`event ${seq - 1}`, `event ${seq}`]);
      screen.close();
      await screen.closed;
    });

    it("reads no events for a commit of this process whose own push is on its way", async () => {
      const stream = `shop:${house.shop}`;
      const screen = await (await house.staff("kitchen")).connect();
      await positionOf(screen, stream);
      await catchUp.run();
      await heardAt(screen);
      const customer = await house.guest();
      await orderAt(house, customer);
      const { seq } = await headOf(house, stream);
      // The database has committed, and its answer does not arrive.
      let answer: (() => void) | undefined;
      const { flight } = house.db;
      const flights = jest.spyOn(house.db, "flight").mockImplementationOnce(async (asked) => {
        const landed = await flight(asked);
        await new Promise<void>((resolve) => {
          answer = resolve;
        });
        return landed;
      });
      const placing = orderAt(house, customer);
      await until(() => answer !== undefined, "the commit");
      const { db, pushes } = house.app;
      const sleep = async () => {
        answer?.();
        await placing;
      };
      const late = new CatchUp({ db, pushes: pushes as Pushes, sleep }, () => [stream]);
      expect(await backlogsReadBy(() => late.run())).toBe(0);
      flights.mockRestore();
      expect(await heardAt(screen)).toEqual([`event ${seq}`, `event ${seq + 1}`]);
      screen.close();
      await screen.closed;
    });

    it("pushes a customer's first event as well, before which there was no stream", async () => {
      const customer = await house.guest();
      const phone = await customer.connect();
      await positionOf(phone, `user:${customer.user}`);
      await catchUp.run();
      await orderAt(other, customer);
      await catchUp.run();
      expect(await heardAt(phone)).toEqual(["event 1"]);
      phone.close();
      await phone.closed;
    });

    it("starts anew when the database went back, below what was pushed or with the same numbers", async () => {
      const stream = `shop:${house.shop}`;
      const screen = await (await house.staff("kitchen")).connect();
      await positionOf(screen, stream);
      await catchUp.run();
      const customer = await house.guest();
      const { seq: kept } = await headOf(house, stream);
      const [rows] = await house.db.read([readHeads([stream])]);
      const goBack = () =>
        house.db.flight({
          statements: [
            sql`DELETE FROM events WHERE stream = ${stream} AND seq > ${kept}`,
            sql`UPDATE streams SET seq = ${kept}, tag = ${String(rows?.[0]?.tag)} WHERE name = ${stream}`,
          ],
        });
      for (let at = 0; at < 3; at++) await orderAt(house, customer);
      await heardAt(screen);
      await goBack();
      await catchUp.run();
      expect(await heardAt(screen)).toEqual([`head ${kept}`]);
      await orderAt(house, customer);
      expect(await heardAt(screen)).toEqual([`event ${kept + 1}`]);
      // An own commit finds it first: a number that was pushed, with another tag.
      await goBack();
      await orderAt(house, customer);
      expect(await heardAt(screen)).toEqual([`head ${kept + 1}`]);
      // Another process is past our last number already.
      await goBack();
      for (let at = 0; at < 3; at++) await orderAt(other, customer);
      await catchUp.run();
      expect(await heardAt(screen)).toEqual([`head ${kept + 3}`]);
      screen.close();
      await screen.closed;
    });
  });
}
