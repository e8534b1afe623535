/**
 * States of an order, the steps between them, who may take each step, and limits that pages need too. Imports neither Node nor
 * other files, like protocol.ts: server, pages, mini-program and SDK share it. Each table names every state, so that the
 * compiler reports where a new one is missing. The same tables are in docs/protocol.md.
 */

/** Roles of staff. */
export const roles = ["owner", "cashier", "kitchen"] as const;
export type Role = (typeof roles)[number];

/** Roles that may also take money, cancel, and accept orders that wait for the counter. */
export const counterRoles: readonly Role[] = ["owner", "cashier"];

/** Who takes a step: staff by role, another back end by its key, the customer whose order it is, or the clock. */
export type Actor = Role | "key" | "customer" | "system";

/** All who act for the shop. Which steps a key may take, its scopes say too. */
const shopActors: readonly Actor[] = [...roles, "key"];

export const services = ["table", "pickup", "delivery"] as const;
export type Service = (typeof services)[number];

interface State {
  /** `open`: waiting for the kitchen or in work. `failed`: it ended without being served. */
  readonly is: "open" | "completed" | "failed";
  /** The kitchen still has work to do before it is ready. */
  readonly inQueue: boolean;
  /** Its number is on the pickup board. */
  readonly onBoard: boolean;
}

const table = {
  placed: { is: "open", inQueue: true, onBoard: false },
  accepted: { is: "open", inQueue: true, onBoard: true },
  cooking: { is: "open", inQueue: true, onBoard: true },
  ready: { is: "open", inQueue: false, onBoard: true },
  delivering: { is: "open", inQueue: false, onBoard: false },
  completed: { is: "completed", inQueue: false, onBoard: false },
  rejected: { is: "failed", inQueue: false, onBoard: false },
  cancelled: { is: "failed", inQueue: false, onBoard: false },
  expired: { is: "failed", inQueue: false, onBoard: false },
} as const satisfies Readonly<Record<string, State>>;

export type Status = keyof typeof table;

export const statuses = Object.keys(table) as readonly Status[];

const where = (fits: (state: State) => boolean): readonly Status[] => statuses.filter((status) => fits(table[status]));

export const openStatuses = where(({ is }) => is === "open");
/** No step follows these, except that `completed` may be recalled for a while. */
export const finalStatuses = where(({ is }) => is !== "open");
export const failedStatuses = where(({ is }) => is === "failed");
export const queueStatuses = where(({ inQueue }) => inQueue);
export const boardStatuses = where(({ onBoard }) => onBoard);

/** States of an order that is served, in their order. */
export const happyPaths: Readonly<Record<Service, readonly Status[]>> = {
  table: ["placed", "accepted", "cooking", "ready", "completed"],
  pickup: ["placed", "accepted", "cooking", "ready", "completed"],
  delivery: ["placed", "accepted", "cooking", "ready", "delivering", "completed"],
};

interface Step {
  readonly from: readonly Status[];
  readonly to: Status;
  readonly by: readonly Actor[];
}

/** Steps that lead from one state to another. Expiring and escalating belong to the clock. */
const stepTable = {
  accept: { from: ["placed"], to: "accepted", by: shopActors },
  cook: { from: ["accepted"], to: "cooking", by: shopActors },
  ready: { from: ["accepted", "cooking"], to: "ready", by: shopActors },
  deliver: { from: ["ready"], to: "delivering", by: shopActors },
  complete: { from: ["ready", "delivering"], to: "completed", by: shopActors },
  reject: { from: ["placed"], to: "rejected", by: shopActors },
  cancel: {
    from: ["placed", "accepted", "cooking", "ready"],
    to: "cancelled",
    by: [...counterRoles, "key", "customer"],
  },
} as const satisfies Readonly<Record<string, Step>>;

export const steps: Readonly<Record<keyof typeof stepTable, Step>> = stepTable;

/** Actions of people, each a route `POST /orders/{id}/{action}`: the steps, the recall, and the payment. */
export type Action = keyof typeof stepTable | "recall" | "paid";

/** Who may take each: the table of docs/protocol.md. A customer may cancel only what is `placed`. */
export const actors: Readonly<Record<Action, readonly Actor[]>> = {
  accept: steps.accept.by,
  cook: steps.cook.by,
  ready: steps.ready.by,
  deliver: steps.deliver.by,
  complete: steps.complete.by,
  reject: steps.reject.by,
  cancel: steps.cancel.by,
  recall: shopActors,
  paid: [...counterRoles, "key"],
};

export const actions = Object.keys(actors) as readonly Action[];

/** Actions that a customer is not told of: the escalation, and the cooks' marks. */
export const kitchenOnlyActions: ReadonlySet<string> = new Set([
  "escalate",
  "strike",
  "unstrike",
  "station",
  "unstation",
]);

/** How long a completed order can be recalled. */
export const recallMs = 30 * 60_000;
/** How long an acceptance can be taken back. Later the customer relies on it. */
export const acceptanceRecallMs = 5 * 60_000;

/** Usual reasons of a refusal and of a cancellation. They travel as these codes, and each client shows them in its reader's language. */
export const rejectReasons = ["sold_out", "too_busy", "closing", "no_delivery_there"] as const;
export const cancelReasons = ["customer_asked", "sold_out", "customer_unreachable", "mistake"] as const;
export type ReasonCode = (typeof rejectReasons | typeof cancelReasons)[number];

/** Lines of one order. */
export const maxLines = 40;
/** Portions of one line. */
export const maxQuantity = 99;
/** Characters of the order's note, and of a line's. */
export const maxNote = 200;
export const maxLineNote = 100;
