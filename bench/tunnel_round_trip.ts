/**
 * A tunnel's message → callback → business server → push → client, against the way of our own: a client's `publish` → event.
 * Both begin and end at the same client and store what they carry. See README.md.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { Agent, createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocket } from "ws";
import { type Running, ticketFor } from "./_contender.ts";
import { now, openLoop, settled } from "./_open_loop.ts";
import { ascending, isVoid, quantiles } from "./_statistics.ts";
import { type Measured, VoidRound, type Workload } from "./_workload.ts";

interface Guest {
  readonly token: string;
  readonly stream: string;
  readonly grant: string;
}

interface Orderbell extends Running {
  readonly guests: readonly Guest[];
}

interface Round {
  /** Milliseconds from due to arrived, sorted. */
  readonly arrived: readonly number[];
  readonly sent: number;
  readonly late: number;
}

/** A socket to which the generator says that something is due now. */
interface Client {
  readonly socket: WebSocket;
  say(k: number, due: number): void;
}

const key = "bench-channel-key";
const sign = (data: string) => createHash("sha1").update(data).update(key).digest("hex");

// --- The business server -------------------------------------------------------------------------------------------

/** Answers a callback, and sends a message's content back to its tunnel; one push for each, as the server SDKs do. */
class Business {
  readonly #server: Server;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });
  /** Where orderbell is in this round. */
  port = 0;

  constructor() {
    this.#server = createServer(async (incoming, response) => {
      let text = "";
      for await (const part of incoming.setEncoding("utf8")) text += part;
      const { tunnelId, type, content } = JSON.parse(JSON.parse(text).data);
      response.setHeader("content-type", "application/json");
      response.end('{"code":0,"message":"ok"}');
      if (type !== "message") return;
      // What fails does not arrive, and is counted there.
      await this.ask("/ws/push", [{ tunnelIds: [tunnelId], type, content }]).catch(() => {});
    });
  }

  async listen(): Promise<number> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return this.ownPort;
  }

  get ownPort(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** A call of the channel service. */
  async ask(path: string, payload: unknown): Promise<unknown> {
    const data = JSON.stringify(payload);
    const tcId = createHash("md5").update(`127.0.0.1:${this.ownPort}`).digest("hex");
    const body = JSON.stringify({ data, tcId, tcKey: key, signature: sign(data) });
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const call = request({ agent: this.#agent, host: "127.0.0.1", port: this.port, method: "POST", path, headers });
    call.end(body);
    const [response] = await once(call, "response");
    let text = "";
    for await (const part of response.setEncoding("utf8")) text += part;
    const answer = JSON.parse(text);
    if (answer.code !== 0) throw new Error(`${path}: ${text}`);
    return answer.data;
  }

  async newTunnel(): Promise<string> {
    const receiveUrl = `http://127.0.0.1:${this.ownPort}/tunnel`;
    const data = await this.ask("/get/wsurl", { receiveUrl, protocolType: "wss" });
    return JSON.parse(String(data)).connectUrl;
  }

  close(): void {
    this.#agent.destroy();
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

// --- Clients -------------------------------------------------------------------------------------------------------

const options = { perMessageDeflate: false };

async function openTunnel(business: Business): Promise<Client> {
  const socket = new WebSocket(await business.newTunnel(), options);
  await once(socket, "open");
  return {
    socket,
    say: (_, due) => socket.send(`message:${JSON.stringify({ type: "speak", content: `due ${due.toFixed(3)}` })}`),
  };
}

async function openRoom({ token, stream, grant }: Guest, port: number): Promise<Client> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/pgws`, await ticketFor(token, port), options);
  await once(socket, "open");
  socket.send(JSON.stringify({ type: "resume", n: 1, streams: [{ stream, grant }] }));
  await once(socket, "message");
  let n = 1;
  const say = (k: number, due: number) => {
    n += 1;
    const id = `m${k}-${due.toFixed(0)}`;
    socket.send(JSON.stringify({ type: "publish", n, stream, grant, id, data: `due ${due.toFixed(3)}` }));
  };
  return { socket, say };
}

async function round(clients: readonly Client[], rate: number, seconds: number): Promise<Round> {
  const arrived: number[] = [];
  const hear = (data: { toString(): string }) => {
    const due = /"due (\d+\.\d+)"/.exec(data.toString())?.[1];
    if (due !== undefined) arrived.push(now() - Number(due));
  };
  for (const { socket } of clients) socket.on("message", hear);
  const sent = rate * seconds;
  const late = await openLoop(sent, rate, (k, due) => clients[k % clients.length]?.say(k, due));
  await settled(() => arrived.length >= sent);
  for (const { socket } of clients) socket.off("message", hear);
  return { arrived: ascending(arrived), sent, late };
}

// --- Rounds --------------------------------------------------------------------------------------------------------

const contenders = ["tunnel", "publish"] as const;
type Contender = (typeof contenders)[number];

export const tunnelRoundTrip: Workload = {
  name: "tunnel_round_trip",
  says: "a mini-program's message due → business server → back at the mini-program, against a client's own publish → event",
  seconds: { full: 35 },
  async run(bench) {
    const rate = bench.number("rate", { short: 20, full: 50 });
    const seconds = bench.number("seconds", { short: 3, full: 5 });
    const clients = bench.number("clients", { short: 20, full: 20 });
    const business = new Business();
    const businessPort = await business.listen();

    /** One round of one contender on a database and in a process of its own. */
    async function play(name: Contender): Promise<Measured> {
      const orderbell = await bench.start<Orderbell>("_channel", { args: [clients, businessPort, key] });
      business.port = orderbell.port;
      try {
        const opened = await Promise.all(
          orderbell.guests.map((guest) => (name === "tunnel" ? openTunnel(business) : openRoom(guest, orderbell.port))),
        );
        // The compilers warm up on the way that is measured.
        await round(opened, rate, 2);
        const { arrived, sent, late } = await round(opened, rate, seconds);
        for (const { socket } of opened) socket.terminate();
        if (isVoid(late, sent)) throw new VoidRound(`the generator sent ${late} of ${sent} late`);
        if (arrived.length !== sent) bench.fail(`${name}: ${sent - arrived.length} of ${sent} messages did not arrive`);
        const { p50, p99, max } = quantiles(arrived);
        return { "there p50": [p50, "ms"], "there p99": [p99, "ms"], "there max": [max, "ms"] };
      } finally {
        await orderbell.stop();
      }
    }

    try {
      await bench.play({
        case: `${rate} messages/s`,
        contenders: ["tunnel", "publish"],
        play: (name) => play(name as Contender),
      });
    } finally {
      business.close();
    }
  },
};
