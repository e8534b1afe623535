/** Once a minute: what time does. */
import type { App } from "../shared/app.ts";
import { sweep, trim } from "../shared/sweep.ts";
import { handlerOf } from "./_app.ts";

export const sweepAll =
  (app: App) =>
  async (event: { trim?: boolean }): Promise<{ due: number; heads: number }> => {
    if (event.trim === true) await trim(app);
    return sweep(app);
  };

export const handler = handlerOf(sweepAll);
