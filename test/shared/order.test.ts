import fc from "fast-check";
import { AppError } from "../../shared/errors.ts";
import { type Actor, actors, expire, givesBack, type Order, step } from "../../shared/order.ts";
import { type Action, actions, type Service, type Status, services, statuses } from "../../shared/protocol.ts";

const at = Date.UTC(2026, 10, 21, 12);

function order(status: Status, more: Partial<Order> = {}): Order {
  return {
    id: "01M7YHFXQAX5A2EW393VQTANMS",
    shop: "s",
    user: "u",
    session: "x",
    guest: false,
    addressHash: null,
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
    acceptedAt: null,
    readyAt: null,
    completedAt: status === "completed" ? at - 60_000 : null,
    endedAt: null,
    escalateAt: at,
    escalatedAt: null,
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
    recall: [no, no, no, "cooking", no, "ready", no, no, no],
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
    recall: [no, no, no, "cooking", no, "ready", no, no, no],
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
  const parties: Actor[] = ["owner", "cashier", "kitchen", "customer", "system"];

  it("is exactly who the table of the protocol names", () => {
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

  it("lets a customer cancel only before it was accepted", () => {
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

  it("leaves a guest's order to the counter where the shop says so", () => {
    const guest = order("placed", { guest: true });
    const atCounter = { guestsAtCounter: true };
    expect(outcome(guest, "accept", "kitchen", atCounter)).toBe("CONFIRM_AT_COUNTER");
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

  it("recalls once, however often it is said", () => {
    const completed = order("completed");
    const first = step(completed, asked("recall", "kitchen", { version: 3 }), undefined);
    expect(first).toMatchObject({ status: "ready", completedAt: null, endedAt: null });
    const ready = { ...completed, ...first, version: 4 };
    expect(outcome(ready, "recall", "kitchen", { version: 3 }, "recall")).toBe("same");
  });

  it("recalls a completed order for thirty minutes", () => {
    const completedAt = at - 30 * 60_000;
    expect(outcome(order("completed", { completedAt }), "recall")).toBe("ready");
    expect(outcome(order("completed", { completedAt: completedAt - 1 }), "recall")).toBe(no);
  });
});

describe("payment", () => {
  it("stands apart from the kitchen, and is refused only when the order fell", () => {
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

describe("time", () => {
  it("expires what was placed and not accepted, at its time", () => {
    expect(expire(order("placed", { expireAt: at }), at)).toMatchObject({ status: "expired", endedAt: at });
    expect(expire(order("placed", { expireAt: at + 1 }), at)).toBeUndefined();
    for (const status of statuses.filter((one) => one !== "placed"))
      expect(expire(order(status, { expireAt: 0 }), at)).toBeUndefined();
  });
});

describe("the machine", () => {
  it("never leaves an ending but by recall, and gives stock back only for what was not cooked", () => {
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
