/** Benchmark: time from the moment an order is due to the kitchen's screen, against a control, in paired rounds. See README.md. */
import { once } from "node:events";
import { Agent, request } from "node:http";
import { WebSocket } from "ws";
import { type Running, ticketFor } from "./_contender.ts";
import { now, openLoop, settled } from "./_open_loop.ts";
import { ascending, at, isVoid, quantiles } from "./_statistics.ts";
import { VoidRound, type Workload } from "./_workload.ts";

interface Shop {
  readonly id: string;
  readonly token: string;
  /** Session token for the socket's ticket; the control has none. */
  readonly kitchenToken?: string;
  readonly hello: string;
}

interface Contender extends Running {
  readonly path: string;
  readonly shops: Shop[];
}

interface Round {
  /** Milliseconds from due to pushed, sorted. */
  readonly pushed: number[];
  readonly answered: number[];
  readonly sent: number;
  readonly late: number;
}

async function round({ port, path, shops }: Contender, rate: number, seconds: number): Promise<Round> {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const pushed: number[] = [];
  const answered: number[] = [];
  const sockets = await Promise.all(
    shops.map(async (shop) => {
      const protocols = shop.kitchenToken === undefined ? [] : await ticketFor(shop.kitchenToken, port);
      const socket = new WebSocket(`ws://127.0.0.1:${port}/pgws`, protocols, { perMessageDeflate: false });
      await once(socket, "open");
      socket.send(shop.hello);
      await once(socket, "message");
      socket.on("message", (data) => {
        const due = /"note":"due (\d+\.\d+)"/.exec(data.toString())?.[1];
        if (due !== undefined) pushed.push(now() - Number(due));
      });
      return socket;
    }),
  );
  let open = 0;
  const send = (k: number, due: number) => {
    const shop = shops[k % shops.length] as Shop;
    const body = JSON.stringify({
      shop: shop.id,
      lines: [
        { dish: "beef", quantity: 1 },
        { dish: "pork", quantity: 2 },
      ],
      service: "pickup",
      note: `due ${due.toFixed(3)}`,
    });
    open += 1;
    const call = request(
      {
        agent,
        port,
        host: "127.0.0.1",
        method: "POST",
        path,
        headers: {
          "content-type": "application/json",
          authorization: `Bearer ${shop.token}`,
          "idempotency-key": `bench-${due.toFixed(3)}-${k}`,
          "content-length": Buffer.byteLength(body),
        },
      },
      (response) => {
        if (response.statusCode === 201) answered.push(now() - due);
        response.resume().on("end", () => open--);
      },
    );
    call.on("error", () => open--);
    call.end(body);
  };
  const total = rate * seconds;
  const late = await openLoop(total, rate, send);
  await settled(() => open === 0 && pushed.length >= total);
  for (const socket of sockets) socket.terminate();
  agent.destroy();
  return { pushed: ascending(pushed), answered: ascending(answered), sent: total, late };
}

export const orderToKitchen: Workload = {
  name: "order_to_kitchen",
  says: "an order due → the kitchen's socket has it",
  seconds: { short: 60, full: 200 },
  async run(bench) {
    const rate = bench.number("rate", { short: 1_000, full: 1_000 });
    const seconds = bench.number("seconds", { short: 4, full: 10 });
    await bench.play({
      case: `${rate}/s`,
      contenders: await bench.available(["orderbell", "bare"]),
      async play(name) {
        const contender = await bench.start<Contender>(name === "bare" ? "_control" : "_orderbell", { args: [20] });
        try {
          // Warms up the compilers on the measured path.
          await round(contender, Math.min(rate, 200), 2);
          const { pushed, answered, sent, late } = await round(contender, rate, seconds);
          if (isVoid(late, sent)) throw new VoidRound(`the generator sent ${late} of ${sent} late`);
          if (pushed.length !== sent) bench.fail(`${name}: ${sent - pushed.length} of ${sent} orders were not pushed`);
          const { p50, p99 } = quantiles(pushed);
          return { "push p50": [p50, "ms"], "push p99": [p99, "ms"], "answer p50": [at(answered, 0.5), "ms"] };
        } finally {
          await contender.stop();
        }
      },
    });
  },
};
