/** A watch's client that reads slowly: its frames wait in order, or are left out together, and it is not sent away. */
import { anyEngine } from "../_engines.ts";
import { type House, openHouse } from "../_house.ts";
import { until } from "../_until.ts";
import { Watcher } from "./_watcher.ts";

let house: House;
let slow: Watcher;
let id: string;

beforeAll(async () => {
  house = await openHouse(anyEngine);
  slow = await Watcher.open(house.url, await (await house.guest()).ticket());
  await slow.ask("PING", null);
  id = [...house.server.connections.all()][0]?.id ?? "";
}, 60_000);
afterAll(async () => {
  slow?.close();
  await house?.close();
});

const frame = (n: number, bytes: number) =>
  JSON.stringify({ msgType: "PONG", requestId: `${n}`, msgData: "x".repeat(bytes) });
const numbers = () => slow.frames.map(({ requestId }) => Number(requestId)).filter((n) => n > 0);
const each = (from: number, count: number, bytes: number) =>
  house.app.gateway.publishEach(
    Array.from({ length: count }, (_, nth) => ({ connection: id, frame: frame(from + nth, bytes) })),
  );

/** Until neither the client's system nor this gateway takes more. */
async function fill(): Promise<void> {
  slow.socket.pause();
  while ((await house.app.gateway.send(id, frame(0, 30_000))) === "sent")
    await new Promise((resolve) => setImmediate(resolve));
}

it("what waits arrives in order", async () => {
  await fill();
  expect(await each(1, 20, 30_000)).toEqual({ readers: 1, sent: 20, gone: 0 });
  slow.socket.resume();
  await until(() => numbers().includes(20), "what waited", numbers);
  expect(numbers()).toEqual(Array.from({ length: 20 }, (_, nth) => nth + 1));
});

it("too many are all left out, and the next one comes", async () => {
  await fill();
  await each(100, 1_005, 10);
  await each(2_000, 1, 10);
  slow.socket.resume();
  await until(() => house.lines.some((line) => line.includes("slow.left_out")), "frames that were left out");
  await each(3_000, 1, 10);
  await until(() => numbers().includes(3_000), "the next frame", numbers);
  const later = numbers().filter((n) => n >= 100);
  expect(later.length).toBeLessThan(1_000);
  expect(later).toEqual(later.toSorted((a, b) => a - b));
  expect(slow.socket.readyState).toBe(slow.socket.OPEN);
});
