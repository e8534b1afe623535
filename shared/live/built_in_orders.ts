/** The collection `orders`: a customer's own orders, or those of the shop whose staff asks. */
import type { Row } from "../../db/database.ts";
import { type OrderChoice, readChosenOrders } from "../../db/orders.ts";
import { headOf, readHeads } from "../../db/streams.ts";
import { Forbidden } from "../errors.ts";
import { kitchenOnlyActions, statuses } from "../order_states.ts";
import { actsForShop } from "../sessions/session.ts";
import { views } from "../shop/snapshots.ts";
import { type BuiltIn, documentOf, matching } from "./built_in_collection.ts";
import type { Caller } from "./caller.ts";
import { textsAt } from "./narrow.ts";
import type { Condition } from "./query.ts";
import { ownerOf } from "./rules.ts";
import type { Document } from "./value.ts";

/** Orders of one reader that a query looks at: the newest of those with its ids, shops, statuses and days. */
const maxOrders = 1_000;

/** Who reads, the reader's stream, and which rows that is. */
interface Reader {
  readonly kind: "staff" | "customer";
  readonly stream: string;
  readonly of: OrderChoice["of"];
  /** `_openid` of the customer's own orders. */
  readonly owner: string | undefined;
}

/** @throws Forbidden for those who have neither ordered nor work in a shop: visitors, and keys of servers */
function readerOf({ auth, session }: Caller): Reader {
  if (session?.kind === "staff" && session.shop !== null)
    return { kind: "staff", stream: `shop:${session.shop}`, of: { shop: session.shop }, owner: undefined };
  if (auth === null || session === undefined || actsForShop(session))
    throw new Forbidden('the collection "orders" is for signed-in customers and for staff');
  const { user } = session;
  return { kind: "customer", stream: `user:${user}`, of: { user }, owner: ownerOf(auth) };
}

/** What the query says of the columns. A text that no order can have is left out, so that it never reaches the database. */
function choiceOf({ of }: Reader, condition: Condition): OrderChoice {
  const texts = (path: string, pattern: RegExp) => textsAt(condition, path)?.filter((one) => pattern.test(one));
  const [ids, own] = [texts("_id", ulid), texts("id", ulid)];
  return {
    of,
    ids: ids === undefined || own === undefined ? (ids ?? own) : ids.filter((one) => own.includes(one)),
    shops: texts("shop", /^[A-Za-z0-9_-]{1,40}$/),
    statuses: textsAt(condition, "status")?.filter((one) => (statuses as readonly string[]).includes(one)),
    days: texts("day", /^\d{4}-\d\d-\d\d$/),
  };
}

const ulid = /^[0-9A-HJKMNP-TV-Z]{26}$/;
const hidden = [...kitchenOnlyActions];

export const orders: BuiltIn = {
  name: "orders",
  readerOf(caller) {
    const { stream, owner = "" } = readerOf(caller);
    return `${stream} ${owner}`;
  },
  streams: async (_, caller) => [readerOf(caller).stream],
  async read(app, caller, condition) {
    const reader = readerOf(caller);
    const chosen = readChosenOrders(choiceOf(reader, condition), maxOrders);
    const [rows, lines, heads, steps = []] = await app.db.read([
      chosen.orders,
      chosen.lines,
      readHeads([reader.stream]),
      ...(reader.kind === "staff" ? [] : [chosen.stepsBeside(hidden)]),
    ]);
    return {
      documents: matching(documentsOf(reader, rows, lines, steps), condition),
      heads: new Map([[reader.stream, headOf(heads[0])]]),
    };
  },
};

function documentsOf(
  { kind, owner }: Reader,
  rows: readonly Row[],
  lines: readonly Row[],
  steps: readonly Row[],
): Document[] {
  const stepOf = new Map(steps.map((step) => [step.order_id, step]));
  return views(rows, lines, kind).map((view, nth) => {
    const step = stepOf.get(view.id);
    // The kitchen's own marks raise the version without an event for the customer: a watch could not follow them.
    const seen =
      kind === "staff" || step === undefined
        ? view
        : { ...view, version: Number(step.version), updatedAt: new Date(Number(step.at)).toISOString() };
    return documentOf(view.id, { _openid: owner ?? String(rows[nth]?.user_id), ...seen });
  });
}
