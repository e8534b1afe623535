/** Control of the benchmark, the smallest takeaway back end: one insert, one `ws.send`. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { PGlite } from "@electric-sql/pglite";
import mysql from "mysql2/promise";
import pg from "pg";
import { type WebSocket, WebSocketServer } from "ws";

const [url = "pglite:", shopCount = "20"] = process.argv.slice(2);

async function open(): Promise<(id: string, body: string) => Promise<unknown>> {
  if (url.startsWith("postgres")) {
    const pool = new pg.Pool({ connectionString: url, max: 10 });
    await pool.query("CREATE TABLE control_orders (id text PRIMARY KEY, body text NOT NULL)");
    return (id, body) =>
      pool.query({ name: "put", text: "INSERT INTO control_orders VALUES ($1, $2)", values: [id, body] });
  }
  if (url.startsWith("mysql")) {
    const pool = mysql.createPool({ uri: url, connectionLimit: 10 });
    await pool.query("CREATE TABLE control_orders (id varchar(64) PRIMARY KEY, body text NOT NULL)");
    return (id, body) => pool.execute("INSERT INTO control_orders VALUES (?, ?)", [id, body]);
  }
  const embedded = await PGlite.create();
  await embedded.exec("CREATE TABLE control_orders (id text PRIMARY KEY, body text NOT NULL)");
  return (id, body) => embedded.query("INSERT INTO control_orders VALUES ($1, $2)", [id, body]);
}

const put = await open();
const kitchens = new Map<string, WebSocket>();
let next = 0;
const server = createServer(async (request, response) => {
  let body = "";
  for await (const chunk of request) body += chunk;
  const order = JSON.parse(body) as { shop: string; note: string };
  const id = String(next++);
  await put(id, body);
  kitchens.get(order.shop)?.send(JSON.stringify({ id, ...order }));
  response.writeHead(201, { "content-type": "application/json" });
  response.end(JSON.stringify({ id }));
});
new WebSocketServer({ server, path: "/pgws", perMessageDeflate: false }).on("connection", (socket) => {
  socket.on("message", (data) => {
    kitchens.set(data.toString(), socket);
    socket.send('{"type":"resumed"}');
  });
});
server.listen(0, "127.0.0.1", () => {
  const shops = Array.from({ length: Number(shopCount) }, (_, at) => ({
    id: `shop-${at}`,
    token: "",
    hello: `shop-${at}`,
  }));
  process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port, path: "/", shops })}\n`);
});
