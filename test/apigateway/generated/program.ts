/** A client of the API as oazapfts makes it, beside which this file is compiled: strict types by status and code, and real answers. */
import * as api from "./client.js";

const [url = "", shop = ""] = process.argv.slice(2);
api.defaults.baseUrl = url;

let keys = 0;
const bill = (dish: string, quantity: number): api.Bill => ({ shop, service: "pickup", lines: [{ dish, quantity }] });
const place = (dish: string, quantity: number) => api.placeOrder(`generated-client-${++keys}`, bill(dish, quantity));

/** What a page would say: every code of the answer has its own members, and no others. */
function said(answer: Awaited<ReturnType<typeof place>>): string {
  switch (answer.status) {
    case 201:
      return `placed ${answer.data.order.number satisfies string}`;
    case 409:
      switch (answer.data.code) {
        case "SOLD_OUT":
          // @ts-expect-error: the total is PRICE_CHANGED's.
          answer.data.totalFen;
          return `${answer.data.dish satisfies string}: ${answer.data.left satisfies number} left`;
        case "PRICE_CHANGED":
          return `${answer.data.totalFen satisfies number} fen`;
        default:
          return answer.data.code satisfies "SHOP_CLOSED" | "KITCHEN_OFFLINE" | "DISH_UNAVAILABLE";
      }
    case 400:
      return answer.data.code === "INVALID_INPUT" ? `mend ${answer.data.field}` : answer.data.detail;
    default:
      return String(answer.status);
  }
}

const lines: string[] = [];
const refused = await api.listOrders();
if (refused.status === 401) lines.push(refused.data.code satisfies `SESSION_${string}` | "API_KEY_INVALID");
const begun = await api.loginAsGuest({});
if (begun.status !== 201) throw new Error(`login: ${begun.status}`);
api.defaults.headers = { authorization: `Bearer ${begun.data.session.token}` };
lines.push(said(await place("tea", 1)), said(await place("bun", 60)), said(await place("bun", 1_000)));
const listed = await api.listOrders({ limit: 1 });
if (listed.status === 200) lines.push(`${listed.data.orders.length} order, more: ${listed.data.more}`);
process.stdout.write(JSON.stringify(lines));
