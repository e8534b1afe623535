/** One order: its number, state and content; buttons to cancel it and to order the same again. */
import { useEffect, useState } from "preact/hooks";
import { ApiError, type OrderView, type Status } from "../../clients/browser.ts";
import { failedStatuses } from "../../shared/order_states.ts";
import { yuan } from "../shared/money.ts";
import { toast } from "../shared/toast.tsx";
import { AskDialog } from "./ask_dialog.tsx";
import { cartOf } from "./cart.ts";
import { setCart } from "./carts.ts";
import { client } from "./client.ts";
import { Connection } from "./connection.tsx";
import { dateOf, localName, words } from "./dictionary.ts";
import { shopId } from "./first_request.ts";
import { Empty, Page } from "./page.tsx";
import { Placeholders } from "./placeholders.tsx";
import { go, goBack, redirect } from "./route.ts";
import { saveTaken } from "./stored.ts";
import { SumRow } from "./sum_row.tsx";
import { TimeLine } from "./time_line.tsx";
import { useOrder } from "./use_order.ts";
import { isOver } from "./use_orders.ts";

const seenMs = 2_000;

export interface OrderPageProps {
  id: string;
  /** The order from the stream. */
  live: OrderView | undefined;
  /** The round of the list of orders. */
  round: number;
}

export function OrderPage({ id, live, round }: OrderPageProps) {
  const { order, history, unknown, put } = useOrder(id, live, round);
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  // Removed after a moment, or on leaving. A page that is closed before that shows the order when it is reopened.
  useEffect(() => {
    const forget = () => saveTaken(undefined);
    const timer = setTimeout(forget, seenMs);
    return () => {
      clearTimeout(timer);
      forget();
    };
  }, []);

  async function cancel(): Promise<void> {
    if (order === undefined) return;
    setBusy(true);
    try {
      put(await client.step(order, "cancel"));
    } catch (error) {
      const late = error instanceof ApiError && ["STEP_NOT_ALLOWED", "ORDER_CHANGED"].includes(error.code);
      toast(late ? words.tooLateToCancel : words.noAnswer);
    }
    setBusy(false);
    setAsking(false);
  }

  if (order === undefined)
    return (
      <Page title={words.orders} onBack={goBack}>
        {unknown ? (
          <Empty title={words.orderUnknown}>
            <button type="button" class="button primary" onClick={() => redirect("orders")}>
              {words.orders}
            </button>
          </Empty>
        ) : (
          <Placeholders />
        )}
      </Page>
    );

  return (
    <Page title={words.activeOrder(order.number)}>
      <Connection />
      <section class={`ticket ${toneOf(order.status)}`} aria-live="polite">
        <p class="quiet">{words.orderNumber[order.service]}</p>
        <p class="number" translate={false}>
          {order.number}
        </p>
        {order.table !== null && <strong class="big">{words.table(order.table)}</strong>}
        <p class="status">{words.status[order.status]}</p>
        <p>{order.status === "ready" ? words.readyHint[order.service] : words.statusHint[order.status]}</p>
        {order.reason !== null && order.reason !== "" && (
          <p>
            {words.reason}: {reasonText(order.reason)}
          </p>
        )}
      </section>
      <section class="panel" aria-label={words.progress}>
        <TimeLine order={order} history={history} />
      </section>
      <OrderLines order={order} />
      <OrderDetails order={order} />
      <div class="choices">
        {order.status === "placed" && (
          <button type="button" class="button bad" onClick={() => setAsking(true)}>
            {words.cancelOrder}
          </button>
        )}
        {isOver(order) && (
          <button type="button" class="button primary" onClick={() => orderAgain(order)}>
            {words.orderAgain}
          </button>
        )}
        <button type="button" class="button" onClick={() => go("orders")}>
          {words.orders}
        </button>
      </div>
      {asking && (
        <AskDialog
          bad
          title={words.cancelQuestion}
          hint={words.cancelHint}
          no={words.keepOrder}
          yes={words.cancelOrder}
          busy={busy}
          onNo={() => setAsking(false)}
          onYes={() => void cancel()}
        />
      )}
    </Page>
  );
}

/** Puts the same dishes into the cart of that shop; the cart shows what has changed since. */
export function orderAgain(order: OrderView): void {
  setCart(order.shop, cartOf(order));
  if (order.shop === shopId) go("cart");
  else location.assign(`?shop=${order.shop}#cart`);
}

/** Usual reasons travel as codes. */
const reasonText = (reason: string): string =>
  Object.entries(words.reasons).find(([code]) => code === reason)?.[1] ?? reason;

function toneOf(status: Status): string {
  if (status === "ready") return "good";
  if (failedStatuses.includes(status)) return "bad";
  return "";
}

function OrderLines({ order }: { order: OrderView }) {
  return (
    <section class="panel" aria-label={words.dishes}>
      <ul class="lines">
        {order.lines.map((line) => (
          <li key={line.line} class="line">
            <div class="about">
              <strong>{localName(line.names)}</strong>
              {line.options.length > 0 && (
                <span class="quiet">{line.options.map(({ choiceNames }) => localName(choiceNames)).join(" · ")}</span>
              )}
              {line.note !== "" && <span class="quiet">{words.noted(line.note)}</span>}
            </div>
            <span class="price">{yuan(line.totalFen)}</span>
            <span class="times">×{line.quantity}</span>
          </li>
        ))}
      </ul>
      <dl class="sums">
        {order.packingFen > 0 && <SumRow name={words.packing} value={yuan(order.packingFen)} />}
        {order.service === "delivery" && (
          <SumRow name={words.deliveryFee} value={order.deliveryFen === 0 ? words.free : yuan(order.deliveryFen)} />
        )}
        <SumRow name={words.total} value={yuan(order.totalFen)} strong />
      </dl>
      {!failedStatuses.includes(order.status) && (
        <p class="quiet right">{order.payment === "paid" ? words.paid : words.payLater[order.service]}</p>
      )}
    </section>
  );
}

function OrderDetails({ order }: { order: OrderView }) {
  return (
    <section class="panel" aria-label={words.howToEat}>
      <dl class="sums">
        <SumRow
          name={words.howToEat}
          value={order.table === null ? words.service[order.service] : words.table(order.table)}
        />
        {order.delivery && (
          <SumRow
            name={words.deliverTo}
            value={`${order.delivery.name} ${order.delivery.phone} ${order.delivery.address}`}
          />
        )}
        {order.note !== "" && <SumRow name={words.orderNote} value={order.note} />}
        <SumRow name={words.placedAt} value={dateOf(order.placedAt)} />
      </dl>
    </section>
  );
}
