/** Handles a client's message on the socket: JSON is orderbell's own, everything else a tunnel's. */
import { message } from "../apigateway/entry.ts";
import { transmit } from "../shared/streams/transmit.ts";
import { hearTunnel } from "../shared/wafer/tunnels.ts";

export const handler = message(async (app, connection, text) => {
  if (!text.startsWith("{") && (await hearTunnel(app, connection, text))) return;
  await transmit(app, connection, text);
});
