/** A tunnel's life, over real HTTP and WebSocket, in every dialect of SQL. */
import type { Row } from "../../db/database.ts";
import { insertRows } from "../../db/dialect.ts";
import { sql } from "../../db/sql.ts";
import { readTunnel } from "../../db/wafer.ts";
import { onEveryDialect } from "../_engines.ts";
import { type House, openHouse } from "../_house.ts";
import { until } from "../_until.ts";
import {
  ask,
  type Business,
  type Client,
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

/** Enough for a call that should not come to come. */
const pauseMs = 150;
const pause = () => new Promise((resolve) => setTimeout(resolve, pauseMs));

onEveryDialect((engine) => {
  describe("a tunnel", () => {
    let house: House;
    let business: Business;
    /** A client's closing is never told to the functions: the network has dropped it. */
    let isDropped = false;

    beforeAll(async () => {
      house = await openHouse(engine, {
        environment: channelEnvironment,
        faults: {
          get dropDisconnect() {
            return isDropped;
          },
        },
      });
      business = await openBusiness();
      await pin(house, business);
    });
    afterAll(async () => {
      await house.close();
      await business.close();
    });
    afterEach(() => {
      business.onCall = () => undefined;
      isDropped = false;
    });

    const called = ({ tunnelId }: NewTunnel, count: number) =>
      until(
        () => business.callsOf(tunnelId).length >= count,
        `${count} calls`,
        () => business.callsOf(tunnelId),
      );
    const row = async ({ tunnelId }: NewTunnel) => (await house.db.read([readTunnel(tunnelId)]))[0]?.[0];
    const untilRow = async (tunnel: NewTunnel, fits: (row: Row | undefined) => boolean) => {
      for (let tries = 0; !fits(await row(tunnel)); tries++) {
        if (tries > 2_000) throw new Error(`the tunnel is still ${JSON.stringify(await row(tunnel))}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    const got = (client: Client, count: number) =>
      until(
        () => client.messages.length >= count,
        `${count} messages`,
        () => client.frames,
      );

    it("connects, speaks, is pushed to, and closes", async () => {
      const client = await openTunnel(house, business);
      client.send(`message:${speak("你好")}`);
      client.send("ping");
      await client.got("pong");
      await called(client, 2);
      expect(await pushTo(house, business, [client.tunnelId], speak("back"))).toEqual([]);
      await client.got(`message:${speak("back")}`);
      client.send("close");
      await called(client, 3);
      client.socket.close();
      await client.closed;
      await pause();
      expect(business.callsOf(client.tunnelId)).toEqual(["connect", `message ${speak("你好")}`, "close"]);
      expect(await row(client)).toMatchObject({
        close_reason: "client",
        call_at: null,
        in_seq: 3,
        in_done: 3,
        in_bytes: 0,
      });
    });

    it("keeps the order of what its client says, one call at a time", async () => {
      business.mostAtOnce = 0;
      business.onCall = async () => void (await new Promise((resolve) => setTimeout(resolve, 1)));
      const client = await openTunnel(house, business);
      const said = Array.from({ length: 40 }, (_, at) => speak(at));
      for (const content of said) client.send(`message:${content}`);
      client.socket.close();
      await called(client, 42);
      expect(business.callsOf(client.tunnelId)).toEqual(["connect", ...said.map((one) => `message ${one}`), "close"]);
      expect(business.mostAtOnce).toBe(1);
    });

    it("keeps what its client says before anybody knew that it is open behind `connect`", async () => {
      const tunnel = await tunnelFor(house, business);
      const client = await connect(tunnel);
      client.send(`message:${speak("first")}`);
      await called(tunnel, 2);
      expect(business.callsOf(tunnel.tunnelId)).toEqual(["connect", `message ${speak("first")}`]);
      client.socket.close();
      await called(tunnel, 3);
    });

    it("keeps pushes that come before its client, in order", async () => {
      const tunnel = await tunnelFor(house, business);
      const pushed = Array.from({ length: 20 }, (_, at) => speak(at));
      for (const content of pushed) expect(await pushTo(house, business, [tunnel.tunnelId], content)).toEqual([]);
      const client = await connect(tunnel);
      await got(client, 20);
      expect(client.messages).toEqual(pushed);
      client.socket.close();
      await called(tunnel, 2);
    });

    it("keeps the order of pushes, of many at once, without losing or doubling any", async () => {
      const client = await openTunnel(house, business);
      const packet = (word: string) => ({ tunnelIds: [client.tunnelId], type: "message", content: speak(word) });
      const push = async (call: number) => {
        const packets = [0, 1, 2].map((at) => packet(`${call}.${at}`));
        return (await ask(house, packets, { host: business.host })).body.data.invalidTunnelIds;
      };
      const answers = await Promise.all(Array.from({ length: 40 }, (_, call) => push(call)));
      expect(answers.flat()).toEqual([]);
      await got(client, 120);
      const words = client.messages.map((one) => JSON.parse(one).content.word as string);
      // The packets of a call stand together and in their order, whatever the calls' order was.
      for (let at = 0; at < words.length; at += 3) {
        const call = words[at]?.split(".")[0];
        expect(words.slice(at, at + 3)).toEqual([`${call}.0`, `${call}.1`, `${call}.2`]);
      }
      expect(new Set(words).size).toBe(120);
      await pause();
      expect(client.messages.length).toBe(120);
      expect(await row(client)).toMatchObject({
        out_seq: 120,
        out_done: 120,
        out_bytes: 0,
        send_at: null,
        send_lease: null,
      });
      client.socket.close();
      await called(client, 2);
    });

    it("keeps no more than the newest thousand of what was done in each direction", async () => {
      const client = await openTunnel(house, business);
      const packets = Array.from({ length: 500 }, (_, at) => ({
        tunnelIds: [client.tunnelId],
        type: "message",
        content: speak(at),
      }));
      for (let pushes = 1; pushes <= 4; pushes++) {
        expect((await ask(house, packets, { host: business.host })).body.data.invalidTunnelIds).toEqual([]);
        await got(client, 500 * pushes);
        await untilRow(client, (now) => now?.send_at === null);
      }
      const [rows] = await house.db.read([
        sql`SELECT count(*) AS n, min(seq) AS first, max(seq) AS last FROM tunnel_frames WHERE tunnel_id = ${client.tunnelId} AND direction = 'out'`,
      ]);
      expect(rows[0]).toMatchObject({ n: 1_000, first: 1_001, last: 2_000 });
      client.socket.close();
      await called(client, 2);
    });

    it("is pushed to from inside its callback", async () => {
      const tunnel = await tunnelFor(house, business);
      business.onCall = async ({ tunnelId, type, content = "" }) => {
        if (type === "connect") expect(await pushTo(house, business, [tunnelId], speak("welcome"))).toEqual([]);
        if (type === "message") expect(await pushTo(house, business, [tunnelId], content)).toEqual([]);
        return undefined;
      };
      const client = await connect(tunnel);
      client.send(`message:${speak("echo")}`);
      await got(client, 2);
      expect(client.messages).toEqual([speak("welcome"), speak("echo")]);
      client.socket.close();
      await called(tunnel, 3);
    });

    it("is pushed to while its callback hangs", async () => {
      let release = () => {};
      const hanging = new Promise<void>((resolve) => {
        release = resolve;
      });
      business.onCall = async ({ type }) => void (type === "connect" && (await hanging));
      const client = await openTunnel(house, business);
      expect(await pushTo(house, business, [client.tunnelId], speak("meanwhile"))).toEqual([]);
      await client.got(`message:${speak("meanwhile")}`);
      client.socket.close();
      await pause();
      expect(business.callsOf(client.tunnelId)).toEqual(["connect"]);
      release();
      await called(client, 2);
    });

    it("closes once, however many close it at a time", async () => {
      const clients = await Promise.all(Array.from({ length: 8 }, () => openTunnel(house, business)));
      await Promise.all(
        clients.map(async (client) => {
          client.send("close");
          client.socket.close();
          await pushTo(house, business, [client.tunnelId], null);
        }),
      );
      for (const client of clients) await called(client, 2);
      await pause();
      for (const { tunnelId } of clients) expect(business.callsOf(tunnelId)).toEqual(["connect", "close"]);
    });

    it("is closed by a push, behind what was pushed before, and takes no more", async () => {
      const client = await openTunnel(house, business);
      const packets = [
        { tunnelIds: [client.tunnelId], type: "message", content: speak("last") },
        { tunnelIds: [client.tunnelId], type: "close", content: null },
      ];
      const { body } = await ask(house, packets, { host: business.host });
      expect(body.data.invalidTunnelIds).toEqual([]);
      await client.got("close");
      expect(client.frames.slice(-2)).toEqual([`message:${speak("last")}`, "close"]);
      expect(await pushTo(house, business, [client.tunnelId], speak("too late"))).toEqual([client.tunnelId]);
      await called(client, 2);
      // A client that was asked to close and speaks on is cut off.
      client.send(`message:${speak("still here")}`);
      await client.closed;
      await pause();
      expect(business.callsOf(client.tunnelId)).toEqual(["connect", "close"]);
    });

    it("that was never open has no callback when it is closed", async () => {
      const tunnel = await tunnelFor(house, business);
      expect(await pushTo(house, business, [tunnel.tunnelId], null)).toEqual([]);
      expect(await pushTo(house, business, [tunnel.tunnelId], null)).toEqual([tunnel.tunnelId]);
      const client = await connect(tunnel);
      await client.closed;
      await pause();
      expect(business.callsOf(tunnel.tunnelId)).toEqual([]);
    });

    it("ends when its client drops out without a word", async () => {
      const client = await openTunnel(house, business);
      const other = await openTunnel(house, business);
      isDropped = true;
      client.socket.terminate();
      await client.closed;
      house.clock.forward(30_000);
      other.send("ping");
      await other.got("pong");
      await untilRow(other, (now) => Number(now?.heard_at) > house.clock.now() - 5_000);
      house.clock.forward(20_000);
      await called(client, 2);
      expect(await row(client)).toMatchObject({ close_reason: "silent" });
      expect(await row(other)).toMatchObject({ closed_at: null });
      isDropped = false;
      other.socket.close();
      await called(other, 2);
      expect(business.callsOf(client.tunnelId)).toEqual(["connect", "close"]);
    });

    it("ends when a push finds nobody", async () => {
      const client = await openTunnel(house, business);
      isDropped = true;
      client.socket.terminate();
      await client.closed;
      const { connection_id: connection } = (await row(client)) ?? {};
      await until(() => house.server.connections.get(String(connection)) === undefined, "the socket is gone");
      await pushTo(house, business, [client.tunnelId], speak("anybody there"));
      await called(client, 2);
      expect(await row(client)).toMatchObject({ close_reason: "gone", send_at: null });
      expect(await pushTo(house, business, [client.tunnelId], speak("nobody"))).toEqual([client.tunnelId]);
    });

    it("expires when no client opens it in a minute", async () => {
      const tunnel = await tunnelFor(house, business);
      const swept = await tunnelFor(house, business);
      house.clock.forward(61_000);
      expect(await pushTo(house, business, [tunnel.tunnelId], speak("hello"))).toEqual([tunnel.tunnelId]);
      const client = await connect(tunnel);
      await client.closed;
      await untilRow(swept, (now) => now?.close_reason === "unused");
      await pause();
      expect(business.callsOf(tunnel.tunnelId)).toEqual([]);
      expect(business.callsOf(swept.tunnelId)).toEqual([]);
    });

    it("gives way when a thousand newer ones wait for their clients", async () => {
      const opened = await openTunnel(house, business);
      const first = await tunnelFor(house, business);
      await pushTo(house, business, [first.tunnelId], speak("for nobody"));
      const { tc_id } = (await row(first)) ?? {};
      const at = house.clock.now() + 1;
      const crowd = Array.from({ length: 1_000 }, (_, k) => ({
        id: `crowd-${k}`,
        tc_id: String(tc_id),
        connect_hash: "",
        receive_url: "",
        keeps_bodies: 0,
        created_at: at,
        heard_at: at,
      }));
      await house.db.flight({ statements: insertRows(house.db.dialect, "tunnels", crowd) });
      house.clock.forward(2);
      const last = await tunnelFor(house, business);
      expect(await row(first)).toBeUndefined();
      const [count, frames] = await house.db.read([
        sql`SELECT count(*) AS n FROM tunnels WHERE tc_id = ${String(tc_id)} AND connection_id IS NULL AND closed_at IS NULL`,
        sql`SELECT seq FROM tunnel_frames WHERE tunnel_id = ${first.tunnelId}`,
      ]);
      expect([Number(count[0]?.n), frames]).toEqual([1_000, []]);
      const turnedAway = await connect(first);
      await turnedAway.closed;
      const client = await connect(last);
      await called(last, 1);
      for (const one of [client, opened]) one.socket.close();
      await house.db.flight({ statements: [sql`DELETE FROM tunnels WHERE connect_hash = ''`] });
    });

    it("is one connection: who comes second, or with a wrong ticket, is let in and sent away", async () => {
      const client = await openTunnel(house, business);
      const second = await connect(client);
      const wrong = { connectUrl: client.connectUrl.replace(/ticket=.*/, `ticket=${"x".repeat(32)}`) };
      const third = await connect(wrong);
      const unknown = await connect({
        connectUrl: `${house.url.replace("http", "ws")}/pgws?tunnelId=tunnel1&ticket=x`,
      });
      await Promise.all([second.closed, third.closed, unknown.closed]);
      client.send("ping");
      await client.got("pong");
      client.socket.close();
      await called(client, 2);
    });

    it("answers a frame that is none with a reason, and goes on", async () => {
      const client = await openTunnel(house, business);
      client.send("hello");
      client.send("message");
      client.send("ping");
      await until(() => client.frames.filter((one) => one.includes("MALFORMED")).length === 2, "two refusals");
      await client.got("pong");
      client.socket.close();
      await called(client, 2);
    });

    it("whose process was killed ends when the time of its heartbeats is over", async () => {
      const client = await openTunnel(house, business);
      isDropped = true;
      client.socket.terminate();
      await client.closed;
      await house.db.flight({
        statements: [sql`UPDATE tunnels SET gateway = 'local:killed' WHERE id = ${client.tunnelId}`],
      });
      expect(await pushTo(house, business, [client.tunnelId], speak("into nothing"))).toEqual([]);
      house.clock.forward(46_000);
      await called(client, 2);
      expect(await row(client)).toMatchObject({ close_reason: "silent", send_at: null });
      expect(business.callsOf(client.tunnelId)).toEqual(["connect", "close"]);
    });

    it("whose client says more than its business server takes is cut off, behind what was said", async () => {
      let release = () => {};
      const hanging = new Promise<void>((resolve) => {
        release = resolve;
      });
      const client = await openTunnel(house, business);
      business.onCall = async ({ content }) => void (content === speak(0) && (await hanging));
      client.send(`message:${speak(0)}`);
      await called(client, 2);
      for (let at = 1; at <= 510; at++) client.send(`message:${speak(at)}`);
      await client.closed;
      release();
      await untilRow(client, (now) => now?.in_done === now?.in_seq);
      expect(await row(client)).toMatchObject({ close_reason: "flood", in_seq: 502 });
      expect(business.callsOf(client.tunnelId)).toEqual([
        "connect",
        ...Array.from({ length: 500 }, (_, at) => `message ${speak(at)}`),
        "close",
      ]);
    });
  });
});
