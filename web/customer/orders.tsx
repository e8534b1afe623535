/** List of the customer's orders, newest first, and the shops' messages. */
import { useEffect, useState } from "preact/hooks";
import type { Names, OrderView } from "../../clients/browser.ts";
import { yuan } from "../shared/money.ts";
import { client } from "./client.ts";
import { dateOf, localName, words } from "./dictionary.ts";
import { orderAgain } from "./order.tsx";
import { Empty, Page } from "./page.tsx";
import { Placeholders } from "./placeholders.tsx";
import { go, redirect } from "./route.ts";
import { isOver, type MyOrders } from "./use_orders.ts";

export function Orders({ mine }: { mine: MyOrders }) {
  const [older, setOlder] = useState<OrderView[]>([]);
  const [more, setMore] = useState(true);
  const [names, setNames] = useState<Record<string, Names>>({});
  useEffect(() => {
    client.shops().then(
      (shops) => setNames(Object.fromEntries(shops.map((shop) => [shop.id, shop.names]))),
      () => {},
    );
  }, []);
  const newest = mine.orders ?? [];
  const known = new Set(newest.map(({ id }) => id));
  const orders = [...newest, ...older.filter(({ id }) => !known.has(id))];

  const loadOlder = () =>
    client.orders({ before: orders[orders.length - 1]?.id ?? "" }).then(
      (page) => {
        setOlder([...older, ...page.orders]);
        setMore(page.more);
      },
      () => {},
    );

  return (
    <Page title={words.orders}>
      {mine.notifications.length > 0 && (
        <section class="panel" aria-label={words.messages}>
          <ul class="lines">
            {mine.notifications.slice(0, 5).map(({ id, title, body, at }) => (
              <li key={id} class="line">
                <div class="about">
                  <strong>{title}</strong>
                  <span class="quiet">{body}</span>
                </div>
                <time class="quiet" dateTime={at}>
                  {dateOf(at)}
                </time>
              </li>
            ))}
          </ul>
        </section>
      )}
      {mine.orders === undefined && <Placeholders />}
      {mine.orders !== undefined && orders.length === 0 && (
        <Empty title={words.noOrders} hint={words.noOrdersHint}>
          <button type="button" class="button primary" onClick={() => redirect("")}>
            {words.toMenu}
          </button>
        </Empty>
      )}
      <ul class="orders">
        {orders.map((order) => (
          <li key={order.id} class="panel">
            <button type="button" class="plainly" onClick={() => go(`order=${order.id}`)}>
              <span class="row">
                <strong class="big" translate={false}>
                  {order.number}
                </strong>
                <span class="grow quiet">{localName(names[order.shop])}</span>
                <span class={`pill ${isOver(order) ? "" : order.status === "ready" ? "good" : "accent"}`}>
                  {words.status[order.status]}
                </span>
              </span>
              <span class="quiet one">
                {order.lines
                  .map(({ names: dish, quantity }) => `${localName(dish)}${quantity > 1 ? ` ×${quantity}` : ""}`)
                  .join(", ")}
              </span>
              <span class="row">
                <time class="quiet grow" dateTime={order.placedAt}>
                  {dateOf(order.placedAt)}
                </time>
                <strong>{yuan(order.totalFen)}</strong>
              </span>
            </button>
            {isOver(order) && (
              <div class="right">
                <button type="button" class="button soft small" onClick={() => orderAgain(order)}>
                  {words.orderAgain}
                </button>
              </div>
            )}
          </li>
        ))}
      </ul>
      {mine.more && more && (
        <button type="button" class="button wide" onClick={() => void loadOlder()}>
          {words.olderOrders}
        </button>
      )}
    </Page>
  );
}
