/**
 * Peer `fastify_ws`, the careful version: Fastify 5, ws and pg. Order, event and the shop's next number in one commit per order, the push
 * after the commit. No session, price, stock or idempotency; the events would let a kitchen ask for what it missed.
 */
import { randomUUID } from "node:crypto";
import Fastify from "fastify";
import pg from "pg";
import { WebSocketServer } from "ws";
import { anonymous, sayReady } from "./_ready.ts";

const [url, shopCount = "20"] = process.argv.slice(2);
const pool = new pg.Pool({ connectionString: url, max: 16 });
for (const table of [
  "CREATE TABLE orders (id text PRIMARY KEY, shop text NOT NULL, body text NOT NULL, at timestamptz NOT NULL DEFAULT now())",
  "CREATE TABLE heads (shop text PRIMARY KEY, seq bigint NOT NULL)",
  "CREATE TABLE events (shop text NOT NULL, seq bigint NOT NULL, data text NOT NULL, PRIMARY KEY (shop, seq))",
])
  await pool.query(table);

const put = `WITH head AS (
  INSERT INTO heads VALUES ($2, 1) ON CONFLICT (shop) DO UPDATE SET seq = heads.seq + 1 RETURNING seq
), stored AS (
  INSERT INTO orders (id, shop, body) VALUES ($1, $2, $3)
)
INSERT INTO events SELECT $2, seq, $3 FROM head RETURNING seq`;

const kitchens = new Map();
const fastify = Fastify();
fastify.post("/orders", async (request, reply) => {
  const order = { id: randomUUID(), ...request.body };
  const { rows } = await pool.query({ name: "put", text: put, values: [order.id, order.shop, JSON.stringify(order)] });
  const frame = JSON.stringify({ seq: Number(rows[0].seq), ...order });
  for (const socket of kitchens.get(order.shop) ?? []) socket.send(frame);
  reply.code(201);
  return { id: order.id };
});

const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
fastify.server.on("upgrade", (request, socket, head) => {
  const shop = new URL(request.url, "http://localhost").searchParams.get("shop");
  sockets.handleUpgrade(request, socket, head, (kitchen) => {
    const list = kitchens.get(shop) ?? new Set();
    kitchens.set(shop, list.add(kitchen));
    kitchen.on("close", () => list.delete(kitchen));
    kitchen.send('{"type":"ready"}');
  });
});

await fastify.ready();
sayReady(fastify.server, {
  path: "/orders",
  kind: "plain",
  ready: '"ready"',
  // Commits of one shop may overtake each other on their way back to Node: its kitchen sorts by number.
  numbered: false,
  ...anonymous(Number(shopCount), (shop) => ({ path: `/kitchen?shop=${shop}` })),
});
