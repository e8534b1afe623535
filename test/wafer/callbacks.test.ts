/** Callbacks that fail, are slow, or are cut off with the process that makes them: tried again, given up, gone on with. */
import { sql } from "../../db/sql.ts";
import { readTunnel } from "../../db/wafer.ts";
import { readConfig } from "../../shared/config.ts";
import { hearTunnel } from "../../shared/wafer/tunnels.ts";
import { onEveryDialect } from "../_engines.ts";
import { type House, openHouse, testKeys } from "../_house.ts";
import { until } from "../_until.ts";
import {
  type Business,
  channelEnvironment,
  connect,
  type NewTunnel,
  openBusiness,
  openTunnel,
  pin,
  pushTo,
  speak,
  tunnelFor,
} from "./_channel.ts";

const channels = {
  ...readConfig({ ...testKeys, DATABASE_URL: "pglite:" }).channels,
  retryMs: [10, 30, 90],
  callbackTimeoutMs: 1_500,
};

onEveryDialect((engine) => {
  describe("a tunnel's callbacks", () => {
    let house: House;
    let business: Business;

    beforeAll(async () => {
      house = await openHouse(engine, { environment: channelEnvironment, config: { channels } });
      business = await openBusiness();
      await pin(house, business);
    });
    afterAll(async () => {
      await house.close();
      await business.close();
    });
    afterEach(() => {
      business.onCall = () => undefined;
    });

    const called = ({ tunnelId }: NewTunnel, count: number) =>
      until(
        () => business.callsOf(tunnelId).length >= count,
        `${count} calls`,
        () => business.callsOf(tunnelId),
      );
    const row = async ({ tunnelId }: NewTunnel) => (await house.db.read([readTunnel(tunnelId)]))[0]?.[0];
    const untilLater = async (tunnel: NewTunnel) => {
      for (;;) {
        const { call_at, call_lease } = (await row(tunnel)) ?? {};
        if (call_lease === null && Number(call_at) > house.clock.now()) return;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    const attempts = ({ tunnelId }: NewTunnel) =>
      house.lines
        .filter((line) => line.includes('"event":"callback"') && line.includes(tunnelId))
        .map((line) => JSON.parse(line))
        .map(({ kind, status, tries }) => `${kind} ${status} ${tries}`);

    it.each([
      ["a status", { status: 500 }, "500"],
      ["a code", { body: { code: -1, error: "ERR_INVALID_RESPONSE" } }, "200/-1"],
      ["a redirection", { status: 307, body: {} }, "307"],
      ["an answer without end", { raw: "x".repeat(70_000) }, "TOO_LARGE"],
      ["silence", "hang" as const, "TIMEOUT"],
    ])("are tried again in their order after %s", async (_, reply, status) => {
      const client = await openTunnel(house, business);
      let failures = 2;
      business.onCall = ({ type }) => (type === "message" && failures-- > 0 ? reply : undefined);
      client.send(`message:${speak(1)}`);
      client.send(`message:${speak(2)}`);
      await called(client, 5);
      const [one, two] = [1, 2].map((at) => `message ${speak(at)}`);
      expect(business.callsOf(client.tunnelId)).toEqual(["connect", one, one, one, two]);
      client.socket.close();
      await called(client, 6);
      await until(
        () => attempts(client).length === 6,
        "six tries",
        () => attempts(client),
      );
      expect(attempts(client).slice(1, 4)).toEqual([`message ${status} 1`, `message ${status} 2`, "message 200 3"]);
    });

    it("that a warning of PHP surrounds are answered: another try would do it twice", async () => {
      business.onCall = () => ({ raw: 'Warning: __get(): {"code":0}' });
      const client = await openTunnel(house, business);
      client.send(`message:${speak(1)}`);
      client.socket.close();
      await called(client, 3);
      await until(() => attempts(client).length === 3, "three tries");
      expect(attempts(client)).toEqual(["connect 200 1", "message 200 1", "close 200 1"]);
    });

    it("are given up after three more tries, which the client is told, and the next one is made", async () => {
      const client = await openTunnel(house, business);
      business.onCall = ({ content }) => (content === speak("bad") ? { status: 503 } : undefined);
      client.send(`message:${speak("bad")}`);
      client.send(`message:${speak("good")}`);
      await client.got("request receiveUrl fail");
      await called(client, 6);
      expect(business.callsOf(client.tunnelId).slice(1)).toEqual([
        ...Array(4).fill(`message ${speak("bad")}`),
        `message ${speak("good")}`,
      ]);
      client.socket.close();
      await called(client, 7);
    });

    it("of a message that could not be stored are not made for those behind it either", async () => {
      const client = await openTunnel(house, business);
      const connection = String((await row(client))?.connection_id);
      let isAway = true;
      const flight: typeof house.db.flight = (asked) => {
        if (!isAway) return house.db.flight(asked);
        isAway = false;
        return Promise.reject(new Error("the database is away"));
      };
      const app = { ...house.app, db: { ...house.db, read: house.db.read.bind(house.db), flight } };
      const said = [1, 2, 3].map((at) => hearTunnel(app, connection, `message:${speak(at)}`));
      expect((await Promise.allSettled(said)).map(({ status }) => status)).toEqual([
        "rejected",
        "fulfilled",
        "fulfilled",
      ]);
      await client.closed;
      await called(client, 2);
      expect(business.callsOf(client.tunnelId)).toEqual(["connect", "close"]);
    });

    it("of a close are tried for an hour", async () => {
      const client = await openTunnel(house, business);
      await business.down();
      client.socket.close();
      await untilLater(client);
      expect(attempts(client).at(-1)).toBe("close ECONNREFUSED 4");
      house.clock.forward(61_000);
      await until(
        () => attempts(client).includes("close ECONNREFUSED 5"),
        "a fifth try",
        () => attempts(client),
      );
      await untilLater(client);
      await business.up();
      house.clock.forward(61_000);
      await called(client, 2);
      expect(business.callsOf(client.tunnelId)).toEqual(["connect", "close"]);
    });

    it("of a close are given up after an hour", async () => {
      const client = await openTunnel(house, business);
      await business.down();
      client.socket.close();
      await untilLater(client);
      expect(attempts(client).at(-1)).toBe("close ECONNREFUSED 4");
      house.clock.forward(3_600_001);
      await until(
        () => attempts(client).includes("close ECONNREFUSED 5"),
        "a fifth try",
        () => attempts(client),
      );
      await business.up();
      house.clock.forward(61_000);
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(business.callsOf(client.tunnelId)).toEqual(["connect"]);
      expect(await row(client)).toMatchObject({ call_at: null });
    });

    it("go on when the one who made them died with the queue in its hands", async () => {
      const tunnel = await tunnelFor(house, business);
      const client = await connect(tunnel);
      await called(tunnel, 1);
      await until(() => attempts(tunnel).length === 1, "the first call was noted");
      const now = house.clock.now();
      // As a process leaves it that was killed between an answer and its note, and one in the middle of a push.
      await house.db.flight({
        statements: [
          sql`UPDATE tunnels SET call_at = ${now + 60_000}, call_lease = 'dead', send_at = ${now + 60_000}, send_lease = 'dead' WHERE id = ${tunnel.tunnelId}`,
        ],
      });
      client.send(`message:${speak("waits")}`);
      expect(await pushTo(house, business, [tunnel.tunnelId], speak("waits too"))).toEqual([]);
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(business.callsOf(tunnel.tunnelId)).toEqual(["connect"]);
      expect(client.messages).toEqual([]);
      client.send("ping");
      await client.got("pong");
      house.clock.forward(40_000);
      client.send("ping");
      house.clock.forward(21_000);
      await called(tunnel, 2);
      await client.got(`message:${speak("waits too")}`);
      client.socket.close();
      await called(tunnel, 3);
    });

    it("are left to whoever went on while the one who made them was frozen", async () => {
      const client = await openTunnel(house, business);
      let failures = 1;
      business.onCall = ({ type }) => (type === "message" && failures-- > 0 ? { status: 500 } : undefined);
      const { sleep } = house.clock;
      house.clock.sleep = (ms, signal) => sleep(ms === channels.retryMs[0] ? 600 : ms, signal);
      client.send(`message:${speak(1)}`);
      await called(client, 2);
      // Between two tries of the first worker.
      await until(() => attempts(client).includes("message 500 1"), "the try was noted");
      const held = house.clock.now() + 120_000;
      await house.db.flight({
        statements: [sql`UPDATE tunnels SET call_at = ${held}, call_lease = 'another' WHERE id = ${client.tunnelId}`],
      });
      house.clock.forward(15_000);
      client.send("ping");
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      house.clock.sleep = sleep;
      expect(business.callsOf(client.tunnelId)).toEqual(["connect", `message ${speak(1)}`]);
      await house.db.flight({
        statements: [sql`UPDATE tunnels SET call_at = 0, call_lease = NULL WHERE id = ${client.tunnelId}`],
      });
      client.socket.close();
      await called(client, 4);
      expect(business.callsOf(client.tunnelId).slice(2)).toEqual([`message ${speak(1)}`, "close"]);
    });

    it("tell of a process that stopped when another one begins", async () => {
      const client = await openTunnel(house, business);
      await until(() => attempts(client).length === 1, "the first call was noted");
      await house.restart();
      await client.closed;
      await called(client, 2);
      expect(business.callsOf(client.tunnelId)).toEqual(["connect", "close"]);
      expect(["stopped", "disconnected"]).toContain((await row(client))?.close_reason);
    });

    it("are not made to a host that is not allowed, and say so", async () => {
      const client = await openTunnel(house, business);
      await house.db.flight({
        statements: [sql`UPDATE tunnels SET receive_url = 'http://127.0.0.1:1/' WHERE id = ${client.tunnelId}`],
      });
      client.send(`message:${speak("to nobody")}`);
      await client.got("request receiveUrl fail");
      expect(attempts(client)).toContain("message REFUSED 4");
      client.socket.close();
    });
  });
});
