/** Runs once a minute: due orders, silent screens; and removes old rows when asked. */
import type { App } from "../shared/app.ts";
import { trimFiles } from "../shared/files/sweep_files.ts";
import { ensureIndexes } from "../shared/live/ensure_indexes.ts";
import { trimImports } from "../shared/live/import_documents.ts";
import { sweepWatches, trimWatchRows } from "../shared/live/watch_cloud_sweep.ts";
import { sweep, trim } from "../shared/shop/sweep.ts";
import { sweepTunnels, trimTunnels } from "../shared/wafer/sweep_tunnels.ts";
import { sweepWebhooks, trimWebhooks } from "../shared/webhooks/sweep_webhooks.ts";

/** Of a minute, for what a deployment has not finished. */
const indexMs = 15_000;

export const handler =
  (app: App) =>
  async (event: { trim?: boolean; orders?: boolean }): Promise<{ due: number; heads: number }> => {
    if (event.trim === true) {
      await trim(app);
      await trimTunnels(app);
      await trimWebhooks(app);
      await trimWatchRows(app);
      await trimImports(app);
      await trimFiles(app);
    }
    if (event.orders === false) return { due: 0, heads: 0 };
    const done = await sweep(app);
    await sweepTunnels(app);
    await sweepWebhooks(app);
    await sweepWatches(app);
    await ensureIndexes(app, indexMs);
    return done;
  };
