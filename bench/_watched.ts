/** A machine with a collection, guests and a room. Prints what the generator needs as one line of JSON. */
import { parseCollections } from "../shared/live/collections.ts";
import { loginAsGuest } from "../shared/sessions/login.ts";
import { createRoom } from "../shared/streams/room.ts";
import { guests, sayReady, startOrderbell } from "./_orderbell_process.ts";

const [url = "pglite:", guestCount = "1"] = process.argv.slice(2);
const { collections } = parseCollections('notes: { rules: { read: true, write: "auth != null" } }');
// The generator stands for many people.
const { app, server } = await startOrderbell(
  url,
  { CONNECTIONS_PER_SESSION: "100", PUBLISHES_PER_SEC: "1000" },
  { collections },
);

const tokens = await guests(app, Number(guestCount));
const maker = await loginAsGuest(app, "127.0.0.1");
const { room, grant } = await createRoom(app, maker.session, 3_600_000, "127.0.0.1");
sayReady({ port: server.port, tokens, maker: maker.token, stream: `room:${room}`, grant });
