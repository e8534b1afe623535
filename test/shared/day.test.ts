import { sql } from "../../db/sql.ts";
import { businessDay, iso, pickupNumber } from "../../shared/day.ts";
import { anyEngine } from "../_engines.ts";

describe("a business day", () => {
  it.each([
    ["2026-11-21T19:59:59Z", "Asia/Shanghai", 240, "2026-11-21"],
    ["2026-11-21T20:00:00Z", "Asia/Shanghai", 240, "2026-11-22"],
    ["2026-11-21T15:59:59Z", "Asia/Shanghai", 0, "2026-11-21"],
    ["2026-11-21T16:00:00Z", "Asia/Shanghai", 0, "2026-11-22"],
    // The clocks go back in Berlin on 25 October 2026 at 3:00.
    ["2026-10-25T01:30:00Z", "Europe/Berlin", 120, "2026-10-25"],
    ["2026-10-24T23:30:00Z", "Europe/Berlin", 120, "2026-10-24"],
    ["2026-12-31T23:30:00Z", "Pacific/Kiritimati", 0, "2027-01-01"],
  ])("at %s in %s, turning over after %i minutes, is %s", (time, zone, rollover, day) => {
    expect(businessDay(Date.parse(time), zone, rollover)).toBe(day);
  });
});

describe("a pickup number", () => {
  const known: [number, string][] = [
    [1, "A001"],
    [17, "A017"],
    [999, "A999"],
    [1_000, "B001"],
    [25_974, "Z999"],
    [25_975, "AA001"],
    [26_973, "AA999"],
    [26_974, "AB001"],
    [51_948, "AZ999"],
    [51_949, "BA001"],
  ];

  it.each(known)("of order %i is %s", (n, number) => {
    expect(pickupNumber(n)).toBe(number);
  });

  it("is the same when PostgreSQL draws it", async () => {
    const database = await anyEngine.open();
    const numbers = [...known.map(([n]) => n), ...Array.from({ length: 300 }, (_, at) => at * 173 + 1)];
    const [rows] = await database.read([
      sql`SELECT v::integer AS n, orderbell_pickup_number(v::integer) AS number FROM json_array_elements_text(${JSON.stringify(numbers)}::json) AS t(v)`,
    ]);
    expect(rows?.map(({ n, number }) => [n, number])).toEqual(numbers.map((n) => [n, pickupNumber(n)]));
    await database.remove();
  });
});

it("a time is written in UTC, also where another time had its place before", () => {
  const times = [0, 64, 128, 1_795_973_541_123, 1_795_973_541_187, -64];
  for (const at of [...times, ...times.toReversed()]) expect(iso(at)).toBe(new Date(at).toISOString());
  expect(() => iso(Number.NaN)).toThrow(RangeError);
});
