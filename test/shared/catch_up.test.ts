/** Several processes on one database need nothing between them: each finds out what the others committed and ended. */
import { localGateway } from "../../apigateway/local.ts";
import type { GatewayParts } from "../../cli/machine.ts";
import { openDatabase } from "../../db/open.ts";
import { readHeads } from "../../db/streams.ts";
import { CatchUp } from "../../shared/catch_up.ts";
import type { Position } from "../../shared/protocol.ts";
import { type Engine, onEveryEngine, type TestDatabase } from "../_engines.ts";
import { type House, openHouse, openSocket, type Person, type TestSocket } from "../_house.ts";

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

const placedIn = (socket: TestSocket) =>
  socket.frames.filter((frame) => frame.type === "event" && frame.event === "order.placed");

async function headOf(house: House, stream: string): Promise<number> {
  const [rows] = await house.db.read([readHeads([stream])]);
  return Number(rows?.[0]?.seq);
}

const ordersIn = (answer: object) =>
  ("events" in answer ? (answer.events as { event: string; data: { order: { id: string } } }[]) : [])
    .filter(({ event }) => event === "order.placed")
    .map(({ data }) => data.order.id);

onEveryEngine((engine) => {
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

    it("an order placed at one is announced to the kitchen's socket at the other, which then asks", async () => {
      const kitchen = await here.staff("kitchen");
      const screen = await connectTo(there, kitchen);
      const stream = `shop:${here.shop}`;
      const position = await positionOf(screen, stream);
      const placed = await (await here.guest()).order();
      expect(placed.status).toBe(201);
      const seq = await headOf(here, stream);
      const head = await screen.next("head", (frame) => frame.stream === stream && frame.seq === seq);
      expect(placedIn(screen)).toEqual([]);
      const answer = await screen.resume({ stream, ...position });
      expect(ordersIn(answer)).toEqual([placed.body.order.id]);
      expect(answer).toMatchObject({ type: "resumed", seq: head.seq, tag: head.tag, epoch: head.epoch });
      screen.close();
    });

    it("a customer at the other hears of a step that the kitchen took here", async () => {
      const customer = await here.guest();
      const phone = await connectTo(there, customer);
      const stream = `user:${customer.user}`;
      await positionOf(phone, stream);
      const { body } = await customer.order();
      const kitchen = await here.staff("kitchen");
      await phone.next("head", (frame) => frame.stream === stream && frame.seq === 1);
      const step = await kitchen.http("POST", `/orders/${body.order.id}/accept`, { body: { version: 1 } });
      expect(step.status).toBe(200);
      await phone.next("head", (frame) => frame.stream === stream && frame.seq === 2);
      phone.close();
    });

    it("a session that is ended at one loses its sockets at the other, and nobody else does", async () => {
      const [leaving, staying] = [await here.guest(), await here.guest()];
      const sockets = [await connectTo(there, leaving), await connectTo(there, staying)] as [TestSocket, TestSocket];
      await positionOf(sockets[0], `user:${leaving.user}`);
      await positionOf(sockets[1], `user:${staying.user}`);
      expect((await leaving.http("DELETE", "/session")).status).toBe(204);
      expect(await sockets[0].next("error")).toMatchObject({ code: "SESSION_ENDED", retry: false });
      expect(await sockets[0].closed).toBe(1008);
      await staying.order();
      await sockets[1].next("head", (frame) => frame.stream === `user:${staying.user}`);
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
        gateway({ connections, clock, log }: GatewayParts) {
          const real = localGateway({ connections, now: clock.now, sleep: clock.sleep, log });
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
      // Twice: that a screen looks is an event itself.
      await positionOf(screen, stream);
      return { screen, stream, position: await positionOf(screen, stream) };
    };

    it.each([
      ["the push is", 1],
      ["the first word of it is as well", 2],
    ])("announces an order though the function died between commit and publish, and %s lost", async (_, lost) => {
      const { screen, stream, position } = await screenOf();
      deaths = lost;
      const placed = await (await house.guest()).order();
      expect(placed.status).toBe(201);
      const seq = await headOf(house, stream);
      const head = await screen.next("head", (frame) => frame.stream === stream && frame.seq === seq);
      expect(placedIn(screen)).toEqual([]);
      const answer = await screen.resume({ stream, ...position });
      expect([ordersIn(answer), deaths]).toEqual([[placed.body.order.id], 0]);
      expect(answer).toMatchObject({ seq: head.seq });
      screen.close();
      await screen.closed;
    });
  });

  describe("a look", () => {
    let house: House;
    let looks: CatchUp;
    const dismissed: string[] = [];
    beforeAll(async () => {
      house = await openHouse(engine, { lookMs: 3_600_000 });
      looks = new CatchUp(house.app, {
        streams: () => house.server.connections.streams(),
        published: (stream) => house.server.connections.published(stream),
        dismiss: (sessions) => dismissed.push(...sessions),
      });
    });
    afterAll(() => house.close());
    afterEach(() => {
      dismissed.length = 0;
    });

    /** The heads that have come by now: a last frame says that nothing is under way. */
    const headsAt = async (socket: TestSocket) => {
      socket.send("not a message");
      await socket.next("error");
      return socket.frames
        .splice(0)
        .flatMap((frame) => (frame.type === "head" ? [`${frame.stream} ${frame.seq}`] : []));
    };

    it("says nothing of what was pushed, and tells of the same head once", async () => {
      const stream = `shop:${house.shop}`;
      const screen = await (await house.staff("kitchen")).connect();
      await positionOf(screen, stream);
      await looks.look();
      await headsAt(screen);
      await (await house.guest()).order();
      await looks.look();
      expect(await headsAt(screen)).toEqual([]);

      // What another process commits: its event is not in our memory.
      const other = openOther(house);
      const { seq } = await other.order();
      await looks.look();
      await looks.look();
      expect(await headsAt(screen)).toEqual([`${stream} ${seq}`]);
      screen.close();
      await screen.closed;
    });

    it("looks at kitchens each time, and at all the others within twenty", async () => {
      const customer = await house.guest();
      const phone = await customer.connect();
      await positionOf(phone, `user:${customer.user}`);
      const other = openOther(house);
      await other.order(customer);
      for (let at = 0; at < 20; at++) await looks.look();
      expect(await headsAt(phone)).toEqual([`user:${customer.user} 1`]);
      phone.close();
      await phone.closed;
    });

    it("finds the sessions that were ended since the last one", async () => {
      const [customer, watcher] = [await house.guest(), await house.guest()];
      const socket = await watcher.connect();
      await positionOf(socket, `user:${watcher.user}`);
      await looks.look();
      dismissed.length = 0;
      await customer.http("DELETE", "/session");
      await looks.look();
      expect(dismissed).toEqual([customer.session]);
      socket.close();
      await socket.closed;
    });
  });
}

/** Places an order as a process would whose sockets are others than these: nothing is pushed here. */
function openOther(house: House) {
  return {
    async order(person?: Person): Promise<{ seq: number }> {
      const { gateway } = house.app;
      const { publish } = gateway;
      Object.assign(gateway, { publish: async () => {} });
      try {
        expect((await (person ?? (await house.guest())).order()).status).toBe(201);
      } finally {
        Object.assign(gateway, { publish });
      }
      return { seq: await headOf(house, `shop:${house.shop}`) };
    },
  };
}
