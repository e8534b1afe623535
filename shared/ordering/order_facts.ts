/** What the database holds of an order's way from the tap to the kitchen. Nothing that a person typed. */
import type { Row } from "../../db/database.ts";
import { readDeviceNames, readEventsOfOrder, readOrderFacts, readSteps } from "../../db/order_facts.ts";
import type { App } from "../app.ts";
import { iso } from "../day.ts";
import { OrderUnknown } from "../errors.ts";

export interface OrderFacts {
  readonly order: {
    readonly id: string;
    readonly shop: string;
    readonly number: string;
    readonly day: string;
    readonly service: string;
    readonly status: string;
    readonly placedAt: string;
    /** When it escalates if nobody accepts it. */
    readonly escalateAt: string;
    /** The customer's. */
    readonly session: string;
    readonly user: string;
  };
  readonly steps: readonly {
    readonly action: string;
    readonly from: string | null;
    readonly to: string;
    readonly actor: string;
    readonly session: string | null;
    readonly at: string;
  }[];
  readonly events: readonly {
    readonly stream: string;
    readonly seq: number;
    readonly type: string;
    readonly at: string;
  }[];
  /** Staff sessions of the shop, by their ids. */
  readonly devices: Readonly<Record<string, { readonly device: string; readonly role: string }>>;
  /** Events before this time are removed. */
  readonly eventsSince: string;
  readonly now: string;
}

const maxEvents = 500;
/** Of two processes' clocks and of a transaction that waited. */
const earlierMs = 60_000;

/** @throws OrderUnknown */
export async function orderFacts(app: App, id: string): Promise<OrderFacts> {
  const [orders, steps] = await app.db.read([readOrderFacts(id), readSteps(id)]);
  const row = orders[0];
  if (row === undefined) throw new OrderUnknown(id);
  const [shop, user] = [String(row.shop_id), String(row.user_id)];
  const since = Number(row.placed_at) - earlierMs;
  const [events, devices] = await app.db.read([
    readEventsOfOrder(id, [`shop:${shop}`, `user:${user}`], since, maxEvents),
    readDeviceNames(shop),
  ]);
  const now = app.clock.now();
  return {
    order: {
      id,
      shop,
      number: String(row.number),
      day: String(row.day),
      service: String(row.service),
      status: String(row.status),
      placedAt: iso(Number(row.placed_at)),
      escalateAt: iso(Number(row.escalate_at)),
      session: String(row.session_id),
      user,
    },
    steps: steps.map(stepOf),
    events: events.map(({ stream, seq, type, at }) => ({
      stream: String(stream),
      seq: Number(seq),
      type: String(type),
      at: iso(Number(at)),
    })),
    devices: Object.fromEntries(
      devices.map((one) => [String(one.id), { device: String(one.device), role: String(one.role) }]),
    ),
    eventsSince: iso(now - app.config.retention.eventsMs),
    now: iso(now),
  };
}

const stepOf = (row: Row): OrderFacts["steps"][number] => ({
  action: String(row.action),
  from: row.from_status === null ? null : String(row.from_status),
  to: String(row.to_status),
  actor: String(row.actor),
  session: row.session_id === null ? null : String(row.session_id),
  at: iso(Number(row.at)),
});
