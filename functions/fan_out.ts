/** Fan-out: pushes a shop's public state, a room's messages, or changes of documents to many. Other functions invoke it and do not wait for it. */
import type { App, FanOut } from "../shared/app.ts";
import { refresh } from "../shared/shop/public_state.ts";
import { publishRange } from "../shared/streams/deliver.ts";

/** Evaluated when they are needed: queries and rules are more than all the rest, and a menu's readers do not wait for them. */
const counting = () => import("../shared/live/watch_cloud_count.ts");
const pushing = () => import("../shared/live/watch_cloud_push.ts");

export const handler =
  (app: App) =>
  async ({ shops, rooms, watched = [], watches }: FanOut, signal?: AbortSignal): Promise<void> => {
    await Promise.all([
      ...shops.map((shop) => refresh(app, shop, signal)),
      ...rooms.map((range) => publishRange(app, range)),
      ...watched.map(async (stream) => (await counting()).countStream(app, stream)),
      ...(watches === undefined ? [] : [pushing().then(({ pushShare }) => pushShare(app, watches))]),
    ]);
  };
