/** Each adapter of the gateway port against the contract, and the rules for those without memory. */
import { endSession } from "../../db/sessions.ts";
import { sql } from "../../db/sql.ts";
import { unregister } from "../../shared/streams/transmit.ts";
import { anyEngine, dialectEngines, type Engine } from "../_engines.ts";
import { until } from "../_until.ts";
import { eventOf, gatewayContract, heard, maxStreams, newReader, publish, type Reader } from "../contracts/gateway.ts";
import { type Cloud, type CloudHouse, openCloud } from "./_clouds.ts";

const countSubscriptions = async ({ db }: CloudHouse, id: string) => {
  const [rows] = await db.read([sql`SELECT count(*) AS n FROM subscriptions WHERE connection_id = ${id}`]);
  return Number(rows?.[0]?.n);
};

async function enroll(engine: Engine, cloud: Cloud) {
  let silent = false;
  const house = await openCloud(engine, cloud, {
    environment: { STREAMS_PER_CONNECTION: String(maxStreams) },
    faults: {
      get dropDisconnect() {
        return silent;
      },
    },
  });
  return {
    house,
    remembers: cloud !== "local",
    noted: async (id: string) =>
      cloud === "local" ? (house.server.connections.get(id)?.streams.size ?? 0) : countSubscriptions(house, id),
    silence(now: boolean) {
      silent = now;
    },
    close: () => house.close(),
  };
}

describe("the local gateway", () => {
  gatewayContract(() => enroll(anyEngine, "local"));

  it("of many readers leaves out those whose session has ended, from the commit on", async () => {
    const house = await openCloud(anyEngine, "local", { environment: { CONNECTIONS_PER_SESSION: "40" } });
    try {
      const [gone, alive] = [await newReader(house), await newReader(house)];
      const stream = "room:many";
      const known = new Set([...house.server.connections.all()].map(({ id }) => id));
      const visit = async ({ person }: Reader) => (await person.connect()).resume({ stream: `menu:${house.shop}` });
      for (let at = 0; at < 35; at++) await Promise.all([gone, alive].map(visit));
      for (const { id } of [...house.server.connections.all()])
        if (!known.has(id)) await house.app.gateway.subscribe(id, stream, 5);
      for (const { id } of [gone, alive]) await house.app.gateway.subscribe(id, stream, 5);
      const reached = async (seq: number) => {
        const published = await house.app.gateway.publish(stream, [eventOf(stream, seq)], [], { first: seq });
        return [published.readers, published.sent];
      };
      expect(await reached(1)).toEqual([72, 72]);
      await house.db.flight({ statements: [endSession(gone.person.session, "logout", house.clock.now())] });
      expect(await reached(2)).toEqual([72, 36]);
      expect(await gone.socket.next("error")).toMatchObject({ code: "SESSION_ENDED" });
      expect(await heard(house, alive)).toEqual(["1", "2"]);
    } finally {
      await house.close();
    }
  });

  it("keeps an answer for a reader whose buffer is full, and sends it behind the pushes that wait", async () => {
    const house = await openCloud(anyEngine, "local");
    try {
      const slow = await newReader(house);
      const { gateway } = house.app;
      await gateway.subscribe(slow.id, "room:full", 1);
      slow.socket.socket.pause();
      const large = JSON.stringify({ type: "authorized", n: 1, until: "x".repeat(30_000) });
      while ((await gateway.send(slow.id, large)) === "sent") await new Promise((resolve) => setImmediate(resolve));
      await publish(house, "room:full", 1);
      gateway.answering?.(slow.id, "room:full", "check").send(eventOf("room:full", 2));
      slow.socket.socket.resume();
      await slow.socket.next("event", ({ seq }) => seq === 2);
      expect(await heard(house, slow)).toEqual(["1"]);
    } finally {
      await house.close();
    }
  });

  it("closes a reader that has stopped reading, with the reason, and the others receive everything", async () => {
    const house = await openCloud(anyEngine, "local");
    try {
      const [deaf, alive] = [await newReader(house), await newReader(house)];
      for (const { id } of [deaf, alive]) await house.app.gateway.subscribe(id, "room:slow", 1);
      deaf.socket.socket.pause();
      const large = JSON.stringify({ type: "authorized", n: 1, until: "x".repeat(30_000) });
      // Each turn of the event loop gives what was sent to the system, until that takes no more.
      while ((await house.app.gateway.send(deaf.id, large)) === "sent")
        await new Promise((resolve) => setImmediate(resolve));
      house.slept.length = 0;
      await publish(house, "room:slow", 1);
      await publish(house, "room:slow", 2);
      expect(await heard(house, alive)).toEqual(["1", "2"]);
      await until(
        () => house.slept.length >= 4,
        "the fourth try",
        () => house.slept,
      );
      expect(house.slept).toHaveLength(4);
      deaf.socket.socket.resume();
      expect(await deaf.socket.next("error")).toMatchObject({ code: "SLOW_READER", retry: true });
      expect(await deaf.socket.closed).toBe(1008);
      expect(house.lines.filter((line) => line.includes('"event":"slow"'))).toHaveLength(1);
    } finally {
      await house.close();
    }
  });
});

for (const cloud of ["aws", "tencent"] as const)
  for (const engine of dialectEngines)
    (engine.here ? describe : describe.skip)(`${cloud} on ${engine.name}`, () => {
      gatewayContract(() => enroll(engine, cloud));
      withoutMemory(engine, cloud);
    });

function withoutMemory(engine: Engine, cloud: "aws" | "tencent"): void {
  describe("a gateway without memory", () => {
    let house: CloudHouse;
    beforeAll(async () => {
      house = await openCloud(engine, cloud);
    });
    afterAll(() => house.close());
    beforeEach(() => {
      house.management.throttle(0);
      house.slept.length = 0;
    });

    const reading = async (stream: string) => {
      const one = await newReader(house);
      await house.app.gateway.subscribe(one.id, stream, 1);
      return one;
    };

    it("retries a throttled push, each time later and at a random moment", async () => {
      const waits: [number, number][] = [];
      const one = await reading("room:throttled");
      for (let seq = 1; seq <= 6; seq++) {
        house.slept.length = 0;
        house.management.throttle(2);
        await publish(house, "room:throttled", seq);
        expect(house.slept).toHaveLength(2);
        waits.push(house.slept.slice(0, 2) as [number, number]);
      }
      expect(await heard(house, one)).toEqual(["1", "2", "3", "4", "5", "6"]);
      for (const [first, second] of waits) {
        expect(first).toBeGreaterThanOrEqual(20);
        expect(first).toBeLessThan(60);
        expect(second).toBeGreaterThanOrEqual(40);
        expect(second).toBeLessThan(120);
      }
      expect(new Set(waits.flat()).size).toBe(12);
      one.socket.close();
    });

    it("gives up at last: throws nothing, forgets no connection, lets no later frame overtake the lost one", async () => {
      const one = await reading("room:given-up");
      house.management.throttle(4);
      await publish(house, "room:given-up", 1, 2);
      expect(house.slept).toHaveLength(3);
      await publish(house, "room:given-up", 3);
      expect(await heard(house, one)).toEqual(["3"]);
      house.management.throttle(1_000);
      expect(await house.app.gateway.send(one.id, eventOf("room:given-up", 4))).toBe("throttled");
      expect(await countSubscriptions(house, one.id)).toBe(2);
      one.socket.close();
    });

    it("throws nothing when the cloud itself is away", async () => {
      const one = await reading("room:away");
      await house.management.close();
      await publish(house, "room:away", 1);
      expect(await house.app.gateway.send(one.id, "{}")).toBe("throttled");
      await house.app.gateway.close(one.id);
      expect(await countSubscriptions(house, one.id)).toBe(2);
      // The reason, which a failure of `fetch` has in its cause only.
      const [line = ""] = house.lines.filter((one) => one.includes('"push.failed"'));
      expect(line).toMatch(/"code":"TypeError (ECONNREFUSED|UND_ERR_SOCKET|ECONNRESET)"/);
      one.socket.close();
    });
  });

  it("a message served while its connection is removed leaves no subscription", async () => {
    // The row was deleted between the subscription's read and its write, and nothing removed the subscription later.
    const house = await openCloud(engine, cloud);
    try {
      for (let round = 0; round < 10; round++) {
        const { id, socket } = await newReader(house);
        const streams = [1, 2, 3].map((at) => `room:race-${round}-${at}`);
        await Promise.all([
          ...streams.map((stream, at) => house.app.gateway.subscribe(id, stream, at + 1)),
          unregister(house.app, id),
          ...streams.map((stream, at) => house.app.gateway.unsubscribe(id, stream, at + 5)),
        ]);
        expect(await countSubscriptions(house, id)).toBe(0);
        socket.socket.terminate();
      }
    } finally {
      await house.close();
    }
  });
}
