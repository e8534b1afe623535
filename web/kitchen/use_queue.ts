/** The kitchen's orders, sorted for the screen: those to make, by station, and those that are ready. */
import { useMemo, useState } from "preact/hooks";
import type { OrderView } from "../../clients/types.ts";
import { hasMade, stationOf } from "./stations.ts";
import { inQueue } from "./steps.ts";
import type { StaffMenu } from "./use_menu.ts";

export interface Queue {
  queue: readonly OrderView[];
  ready: readonly OrderView[];
  /** The orders of the queue that the chosen station has to make. */
  visible: readonly OrderView[];
  /** The stations; empty when the shop has only one. */
  stations: readonly string[];
  /** The chosen station; undefined for all. */
  station: string | undefined;
  setStation(station: string | undefined): void;
}

export function useQueue(orders: readonly OrderView[] | undefined, menu: StaffMenu | undefined): Queue {
  const [station, setStation] = useState<string>();
  const queue = useMemo(() => orders?.filter(inQueue) ?? [], [orders]);
  const ready = useMemo(() => orders?.filter((order) => !inQueue(order)) ?? [], [orders]);
  const stations = useMemo(() => {
    const all = new Set(menu?.menu.dishes.map((dish) => dish.station ?? ""));
    return all.size > 1 ? [...all].sort((a, b) => Number(a === "") - Number(b === "")) : [];
  }, [menu]);
  // An order that waits for acceptance is shown at every station: a cook at one station may accept it for all.
  const visible = queue.filter(
    (order) =>
      station === undefined ||
      order.status === "placed" ||
      (order.lines.some((one) => stationOf(one) === station) && !hasMade(order, station)),
  );
  return { queue, ready, visible, stations, station, setStation };
}
