/** Fan-out: pushes a shop's public state, or a room's messages, to many subscribers. Other functions invoke it and do not wait for it. */
import type { App, FanOut } from "../shared/app.ts";
import { refresh } from "../shared/shop/public_state.ts";
import { publishRange } from "../shared/streams/deliver.ts";

export const handler =
  (app: App) =>
  async ({ shops, rooms }: FanOut, signal?: AbortSignal): Promise<void> => {
    await Promise.all([
      ...shops.map((shop) => refresh(app, shop, signal)),
      ...rooms.map((range) => publishRange(app, range)),
    ]);
  };
