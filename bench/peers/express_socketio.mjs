/**
 * Peer `express_socketio`, what most people write: Express 5, Socket.IO 4.8 and pg. One insert, an emit into the shop's room, the
 * answer. No session, price, stock, idempotency or stream; what a kitchen misses while it is away stays missed.
 */
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import express from "express";
import pg from "pg";
import { Server } from "socket.io";
import { anonymous, sayReady } from "./_ready.ts";

const [url, shopCount = "20"] = process.argv.slice(2);
const pool = new pg.Pool({ connectionString: url, max: 16 });
await pool.query(
  "CREATE TABLE orders (id text PRIMARY KEY, shop text NOT NULL, body text NOT NULL, at timestamptz NOT NULL DEFAULT now())",
);

const app = express();
app.disable("x-powered-by");
const server = createServer(app);
const io = new Server(server, { transports: ["websocket"], perMessageDeflate: false });
io.on("connection", (socket) => socket.join(`shop:${socket.handshake.query.shop}`));

app.post("/orders", express.json(), async (request, response) => {
  const order = { id: randomUUID(), ...request.body };
  await pool.query({
    name: "put",
    text: "INSERT INTO orders (id, shop, body) VALUES ($1, $2, $3)",
    values: [order.id, order.shop, JSON.stringify(order)],
  });
  io.to(`shop:${order.shop}`).emit("order", order);
  response.status(201).json({ id: order.id });
});

sayReady(server, {
  path: "/orders",
  kind: "socketio",
  // The answer to the client's connect packet.
  ready: "40{",
  numbered: false,
  ...anonymous(Number(shopCount), (shop) => ({ path: `/socket.io/?EIO=4&transport=websocket&shop=${shop}` })),
});
