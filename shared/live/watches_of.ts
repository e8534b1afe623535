/** Where the watches are: in this process, if it holds the sockets; else in rows. */
import type { App } from "../app.ts";
import type { WatchReceiver } from "../pushes.ts";
import { cloudWatches } from "./watch_cloud.ts";
import type { Watches } from "./watch_port.ts";

/** The functions of the cloud need not know the class that keeps watches in memory. */
const isStore = (receiver: WatchReceiver): receiver is WatchReceiver & Watches => "open" in receiver;

export const watchesOf = ({ watches }: Pick<App, "watches">): Watches =>
  watches !== undefined && isStore(watches) ? watches : cloudWatches;
