/** Order at the socket: where one process holds the sockets, no reader is sent an event twice, early, or before its answer. */
import { setTimeout as sleep } from "node:timers/promises";
import type { ServerMessage, StreamRequest } from "../../shared/protocol.ts";
import { anyEngine } from "../_engines.ts";
import { type House, openHouse, type Person, type TestSocket } from "../_house.ts";
import { until } from "../_until.ts";

/** What came on one stream, in the order of arrival: each step that is not the next one. */
function faults(frames: readonly ServerMessage[], stream: string): string[] {
  const found: string[] = [];
  let at: number | undefined;
  const step = (seq: number, how: string) => {
    if (at === undefined) found.push(`${how} ${seq} before the answer`);
    else if (seq !== at + 1) found.push(`${how} ${seq} behind ${at}`);
    at = Math.max(at ?? 0, seq);
  };
  for (const frame of frames) {
    if (!("stream" in frame) || frame.stream !== stream) continue;
    if (frame.type === "event") step(frame.seq, "event");
    else if (frame.type === "resumed") {
      at ??= frame.events[0] === undefined ? frame.seq : frame.events[0].seq - 1;
      for (const { seq } of frame.events) step(seq, "answered");
      if (frame.seq !== at) found.push(`answer up to ${frame.seq} behind ${at}`);
    } else found.push(`${frame.type} ${"seq" in frame ? frame.seq : JSON.stringify(frame)}`);
  }
  return found;
}

const last = (frames: readonly ServerMessage[], stream: string) =>
  Math.max(0, ...frames.flatMap((one) => ("seq" in one && one.stream === stream ? [one.seq] : [])));

describe("one process", () => {
  let house: House;
  beforeAll(async () => {
    house = await openHouse(anyEngine, {
      // Comparisons with the head come between the pushes.
      lookMs: 50,
      environment: { PUBLISHES_PER_SEC: "1000", CONNECTIONS_PER_SESSION: "100" },
    });
  });
  afterAll(() => house.close());

  interface Reader {
    readonly socket: TestSocket;
    readonly ask: StreamRequest;
    checkedAt?: number;
  }

  /** Resumes once; what comes is left in `frames`. */
  async function read(person: Person, ask: StreamRequest): Promise<Reader> {
    const socket = await person.connect();
    socket.say({ type: "resume", streams: [ask] });
    await until(() => socket.frames.some(({ type }) => type === "resumed"), "an answer");
    return { socket, ask };
  }

  /** A check from the position that the reader has at this moment, while pushes are on their way. */
  function check(reader: Reader): void {
    const { socket, ask } = reader;
    for (const frame of socket.frames.toReversed())
      if ("epoch" in frame && frame.stream === ask.stream) {
        const { epoch, seq, tag } = frame;
        if (seq !== reader.checkedAt) socket.say({ type: "check", streams: [{ ...ask, epoch, seq, tag }] });
        reader.checkedAt = seq;
        return;
      }
  }

  /** Readers come, ask and go until the work is done. @returns all that were there */
  async function whileReading(
    open: () => Promise<Reader>,
    readers: Reader[],
    work: () => Promise<unknown>,
  ): Promise<Reader[]> {
    let done = false;
    const all = [...readers];
    const visit = async () => {
      while (!done) {
        const visitor = await open();
        all.push(visitor);
        await sleep(5);
        check(visitor);
        await sleep(5);
        visitor.socket.close();
      }
    };
    const askers = async () => {
      for (let at = 0; !done; at++) {
        check(readers[at % readers.length] as Reader);
        await sleep(30);
      }
    };
    const others = [visit(), visit(), askers()];
    await work().finally(() => {
      done = true;
    });
    await Promise.all(others);
    return all;
  }

  it("a room's readers get each message once and in order, while all write, others come and go, and all check", async () => {
    const people = await Promise.all(Array.from({ length: 6 }, () => house.guest()));
    const [owner] = people as [Person];
    const { body } = await owner.http("POST", "/rooms", { body: {} });
    const { stream } = body.room as { stream: string };
    const ask = { stream, grant: body.grant as string };
    const someone = () => people[Math.floor(Math.random() * people.length)] as Person;
    const readers = await Promise.all(Array.from({ length: 20 }, () => read(someone(), ask)));
    const writers = await Promise.all(people.map((person) => person.connect()));
    const each = 21;
    const all = await whileReading(
      () => read(someone(), ask),
      readers,
      () =>
        Promise.all(
          writers.map(async (writer) => {
            for (let at = 0; at < each; at += 3) {
              for (let one = at; one < at + 3; one++) writer.say({ type: "publish", ...ask, id: `m${one}`, data: one });
              for (let one = 0; one < 3; one++) await writer.next("published");
            }
          }),
        ),
    );
    const total = each * writers.length;
    for (const { socket } of readers) await until(() => last(socket.frames, stream) === total, "the last message");
    expect(all.flatMap(({ socket }) => faults(socket.frames, stream))).toEqual([]);
    for (const { socket } of [...all]) socket.close();
    for (const writer of writers) writer.close();
  });

  it("a shop's kitchens, customers, menus and boards get each event once and in order, while orders are placed and taken", async () => {
    const [kitchen, eater] = [await house.staff("kitchen"), await house.guest()];
    const asks: [Person, StreamRequest][] = [
      [kitchen, { stream: `shop:${house.shop}` }],
      [eater, { stream: `user:${eater.user}` }],
      [eater, { stream: `menu:${house.shop}` }],
      [eater, { stream: `board:${house.shop}` }],
    ];
    let nth = 0;
    const open = () => read(...(asks[nth++ % asks.length] as [Person, StreamRequest]));
    const readers = await Promise.all(Array.from({ length: 12 }, open));
    const all = await whileReading(open, readers, () =>
      Promise.all(
        Array.from({ length: 4 }, async () => {
          for (let at = 0; at < 4; at++) {
            const { body } = await eater.order();
            const step = (name: string) => kitchen.http("POST", `/orders/${body.order.id}/${name}`, { body: {} });
            for (const name of ["accept", "cook", "ready"]) expect((await step(name)).status).toBe(200);
          }
        }),
      ),
    );
    const heads = new Map(readers.map(({ ask: { stream } }) => [stream, 0]));
    for (const { socket, ask } of all) {
      heads.set(ask.stream, Math.max(heads.get(ask.stream) ?? 0, last(socket.frames, ask.stream)));
    }
    for (const { socket, ask } of readers)
      await until(() => last(socket.frames, ask.stream) >= (heads.get(ask.stream) as number), "the last event");
    expect(all.flatMap(({ socket, ask }) => faults(socket.frames, ask.stream))).toEqual([]);
    for (const { socket } of all) socket.close();
  });
});
