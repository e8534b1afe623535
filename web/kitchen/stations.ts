/** Stations of an order, and those whose part is done. Pure. "" stands for dishes without a station. */
import type { LineView, OrderView } from "../../clients/types.ts";

export const stationOf = ({ station }: LineView): string => station ?? "";

/** As on the server. */
export const onWire = (station: string): string | null => (station === "" ? null : station);

export const hasMade = ({ stationsDone = [] }: OrderView, station: string): boolean =>
  stationsDone.includes(onWire(station));

/** Each station of the order once. */
export const stationsOf = ({ lines }: OrderView): string[] => [...new Set(lines.map(stationOf))];

/** A line that need not be made any more. */
export const isMade = (order: OrderView, line: LineView): boolean =>
  line.struck === true || hasMade(order, stationOf(line));

/** Stations that have something left to make. */
export const openStations = (order: OrderView): string[] => [
  ...new Set(order.lines.filter((line) => !isMade(order, line)).map(stationOf)),
];
