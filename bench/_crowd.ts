/** Contender: shops, and a crowd of guests who order in them, each with a stream. Prints what the generator needs as one line of JSON. */
import { makeGuests } from "./_guests.ts";
import { orderServer, sayReady, startOrderbell } from "./_orderbell_process.ts";

const [url = "pglite:", shopCount = "1", guestCount = "1", backlog = "0"] = process.argv.slice(2);
const machine = await startOrderbell(url, { CONNECTIONS_PER_SESSION: "100" }, {}, { maxConnections: 200_000 });
const server = await orderServer(machine, Number(shopCount), 0);
const guests = await makeGuests(machine.app, Number(guestCount), Number(backlog));
const customers = guests.map(({ token }, at) => ({ token, shop: at % Number(shopCount) }));
sayReady({ ...server, customers, streams: guests.map(({ stream }) => stream) });
