/** From the moment an order is due to the kitchen's screen, against a control, in paired rounds. See README.md. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { parseArgs } from "node:util";
import { WebSocket } from "ws";
import { type EngineName, freshDatabase } from "./_database.ts";

interface Shop {
  readonly id: string;
  readonly token: string;
  /** Of the session whose socket tickets are fetched; the control has none. */
  readonly kitchenToken?: string;
  readonly hello: string;
}

interface Contender {
  readonly port: number;
  readonly path: string;
  readonly shops: Shop[];
  stop(): Promise<void>;
}

interface Round {
  /** Milliseconds from due to pushed, sorted. */
  readonly pushed: number[];
  readonly answered: number[];
  readonly sent: number;
  readonly late: number;
}

const now = () => performance.timeOrigin + performance.now();

async function start(script: string, engine: EngineName, shops: number): Promise<Contender> {
  const database = await freshDatabase(engine);
  const child: ChildProcess = spawn(
    process.execPath,
    ["--import", "tsx", `bench/${script}.ts`, database.url, String(shops)],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const exited = once(child, "exit");
  const stop = async () => {
    child.kill("SIGKILL");
    await exited;
    await database.remove();
  };
  let line = "";
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    line += chunk.toString();
    if (line.endsWith("\n")) return { ...JSON.parse(line), stop };
  }
  await stop();
  throw new Error(`bench/${script}.ts ended before it was ready; what it says stands above`);
}

/** A ticket works once, and not for long: it is fetched just before its socket. */
async function protocolsOf({ kitchenToken }: Shop, port: number): Promise<string[]> {
  if (kitchenToken === undefined) return [];
  const headers = { authorization: `Bearer ${kitchenToken}` };
  const response = await fetch(`http://127.0.0.1:${port}/session/ticket`, { method: "POST", headers });
  if (response.status !== 201) throw new Error(`no ticket: ${response.status} ${await response.text()}`);
  const { ticket } = (await response.json()) as { ticket: string };
  return ["orderbell.v1", `ticket.${ticket}`];
}

async function round({ port, path, shops }: Contender, rate: number, seconds: number): Promise<Round> {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const pushed: number[] = [];
  const answered: number[] = [];
  const sockets = await Promise.all(
    shops.map(async (shop) => {
      const protocols = await protocolsOf(shop, port);
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
  let late = 0;
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
  const startAt = now() + 100;
  for (let k = 0; k < total; ) {
    const due = startAt + (k * 1_000) / rate;
    const waitMs = due - now();
    // Never early: what is sent before it is due looks faster than it is.
    if (waitMs > 0) {
      await new Promise((resolve) => (waitMs > 2 ? setTimeout(resolve, waitMs - 1.5) : setImmediate(resolve)));
      continue;
    }
    if (waitMs < -5) late += 1;
    send(k++, due);
  }
  for (let waited = 0; waited < 100 && (open > 0 || pushed.length < total); waited++)
    await new Promise((resolve) => setTimeout(resolve, 50));
  for (const socket of sockets) socket.terminate();
  agent.destroy();
  const sorted = (list: number[]) => list.toSorted((a, b) => a - b);
  return { pushed: sorted(pushed), answered: sorted(answered), sent: total, late };
}

const at = (sorted: readonly number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
const median = (list: readonly number[]) =>
  at(
    list.toSorted((a, b) => a - b),
    0.5,
  );

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
    // The order alternates, so that neither is always the one with the warm machine.
    for (const name of nth % 2 ? ["orderbell", "control"] : ["control", "orderbell"]) {
      const contender = await start(`_${name}`, engine, shops);
      let result: Round;
      try {
        // The compilers of both warm up on the road that is measured.
        await round(contender, Math.min(rate, 200), 2);
        result = await round(contender, rate, seconds);
      } finally {
        await contender.stop();
      }
      results[name] = result;
      const { pushed, answered, sent, late } = result;
      const void_ = late > sent / 1_000;
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
  for (const [name, list] of Object.entries(ratios))
    console.log(
      `orderbell / control, push ${name}: median ${median(list).toFixed(2)} (${Math.min(...list).toFixed(2)} to ${Math.max(...list).toFixed(2)}) of ${list.length} pairs`,
    );
  if (failed) {
    console.log("some orders were not pushed");
    process.exitCode = 1;
  }
}
