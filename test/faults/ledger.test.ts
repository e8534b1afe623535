/** The ledger of the fault runs finds every planted error, and nothing where nothing is wrong. */
import { Ledger, type Truth, verdictOf, type Wrong } from "./_ledger.ts";
import { makeRandom, planRound } from "./_plan.ts";

type Rows = { -readonly [K in keyof Truth]: Truth[K][number][] };

/** Two orders, a step, a message, and a reader that saw it all. */
function scene(): { ledger: Ledger; rows: Rows } {
  const ledger = new Ledger();
  for (const [key, order] of [
    ["k1", "o1"],
    ["k2", "o2"],
  ] as const)
    ledger.submitted.push({ key, user: "u", wantedFen: 500, answers: [{ order, totalFen: 500, atMs: 1_000 }] });
  ledger.steps.push({ order: "o1", version: 2, status: "accepted", atMs: 1_100 });
  ledger.said.push({ room: "room:r", sender: "u", id: "m1", atMs: 1_200 });
  ledger.reading("screen", "shop:s").shown.push({ restart: 0 }, { seq: 1, tag: "t1" }, { seq: 2, tag: "t2" });
  const order = { user: "u", day: "2026-11-27", totalFen: 500 };
  return {
    ledger,
    rows: {
      orders: [
        { ...order, id: "o1", number: "A001", version: 2 },
        { ...order, id: "o2", number: "A002", version: 1 },
      ],
      history: [
        { order: "o1", version: 1, to: "placed" },
        { order: "o1", version: 2, to: "accepted" },
        { order: "o2", version: 1, to: "placed" },
      ],
      keys: [
        { user: "u", key: "k1", order: "o1" },
        { user: "u", key: "k2", order: "o2" },
      ],
      events: [
        { stream: "shop:s", seq: 1, tag: "t1" },
        { stream: "shop:s", seq: 2, tag: "t2" },
      ],
      messages: [{ room: "room:r", sender: "u", id: "m1" }],
      dishes: [{ dish: "bun", stock: 5, sold: 2 }],
      portions: [
        { dish: "bun", quantity: 1 },
        { dish: "bun", quantity: 1 },
      ],
    },
  };
}

type Plant = (at: ReturnType<typeof scene>) => void;

const planted: readonly (readonly [string, Wrong, Plant])[] = [
  ["an order that was answered and is not stored", "lost", ({ rows }) => rows.orders.shift()],
  ["a step that was answered and is not stored", "lost", ({ rows }) => rows.history.splice(1, 1)],
  ["a message that was answered and is not stored", "lost", ({ rows }) => rows.messages.shift()],
  ["an order that nobody asked for", "phantom", ({ ledger }) => ledger.submitted.pop()],
  [
    "a key that made two orders",
    "doubled",
    ({ ledger }) => ledger.submitted[0]?.answers.push({ order: "o2", totalFen: 500, atMs: 2_000 }),
  ],
  ["a message stored twice", "doubled", ({ rows }) => rows.messages.push({ room: "room:r", sender: "u", id: "m1" })],
  ["a number given twice", "doubled", ({ rows }) => Object.assign(rows.orders[1] as object, { number: "A001" })],
  ["an event shown twice", "doubled", ({ ledger }) => ledger.readings[0]?.shown.push({ seq: 2, tag: "t2" })],
  ["an event shown too early", "gaps", ({ ledger }) => ledger.readings[0]?.shown.splice(1, 1)],
  [
    "an event of another history on a screen",
    "foreign",
    ({ rows }) => Object.assign(rows.events[1] as object, { tag: "other" }),
  ],
  ["a wrong price", "effects", ({ rows }) => Object.assign(rows.orders[0] as object, { totalFen: 501 })],
  ["a step to another state", "effects", ({ rows }) => Object.assign(rows.history[1] as object, { to: "cooking" })],
  ["a version without its step", "effects", ({ rows }) => Object.assign(rows.orders[1] as object, { version: 2 })],
  ["more sold than there was", "effects", ({ rows }) => Object.assign(rows.dishes[0] as object, { stock: 1 })],
  ["stock that does not fit the orders", "effects", ({ rows }) => rows.portions.pop()],
  ["an answer that nobody may get", "surprises", ({ ledger }) => ledger.found("surprises", "INTERNAL")],
];

describe("the judge of fault runs", () => {
  it("finds nothing where nothing is wrong", () => {
    const { ledger, rows } = scene();
    expect(ledger.judge(rows)).toEqual([]);
    expect(verdictOf([])).toMatch(/^held: lost 0, /);
  });

  it.each(planted)("finds %s", (_, wrong, plant) => {
    const at = scene();
    plant(at);
    const found = at.ledger.judge(at.rows);
    expect(found.map((one) => one.wrong)).toContain(wrong);
    expect(verdictOf(found)).toMatch(/^BROKEN: /);
  });

  it("excuses what was answered in the seconds that a restored database has lost, and nothing else", () => {
    const { ledger, rows } = scene();
    rows.orders.shift();
    rows.history.splice(0, 2);
    rows.keys.shift();
    rows.portions.pop();
    Object.assign(rows.dishes[0] as object, { sold: 1 });
    ledger.excuse(900, 1_150);
    expect(ledger.judge(rows)).toEqual([]);
    rows.messages.shift();
    expect(ledger.judge(rows).map(({ wrong }) => wrong)).toEqual(["lost"]);
  });
});

describe("the plan of a fault run", () => {
  it("is the same for the same seed, another one for another, and has every kind of fault", () => {
    const plans = (seed: number) => {
      const random = makeRandom(seed);
      return Array.from({ length: 40 }, (_, round) =>
        planRound(random, round, 12_000, { processes: 2, embedded: false }),
      );
    };
    expect(plans(7)).toEqual(plans(7));
    expect(plans(7)).not.toEqual(plans(8));
    const kinds = new Set(plans(7).flatMap((steps) => steps.map(({ fault }) => fault.kind)));
    expect([...kinds].toSorted()).toEqual(
      [
        "clock",
        "copy",
        "cut",
        "freeze",
        "kill",
        "lag",
        "restore",
        "silence",
        "stop",
        "terminate",
        "weather",
      ].toSorted(),
    );
  });
});
