/** One order: its number large, how far it is, what is in it; cancelling while that is allowed; the same once more. */
import { useEffect, useState } from "preact/hooks";
import { ApiError, type OrderView, type Service, type Status, type Step } from "../../clients/browser.ts";
import { Dialog } from "../shared/dialog.tsx";
import { yuan } from "../shared/money.ts";
import { toast } from "../shared/toast.tsx";
import { cartOf } from "./cart.ts";
import { setCart } from "./carts.ts";
import { client } from "./client.ts";
import { Connection } from "./connection.tsx";
import { shopId } from "./first.ts";
import { keepTaken } from "./kept.ts";
import { Empty, Page } from "./page.tsx";
import { go, goInstead, leave } from "./place.ts";
import { dateOf, say, timeOf, words } from "./speak.ts";
import { isOver } from "./use_orders.ts";

const seenMs = 2_000;

type Whole = OrderView & { history?: Step[] };

/** @param live the order as the stream has it, if it is among the newest */
export function OrderPage({ id, live }: { id: string; live: OrderView | undefined }) {
  const [fetched, setFetched] = useState<Whole>();
  const [unknown, setUnknown] = useState(false);
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const order = live !== undefined && live.version > (fetched?.version ?? 0) ? live : fetched;

  // The history is not in the stream: it is fetched for each version.
  useEffect(() => {
    let over = false;
    let timer: ReturnType<typeof setTimeout>;
    const load = () =>
      client.order(id).then(
        (answer) => over || setFetched((now) => (now !== undefined && now.version > answer.version ? now : answer)),
        (error: ApiError) => {
          if (over) return;
          if (error.status >= 400 && error.status < 500 && error.status !== 429) setUnknown(true);
          else timer = setTimeout(load, 2_000);
        },
      );
    void load();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [id, live?.version]);

  // Seen for a moment, or left: a page that is closed before that shows it again.
  useEffect(() => {
    const forget = () => keepTaken(undefined);
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
      setFetched(await client.step(order, "cancel"));
      toast(words.cancelled);
    } catch (error) {
      const late = error instanceof ApiError && ["STEP_NOT_ALLOWED", "ORDER_CHANGED"].includes(error.code);
      toast(late ? words.tooLateToCancel : words.noAnswer);
    }
    setBusy(false);
    setAsking(false);
  }

  if (order === undefined)
    return (
      <Page title={words.orders} onBack={leave}>
        {unknown ? (
          <Empty title={words.orderUnknown}>
            <button type="button" class="button primary" onClick={() => goInstead("orders")}>
              {words.orders}
            </button>
          </Empty>
        ) : (
          <div class="skeleton" aria-busy="true">
            <div class="waiting" />
            <div class="waiting" />
          </div>
        )}
      </Page>
    );

  const history = fetched?.history;
  return (
    <Page title={words.activeOrder(order.number)}>
      <Connection />
      <section class={`ticket ${toneOf(order.status)}`} aria-live="polite">
        <p class="quiet">{words.orderNumber}</p>
        <p class="number">{order.number}</p>
        <p class="status">{words.status[order.status]}</p>
        <p>{order.status === "ready" ? words.readyHint[order.service] : words.statusHint[order.status]}</p>
        {order.reason !== null && order.reason !== "" && (
          <p>
            {words.reason}: {order.reason}
          </p>
        )}
      </section>
      <section class="panel" aria-label={words.progress}>
        <TimeLine order={order} history={history ?? []} />
      </section>
      <section class="panel" aria-label={words.dishes}>
        <ul class="lines">
          {order.lines.map((line) => (
            <li key={line.line} class="line">
              <div class="about">
                <strong>{say(line.names)}</strong>
                {line.options.length > 0 && (
                  <span class="quiet">{line.options.map(({ choiceNames }) => say(choiceNames)).join(" · ")}</span>
                )}
                {line.note !== "" && <span class="quiet">“{line.note}”</span>}
              </div>
              <span class="price">{yuan(line.totalFen)}</span>
              <span class="times">×{line.quantity}</span>
            </li>
          ))}
        </ul>
        <dl class="sums">
          {order.packingFen > 0 && <Row name={words.packing} value={yuan(order.packingFen)} />}
          {order.service === "delivery" && (
            <Row name={words.deliveryFee} value={order.deliveryFen === 0 ? words.free : yuan(order.deliveryFen)} />
          )}
          <Row name={words.total} value={yuan(order.totalFen)} strong />
        </dl>
        {!["rejected", "cancelled", "expired"].includes(order.status) && (
          <p class="quiet right">{order.payment === "paid" ? words.paid : words.payLater[order.service]}</p>
        )}
      </section>
      <section class="panel" aria-label={words.howToEat}>
        <dl class="sums">
          <Row
            name={words.howToEat}
            value={order.table === null ? words.service[order.service] : words.table(order.table)}
          />
          {order.delivery && (
            <Row
              name={words.deliverTo}
              value={`${order.delivery.name} ${order.delivery.phone} ${order.delivery.address}`}
            />
          )}
          {order.note !== "" && <Row name={words.orderNote} value={order.note} />}
          <Row name={words.placedAt} value={dateOf(order.placedAt)} />
        </dl>
      </section>
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
        <Dialog
          middle
          title={words.cancelQuestion}
          closeLabel={words.close}
          onClose={() => setAsking(false)}
          footer={
            <>
              <button type="button" class="button" onClick={() => setAsking(false)}>
                {words.keepOrder}
              </button>
              <button type="button" class="button bad" disabled={busy} onClick={() => void cancel()}>
                {words.cancelOrder}
              </button>
            </>
          }
        >
          <p>{words.cancelHint}</p>
        </Dialog>
      )}
    </Page>
  );
}

/** The same dishes into the cart of that shop; what changed since is said there. */
export function orderAgain(order: OrderView): void {
  setCart(order.shop, cartOf(order));
  if (order.shop === shopId) go("cart");
  else location.assign(`?shop=${order.shop}#cart`);
}

function toneOf(status: Status): string {
  if (status === "ready") return "good";
  if (["rejected", "cancelled", "expired"].includes(status)) return "bad";
  return "";
}

function Row({ name, value, strong = false }: { name: string; value: string; strong?: boolean }) {
  return (
    <div class={strong ? "row strong" : "row"}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

const way: Record<Service, Status[]> = {
  table: ["placed", "accepted", "cooking", "ready", "completed"],
  pickup: ["placed", "accepted", "cooking", "ready", "completed"],
  delivery: ["placed", "accepted", "cooking", "ready", "delivering", "completed"],
};

function TimeLine({ order, history }: { order: OrderView; history: readonly Step[] }) {
  const steps = way[order.service];
  const here = steps.indexOf(order.status);
  const reached = (status: Status): string | undefined => {
    const last = history.filter(({ to }) => to === status).at(-1)?.at;
    const own = {
      placed: order.placedAt,
      accepted: order.acceptedAt,
      ready: order.readyAt,
      completed: order.completedAt,
    };
    return last ?? own[status as keyof typeof own] ?? (status === order.status ? order.updatedAt : undefined);
  };
  // An order that ended early shows how far it came, and the end.
  const shown =
    here >= 0
      ? steps
      : [...steps.filter((status) => history.some(({ to }) => to === status) || status === "placed"), order.status];
  const at = here >= 0 ? here : shown.length - 1;
  return (
    <ol class="timeline">
      {shown.map((status, index) => {
        const time = index <= at ? reached(status) : undefined;
        return (
          <li
            key={status}
            class={index < at ? "done" : index === at ? "now" : ""}
            aria-current={index === at ? "step" : undefined}
          >
            <span>{words.status[status]}</span>
            {time !== undefined && <time dateTime={time}>{timeOf(time)}</time>}
          </li>
        );
      })}
    </ol>
  );
}
