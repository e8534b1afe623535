import fc from "fast-check";
import { AppError } from "../../shared/errors.ts";
import {
  type Action,
  type Actor,
  actions,
  actors,
  type Service,
  type Status,
  services,
  statuses,
} from "../../shared/order_states.ts";
import { expire, givesBack, type Order, openStations, type StoredLine, step } from "../../shared/ordering/order.ts";

const at = Date.UTC(2026, 10, 21, 12);

function order(status: Status, more: Partial<Order> = {}): Order {
  return {
    id: "01M7YHFXQAX5A2EW393VQTANMS",
    shop: "s",
    user: "u",
    session: "x",
    guest: false,
    addressHash: null,
    widerHash: null,
    day: "2026-11-21",
    dayNumber: 1,
    number: "A001",
    service: "pickup",
    tableToken: null,
    tableLabel: null,
    delivery: null,
    note: "",
    menuVersion: 1,
    itemsFen: 100,
    packingFen: 0,
    deliveryFen: 0,
    totalFen: 100,
    status,
    version: 3,
    payment: "unpaid",
    paidAt: null,
    reason: null,
    placedAt: at - 60_000,
    acceptedAt: at - 60_000,
    readyAt: null,
    completedAt: status === "completed" ? at - 60_000 : null,
    endedAt: null,
    escalateAt: at,
    escalatedAt: null,
    stationsDone: [],
    expireAt: at + 60_000,
    updatedAt: at,
    lines: [],
    ...more,
  };
}

const asked = (action: Action, by: Actor = "owner", more = {}) => ({
  action,
  by,
  at,
  version: undefined,
  reason: null,
  guestsAtCounter: false,
  ...more,
});

/** What a step leads to: a status, "same" when it was taken already, or the code of the refusal. */
function outcome(from: Order, action: Action, by: Actor = "owner", more = {}, taken?: string): string {
  try {
    const change = step(from, asked(action, by, more), taken);
    return change === undefined ? "same" : change.status;
  } catch (error) {
    return (error as AppError).code;
  }
}

const no = "STEP_NOT_ALLOWED";

/** Every action from every status, for the owner; rows in the order of `statuses`. */
const table: Record<Service, Record<Exclude<Action, "paid">, string[]>> = {
  //          placed       accepted     cooking      ready         delivering   completed    rejected    cancelled    expired
  pickup: {
    accept: ["accepted", "same", no, no, no, no, no, no, no],
    cook: [no, "cooking", "same", no, no, no, no, no, no],
    ready: [no, "ready", "ready", "same", no, no, no, no, no],
    deliver: [no, no, no, no, "same", no, no, no, no],
    complete: [no, no, no, "completed", no, "same", no, no, no],
    reject: ["rejected", no, no, no, no, no, "same", no, no],
    cancel: ["cancelled", "cancelled", "cancelled", "cancelled", no, no, no, "same", no],
    recall: [no, "placed", "accepted", "cooking", no, "ready", no, no, no],
  },
  table: {} as never,
  delivery: {
    accept: ["accepted", "same", no, no, no, no, no, no, no],
    cook: [no, "cooking", "same", no, no, no, no, no, no],
    ready: [no, "ready", "ready", "same", no, no, no, no, no],
    deliver: [no, no, no, "delivering", "same", no, no, no, no],
    complete: [no, no, no, no, "completed", "same", no, no, no],
    reject: ["rejected", no, no, no, no, no, "same", no, no],
    cancel: ["cancelled", "cancelled", "cancelled", "cancelled", no, no, no, "same", no],
    recall: [no, "placed", "accepted", "cooking", no, "ready", no, no, no],
  },
};
table.table = table.pickup;

describe.each(services)("an order for %s", (service) => {
  it.each(Object.keys(table.pickup) as (keyof typeof table.pickup)[])(
    "takes the step %s exactly from where the machine says",
    (action) => {
      const outcomes = statuses.map((status) => outcome(order(status, { service }), action));
      expect(Object.fromEntries(statuses.map((status, nth) => [status, outcomes[nth]]))).toEqual(
        Object.fromEntries(statuses.map((status, nth) => [status, table[service][action][nth]])),
      );
    },
  );
});

describe("who may take a step", () => {
  const parties: Actor[] = ["owner", "cashier", "kitchen", "key", "customer", "system"];

  it("is exactly who the protocol's table names", () => {
    const allowed = Object.fromEntries(
      actions.map((action) => [
        action,
        parties.filter((by) => statuses.some((status) => !["FORBIDDEN"].includes(outcome(order(status), action, by)))),
      ]),
    );
    expect(allowed).toEqual(
      Object.fromEntries(actions.map((action) => [action, parties.filter((by) => actors[action].includes(by))])),
    );
  });

  it("includes a customer for cancel, before acceptance only", () => {
    expect(statuses.map((status) => outcome(order(status), "cancel", "customer"))).toEqual([
      "cancelled",
      no,
      no,
      no,
      no,
      no,
      no,
      "same",
      no,
    ]);
  });

  it("is the counter for a guest's order, where the shop says so", () => {
    const guest = order("placed", { guest: true });
    const atCounter = { guestsAtCounter: true };
    for (const by of ["kitchen", "key"] as const)
      expect(outcome(guest, "accept", by, atCounter)).toBe("CONFIRM_AT_COUNTER");
    expect(outcome(guest, "accept", "cashier", atCounter)).toBe("accepted");
    expect(outcome(guest, "accept", "kitchen")).toBe("accepted");
    expect(outcome(order("placed"), "accept", "kitchen", atCounter)).toBe("accepted");
    expect(outcome(guest, "reject", "kitchen", atCounter)).toBe("rejected");
  });
});

describe("a step with a version", () => {
  it("is a repeat when the same step made the next version, and a race when another did", () => {
    expect(outcome(order("accepted"), "accept", "kitchen", { version: 2 }, "accept")).toBe("same");
    expect(outcome(order("cancelled"), "accept", "kitchen", { version: 2 }, "cancel")).toBe("ORDER_CHANGED");
    expect(outcome(order("placed"), "accept", "kitchen", { version: 9 })).toBe("ORDER_CHANGED");
    expect(outcome(order("placed"), "accept", "kitchen", { version: 3 })).toBe("accepted");
  });

  it("recalls once, however often it is repeated", () => {
    const completed = order("completed");
    const first = step(completed, asked("recall", "kitchen", { version: 3 }), undefined);
    expect(first).toMatchObject({ status: "ready", completedAt: null, endedAt: null });
    const ready = { ...completed, ...first, version: 4 };
    expect(outcome(ready, "recall", "kitchen", { version: 3 }, "recall")).toBe("same");
  });

  it("takes an acceptance back for five minutes, and the order waits anew", () => {
    const accepted = (acceptedAt: number) => order("accepted", { acceptedAt, escalatedAt: at - 90_000 });
    expect(step(accepted(at - 5 * 60_000), asked("recall"), undefined)).toMatchObject({
      status: "placed",
      acceptedAt: null,
      escalatedAt: null,
      escalateAt: at + 60_000,
      expireAt: at + 120_000,
    });
    expect(outcome(accepted(at - 5 * 60_000 - 1), "recall")).toBe(no);
  });

  it("recalls a completed order for thirty minutes", () => {
    const completedAt = at - 30 * 60_000;
    expect(outcome(order("completed", { completedAt }), "recall")).toBe("ready");
    expect(outcome(order("completed", { completedAt: completedAt - 1 }), "recall")).toBe(no);
  });
});

describe("a station's part", () => {
  const line = (nth: number, station: string | null, struck = false): StoredLine => ({
    line: nth,
    dish: "d",
    names: { en: "d" },
    options: [],
    station,
    quantity: 1,
    unitFen: 50,
    totalFen: 50,
    counted: false,
    note: "",
    struck,
  });
  const lines = [line(1, "hot"), line(2, "hot"), line(3, null), line(4, "bar", true)];
  /** The order after steps `+station` (made) and `-station` (taken back), each a minute later. */
  function walk(from: Order, ...steps: [action: "ready" | "recall", station: string | null | undefined][]): Order {
    let now = from;
    for (const [nth, [action, station]] of steps.entries())
      now = { ...now, ...step(now, asked(action, "kitchen", { station, at: at + (nth + 1) * 60_000 }), undefined) };
    return now;
  }
  const done = ({ stationsDone }: Order) => stationsDone.map(({ station }) => station);

  it("ends its lines only; the last one makes the order ready, and struck lines are not waited for", () => {
    for (const status of ["accepted", "cooking"] as const) {
      const first = walk(order(status, { lines }), ["ready", "hot"]);
      expect([first.status, done(first), first.readyAt]).toEqual([status, ["hot"], null]);
      const last = walk(first, ["ready", null]);
      expect([last.status, done(last), last.readyAt]).toEqual(["ready", ["hot", null], at + 60_000]);
      expect(outcome(last, "ready", "kitchen", { station: "hot" })).toBe("same");
    }
  });

  it("ends all that is open without a station, and recall brings back what that step ended, no more", () => {
    const whole = walk(order("cooking", { lines }), ["ready", "hot"], ["ready", undefined], ["recall", undefined]);
    expect([whole.status, done(whole)]).toEqual(["cooking", ["hot"]]);
    const last = walk(order("cooking", { lines }), ["ready", null], ["ready", "hot"], ["recall", undefined]);
    expect([last.status, done(last)]).toEqual(["cooking", [null]]);
    const one = walk(order("cooking", { lines }), ["ready", undefined], ["recall", "hot"]);
    expect([one.status, done(one), [...openStations(one)]]).toEqual(["cooking", [null], ["hot"]]);
  });

  it("is known for a repeat by the state, and refused where there is no such station", () => {
    const made = walk(order("cooking", { lines }), ["ready", "hot"]);
    const with2 = { version: 2, station: "hot" };
    expect(outcome(made, "ready", "kitchen", with2)).toBe("same");
    expect(outcome(made, "recall", "kitchen", with2)).toBe("ORDER_CHANGED");
    expect(outcome(made, "recall", "kitchen", { station: null })).toBe("same");
    for (const status of statuses.filter((one) => !["accepted", "cooking", "ready"].includes(one)))
      expect(outcome(order(status, { lines }), "ready", "kitchen", { station: "hot" })).toBe(no);
    expect(outcome(made, "ready", "kitchen", { station: "cold" })).toBe("INVALID_INPUT");
    expect(outcome(made, "cook", "kitchen", { station: "hot" })).toBe("INVALID_INPUT");
    expect(outcome(made, "ready", "customer", { station: "hot" })).toBe("FORBIDDEN");
    // A finished station keeps the order from going back to a state before cooking.
    expect(outcome(made, "recall")).toBe(no);
  });
});

describe("payment", () => {
  it("is independent of the kitchen, and refused only for an order that was not served", () => {
    const paid = statuses.map((status) => {
      try {
        return step(order(status), asked("paid"), undefined)?.payment;
      } catch (error) {
        return (error as AppError).code;
      }
    });
    expect(paid).toEqual(["paid", "paid", "paid", "paid", "paid", "paid", no, no, no]);
    expect(step(order("placed", { payment: "paid" }), asked("paid"), undefined)).toBeUndefined();
    expect(step(order("cooking"), asked("paid"), undefined)).toMatchObject({ status: "cooking", paidAt: at });
  });
});

describe("the expiry", () => {
  it("ends what was placed and not accepted, at its time", () => {
    expect(expire(order("placed", { expireAt: at }), at)).toMatchObject({ status: "expired", endedAt: at });
    expect(expire(order("placed", { expireAt: at + 1 }), at)).toBeUndefined();
    for (const status of statuses.filter((one) => one !== "placed"))
      expect(expire(order(status, { expireAt: 0 }), at)).toBeUndefined();
  });
});

describe("the order's state machine", () => {
  it("never leaves an end but by recall, and returns stock only for what was not cooked", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...services),
        fc.array(
          fc.tuple(fc.constantFrom(...actions), fc.constantFrom<Actor>("owner", "cashier", "kitchen", "customer")),
          { maxLength: 30 },
        ),
        (service, asks) => {
          let now = order("placed", { service });
          let portions = 1;
          for (const [action, by] of asks) {
            let change: ReturnType<typeof step>;
            try {
              change = step(now, asked(action, by), undefined);
            } catch (error) {
              expect(error).toBeInstanceOf(AppError);
              continue;
            }
            if (change === undefined) continue;
            const before = now.status;
            now = { ...now, ...change, version: now.version + 1 };
            if (["rejected", "cancelled", "expired"].includes(before))
              throw new Error(`${before} was left by ${action}`);
            if (before === "completed" && now.status !== "completed") expect(action).toBe("recall");
            if (givesBack(before, now.status)) {
              portions -= 1;
              expect(["placed", "accepted"]).toContain(before);
            }
            expect(portions).toBeGreaterThanOrEqual(0);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
