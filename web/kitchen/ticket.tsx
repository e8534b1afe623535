/** Ticket of one order in the queue: dishes, destination, age, and the button of the next step. */
import { useEffect, useState } from "preact/hooks";
import { pageNow } from "../../clients/browser.ts";
import type { Action, LineView, OrderView } from "../../clients/types.ts";
import { yuan } from "../shared/money.ts";
import type { KitchenActions } from "./actions.ts";
import { Age, Expiry } from "./age.tsx";
import { isEscalated } from "./bell.ts";
import { localName, stationName, whereTo, words } from "./dictionary.ts";
import { Icon } from "./icons.tsx";
import { hasMade, isMade, onWire, openStations, stationOf, stationsOf } from "./stations.ts";
import { nextStep, waitsForCounter } from "./steps.ts";
import { UndoOrMore } from "./undo_or_more.tsx";
import { undoMs, type Work } from "./use_steps.ts";

export interface TicketProps {
  order: OrderView;
  /** The number key that chooses it, 1 to 10. */
  position: number;
  /** Only lines of this station; undefined for all. */
  station: string | undefined;
  work: Work | undefined;
  /** A step just taken that can be undone. */
  taken: Action | undefined;
  /** It has left the list, and its place is kept for a moment. */
  gone?: boolean;
  actions: KitchenActions;
}

/** The second tap of a double tap must not take the next step. */
const settleMs = 600;

export function Ticket({ order, position, station, work, taken, gone = false, actions }: TicketProps) {
  const { role, guests } = actions;
  const where = whereTo(order);
  const next = nextStep(order, role, guests);
  const undoing = work !== undefined && !work.sending;
  const mine = order.lines.filter((line) => station === undefined || stationOf(line) === station);
  const others = order.lines.filter((line) => !mine.includes(line) && !isMade(order, line)).length;
  const louder = isEscalated(order);
  return (
    <article
      class={`ticket ${order.status} ${louder ? "louder" : ""} ${undoing ? "undoing" : ""} ${gone ? "vacant" : ""}`}
      inert={gone}
      aria-label={words.ticket(order.number, where)}
      data-slot
      data-order={gone ? undefined : order.number}
      data-status={order.status}
      data-escalated={louder}
      onPointerDown={() => actions.touch(order)}
      // Focus does not count as seen: it moves here by itself when the ticket before has left.
      onKeyDown={() => actions.touch(order)}
    >
      <header>
        {position <= 10 && (
          <span class="position" aria-hidden="true">
            {position % 10}
          </span>
        )}
        <h3>{order.number}</h3>
        <p class={`where ${order.service}`}>{where}</p>
      </header>
      <p class="status">
        <span>{louder ? words.nobodyAccepts : words.status[order.status]}</span>
        {order.status === "placed" && <Expiry at={order.expireAt} />}
        {role !== "kitchen" && (
          <span class="facts">
            {yuan(order.totalFen)} {words[order.payment]}
            {order.guest === true && ` · ${words.guest}`}
          </span>
        )}
        <Age since={order.placedAt} />
      </p>
      <Address order={order} folded={role === "kitchen"} />
      <Stations order={order} />
      <ul class="lines">
        {mine.map((line) => (
          <Line key={line.line} line={line} order={order} actions={actions} />
        ))}
        {others > 0 && <li class="others">{words.otherLines(others)}</li>}
      </ul>
      {order.note !== "" && (
        <p class="note">
          <b>{words.note}</b> {order.note}
        </p>
      )}
      <footer>
        <UndoOrMore order={order} undoing={undoing} taken={taken} actions={actions} />
        {waitsForCounter(order, role, guests) ? (
          <p class="counter">{words.atCounter}</p>
        ) : (
          next !== undefined && <Go order={order} station={station} work={work} actions={actions} />
        )}
      </footer>
    </article>
  );
}

/** The progress of an order made by several stations, once one of them is done. */
function Stations({ order }: { order: OrderView }) {
  const stations = stationsOf(order);
  const made = stations.some((station) => hasMade(order, station));
  if (order.status === "placed" || stations.length < 2 || !made) return null;
  return (
    <ul class="parts" aria-label={words.stations}>
      {stations.map((station) => (
        <li key={station} class={hasMade(order, station) ? "made" : ""} data-made={hasMade(order, station)}>
          {hasMade(order, station) && <Icon name="check" size={18} />} {stationName(station)}
          {hasMade(order, station) && <span class="unseen"> {words.struck}</span>}
        </li>
      ))}
    </ul>
  );
}

function Line({ line, order, actions }: { line: LineView; order: OrderView; actions: KitchenActions }) {
  const [asked, setAsked] = useState<boolean>();
  const struck = line.struck === true;
  const name = localName(line.names);
  useEffect(() => setAsked(undefined), [struck]);
  const inside = (
    <>
      <span class="quantity">{line.quantity}</span>
      <span class="what">
        <span class="dish">{name}</span>
        {line.options.length > 0 && (
          <span class="options">{line.options.map(({ choiceNames }) => localName(choiceNames)).join(" · ")}</span>
        )}
        {line.note !== "" && <span class="line-note">{line.note}</span>}
      </span>
      {isMade(order, line) && (
        <span class="done">
          <Icon name="check" size={20} /> {words.struck}
        </span>
      )}
    </>
  );
  // An order that is not accepted is not cooked, so its lines cannot be struck.
  if (order.status === "placed") return <li class="line">{inside}</li>;
  if (!struck && isMade(order, line)) return <li class="line struck made">{inside}</li>;
  return (
    <li class={`line ${struck ? "struck" : ""}`}>
      <button
        type="button"
        aria-pressed={struck}
        aria-busy={asked !== undefined}
        aria-label={`${struck ? words.unstrike(name) : words.strike(name)} × ${line.quantity}`}
        onClick={() => {
          if (asked !== undefined) return;
          setAsked(!struck);
          void actions.strike(order, line.line, !struck).finally(() => setAsked(undefined));
        }}
      >
        {inside}
      </button>
    </li>
  );
}

/** Name, phone and address of a delivery. @param folded a cook needs one line of it, and opens the rest by a tap */
export function Address({ order, folded = false }: { order: OrderView; folded?: boolean }) {
  if (order.service !== "delivery") return null;
  const { delivery } = order;
  if (!delivery) return <p class="address">{words.addressGone}</p>;
  if (folded)
    return (
      <details class="address">
        <summary>
          <Icon name="place" size={20} /> <span>{delivery.address}</span>
        </summary>
        <a href={`tel:${delivery.phone}`}>
          <Icon name="phone" size={20} /> {delivery.name} {delivery.phone}
        </a>
      </details>
    );
  return (
    <p class="address">
      <span>
        <Icon name="place" size={20} /> {delivery.address}
      </span>
      <a href={`tel:${delivery.phone}`}>
        <Icon name="phone" size={20} /> {delivery.name} {delivery.phone}
      </a>
    </p>
  );
}

/** The button of the next step. */
export function Go({ order, station, work, actions }: Pick<TicketProps, "order" | "station" | "work" | "actions">) {
  const next = nextStep(order, actions.role, actions.guests);
  // Compared while rendering: with an effect there would be one frame in which the next step could be tapped.
  const [settled, settle] = useState(order.status);
  const settling = settled !== order.status;
  useEffect(() => {
    if (!settling) return;
    const timer = setTimeout(() => settle(order.status), settleMs);
    return () => clearTimeout(timer);
  }, [order.status]);
  if (next === undefined) return null;
  // At one station "ready" concerns that station only; in the view of all stations it concerns the whole order.
  const part = next === "ready" && stationsOf(order).length > 1 ? station : undefined;
  const label =
    next === "complete"
      ? words.complete[order.service]
      : part !== undefined
        ? words.stationReady(stationName(part))
        : next === "ready" && openStations(order).length > 1
          ? words.allReady
          : words.step[next];
  const busy = work !== undefined || settling;
  return (
    <button
      type="button"
      class={`button go ${next}`}
      aria-disabled={busy}
      aria-label={`${label} ${order.number}`}
      onClick={() => busy || actions.takeStep(order, next, part === undefined ? {} : { station: onWire(part) })}
    >
      {work === undefined ? label : work.sending ? words.sending : <Countdown label={label} until={work.until} />}
    </button>
  );
}

function Countdown({ label, until }: { label: string; until: number }) {
  const left = () => Math.max(1, Math.ceil((until - pageNow()) / 1_000));
  const [seconds, setSeconds] = useState(left);
  useEffect(() => {
    const timer = setInterval(() => setSeconds(left()), 200);
    return () => clearInterval(timer);
  }, [until]);
  return (
    <>
      <span class="countdown" style={{ animationDuration: `${undoMs}ms` }} aria-hidden="true" />
      <span>{words.willBe(label, seconds)}</span>
    </>
  );
}
