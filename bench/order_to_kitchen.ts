/** Benchmark: time from the moment an order is due to the kitchen's screen, against a control, in paired rounds. See README.md. */
import { once } from "node:events";
import { Agent, request } from "node:http";
import { parseArgs } from "node:util";
import { WebSocket } from "ws";
import { type Running, start, ticketFor } from "./_contender.ts";
import type { EngineName } from "./_database.ts";
import { ascending, at, isVoid, now, openLoop, printRatio, settled } from "./_open_loop.ts";

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

export async function orderToKitchen(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      engine: { type: "string", default: "postgres" },
      rate: { type: "string", default: "200" },
      seconds: { type: "string", default: "5" },
      rounds: { type: "string", default: "5" },
      shops: { type: "string", default: "20" },
    },
  });
  const engine = values.engine as EngineName;
  const [rate, seconds, rounds, shops] = [values.rate, values.seconds, values.rounds, values.shops].map(Number) as [
    number,
    number,
    number,
    number,
  ];
  console.log(`order_to_kitchen: ${engine}, ${rate} orders/s due, ${seconds} s, ${shops} shops, ${rounds} rounds`);
  console.log("round contender   sent answered  pushed   push p50    p99    max  answer p50");
  const ratios = { p50: [] as number[], p99: [] as number[] };
  let failed = false;
  for (let nth = 1; nth <= rounds; nth++) {
    const results: Record<string, Round> = {};
    // The order alternates, so that neither always runs on the warm machine.
    for (const name of nth % 2 ? ["orderbell", "control"] : ["control", "orderbell"]) {
      const contender = await start<Contender>(`_${name}`, engine, shops);
      let result: Round;
      try {
        // Warms up the compilers of both on the measured path.
        await round(contender, Math.min(rate, 200), 2);
        result = await round(contender, rate, seconds);
      } finally {
        await contender.stop();
      }
      results[name] = result;
      const { pushed, answered, sent, late } = result;
      const void_ = isVoid(late, sent);
      failed ||= pushed.length !== sent;
      const figures = [at(pushed, 0.5), at(pushed, 0.99), pushed.at(-1) ?? Number.NaN, at(answered, 0.5)].map((ms) =>
        ms.toFixed(2).padStart(7),
      );
      console.log(
        `${String(nth).padStart(5)} ${name.padEnd(10)} ${String(sent).padStart(6)} ${String(answered.length).padStart(8)} ${String(pushed.length).padStart(7)}   ${figures.join(" ")}${void_ ? "  void: the generator was late" : ""}`,
      );
      if (void_) delete results[name];
    }
    const { orderbell, control } = results;
    if (orderbell === undefined || control === undefined) continue;
    ratios.p50.push(at(orderbell.pushed, 0.5) / at(control.pushed, 0.5));
    ratios.p99.push(at(orderbell.pushed, 0.99) / at(control.pushed, 0.99));
  }
  for (const [name, list] of Object.entries(ratios)) printRatio(`orderbell / control, push ${name}`, list);
  if (failed) {
    console.log("some orders were not pushed");
    process.exitCode = 1;
  }
}
