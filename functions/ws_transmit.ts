/** Handles a client's message on the socket: JSON is orderbell's own or a watch's, everything else a tunnel's. */
import { message } from "../apigateway/entry.ts";
import { transmit } from "../shared/streams/transmit.ts";
import { hearTunnel } from "../shared/wafer/tunnels.ts";

export const handler = message(async (app, connection, text, gateway) => {
  const isJson = text.startsWith("{");
  if (!isJson && (await hearTunnel(app, connection, text))) return;
  if (isJson && text.includes('"msgType"')) {
    // Only here: what reads queries is large, and a function that starts for an order does without.
    const { hearWatch } = await import("../shared/live/hear_watch.ts");
    if (await hearWatch(app, connection, text, app.config.callbackUrl ?? gateway)) return;
  }
  await transmit(app, connection, text);
});
