/** Two processes on one database: a tunnel's socket is at one of them, and its business server talks to the other. */
import { readTunnel } from "../../db/wafer.ts";
import { onEveryEngine, openAgain, servers, type TestDatabase } from "../_engines.ts";
import { type House, openHouse } from "../_house.ts";
import { until } from "../_until.ts";
import { type Business, channelEnvironment, openBusiness, openTunnel, pin, pushTo, speak } from "./_channel.ts";

onEveryEngine((engine) => {
  describe("tunnels of two processes", () => {
    let db: TestDatabase;
    let here: House;
    let there: House;
    let business: Business;

    beforeAll(async () => {
      db = await engine.open();
      const environment = channelEnvironment;
      here = await openHouse(engine, { db, environment });
      there = await openHouse(engine, { db: await openAgain(engine, db), environment });
      business = await openBusiness();
      await pin(here, business);
    });
    afterAll(async () => {
      await here.close();
      await there.close();
      await there.db.close();
      await business.close();
      await db.remove();
    });

    it("are pushed to at either, in order, and closed at either", async () => {
      const client = await openTunnel(here, business);
      for (let at = 0; at < 30; at++)
        expect(await pushTo(at % 2 ? here : there, business, [client.tunnelId], speak(at))).toEqual([]);
      await until(
        () => client.messages.length === 30,
        "30 messages",
        () => client.messages,
      );
      expect(client.messages).toEqual(Array.from({ length: 30 }, (_, at) => speak(at)));
      const pushes = Array.from({ length: 40 }, (_, at) =>
        pushTo(at % 2 ? here : there, business, [client.tunnelId], speak(`p${at}`)),
      );
      expect((await Promise.all(pushes)).flat()).toEqual([]);
      await until(() => client.messages.length >= 70, "70 messages");
      expect(new Set(client.messages).size).toBe(70);
      await pushTo(there, business, [client.tunnelId], null);
      await client.got("close");
      await until(() => business.callsOf(client.tunnelId).length === 2, "the close came");
      expect(business.callsOf(client.tunnelId)).toEqual(["connect", "close"]);
      client.socket.close();
      expect(client.messages.length).toBe(70);
    });

    it("end with the process that had them, and the other one says so", async () => {
      const client = await openTunnel(there, business);
      // An answer that was not noted would be asked for again.
      const noted = () => there.lines.some((line) => line.includes('"callback"') && line.includes(client.tunnelId));
      await until(noted, "the first call was noted");
      await there.stop();
      await client.closed;
      await until(() => business.callsOf(client.tunnelId).length === 2, "the close came");
      const [rows] = await db.read([readTunnel(client.tunnelId)]);
      expect(["stopped", "disconnected", "gone"]).toContain(rows?.[0]?.close_reason);
      expect(business.callsOf(client.tunnelId)).toEqual(["connect", "close"]);
    });
  });
}, servers);
