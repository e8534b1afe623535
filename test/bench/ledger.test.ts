/** The benchmark's ledger: what a server loses, doubles or reorders is found; and the generator reads what servers send. */
import type { AddressInfo } from "node:net";
import { Generator } from "../../bench/generator/generator.ts";
import { Ledger } from "../../bench/generator/ledger.ts";
import { type Lie, nullScene, nullServer } from "../../bench/peers/null.ts";

async function reportOf(lie?: Lie) {
  const server = nullServer(lie);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const shops = nullScene.shops.map(({ id, path, protocols }) => ({ id, path, protocols }));
  const generator = new Generator({ ...nullScene, port, socketPort: port, shops });
  try {
    await generator.open();
    return await generator.run({ rate: 1_000, seconds: 0.2, drainMs: lie === "loses" ? 1_000 : 5_000 });
  } finally {
    generator.close();
    server.close();
  }
}

describe("the generator", () => {
  it("sends every order and finds each answered and pushed once by a server that does so", async () => {
    const report = await reportOf();
    expect(report).toMatchObject({ sent: 200, answered: 200, pushed: 200, lost: 0, refused: {}, problems: [] });
    expect(report.push.p50).toBeGreaterThan(0);
  });

  it("takes a head, which names the last number again, for no event", async () => {
    expect((await reportOf("heads")).problems).toEqual([]);
  });

  it.each([
    ["loses", ["2 acknowledged and never pushed", "2 missing in the numbers of a stream"]],
    ["doubles", ["2 pushed more than once", "2 out of order in the numbers of a stream"]],
    ["reorders", ["2 missing in the numbers of a stream", "2 out of order in the numbers of a stream"]],
  ] as const)("finds what a server %s", async (lie, problems) => {
    const report = await reportOf(lie);
    expect(report.problems).toEqual(problems);
    expect(report.lost).toBe(lie === "loses" ? 2 : 0);
  });
});

describe("the ledger", () => {
  it("finds an order that was refused and pushed all the same, and one that nobody ordered", () => {
    const ledger = new Ledger(3);
    ledger.refuse(0);
    ledger.push(0);
    ledger.push(7);
    expect(ledger.problems()).toEqual(["1 refused and pushed all the same", "1 pushed and not ordered"]);
  });

  it("does not count as lost what was never acknowledged", () => {
    expect(new Ledger(3).lost).toBe(0);
  });
});
