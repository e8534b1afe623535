/** Chance: ids, tags and fractions out of one pool of bytes, which is filled again and again. */
import { makeRandom } from "../../functions/_app.ts";

const random = makeRandom({ now: () => 1, sleep: async () => {} });

it("ids and tags never come twice, over many pools, and have their form", () => {
  const ids = Array.from({ length: 2_000 }, () => random.id());
  const tags = Array.from({ length: 20_000 }, () => random.tag());
  expect([new Set(ids).size, new Set(tags).size]).toEqual([ids.length, tags.length]);
  expect(ids.filter((id) => !/^0{9}1[0-9A-HJKMNP-TV-Z]{16}$/.test(id))).toEqual([]);
  expect(tags.filter((tag) => !/^[A-Za-z0-9_-]{8}$/.test(tag))).toEqual([]);
});

it("fractions are from 0 to below 1, spread evenly", () => {
  const tenths = new Array<number>(10).fill(0);
  for (let at = 0; at < 50_000; at++) {
    const fraction = random.fraction();
    if (!(fraction >= 0 && fraction < 1)) throw new Error(`${fraction} is no fraction`);
    tenths[Math.floor(fraction * 10)] = (tenths[Math.floor(fraction * 10)] ?? 0) + 1;
  }
  // Of 5,000 expected, the standard deviation is 67.
  for (const count of tenths) expect(Math.abs(count - 5_000)).toBeLessThan(600);
});
