/**
 * Peer `bare`, the smallest takeaway back end: one insert, one `ws.send`. No session, price, stock, idempotency or stream.
 * `bare_counter`: also the next number of the shop from a counter row, in one commit per order, so that a client could see a gap.
 */
import { createServer } from "node:http";
import { PGlite } from "@electric-sql/pglite";
import mysql from "mysql2/promise";
import pg from "pg";
import { type WebSocket, WebSocketServer } from "ws";
import { anonymous, sayReady } from "./_ready.ts";

const [url = "pglite:", shopCount = "20", mode = "bare"] = process.argv.slice(2);
const counts = mode === "counter";

/** Stores an order. @returns its number in the shop, where orders are numbered */
type Put = (id: string, shop: string, body: string) => Promise<number | undefined>;

const tables = [
  "CREATE TABLE orders (id varchar(64) PRIMARY KEY, body text NOT NULL)",
  "CREATE TABLE counters (shop varchar(64) PRIMARY KEY, seq bigint NOT NULL)",
];

const insert = { name: "put", text: "INSERT INTO orders VALUES ($1, $2)" };
const insertCounted = {
  name: "put",
  text: `WITH counted AS (
    INSERT INTO counters VALUES ($3, 1) ON CONFLICT (shop) DO UPDATE SET seq = counters.seq + 1 RETURNING seq
  ), stored AS (INSERT INTO orders VALUES ($1, $2))
  SELECT seq FROM counted`,
};

async function open(): Promise<Put> {
  if (url.startsWith("postgres")) {
    const pool = new pg.Pool({ connectionString: url, max: 10 });
    for (const table of tables) await pool.query(table);
    return async (id, shop, body) => {
      const values = counts ? [id, body, shop] : [id, body];
      const { rows } = await pool.query({ ...(counts ? insertCounted : insert), values });
      return counts ? Number(rows[0].seq) : undefined;
    };
  }
  if (counts) throw new Error("the counter is written for PostgreSQL only");
  if (url.startsWith("mysql")) {
    const pool = mysql.createPool({ uri: url, connectionLimit: 10 });
    for (const table of tables) await pool.query(table);
    return async (id, _, body) => {
      await pool.execute("INSERT INTO orders VALUES (?, ?)", [id, body]);
      return undefined;
    };
  }
  const embedded = await PGlite.create(`${url.slice("pglite:".length)}/data`);
  for (const table of tables) await embedded.exec(table);
  return async (id, _, body) => {
    await embedded.query(insert.text, [id, body]);
    return undefined;
  };
}

const put = await open();
const kitchens = new Map<string, WebSocket>();
let next = 0;
const server = createServer(async (request, response) => {
  let body = "";
  for await (const chunk of request) body += chunk;
  const order = JSON.parse(body) as { shop: string; note: string };
  const id = String(next++);
  const seq = await put(id, order.shop, body);
  kitchens.get(order.shop)?.send(JSON.stringify(counts ? { seq, id, ...order } : { id, ...order }));
  response.writeHead(201, { "content-type": "application/json" });
  response.end(JSON.stringify({ id }));
});
new WebSocketServer({ server, path: "/pgws", perMessageDeflate: false }).on("connection", (socket) => {
  socket.on("message", (data) => {
    kitchens.set(data.toString(), socket);
    socket.send('{"type":"resumed"}');
  });
});
sayReady(server, {
  path: "/",
  kind: "plain",
  ready: "resumed",
  // Commits of one shop may overtake each other on their way back to Node.
  numbered: false,
  ...anonymous(Number(shopCount), (shop) => ({ path: "/pgws", hello: shop })),
});
