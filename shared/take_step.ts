/** One step of an order: locked, decided by the state machine, written with its history and its events. */
import type { Row } from "../db/database.ts";
import {
  insertHistory,
  lockOrder,
  lockStockOf,
  type OrderChange,
  readDue,
  readHistoryAt,
  readWhose,
  strikeLine,
  updateOrder,
} from "../db/orders.ts";
import { readSession } from "../db/sessions.ts";
import { addSold, readShop } from "../db/shops.ts";
import type { Statement } from "../db/sql.ts";
import type { App } from "./app.ts";
import { type Changed, change, type NewEvent } from "./change.ts";
import { deliver } from "./deliver.ts";
import { Forbidden, InvalidInput, OrderUnknown } from "./errors.ts";
import type { Settings } from "./menu.ts";
import { type Actor, type Change, expire, givesBack, type Order, orderOf, orderView, step } from "./order.ts";
import type { Action, OrderEvent } from "./protocol.ts";
import { aliveOf, type Session } from "./session.ts";

export interface StepAsked {
  readonly order: string;
  readonly action: Action;
  readonly version?: number | undefined;
  readonly reason?: string | undefined;
}

/**
 * Takes a step for a session. Repeated, it finds the step taken and gives the same state back.
 * @throws OrderUnknown, Forbidden, ConfirmAtCounter, OrderChanged, StepNotAllowed
 */
export async function takeStep(app: App, session: Session, asked: StepAsked): Promise<Order> {
  // A second recall would go back twice: with the version, a repeat is known for one.
  if (asked.action === "recall" && asked.version === undefined)
    throw new InvalidInput("version", "is missing; recall needs it");
  const { order: id, action, version } = asked;
  const now = app.clock.now();
  const { shop, user } = await whoseOrder(app, id);
  const changed = await change(app, {
    locks: [...lockOrder(id), lockStockOf(id)],
    streams: streamsOf(shop, user),
    reads: [readSession(session.id), readShop(shop), readHistoryAt(id, (version ?? 0) + 1)],
    decide([rows, lines], [sessions, shops, history]) {
      const order = ownOrder(rows?.[0], lines, id, aliveOf(sessions?.[0] as Row, now));
      const settings = JSON.parse(String(shops?.[0]?.settings)) as Settings;
      const reason = asked.reason ?? null;
      const by = actorOf(session);
      const taken = history?.[0]?.action;
      const request = { action, by, at: now, version, reason, guestsAtCounter: settings.guests === "counter" };
      const outcome = step(order, request, typeof taken === "string" ? taken : undefined);
      if (outcome === undefined) return { result: order };
      return written(app, order, outcome, { action, by, session: session.id, reason, at: now });
    },
    repeatable: true,
  });
  return delivered(app, changed);
}

/** Strikes a line out, or takes that back: the cook's own mark, stored, so that every screen of the kitchen shows it. */
export async function strike(app: App, session: Session, id: string, line: number, struck: boolean): Promise<Order> {
  const now = app.clock.now();
  const { shop } = await whoseOrder(app, id);
  const changed = await change(app, {
    locks: lockOrder(id),
    streams: [`shop:${shop}`],
    reads: [readSession(session.id)],
    decide([rows, lines], [sessions]) {
      const order = ownOrder(rows?.[0], lines, id, aliveOf(sessions?.[0] as Row, now));
      if (session.kind !== "staff") throw new Forbidden("striking lines is for staff");
      const old = order.lines.find((one) => one.line === line);
      if (old === undefined) throw new InvalidInput("line", `order "${id}" has no line ${line}`);
      if (old.struck === struck) return { result: order };
      const version = order.version + 1;
      const after: Order = {
        ...order,
        version,
        updatedAt: now,
        lines: order.lines.map((one) => (one.line === line ? { ...one, struck } : one)),
      };
      const action = struck ? "strike" : "unstrike";
      return {
        writes: [
          strikeLine(id, line, struck ? now : null, struck ? session.id : null),
          updateOrder(id, { version, updated_at: now }),
          ...insertHistory(
            app.db.dialect,
            historyRow(after, order, {
              action,
              by: actorOf(session),
              session: session.id,
              reason: String(line),
              at: now,
            }),
          ),
        ],
        events: [eventFor("shop", after, action)],
        result: after,
      };
    },
    repeatable: true,
  });
  return delivered(app, changed);
}

/** Makes waiting orders louder, and lets those expire that waited too long. Returns how many it touched. */
export async function escalateAndExpire(app: App): Promise<number> {
  const [due = []] = await app.db.read([readDue(app.clock.now(), 200)]);
  for (const row of due) {
    const changed = await change(app, {
      locks: [...lockOrder(String(row.id)), lockStockOf(String(row.id))],
      streams: streamsOf(String(row.shop_id), String(row.user_id)),
      decide([rows, lines]) {
        const now = app.clock.now();
        const order = rows?.[0] === undefined ? undefined : orderOf(rows[0], lines ?? []);
        if (order === undefined || order.status !== "placed") return { result: undefined };
        const mark = { by: "system" as const, session: null, reason: null, at: now };
        const expired = expire(order, now);
        if (expired !== undefined) return written(app, order, expired, { ...mark, action: "expire" });
        if (order.escalatedAt !== null || now < order.escalateAt) return { result: undefined };
        const louder = { status: order.status, payment: order.payment, escalatedAt: now };
        return written(app, order, louder, { ...mark, action: "escalate" });
      },
      repeatable: true,
    });
    const order = changed.result;
    if (order !== undefined)
      app.log.warn(order.status === "expired" ? "order.expired" : "order.escalated", {
        order: order.id,
        shop: order.shop,
      });
    await deliver(app, changed);
  }
  return due.length;
}

// --- What the three have in common ---------------------------------------------------------------------------------

/** The streams must be named before the order is locked; shop and customer of an order never change. */
async function whoseOrder(app: App, id: string): Promise<{ shop: string; user: string }> {
  const [rows] = await app.db.read([readWhose(id)]);
  const row = rows?.[0];
  if (row === undefined) throw new OrderUnknown(id);
  return { shop: String(row.shop_id), user: String(row.user_id) };
}

const streamsOf = (shop: string, user: string) => [`shop:${shop}`, `user:${user}`];

/** To everybody else the order does not exist. @throws OrderUnknown */
function ownOrder(row: Row | undefined, lines: readonly Row[] | undefined, id: string, session: Session): Order {
  if (row === undefined || !mayRead(row, session)) throw new OrderUnknown(id);
  return orderOf(row, lines ?? []);
}

export function mayRead(row: Row, session: Session): boolean {
  return session.kind === "staff" ? row.shop_id === session.shop : row.user_id === session.user;
}

const actorOf = (session: Session): Actor => session.role ?? "customer";

interface Mark {
  readonly action: OrderEvent["action"];
  readonly by: Actor;
  readonly session: string | null;
  readonly reason: string | null;
  readonly at: number;
}

/** The order after a change, with everything that is written because of it. */
function written(app: App, order: Order, outcome: Change, mark: Mark) {
  const after: Order = { ...order, ...outcome, version: order.version + 1, updatedAt: mark.at };
  const row: OrderChange = {
    status: after.status,
    version: after.version,
    payment: after.payment,
    paid_at: after.paidAt,
    reason: after.reason,
    accepted_at: after.acceptedAt,
    ready_at: after.readyAt,
    completed_at: after.completedAt,
    ended_at: after.endedAt,
    escalated_at: after.escalatedAt,
    updated_at: after.updatedAt,
  };
  const back = givesBack(order.status, after.status) ? stockBack(after) : [];
  const louder = mark.action === "escalate";
  return {
    writes: [
      ...back,
      updateOrder(order.id, row),
      ...insertHistory(app.db.dialect, historyRow(after, order, mark)),
    ] as Statement[],
    // The customer is not told that nobody has looked yet.
    events: louder
      ? [eventFor("shop", after, mark.action)]
      : [eventFor("shop", after, mark.action), eventFor("user", after, mark.action)],
    result: after,
  };
}

/** Portions go back to the day they were taken from, dishes in one order. */
function stockBack(order: Order): Statement[] {
  const counted = order.lines.filter((line) => line.counted).toSorted((a, b) => (a.dish < b.dish ? -1 : 1));
  return counted.map(({ dish, quantity }) => addSold(order.shop, dish, order.day, -quantity));
}

function eventFor(kind: "shop" | "user", order: Order, action: OrderEvent["action"]): NewEvent {
  const data: OrderEvent = { action, order: orderView(order, kind === "shop" ? "staff" : "customer") };
  return {
    stream: kind === "shop" ? `shop:${order.shop}` : `user:${order.user}`,
    type: action === "escalate" ? "order.escalated" : "order.changed",
    data,
    about: order.id,
  };
}

function historyRow(after: Order, before: Order, { action, by, session, reason, at }: Mark) {
  return {
    order_id: after.id,
    version: after.version,
    action,
    from_status: before.status,
    to_status: after.status,
    actor: by,
    session_id: session,
    reason,
    at,
  };
}

async function delivered(app: App, changed: Changed<Order>): Promise<Order> {
  await deliver(app, changed);
  return changed.result;
}
