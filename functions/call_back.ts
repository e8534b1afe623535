/** Calls business servers, and what goes with it. Started by other functions, which do not wait for it. */
import type { App, CallBack } from "../shared/app.ts";
import { closeRefused, tendTunnel } from "../shared/wafer/tend_tunnel.ts";
import { deliverDue, deliverStreams } from "../shared/webhooks/deliver_webhooks.ts";

export const handler =
  (app: App) =>
  async ({ tunnels = [], refused, streams, webhooks }: CallBack, signal?: AbortSignal): Promise<void> => {
    await Promise.all([
      ...tunnels.map((id) => tendTunnel(app, id, signal)),
      ...(refused === undefined ? [] : [closeRefused(app, refused, signal)]),
      ...(streams === undefined ? [] : [deliverStreams(app, streams, signal)]),
      ...(webhooks === undefined ? [] : [deliverDue(app, webhooks, signal)]),
    ]);
  };
