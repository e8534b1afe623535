/** The states of an order in sequence, with the time each was reached. */
import type { OrderView, Status, Step } from "../../clients/browser.ts";
import { happyPaths } from "../../shared/order_states.ts";
import { timeOf, words } from "./dictionary.ts";

export function TimeLine({ order, history }: { order: OrderView; history: readonly Step[] }) {
  const steps = happyPaths[order.service];
  const here = steps.indexOf(order.status);
  const reached = (status: Status): string | undefined => {
    const [last] = history.flatMap(({ to, at }) => (to === status ? [at] : [])).reverse();
    const own = {
      placed: order.placedAt,
      accepted: order.acceptedAt,
      ready: order.readyAt,
      completed: order.completedAt,
    };
    return last ?? own[status as keyof typeof own] ?? (status === order.status ? order.updatedAt : undefined);
  };
  // An order that ended early shows the states it reached, and its end.
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
