/** The contract of every gateway, over real sockets. test/apigateway/gateway.test.ts lists the adapters. */
import { type EventEmitter, once } from "node:events";
import fc from "fast-check";
import { openConnection } from "../../db/connections.ts";
import { insertRoom, setGrantVersion } from "../../db/rooms.ts";
import { endSession } from "../../db/sessions.ts";
import { sql } from "../../db/sql.ts";
import type { ServerMessage } from "../../shared/protocol.ts";
import { register } from "../../shared/streams/transmit.ts";
import type { House, Person, TestSocket } from "../_house.ts";

export interface GatewayHouse {
  /** With STREAMS_PER_CONNECTION of `maxStreams`. */
  readonly house: House;
  /** Subscriptions are in the database, so a connection without a socket is a reader too. */
  readonly remembers: boolean;
  /** How many streams are noted for the connection, read or left. */
  noted(connection: string): Promise<number>;
  /** From now on the close of a socket is not reported. */
  silence(silent: boolean): void;
  close(): Promise<void>;
}

export const maxStreams = 6;

/** A client with an open socket, whose session the gateway knows. */
export interface Reader {
  readonly id: string;
  readonly person: Person;
  readonly socket: TestSocket;
}

const idsOf = (house: House) => [...house.server.connections.all()].map(({ id }) => id);

export async function newReader(house: House): Promise<Reader> {
  const person = await house.guest();
  const before = new Set(idsOf(house));
  const socket = await person.connect();
  const id = idsOf(house).find((one) => !before.has(one)) as string;
  // The first message opens the connection; it holds one stream from now on.
  await socket.resume({ stream: `user:${person.user}` });
  return { id, person, socket };
}

export const eventOf = (stream: string, seq: number) =>
  JSON.stringify({ type: "event", stream, epoch: "e", seq, tag: "t", event: "message", at: "", data: seq });

/** Publishes as a function does: after its commit it reads who is entitled, and then sends. */
export async function publish(house: House, stream: string, ...seqs: number[]): Promise<void> {
  const { db, gateway } = house.app;
  const subscribers = await db.read(gateway.subscribers([stream]));
  const frames = seqs.map((seq) => eventOf(stream, seq));
  await gateway.publish(stream, frames, subscribers);
}

let marks = 0;

/** The events that have come, in the order they came. What was sent before now has come: a last frame says so. */
export async function heard(house: House, { id, socket }: Reader): Promise<string[]> {
  const until = `mark ${marks++}`;
  expect(await house.app.gateway.send(id, JSON.stringify({ type: "authorized", n: 1, until }))).toBe("sent");
  await socket.next("authorized", (message) => message.until === until);
  const isEvent = (frame: ServerMessage) => frame.type === "event" && !frame.stream.startsWith("user:");
  return socket.frames.splice(0).flatMap((frame) => (isEvent(frame) && "seq" in frame ? [`${frame.seq}`] : []));
}

export function gatewayContract(open: () => Promise<GatewayHouse>): void {
  let own: GatewayHouse;
  let house: House;
  const readers: Reader[] = [];
  let streams = 0;

  beforeAll(async () => {
    own = await open();
    house = own.house;
  });
  afterAll(() => own.close());
  afterEach(() => {
    for (const { socket } of readers.splice(0)) socket.socket.terminate();
  });

  const reader = async () => {
    const one = await newReader(house);
    readers.push(one);
    return one;
  };
  const newStream = () => `room:contract-${streams++}`;
  const gateway = () => house.app.gateway;
  /** A number below all others changes nothing and returns the state. */
  const isReading = async (id: string, stream: string) => (await gateway().subscribe(id, stream, 0)) === "subscribed";
  const rowsOf = async (id: string) => {
    const [rows] = await house.db.read([
      sql`SELECT (SELECT count(*) FROM connections WHERE id = ${id}) AS connections, (SELECT count(*) FROM subscriptions WHERE connection_id = ${id}) AS subscriptions`,
    ]);
    return rows?.[0];
  };

  describe("publish", () => {
    it("sends every frame, in order, to every reader of the stream and to nobody else", async () => {
      const [a, b, c] = [await reader(), await reader(), await reader()];
      const [one, other] = [newStream(), newStream()];
      for (const { id } of [a, b]) expect(await gateway().subscribe(id, one, 1)).toBe("subscribed");
      expect(await gateway().subscribe(c.id, other, 1)).toBe("subscribed");
      const seqs = Array.from({ length: 20 }, (_, at) => at + 1);
      await publish(house, one, ...seqs.slice(0, 15));
      await publish(house, one, ...seqs.slice(15));
      await publish(house, other, 7);
      expect(await heard(house, a)).toEqual(seqs.map(String));
      expect(await heard(house, b)).toEqual(seqs.map(String));
      expect(await heard(house, c)).toEqual(["7"]);
    });

    it("to nobody does nothing", async () => {
      await publish(house, newStream(), 1);
    });

    it("goes on when a reader is gone, and forgets that one and no other", async () => {
      own.silence(true);
      const [dead, alive] = [await reader(), await reader()];
      const stream = newStream();
      for (const { id } of [dead, alive]) await gateway().subscribe(id, stream, 1);
      const closed = once(house.server.connections.get(dead.id)?.socket as EventEmitter, "close");
      dead.socket.socket.terminate();
      await closed;
      await publish(house, stream, 1, 2);
      await publish(house, stream, 3);
      expect(await heard(house, alive)).toEqual(["1", "2", "3"]);
      expect(await own.noted(dead.id)).toBe(0);
      expect(await own.noted(alive.id)).toBe(2);
      expect((await rowsOf(alive.id))?.connections).toBe(1);
      // In memory or in the database: only the owner of the connections may call one gone.
      expect((await rowsOf(dead.id))?.connections).toBe(own.remembers ? 0 : 1);
      own.silence(false);
    });

    it("does not forget a connection that is not open yet", async () => {
      const guest = await house.guest();
      const stream = newStream();
      const id = `GHOST${String(streams).padStart(10, "0")}=`;
      // ws_register has stored it, and the gateway does not have the answer yet: a push finds no connection.
      await register(house.app, await guest.ticket(), id, house.app.config.callbackUrl ?? "");
      expect(await gateway().subscribe(id, stream, 1)).toBe(own.remembers ? "subscribed" : "left");
      const before = await rowsOf(id);
      expect(before?.connections).toBe(1);
      await publish(house, stream, 1);
      expect(await gateway().send(id, eventOf(stream, 2))).toBe("gone");
      expect(await rowsOf(id)).toEqual(before);
      // It has spoken, so it was open; now gone means gone.
      await house.db.flight({ statements: [openConnection(id, house.clock.now())] });
      await publish(house, stream, 3);
      expect(await rowsOf(id)).toEqual(own.remembers ? { connections: 0, subscriptions: 0 } : before);
    });

    it.each<[string, (one: Reader) => Promise<void>]>([
      [
        "ended",
        async ({ person }) => {
          await house.db.flight({ statements: [endSession(person.session, "logout", house.clock.now())] });
        },
      ],
      [
        "expired",
        async ({ id, person }) => {
          const until = house.clock.now() - 1;
          await house.db.flight({
            statements: [sql`UPDATE sessions SET expires_at = ${until} WHERE id = ${person.session}`],
          });
          await gateway().renew({ connection: id, session: person.session, until });
        },
      ],
    ])("sends nothing to a session that has %s, from the commit on", async (_, end) => {
      const [gone, alive] = [await reader(), await reader()];
      const stream = newStream();
      for (const { id } of [gone, alive]) await gateway().subscribe(id, stream, 1);
      await publish(house, stream, 1);
      expect(await heard(house, gone)).toEqual(["1"]);
      await end(gone);
      await publish(house, stream, 2);
      expect(await heard(house, alive)).toEqual(["1", "2"]);
      // It gets an error and a close, before or after the mark.
      const closed = () => gone.socket.closed.then(() => gone.socket.frames.filter(({ type }) => type === "event"));
      expect(await heard(house, gone).catch(closed)).toEqual([]);
    });
  });

  describe("a grant", () => {
    /** A room in the database, and a member with a grant of version 1. */
    const admitted = async (until: number) => {
      const [one, room] = [await reader(), `granted-${streams++}`];
      await house.db.flight({
        statements: [
          insertRoom({ id: room, owner: one.person.user, addressHash: null, widerHash: null, at: house.clock.now() }),
        ],
      });
      const stream = `room:${room}`;
      expect(await gateway().subscribe(one.id, stream, 1, { version: 1, until })).toBe("subscribed");
      await publish(house, stream, 1);
      expect(await heard(house, one)).toEqual(["1"]);
      return { one, room, stream };
    };
    const later = () => house.clock.now() + 3_600_000;
    const errorsOf = async (one: Reader) => {
      one.socket.send("not a message");
      await one.socket.next("error", ({ code }) => code !== "GRANT_INVALID");
      return one.socket.frames.splice(0).filter(({ type }) => type === "error" || type === "event");
    };

    it.each<[string, (room: string, until: number) => unknown]>([
      ["withdrawn", (room) => house.db.flight({ statements: [setGrantVersion(room, 2)] })],
      ["expired", () => house.clock.forward(3_600_000)],
    ])("that was %s ends the reading with the next push, and says so once", async (_, end) => {
      const { one, room, stream } = await admitted(later());
      await end(room, later());
      await publish(house, stream, 2);
      await publish(house, stream, 3);
      expect(await errorsOf(one)).toEqual([
        expect.objectContaining({ type: "error", code: "GRANT_INVALID", stream, retry: false }),
      ]);
      // Let in again by a new one.
      expect(await gateway().subscribe(one.id, stream, 2, { version: 2, until: later() })).toBe("subscribed");
      await house.db.flight({ statements: [setGrantVersion(room, 2)] });
      await publish(house, stream, 4);
      expect(await heard(house, one)).toEqual(["4"]);
    });
  });

  describe("subscribe and unsubscribe", () => {
    it("obey the higher number, in whichever order they come", async () => {
      const { id } = await reader();
      const stream = newStream();
      expect(await gateway().subscribe(id, stream, 5)).toBe("subscribed");
      await gateway().unsubscribe(id, stream, 4);
      expect(await isReading(id, stream)).toBe(true);
      await gateway().unsubscribe(id, stream, 7);
      expect(await gateway().subscribe(id, stream, 6)).toBe("left");
      expect(await isReading(id, stream)).toBe(false);
      expect(await gateway().subscribe(id, stream, 8)).toBe("subscribed");
      // A leave that comes before its resume.
      const later = newStream();
      await gateway().unsubscribe(id, later, 20);
      expect(await gateway().subscribe(id, later, 19)).toBe("left");
    });

    it("obey the higher number when all come at once", async () => {
      const one = await reader();
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.boolean(), { minLength: 2, maxLength: 6 }),
          fc.infiniteStream(fc.nat()),
          async (kinds, order) => {
            const stream = newStream();
            const messages = kinds.map((active, at) => ({ active, number: at + 1, at: order.next().value as number }));
            await Promise.all(
              messages
                .toSorted((a, b) => a.at - b.at)
                .map(({ active, number }) =>
                  active ? gateway().subscribe(one.id, stream, number) : gateway().unsubscribe(one.id, stream, number),
                ),
            );
            const reading = await isReading(one.id, stream);
            await publish(house, stream, 1);
            await gateway().unsubscribe(one.id, stream, 100);
            expect([reading, await heard(house, one)]).toEqual([kinds.at(-1), kinds.at(-1) ? ["1"] : []]);
          },
        ),
        { numRuns: 15 },
      );
    });

    it("of the same message end with the last: what was entered and then refused is left", async () => {
      const one = await reader();
      const stream = newStream();
      expect(await gateway().subscribe(one.id, stream, 3)).toBe("subscribed");
      await gateway().unsubscribe(one.id, stream, 3);
      await publish(house, stream, 1);
      expect(await heard(house, one)).toEqual([]);
    });

    it("know a bound, also when all come at once, and a place is free again after leaving", async () => {
      const { id } = await reader();
      const names = Array.from({ length: 3 * maxStreams }, newStream);
      const outcomes = await Promise.all(names.map((stream, at) => gateway().subscribe(id, stream, at + 1)));
      // One place is taken by the stream of the user.
      expect(outcomes.filter((outcome) => outcome === "subscribed")).toHaveLength(maxStreams - 1);
      expect(outcomes.filter((outcome) => outcome === "full")).toHaveLength(2 * maxStreams + 1);
      const [held, refused] = ["subscribed", "full"].map((word) => names[outcomes.indexOf(word as "full")]) as [
        string,
        string,
      ];
      expect(await gateway().subscribe(id, held, 50)).toBe("subscribed");
      expect(await gateway().subscribe(id, refused, 51)).toBe("full");
      await gateway().unsubscribe(id, held, 52);
      expect(await gateway().subscribe(id, refused, 53)).toBe("subscribed");
      expect(await gateway().subscribe(id, held, 54)).toBe("full");
      expect(await gateway().subscribe(id, held, 51)).toBe("left");
    });

    it("keep nothing of streams that were left", async () => {
      const one = await reader();
      const stream = newStream();
      await gateway().subscribe(one.id, stream, 1);
      for (let number = 2; number < 12 * maxStreams; number++) await gateway().unsubscribe(one.id, newStream(), number);
      expect(await own.noted(one.id)).toBeLessThan(6 * maxStreams);
      await publish(house, stream, 1);
      expect(await heard(house, one)).toEqual(["1"]);
    });

    it("of an unknown connection leave nothing behind", async () => {
      const id = "NOBODY000000000=";
      expect(await gateway().subscribe(id, newStream(), 1)).toBe("left");
      await gateway().unsubscribe(id, newStream(), 2);
      expect(await own.noted(id)).toBe(0);
      expect(await rowsOf(id)).toEqual({ connections: 0, subscriptions: 0 });
    });
  });

  describe("send and close", () => {
    it("reach one connection", async () => {
      const [a, b] = [await reader(), await reader()];
      expect(await gateway().send(a.id, eventOf("room:x", 1))).toBe("sent");
      expect(await heard(house, a)).toEqual(["1"]);
      expect(await heard(house, b)).toEqual([]);
      await gateway().close(a.id);
      await a.socket.closed;
      expect(await gateway().send(a.id, "{}")).toBe("gone");
      expect(await heard(house, b)).toEqual([]);
    });

    it("of an unknown connection report GONE, and do nothing", async () => {
      expect(await gateway().send("NOBODY000000000=", "{}")).toBe("gone");
      await gateway().close("NOBODY000000000=");
    });
  });
}
