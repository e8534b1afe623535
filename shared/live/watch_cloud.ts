/** Watches in the cloud, where functions share no memory. */
import { NotSupported } from "../errors.ts";
import type { Watches } from "./watch_port.ts";

export const cloudWatches: Watches = {
  async open() {
    throw new NotSupported("a watch");
  },
  check: async (_app, _watch, eventId) => eventId,
  async close() {},
  async forget() {},
  counts: async () => new Map(),
  watchers: async () => [],
};
