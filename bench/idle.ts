/** Workload: connections that wait, each with a session and a stream of its own: memory and CPU time for one. See README.md. */
import type { Running } from "./_contender.ts";
import { memoryOf, probed } from "./_probe.ts";
import { processorMs } from "./_processor.ts";
import { type Client, openFilesLimit, Sockets } from "./_sockets.ts";
import type { Bench, Measured, Workload } from "./_workload.ts";

const contenders = ["orderbell", "ws"] as const;

/** Opened before memory is read the first time: code is compiled, pools are full. */
const before = 500;

/** More than one address has ports for. */
const many = 100_000;

interface Crowd extends Running {
  readonly customers: readonly { readonly token: string }[];
  readonly streams: readonly string[];
}

async function play(bench: Bench, contender: string, count: number): Promise<Measured> {
  const environment = probed;
  const sockets = new Sockets();
  let server: Running | undefined;
  try {
    let clients: readonly Client[];
    if (contender === "orderbell") {
      const args = [1, before + count];
      const crowd = await bench.start<Crowd>("_crowd", { engine: bench.engine, args, environment });
      server = crowd;
      clients = crowd.customers.map(({ token }, nth) => ({
        token,
        streams: [{ stream: crowd.streams[nth] as string }],
      }));
    } else {
      server = await bench.start<object>("peers/ws_loop", { needsDatabase: false, args: ["pings"], environment });
      clients = Array.from({ length: before + count }, () => ({ hello: "resume" }));
    }
    const open = async (some: readonly Client[]) => {
      const { port } = server as Running;
      const opened = await sockets.open({ port, clients: some, sources: 200, width: 128, mode: "follow" });
      if (opened.failed > 0) bench.fail(`idle: ${opened.failed} of ${some.length} failed: ${opened.errors[0]}`);
      return opened;
    };
    await open(clients.slice(0, before));
    const empty = await memoryOf(server.pid);
    const startedAt = performance.now();
    await open(clients.slice(before));
    const openedMs = performance.now() - startedAt;
    const full = await memoryOf(server.pid);

    await sockets.begin();
    const seconds = bench.number("seconds", { short: 10, full: 25 });
    await sockets.check(true);
    const cpuMs = processorMs(server.pid);
    await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
    const cpuUs = (processorMs(server.pid) - cpuMs) * 1_000;
    const later = await memoryOf(server.pid);
    const { closed, gaps, errors } = await sockets.ledger();
    if (closed > 0 || gaps > 0 || errors.length > 0)
      bench.fail(`idle, ${contender}: ${closed} sockets closed, ${gaps} gaps, ${errors[0] ?? "no error"}`);
    return {
      "RSS per connection": [(full.rssBytes - empty.rssBytes) / count, "B"],
      "heap per connection": [(full.heapBytes - empty.heapBytes) / count, "B"],
      "RSS per connection later": [(later.rssBytes - empty.rssBytes) / count, "B"],
      "CPU per connection and second": [cpuUs / seconds / (count + before), "µs"],
      opened: [(count * 1_000) / openedMs, "/s"],
    };
  } finally {
    await sockets.close();
    await server?.stop();
  }
}

export const idle: Workload = {
  name: "idle",
  says: "What one connection costs that only waits: memory after a collection, and CPU time with its heartbeat of 25 s.",
  seconds: { short: 70, full: 130 },
  async run(bench) {
    const limit = await openFilesLimit();
    const count = bench.number("connections", { short: 2_000, full: 10_000 });
    if (bench.profile === "full" && count < many)
      bench.note(`${many} connections: npm run bench -- idle --full --connections ${many} --minutes 30`);
    const chosen = bench.list("contenders", contenders);
    if (count + before + 200 > limit) {
      bench.note(`${count} connections: not measured, a process may open ${limit} files only (ulimit -n)`);
      return;
    }
    const rounds = bench.number("rounds", { short: 1, full: 1 });
    await bench.play({ case: String(count), contenders: chosen, rounds, play: (one) => play(bench, one, count) });
  },
};
