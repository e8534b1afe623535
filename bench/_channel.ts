/** A machine with guests, each with a room, and a channel for the business server at this port. Prints what the generator needs as one line of JSON. */
import { loginAsGuest } from "../shared/sessions/login.ts";
import { createRoom } from "../shared/streams/room.ts";
import { addChannel } from "../shared/wafer/channels.ts";
import { sayReady, startOrderbell } from "./_orderbell_process.ts";

const [url = "pglite:", guestCount = "20", businessPort = "0", channelKey = ""] = process.argv.slice(2);
const { app, server } = await startOrderbell(url, {
  WECHAT_KEY: Buffer.alloc(32, 7).toString("base64"),
  ROOMS_PER_HOUR: "1000",
  CALLBACK_NETWORKS: "127.0.0.0/8",
});

const address = "127.0.0.1";
await addChannel(app, { host: `${address}:${businessPort}`, key: channelKey, keepBodies: false });
const guests = [];
for (let at = 0; at < Number(guestCount); at++) {
  const { token, session } = await loginAsGuest(app, address);
  const { room, grant } = await createRoom(app, session, 3_600_000, address);
  guests.push({ token, stream: `room:${room}`, grant });
}
sayReady({ port: server.port, guests });
