/** The sweep in a cloud: pushes are not remembered there, so it finds a lost last one on a quiet stream before any check is due. */
import { onEveryDialect } from "../_engines.ts";
import { openTablet } from "../_tablet.ts";
import { type CloudHouse, openCloud } from "./_clouds.ts";

describe.each(["aws", "tencent"] as const)("%s", (cloud) =>
  onEveryDialect((engine) => {
    let house: CloudHouse;
    let lost = 0;
    let losing = false;
    beforeAll(async () => {
      house = await openCloud(engine, cloud, {
        environment: { CHECK_SHOP_MS: "60000" },
        faults: {
          push(_, frame) {
            if (!losing || JSON.parse(frame).type !== "event") return undefined;
            lost += 1;
            return "drop";
          },
        },
      });
    });
    afterAll(() => house.close());

    it("the sweep sends readers the head, and they ask for what they lack", async () => {
      const kitchen = await house.staff("kitchen");
      const customer = await house.guest();
      const tablet = openTablet({ url: house.url, token: kitchen.token, shop: house.shop });
      await tablet.until(({ channel }) => channel.state() === "live", "a live channel");
      const first = await customer.order();
      await tablet.until(({ orders }) => orders.has(first.body.order.id), "the first order");

      losing = true;
      const placed = await customer.order();
      expect(placed.status).toBe(201);
      expect(lost).toBeGreaterThan(0);
      losing = false;
      expect(tablet.orders.has(placed.body.order.id)).toBe(false);

      await house.call("sweep", {});
      await tablet.until(({ orders }) => orders.has(placed.body.order.id), "the order whose push was lost");
      expect(tablet.rung()).toEqual([first.body.order.id, placed.body.order.id]);
      tablet.close();
    });
  }),
);
