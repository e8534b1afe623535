/** Contender: a room, sessions that read it and some that write. Prints what the generator needs as one line of JSON. */
import { loginAsGuest } from "../shared/sessions/login.ts";
import { createRoom } from "../shared/streams/room.ts";
import { guests, sayReady, startOrderbell } from "./_orderbell_process.ts";

const [url = "pglite:", readers = "1", writers = "1"] = process.argv.slice(2);
const environment = {
  // The generator stands for many people.
  CONNECTIONS_PER_SESSION: "100",
  PUBLISHES_PER_SEC: "1000",
  PUBLISH_KB_PER_SEC: "65536",
  ROOM_MESSAGES: "100000",
  ROOM_KB: "65536",
};
const { app, server } = await startOrderbell(url, environment, {}, { maxConnections: 200_000 });
const maker = await loginAsGuest(app, "127.0.0.1");
const { room, grant } = await createRoom(app, maker.session, 3_600_000, "127.0.0.1");
sayReady({
  port: server.port,
  readers: await guests(app, Number(readers)),
  writers: await guests(app, Number(writers)),
  stream: `room:${room}`,
  grant,
});
