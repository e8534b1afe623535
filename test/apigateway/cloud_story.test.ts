/** One order from bill to completed when the functions run in a cloud: its events come in, pushes go out by its HTTP calls. */
import { sql } from "../../db/sql.ts";
import type { BoardState, OrderEvent } from "../../shared/protocol.ts";
import { onEveryDialect } from "../_engines.ts";
import { openSocket } from "../_house.ts";
import { type CloudHouse, openCloud } from "./_clouds.ts";
import { dial } from "./_server.ts";

describe.each(["aws", "tencent"] as const)("%s", (cloud) =>
  onEveryDialect((engine) => {
    let house: CloudHouse;
    beforeAll(async () => {
      house = await openCloud(engine, cloud, { environment: { COALESCE_MS: "0" } });
    });
    afterAll(() => house.close());

    it("an order reaches the kitchen, the customer and the board through the cloud's gateway", async () => {
      const [customer, kitchen] = [await house.guest(), await house.staff("kitchen")];
      const [phone, screen] = [await customer.connect(), await kitchen.connect()];
      await phone.resume({ stream: `user:${customer.user}` });
      expect((await phone.resume({ stream: `board:${house.shop}` })).type).toBe("resumed");
      expect((await screen.resume({ stream: `shop:${house.shop}` })).type).toBe("resumed");

      // Nothing is remembered in the process: what is known of the readers stands in the database.
      expect(house.server.connections.streams()).toEqual([]);
      const [rows] = await house.db.read([
        sql`SELECT b.stream, c.gateway, c.opened_at FROM subscriptions b JOIN connections c ON c.id = b.connection_id ORDER BY b.stream`,
      ]);
      const gateway = cloud === "aws" ? house.management.url : "tencent";
      expect(rows).toMatchObject([
        { stream: `board:${house.shop}`, gateway },
        { stream: `shop:${house.shop}`, gateway },
        { stream: `user:${customer.user}`, gateway },
      ]);
      for (const row of rows ?? []) expect(row.opened_at).not.toBeNull();

      const placed = await customer.order();
      expect(placed.status).toBe(201);
      const { id, number } = placed.body.order;
      const rung = await screen.next("event", ({ event }) => event === "order.placed");
      expect((rung.data as OrderEvent).order).toMatchObject({ id, number });
      expect((await phone.next("event", ({ event }) => event === "order.placed")).data).toEqual({
        action: "place",
        order: placed.body.order,
      });

      let version = 1;
      for (const action of ["accept", "cook", "ready", "complete"]) {
        const step = await kitchen.http("POST", `/orders/${id}/${action}`, { body: { version: version++ } });
        expect([action, step.status]).toEqual([action, 200]);
        for (const socket of [screen, phone]) {
          const { data } = await socket.next("event", ({ event }) => event === "order.changed");
          expect(data as OrderEvent).toMatchObject({ action, order: { id, version } });
        }
        if (action === "ready")
          await phone.next(
            "event",
            ({ event, data }) => event === "board.state" && (data as BoardState).ready.includes(number),
          );
      }

      const { body } = await customer.http("GET", `/orders/${id}`);
      expect(body.order.status).toBe("completed");
      for (const socket of [phone, screen]) {
        const checked = socket.next("checked");
        const stream = socket === phone ? `user:${customer.user}` : `shop:${house.shop}`;
        const [head] =
          (await house.db.read([sql`SELECT epoch, seq, tag FROM streams WHERE name = ${stream}`]))[0] ?? [];
        socket.say({ type: "check", streams: [{ stream, ...head }] });
        expect((await checked).streams).toEqual([expect.objectContaining({ stream, seq: head?.seq })]);
        socket.close();
        await socket.closed;
      }
    });

    it("a connection leaves no row when the cloud reports its end", async () => {
      const customer = await house.guest();
      // This one leaves before ws_register has answered: it was noted, and never open.
      const opened = () => house.lines.filter((line) => line.includes('"event":"open"')).length;
      const before = opened();
      const hasty = await dial(house.server.port);
      hasty.write(
        `GET /pgws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: orderbell.v1, ticket.${await customer.ticket()}\r\n\r\n`,
      );
      hasty.destroy();
      while (opened() === before) await new Promise((resolve) => setImmediate(resolve));
      const socket = await customer.connect();
      await socket.resume({ stream: `user:${customer.user}` });
      socket.close();
      await socket.closed;
      await house.stop();
      const counts = sql`SELECT (SELECT count(*) FROM connections) AS connections, (SELECT count(*) FROM subscriptions) AS subscriptions, (SELECT count(*) FROM screens) AS screens`;
      expect((await house.db.read([counts]))[0]).toEqual([{ connections: 0, subscriptions: 0, screens: 0 }]);
    });

    it("a used ticket is refused with the cloud's own status", async () => {
      const again = await openCloud(engine, cloud, { db: house.db });
      try {
        const customer = await again.guest();
        const ticket = await customer.ticket();
        const url = `${again.url.replace("http", "ws")}/pgws`;
        const protocols = ["orderbell.v1", `ticket.${ticket}`];
        (await openSocket(url, protocols)).close();
        // AWS passes on the status of $connect; Tencent has one status for every refusal.
        await expect(openSocket(url, protocols)).rejects.toMatchObject({ status: cloud === "aws" ? 401 : 403 });
      } finally {
        await again.close();
      }
    });
  }),
);
