/** Workload: all clients come back at once, each with ticket, upgrade, resume and backlog, while orders go on. See README.md. */
import type { Running } from "./_contender.ts";
import { query } from "./_database.ts";
import { type OrderServer, openLoad, requireInTime } from "./_load.ts";
import { type Client, openFilesLimit, Sockets } from "./_sockets.ts";
import { since, spent } from "./_spent.ts";
import { at } from "./_statistics.ts";
import type { Bench, Measured, Workload } from "./_workload.ts";

const contenders = ["orderbell", "ws"] as const;
const shops = 20;
/** Events that each client misses while it is away, beside those of its own orders. */
const missed = 3;
/** Of the generator's orders, in percent, that may be late: it shares two processors with a storm. */
const latePercent = { short: 1, full: 1 };

interface Crowd extends OrderServer, Running {
  readonly streams: readonly string[];
}

/** Writes events to all customers' streams, as commits would have. */
const missEvents = (count: number) => [
  `INSERT INTO events (stream, seq, tag, prev, type, data, at)
    SELECT s.name, s.seq + g, 'b' || (s.seq + g), CASE WHEN g = 1 THEN s.tag ELSE 'b' || (s.seq + g - 1) END, 'notification',
      '{"id":"missed","title":"bench","body":"' || repeat('x', 300) || '","at":"2026-01-01T00:00:00.000Z"}',
      CAST(extract(epoch FROM now()) * 1000 AS bigint)
    FROM streams s, generate_series(1, ${count}) g WHERE s.name LIKE 'user:%'`,
  `UPDATE streams SET seq = seq + ${count}, prev = 'b' || (seq + ${count - 1}), tag = 'b' || (seq + ${count}) WHERE name LIKE 'user:%'`,
];

const readHeads = "SELECT name, seq, tag FROM streams WHERE name LIKE 'user:%'";

/** @returns clients that are not where their stream is, or took another number of events on the way there */
async function behind(sockets: Sockets, database: string): Promise<string[]> {
  const [rows = []] = await query(database, readHeads);
  const heads = new Map(rows.map(({ name, seq, tag }) => [String(name), { seq: Number(seq), tag: String(tag) }]));
  return (await sockets.followed()).flatMap(({ client, stream, seq, tag, from, taken }) => {
    const head = heads.get(stream);
    if (head?.seq === seq && head.tag === tag && taken === seq - from) return [];
    return [
      `client ${client} has ${taken} events and is at ${seq}, its stream is at ${head?.seq}, it began at ${from}`,
    ];
  });
}

async function open(bench: Bench, sockets: Sockets, port: number, clients: readonly Client[]): Promise<void> {
  const { failed, errors } = await sockets.open({ port, clients, sources: 200, width: 128, mode: "follow" });
  if (failed > 0) throw new Error(`${failed} of ${clients.length} clients could not open: ${errors[0]}`);
  await sockets.begin();
  bench.note("each client has a connection of its own for its ticket, and comes from one of 200 networks");
}

/** All come back; what the server and its database spent on each. */
async function comeBack(bench: Bench, sockets: Sockets, server: Running, count: number) {
  const before = await spent(server);
  const {
    open: live,
    liveMs,
    failed,
    errors,
  } = await sockets.return(bench.number("width", { short: 1_000, full: 1_000 }));
  const { nodeUs, databaseUs } = since(before, await spent(server));
  if (failed > 0) bench.fail(`reconnect_storm: ${failed} of ${count} clients did not come back: ${errors[0]}`);
  const measured: Measured = {
    "clients/s": [(live * 1_000) / at(liveMs, 1), "/s"],
    "half live": [at(liveMs, 0.5), "ms"],
    "99 % live": [at(liveMs, 0.99), "ms"],
    "all live": [at(liveMs, 1), "ms"],
    // With what the orders of the same time cost.
    "Node CPU per client": [nodeUs / count, "µs"],
    "database CPU per client": [databaseUs / count, "µs"],
  };
  return measured;
}

async function storm(bench: Bench, count: number, round: number): Promise<Measured> {
  const rate = bench.number("rate", { short: 300, full: 500 });
  const seconds = bench.number("seconds", { short: 2, full: 3 });
  const crowd = await bench.start<Crowd>("_crowd", { engine: "postgres", args: [shops, count, 1] });
  const sockets = new Sockets();
  const load = await openLoad(crowd);
  try {
    const clients = crowd.streams.map((stream, nth) => ({
      token: crowd.customers[nth]?.token as string,
      streams: [{ stream }],
    }));
    await open(bench, sockets, crowd.port, clients);
    await load.run({ rate, seconds: 2 });
    const quiet = requireInTime(await load.run({ rate, seconds: 2 * seconds }), bench.number("late", latePercent));
    await sockets.cut();
    await query(crowd.database, ...missEvents(missed));
    // The server notices that they have gone.
    await new Promise((resolve) => setTimeout(resolve, 1_000));

    let over = false;
    const back = comeBack(bench, sockets, crowd, count).finally(() => {
      over = true;
    });
    back.catch(() => {});
    const busy = await load.run({ rate, seconds });
    while (!over) for (const problem of (await load.run({ rate, seconds: 1 })).problems) bench.fail(problem);
    const measured = await back;

    for (const problem of [...quiet.problems, ...busy.problems]) bench.fail(`reconnect_storm: ${problem}`);
    let late = await behind(sockets, crowd.database);
    // Two looks of the server at its streams.
    for (let waited = 0; late.length > 0 && waited < 20; waited++) {
      await new Promise((resolve) => setTimeout(resolve, 250));
      late = await behind(sockets, crowd.database);
    }
    if (late.length > 0) bench.fail(`reconnect_storm: ${late.length} of ${count} clients lack events: ${late[0]}`);
    const { doubles, gaps, errors } = await sockets.ledger();
    const figure = "orders: push p99";
    bench.report({ contender: "orderbell", case: "quiet", round, figure, unit: "ms", value: quiet.push.p99 });
    if (errors.length > 0) bench.note(`a client was told: ${errors[0]}`);
    return {
      ...measured,
      [figure]: [busy.push.p99, "ms"],
      "doubles dropped": [doubles, "count"],
      "asked again": [gaps, "count"],
    };
  } finally {
    await load.close();
    await sockets.close();
    await crowd.stop();
  }
}

/** Control: upgrade and one answer; no ticket, no stream, no backlog, no orders meanwhile. */
async function bare(bench: Bench, count: number): Promise<Measured> {
  const server = await bench.start<object>("peers/ws_loop", { needsDatabase: false });
  const sockets = new Sockets();
  try {
    await open(
      bench,
      sockets,
      server.port,
      Array.from({ length: count }, () => ({ hello: "resume" })),
    );
    await sockets.cut();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const { "database CPU per client": _, ...measured } = await comeBack(bench, sockets, server, count);
    return measured;
  } finally {
    await sockets.close();
    await server.stop();
  }
}

export const reconnectStorm: Workload = {
  name: "reconnect_storm",
  says: "Clients a second that are live and caught up again, when all lose their sockets at once while orders go on.",
  seconds: { short: 40, full: 90 },
  async run(bench) {
    if (bench.engine !== "postgres") return bench.note("reconnect_storm runs on PostgreSQL only");
    const count = bench.number("clients", { short: 2_000, full: 8_000 });
    const limit = await openFilesLimit();
    if (2 * count + 500 > limit) return bench.note(`${count} clients: this process may open ${limit} files only`);
    await bench.play({
      case: `${count} clients`,
      contenders: bench.list("contenders", contenders),
      rounds: bench.number("rounds", { short: 1, full: 2 }),
      play: (one, round) => (one === "ws" ? bare(bench, count) : storm(bench, count, round)),
    });
  },
};
