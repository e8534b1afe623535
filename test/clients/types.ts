/**
 * What the SDK's types allow and refuse. Checked by the compiler (`npm run check`), never run: an `@ts-expect-error` on a line
 * without an error is one.
 */
import type * as made from "../../clients/api_types.ts";
import type { FileView } from "../../clients/files.ts";
import type { Client, ErrorExtras, OrderView, Routes } from "../../clients/index.ts";
import { ApiError, type Bill } from "../../clients/index.ts";
import type { Board, Orders, ShopBrief, ShopInfo, Step } from "../../clients/types.ts";
import type { BoardState, Notification } from "../../shared/protocol.ts";

const lines = [{ dish: "beef", quantity: 1 }];
const delivery = { name: "Lin", phone: "13800001234", address: "Road 1" };

export const bills: Bill[] = [
  { shop: "s", lines, service: "pickup" },
  { shop: "s", lines, service: "table", table: "t" },
  { shop: "s", lines, service: "delivery", delivery },
  // @ts-expect-error without a delivery
  { shop: "s", lines, service: "delivery" },
  // @ts-expect-error without a table
  { shop: "s", lines, service: "table" },
  // @ts-expect-error with another service's table
  { shop: "s", lines, service: "pickup", table: "t" },
  // @ts-expect-error a service that there is not
  { shop: "s", lines, service: "rocket" },
];

export function errors(error: ApiError): void {
  if (error.code === "SOLD_OUT") {
    const left: number = error.extra.left;
    const dish: string = error.extra.dish;
    void [left, dish];
    // @ts-expect-error it has no total
    const totalFen: number = error.extra.totalFen;
    void totalFen;
  }
  if (error.code === "PRICE_CHANGED") error.extra.totalFen.toFixed();
  if (error.code === "CLOSED" || error.code === "NO_ANSWER") error.requestId?.length;
  // @ts-expect-error a code that there is not
  if (error.code === "SOLD_OFF") return;
  const anything: unknown = error;
  if (anything instanceof ApiError && anything.code === "STEP_NOT_ALLOWED") anything.extra.orderStatus satisfies string;
}

export function events(client: Client): void {
  client.watch("orders", {
    onChange(_, { event }) {
      if (event?.event === "order.placed") event.data.order.totalFen.toFixed();
      if (event?.event === "dish.changed") event.data.dish.length;
      // @ts-expect-error it has no order
      if (event?.event === "kitchen.offline") event.data.order;
      // @ts-expect-error an event that there is not
      if (event?.event === "order.eaten") return;
    },
  });
}

export async function routes(client: Client, id: string): Promise<void> {
  const { order, history } = await client.ask({ method: "GET", path: `/orders/${id}` });
  void [order.totalFen.toFixed(), history[0]?.at];
  (await client.ask({ method: "GET", path: `/shops/${id}/orders?before=${id}` })).more satisfies boolean;
  (await client.ask({ method: "PUT", path: `/shops/${id}/open`, body: { open: true } })).open satisfies boolean;
  (await client.ask({ method: "POST", path: `/orders/${id}/accept` })).order.status.length;
  (await client.ask<Board>({ method: "GET", path: String(id) })).board.ready.length;
  // @ts-expect-error a path that there is not
  await client.ask({ method: "GET", path: "/ordres" });
  // @ts-expect-error a method that this path has not
  await client.ask({ method: "DELETE", path: `/orders/${id}` });
  // @ts-expect-error without the body
  await client.ask({ method: "PUT", path: `/shops/${id}/open` });
  // @ts-expect-error with another body
  await client.ask({ method: "PUT", path: `/shops/${id}/open`, body: { open: "yes" } });
  // @ts-expect-error the answer has no such member
  (await client.ask({ method: "GET", path: "/orders" })).order;
  // @ts-expect-error of an unknown path nothing is known
  (await client.ask({ method: "GET", path: String(id) })).order;
}

type Answer<Key extends keyof Routes> = Routes[Key]["answer"];

/** The types that are written by hand hold what openapi.yaml says, and no more is asked of a bill than there. */
export const answers = {
  // A choice's `available` may be left out where a menu is written, and is always there where one is read.
  info: (answer: Exclude<Answer<"GET /get_shop_info">, { shops: unknown }>): Omit<ShopInfo, "menu"> => answer,
  shop: (answer: made.Shop): ShopBrief => answer,
  file: (answer: made.File): FileView => answer,
  board: (answer: Answer<"GET /shops/{shop}/board">): Board => answer,
  numbers: (answer: made.Board): BoardState => answer,
  mine: (answer: Answer<"GET /orders">): Orders => answer as Orders,
  orders: (answer: Answer<"GET /orders">["orders"]): OrderView[] => answer,
  staff: (answer: Answer<"GET /shops/{shop}/orders">["orders"]): OrderView[] => answer,
  history: (answer: Answer<"GET /orders/{id}">["history"]): Step[] => answer,
  notification: (answer: made.Notification): Notification => answer as Notification,
  bill: (bill: Bill): Routes["POST /bill"]["body"] => bill,
  extras: (extra: ErrorExtras["SOLD_OUT"]): { dish: string; left: number } => extra,
};
