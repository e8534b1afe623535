/** Removes a closed connection, if the gateway reports it. */
import { disconnect } from "../apigateway/entry.ts";
import { forgetWatches } from "../shared/live/forget_watches.ts";
import { unregister } from "../shared/streams/transmit.ts";
import { tunnelDisconnected } from "../shared/wafer/tunnels.ts";
import { connectionClosed } from "../shared/webhooks/connection_events.ts";

export const handler = disconnect(async (app, connection, notes) => {
  if (await tunnelDisconnected(app, connection)) return;
  await forgetWatches(app, connection);
  await connectionClosed(app, connection);
  const holder = await unregister(app, connection);
  if (holder === undefined) return;
  notes.session = holder.session;
  if (holder.isStaff) notes.device = holder.session;
});
