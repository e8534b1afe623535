/** A machine with a collection, guests and a room. Prints what the generator needs as one line of JSON. */
import { startMachine } from "../cli/machine.ts";
import { migrate } from "../db/migrate.ts";
import { openDatabase } from "../db/open.ts";
import { openPglite } from "../db/pglite.ts";
import { readConfig } from "../shared/config.ts";
import { parseCollections } from "../shared/live/collections.ts";
import { loginAsGuest } from "../shared/sessions/login.ts";
import { createRoom } from "../shared/streams/room.ts";

const [url = "pglite:", guestCount = "1"] = process.argv.slice(2);
const { collections } = parseCollections('notes: { rules: { read: true, write: "auth != null" } }');
const config = {
  ...readConfig({
    DATABASE_URL: url,
    SIGNING_KEY: Buffer.alloc(32, 7).toString("base64"),
    LOG_LEVEL: "silent",
    GUEST_SESSIONS_PER_HOUR: "100000",
    // The generator stands for many people.
    CONNECTIONS_PER_SESSION: "100",
    PUBLISHES_PER_SEC: "1000",
  }),
  collections,
};
const db =
  url === "pglite:" ? await openPglite() : await openDatabase({ url, maxConnections: 10, connectTimeoutMs: 5_000 });
await migrate(db);
const { app, server } = await startMachine({ config, db, host: "127.0.0.1", port: 0, write: () => {} });

const address = "127.0.0.1";
const guests = [];
for (let at = 0; at < Number(guestCount); at++) guests.push(await loginAsGuest(app, address));
const maker = await loginAsGuest(app, address);
const { room, grant } = await createRoom(app, maker.session, 3_600_000, address);
const tokens = guests.map(({ token }) => token);
process.stdout.write(
  `${JSON.stringify({ port: server.port, tokens, maker: maker.token, stream: `room:${room}`, grant })}\n`,
);
