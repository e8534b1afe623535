/** What a closed connection watched. In a file of its own: the function that does this need not know how a list is made. */
import type { App } from "../app.ts";
import { isWatches } from "./watch_port.ts";

/** Ends all watches of a connection that is closed. Those in rows go with the row of their connection. */
export async function forgetWatches(app: App, connection: string): Promise<void> {
  const { watches } = app;
  if (watches !== undefined && isWatches(watches)) await watches.forget(app, connection);
}
