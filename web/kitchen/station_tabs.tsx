/** Buttons that choose a station, each with the portions it has to make. */
import type { OrderView } from "../../clients/types.ts";
import { stationName, words } from "./dictionary.ts";
import { isMade, stationOf } from "./stations.ts";
import type { Queue } from "./use_queue.ts";

export function StationTabs({ queue, stations, station, setStation }: Queue) {
  return (
    <fieldset class="stations" data-slot>
      <legend class="unseen">{words.stations}</legend>
      {[undefined, ...stations].map((one) => (
        <button
          key={one ?? " all"}
          type="button"
          class="button"
          aria-pressed={station === one}
          onClick={() => setStation(one)}
        >
          {one === undefined ? words.allStations : stationName(one)}
          <b>{portionsAt(queue, one)}</b>
        </button>
      ))}
    </fieldset>
  );
}

const portionsAt = (queue: readonly OrderView[], station: string | undefined): number =>
  queue
    .flatMap((order) => order.lines.filter((line) => !isMade(order, line)))
    .filter((line) => station === undefined || stationOf(line) === station)
    .reduce((sum, { quantity }) => sum + quantity, 0);
