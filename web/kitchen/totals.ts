/** All-day view: the number of each dish still to be made, over all tickets. Pure. */
import type { LineView, OrderView } from "../../clients/types.ts";
import { isMade } from "./stations.ts";

export interface Total {
  dish: string;
  names: LineView["names"];
  quantity: number;
  /** The same dish by its choices; one entry when all are alike. */
  ways: { choices: LineView["options"]; note: string; quantity: number }[];
}

/** The largest number first. */
export function totalsOf(queue: readonly OrderView[]): Total[] {
  const totals = new Map<string, Total>();
  for (const line of queue.flatMap((order) => order.lines.filter((line) => !isMade(order, line)))) {
    const total = totals.get(line.dish) ?? { dish: line.dish, names: line.names, quantity: 0, ways: [] };
    totals.set(line.dish, total);
    total.quantity += line.quantity;
    const key = keyOf(line.options, line.note);
    const way = total.ways.find((one) => keyOf(one.choices, one.note) === key);
    if (way === undefined) total.ways.push({ choices: line.options, note: line.note, quantity: line.quantity });
    else way.quantity += line.quantity;
  }
  return [...totals.values()].sort((a, b) => b.quantity - a.quantity);
}

const keyOf = (options: LineView["options"], note: string): string =>
  JSON.stringify([options.map(({ option, choice }) => [option, choice]), note]);
