/** A short storm over tunnels: nothing that was said is lost or comes in another order, and each tunnel ends with one `close`. */
import { onEveryEngine, servers } from "../_engines.ts";
import { speak } from "../wafer/_channel.ts";
import { runTunnelFaults, type Talk, type TunnelOutcome, wrongsOf } from "./_tunnels.ts";

const seed = Number(process.env.FAULTS_SEED ?? 8);
const stormMs = 8_000;

const runs = new Map<string, Promise<TunnelOutcome>>();
beforeAll(() => {
  for (const engine of servers) if (engine.here) runs.set(engine.name, runTunnelFaults(engine, seed, stormMs));
});

onEveryEngine((engine) => {
  it("a storm of faults loses and reorders nothing that is said through a tunnel", async () => {
    const { findings, figures } = (await runs.get(engine.name)) as TunnelOutcome;
    expect({ seed, findings }).toEqual({ seed, findings: [] });
    expect(figures.tunnels).toBeGreaterThanOrEqual(4);
    // Of a slow machine as well: it says only that there was a storm.
    expect(figures.called).toBeGreaterThan(5);
  }, 180_000);
}, servers);

describe("the ledger of tunnels", () => {
  const [a, b, c] = [0, 1, 2].map(speak) as [string, string, string];
  const [one, two, three] = [a, b, c].map((word) => `message ${word}`) as [string, string, string];
  const talk: Talk = { tunnel: "t", said: 3, heard: 2, pushed: 2, got: [a, b], isClosed: true, stayed: true };

  it("finds nothing where all came, or a call was made again", () => {
    expect(wrongsOf(talk, ["connect", one, two, "close"])).toEqual([]);
    expect(wrongsOf({ ...talk, got: [a, b, b, c] }, ["connect", one, one, two, three, "close", "close"])).toEqual([]);
  });

  it.each([
    ["a lost message", {}, ["connect", one, three, "close"]],
    ["a message that was heard and is missing at the end", {}, ["connect", one, "close"]],
    ["a message that came again behind a later one", {}, ["connect", one, two, one, "close"]],
    ["no close", {}, ["connect", one, two]],
    ["a call behind the close", {}, ["connect", one, "close", two]],
    ["a second close", {}, ["connect", one, "close", two, "close"]],
    ["no call at all", {}, []],
    ["a lost push", { got: [b] }, ["connect", one, two, "close"]],
    ["pushes in another order", { got: [b, a] }, ["connect", one, two, "close"]],
    ["a push that was taken and did not come", { got: [a] }, ["connect", one, two, "close"]],
  ])("finds %s", (_, more, calls) => {
    expect(wrongsOf({ ...talk, ...more }, calls)).not.toEqual([]);
  });
});
