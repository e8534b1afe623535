/** Where the watches are: in this process, if it holds the sockets; else in rows. */
import type { App } from "../app.ts";
import { cloudWatches } from "./watch_cloud.ts";
import { isWatches, type Watches } from "./watch_port.ts";

export const watchesOf = ({ watches }: Pick<App, "watches">): Watches =>
  watches !== undefined && isWatches(watches) ? watches : cloudWatches;
