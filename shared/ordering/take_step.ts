/** Takes a step of an order: locked, decided by the state machine, written with its history and its events. */
import type { Row } from "../../db/database.ts";
import {
  insertHistory,
  lockOrder,
  lockStockOf,
  readDue,
  readHistoryAfter,
  readWhose,
  strikeLine,
  updateOrder,
} from "../../db/orders.ts";
import { readSession } from "../../db/sessions.ts";
import { addSold, readShop } from "../../db/shops.ts";
import type { Statement } from "../../db/sql.ts";
import type { App } from "../app.ts";
import { Forbidden, InvalidInput, OrderUnknown } from "../errors.ts";
import type { Settings } from "../menu.ts";
import type { Action } from "../order_states.ts";
import { type Actor, kitchenOnlyActions } from "../order_states.ts";
import type { OrderEvent } from "../protocol.ts";
import { aliveOf, type Session } from "../sessions/session.ts";
import { mayRead } from "../streams/authority.ts";
import { type Changed, change, type NewEvent } from "../streams/change.ts";
import { deliver } from "../streams/deliver.ts";
import { expire, givesBack, type Order, type OrderChange, orderView, step } from "./order.ts";
import { historyRow, type Mark, orderOf, orderRow } from "./order_rows.ts";

export interface StepRequest {
  readonly order: string;
  readonly action: Action;
  readonly version?: number | undefined;
  readonly reason?: string | undefined;
  /** Only this station's part: see `step` in order.ts. */
  readonly station?: string | null | undefined;
}

/**
 * Takes a step for a session. Repeated, it finds the step taken and gives the same state back.
 * @throws OrderUnknown, Forbidden, ConfirmAtCounter, OrderChanged, StepNotAllowed, InvalidInput
 */
export async function takeStep(app: App, session: Session, asked: StepRequest): Promise<Order> {
  // A repeated recall would go back twice: with the version it is recognized.
  if (asked.action === "recall" && asked.version === undefined)
    throw new InvalidInput("version", "is missing; recall needs it");
  const { order: id, action, version, station } = asked;
  const now = app.clock.now();
  const { shop, user } = await whoseOrder(app, id);
  const changed = await change(app, {
    locks: [...lockOrder(id), lockStockOf(id)],
    streams: streamsOf(shop, user),
    reads: [readSession(session.id), readShop(shop), readHistoryAfter(id, version ?? maxVersion)],
    decide([rows, lines], [sessions, shops, history]) {
      const order = ownOrder(rows?.[0], lines, id, aliveOf(sessions?.[0] as Row, now));
      const settings = JSON.parse(String(shops?.[0]?.settings)) as Settings;
      const reason = asked.reason ?? null;
      const by = actorOf(session);
      const since = (history ?? []).map((row) => String(row.action)).filter((one) => isVisibleTo(by, one));
      // Customers do not see versions of the kitchen's own marks: for them the order is still the one that was shown.
      const isSame = version !== undefined && version < order.version && since.length === 0;
      const request = {
        action,
        by,
        at: now,
        version: isSame ? order.version : version,
        reason,
        station,
        guestsAtCounter: settings.guests === "counter",
      };
      const outcome = step(order, request, since[0]);
      if (outcome === undefined) return { result: order };
      const mark = { by, session: session.id, at: now };
      if (station !== undefined && outcome.status === order.status)
        return written(app, order, outcome, { ...mark, action: stationAction(action), reason: station });
      return written(app, order, outcome, { ...mark, action, reason });
    },
    repeatable: true,
  });
  return delivered(app, changed);
}

/** Higher than any version: nothing has happened since. */
const maxVersion = 2 ** 31 - 1;

/** Customers are not notified of escalations, nor of the parts of single stations. */
const isVisibleTo = (by: Actor, action: string) => by !== "customer" || !kitchenOnlyActions.has(action);

/** The action of a step of one station, when the order's status stays the same. */
const stationAction = (action: Action) => (action === "ready" ? "station" : "unstation");

/** Strikes a line out, or takes that back: a mark of the cook, stored so that every screen of the kitchen shows it. */
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
          updateOrder(id, orderRow({ version, updatedAt: now })),
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

/** Escalates waiting orders, and expires those that waited too long. Returns how many were due. */
export async function escalateAndExpire(app: App): Promise<number> {
  const [due] = await app.db.read([readDue(app.clock.now(), 200)]);
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
        const escalated = { status: order.status, payment: order.payment, escalatedAt: now };
        return written(app, order, escalated, { ...mark, action: "escalate" });
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

// --- Shared by the three -------------------------------------------------------------------------------------------

/** The streams must be named before the order is locked; shop and customer of an order never change. */
async function whoseOrder(app: App, id: string): Promise<{ shop: string; user: string }> {
  const [rows] = await app.db.read([readWhose(id)]);
  const row = rows[0];
  if (row === undefined) throw new OrderUnknown(id);
  return { shop: String(row.shop_id), user: String(row.user_id) };
}

const streamsOf = (shop: string, user: string) => [`shop:${shop}`, `user:${user}`];

/** The order, if the session may read it; for others it does not exist. @throws OrderUnknown */
function ownOrder(row: Row | undefined, lines: readonly Row[] | undefined, id: string, session: Session): Order {
  if (row === undefined || !mayRead(row, session)) throw new OrderUnknown(id);
  return orderOf(row, lines ?? []);
}

const actorOf = (session: Session): Actor => session.role ?? "customer";

/** The order after a change, with all its writes and events. */
function written(app: App, order: Order, outcome: OrderChange, mark: Mark) {
  const changes = { ...outcome, version: order.version + 1, updatedAt: mark.at };
  const after: Order = { ...order, ...changes };
  const untouched = order.stationsDone.length === 0;
  const back = untouched && givesBack(order.status, after.status) ? stockBack(after) : [];
  return {
    writes: [
      ...back,
      updateOrder(order.id, orderRow(changes)),
      ...insertHistory(app.db.dialect, historyRow(after, order, mark)),
    ] as Statement[],
    events: isVisibleTo("customer", mark.action)
      ? [eventFor("shop", after, mark.action), eventFor("user", after, mark.action)]
      : [eventFor("shop", after, mark.action)],
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

async function delivered(app: App, changed: Changed<Order>): Promise<Order> {
  await deliver(app, changed);
  return changed.result;
}
