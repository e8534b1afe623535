/** Larger audiences: the public state of shops, and rooms. Started by other functions, which do not wait for it. */
import type { App, FanOut } from "../shared/app.ts";
import { publishRange } from "../shared/deliver.ts";
import { refresh } from "../shared/public_state.ts";
import { handlerOf } from "./_app.ts";

export const fanOut =
  (app: App) =>
  async ({ shops, rooms }: FanOut): Promise<void> => {
    await Promise.all([
      ...shops.map((shop) => refresh(app, shop)),
      ...rooms.map(({ stream, after, upTo }) => publishRange(app, stream, after, upTo)),
    ]);
  };

export const handler = handlerOf(fanOut);
