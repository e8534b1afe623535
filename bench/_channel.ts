/** A machine with guests, each with a room, and a channel for the business server at this port. Prints what the generator needs as one line of JSON. */
import { startMachine } from "../cli/machine.ts";
import { migrate } from "../db/migrate.ts";
import { openDatabase } from "../db/open.ts";
import { openPglite } from "../db/pglite.ts";
import { readConfig } from "../shared/config.ts";
import { loginAsGuest } from "../shared/sessions/login.ts";
import { createRoom } from "../shared/streams/room.ts";
import { addChannel } from "../shared/wafer/channels.ts";

const [url = "pglite:", guestCount = "20", businessPort = "0", channelKey = ""] = process.argv.slice(2);
const key = Buffer.alloc(32, 7).toString("base64");
const config = readConfig({
  DATABASE_URL: url,
  SIGNING_KEY: key,
  WECHAT_KEY: key,
  LOG_LEVEL: "silent",
  GUEST_SESSIONS_PER_HOUR: "100000",
  ROOMS_PER_HOUR: "1000",
  CALLBACK_NETWORKS: "127.0.0.0/8",
});
const db =
  url === "pglite:" ? await openPglite() : await openDatabase({ url, maxConnections: 10, connectTimeoutMs: 5_000 });
await migrate(db);
const { app, server } = await startMachine({ config, db, host: "127.0.0.1", port: 0, write: () => {} });

const address = "127.0.0.1";
await addChannel(app, { host: `${address}:${businessPort}`, key: channelKey, keepBodies: false });
const guests = [];
for (let at = 0; at < Number(guestCount); at++) {
  const { token, session } = await loginAsGuest(app, address);
  const { room, grant } = await createRoom(app, session, 3_600_000, address);
  guests.push({ token, stream: `room:${room}`, grant });
}
process.stdout.write(`${JSON.stringify({ port: server.port, guests })}\n`);
