/** Compartments of the gateway: turns by caller, and the order of refusal when too many wait. */
import { Bulkhead, type CallerLeft, type Overflow } from "../../apigateway/local/bulkhead.ts";

const never = new AbortController().signal;

/** A compartment whose callers note the order in which they begin. */
function stage(running: number, waiting: number, share = 1) {
  const bulkhead = new Bulkhead("test", { running, waiting, share });
  const begun: string[] = [];
  const leave: (() => void)[] = [];
  const refused: [string, boolean | string][] = [];
  const settled = async () => {
    for (let k = 0; k < 10; k++) await undefined;
  };
  return {
    begun,
    refused,
    enter(name: string, signal = never) {
      const [caller = ""] = name;
      return bulkhead.enter(caller, signal).then(
        (done) => {
          begun.push(name);
          leave.push(done);
        },
        (error: Overflow | CallerLeft) => refused.push([name, "own" in error ? error.own : error.name]),
      );
    },
    /** The first that runs ends. */
    async end() {
      await settled();
      leave.shift()?.();
      await settled();
    },
  };
}

it("a bulkhead serves callers in turn, so that a crowd under one name waits for itself", async () => {
  const s = stage(1, 10);
  for (const name of ["a1", "a2", "a3", "a4", "b1", "c1", "b2"]) void s.enter(name);
  for (let k = 0; k < 7; k++) await s.end();
  expect(s.begun).toEqual(["a1", "a2", "b1", "c1", "a3", "b2", "a4"]);
});

it("a bulkhead refuses a crowd beyond its share and keeps the rest for others", async () => {
  const s = stage(4, 4, 1 / 2);
  for (const name of ["a1", "a2", "a3", "a4", "a5", "b1", "b2", "c1"]) void s.enter(name);
  await s.end();
  // a: two run, two wait, the fifth is too much; b begins at once; c waits, and comes in with the first that ends.
  expect(s.refused).toEqual([["a5", true]]);
  expect(s.begun.slice(0, 4)).toEqual(["a1", "a2", "b1", "b2"]);
  expect(s.begun.slice(4)).toHaveLength(1);
});

it("a full bulkhead drops from the longest queue", async () => {
  const s = stage(1, 3);
  for (const name of ["a1", "a2", "a3", "a4", "a5", "b1"]) void s.enter(name);
  await s.end();
  expect(s.refused).toEqual([
    ["a5", true],
    ["a4", true],
  ]);
  for (let k = 0; k < 4; k++) await s.end();
  expect(s.begun).toEqual(["a1", "a2", "b1", "a3"]);
});

it("a bulkhead forgets a caller who left while waiting, and starts nothing for it", async () => {
  const s = stage(1, 5);
  const left = new AbortController();
  void s.enter("a1");
  void s.enter("a2", left.signal);
  void s.enter("a3");
  left.abort();
  for (let k = 0; k < 3; k++) await s.end();
  expect(s.begun).toEqual(["a1", "a3"]);
  expect(s.refused).toEqual([["a2", "CallerLeft"]]);
});
