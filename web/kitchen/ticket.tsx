/** One order in the queue: what to cook, for where, since when, and the one tap that takes it on. */
import { useEffect, useState } from "preact/hooks";
import type { LineView, OrderView } from "../../clients/types.ts";
import { yuan } from "../shared/money.ts";
import { Age, Expiry } from "./age.tsx";
import { isEscalated } from "./bell.ts";
import type { Doing } from "./doing.ts";
import { Icon } from "./icons.tsx";
import { say, whereTo, words } from "./speak.ts";
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
  doing: Doing;
}

/** The second half of a double tap must not be the next step. */
const settleMs = 600;

export function Ticket({ order, position, station, work, doing }: TicketProps) {
  const { role, guests } = doing;
  const where = whereTo(order);
  const next = nextStep(order, role, guests);
  const undoing = work !== undefined && !work.sending;
  const mine = order.lines.filter((line) => station === undefined || (line.station ?? "") === station);
  const others = order.lines.length - mine.length;
  const louder = isEscalated(order);
  return (
    <article
      class={`ticket ${order.status} ${louder ? "louder" : ""} ${undoing ? "undoing" : ""}`}
      aria-label={words.ticket(order.number, where)}
      data-order={order.number}
      data-status={order.status}
      data-escalated={louder}
      onPointerDown={() => doing.touch(order)}
      // Not the focus: it comes here by itself when the ticket before has left, without anybody looking.
      onKeyDown={() => doing.touch(order)}
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
        <Age since={order.placedAt} />
      </p>
      {role !== "kitchen" && (
        <p class="facts">
          <span class={`chip ${order.payment}`}>
            {yuan(order.totalFen)} {words[order.payment]}
          </span>
          {order.guest === true && <span class="chip">{words.guest}</span>}
        </p>
      )}
      <Address order={order} />
      <ul class="lines">
        {mine.map((line) => (
          <Line key={line.line} line={line} order={order} doing={doing} />
        ))}
        {others > 0 && <li class="others">{words.otherLines(others)}</li>}
      </ul>
      {order.note !== "" && (
        <p class="note">
          <b>{words.note}</b> {order.note}
        </p>
      )}
      <footer>
        <UndoOrMore order={order} undoing={undoing} doing={doing} />
        {waitsForCounter(order, role, guests) ? (
          <p class="counter">{words.atCounter}</p>
        ) : (
          next !== undefined && <Go order={order} work={work} doing={doing} />
        )}
      </footer>
    </article>
  );
}

function Line({ line, order, doing }: { line: LineView; order: OrderView; doing: Doing }) {
  const [asked, setAsked] = useState<boolean>();
  const struck = line.struck === true;
  const name = say(line.names);
  useEffect(() => setAsked(undefined), [struck]);
  const inside = (
    <>
      <span class="quantity">{line.quantity}</span>
      <span class="what">
        <span class="dish">{name}</span>
        {line.options.length > 0 && (
          <span class="options">{line.options.map(({ choiceNames }) => say(choiceNames)).join(" · ")}</span>
        )}
        {line.note !== "" && <span class="line-note">{line.note}</span>}
      </span>
      {struck && (
        <span class="done">
          <Icon name="check" size={20} /> {words.struck}
        </span>
      )}
    </>
  );
  // Nothing is cooked before it is accepted, so nothing is struck.
  if (order.status === "placed") return <li class="line">{inside}</li>;
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
          void doing.strike(order, line.line, !struck).finally(() => setAsked(undefined));
        }}
      >
        {inside}
      </button>
    </li>
  );
}

/** Name, phone and address of a delivery. */
export function Address({ order }: { order: OrderView }) {
  if (order.service !== "delivery") return null;
  const { delivery } = order;
  if (!delivery) return <p class="address">{words.addressGone}</p>;
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

/** The tap that takes an order on. */
export function Go({ order, work, doing }: Pick<TicketProps, "order" | "work" | "doing">) {
  const next = nextStep(order, doing.role, doing.guests);
  const [settling, setSettling] = useState(false);
  const [first] = useState(order.status);
  useEffect(() => {
    if (order.status === first) return;
    setSettling(true);
    const timer = setTimeout(() => setSettling(false), settleMs);
    return () => clearTimeout(timer);
  }, [order.status]);
  if (next === undefined) return null;
  const label = next === "complete" ? words.complete[order.service] : words.step[next];
  const busy = work !== undefined || settling;
  return (
    <button
      type="button"
      class={`button go ${next}`}
      aria-disabled={busy}
      aria-label={`${label} ${order.number}`}
      onClick={() => busy || doing.take(order, next)}
    >
      {work === undefined ? label : work.sending ? words.sending : <Countdown label={label} until={work.until} />}
    </button>
  );
}

function Countdown({ label, until }: { label: string; until: number }) {
  const left = () => Math.max(1, Math.ceil((until - Date.now()) / 1_000));
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
