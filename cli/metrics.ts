/** Figures of this process in Prometheus' format. Labels are routes, codes and kinds, of which there are few: never an id. */
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Connections } from "../apigateway/local/connections.ts";
import { routeLabel, type Scrape } from "../apigateway/local/http.ts";
import type { Routes } from "../apigateway/local/routes.ts";
import { DatabaseUnwell } from "../db/conditions.ts";
import { ConnectionLost, ConstraintFailed, type Database, FlightLost, GuardFailed } from "../db/database.ts";
import { monotonicMs } from "../functions/_app.ts";
import type { App } from "../shared/app.ts";
import type { Batches, Run } from "../shared/batch.ts";
import { AppError } from "../shared/errors.ts";
import type { Fields } from "../shared/log.ts";
import { equal } from "../shared/secrets.ts";
import type { MachineInstrument } from "./machine_instrument.ts";

export interface Metrics {
  readonly instrument: MachineInstrument;
  /** Counts a round trip to the database. */
  readonly trip: () => void;
  readonly scrape: Scrape;
}

/** Seconds. */
const durations = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const sizes = [1, 2, 4, 8, 16, 32, 64, 128];
/** Codes with which sockets close; a client may choose any other. */
const closeCodes = new Set([1000, 1001, 1005, 1006, 1008, 1009, 1011, 1012]);

/** @param token with which a scrape must come; without one none is asked for */
export function openMetrics(token: string | undefined): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const figures = figuresIn(registry);
  return {
    instrument: {
      line: (level, event, fields) => {
        if (level === "error" || level === "warn") figures.problems.inc({ level, event });
        countLine(figures, event, fields);
      },
      database: (database) => measured(database, figures),
      batches: (batches, of) => withSizes(batches, (size) => figures.batchSize.observe({ of }, size)),
      request: (request, response, routes) => observeRequest(figures, request, response, routes),
      look: (app, connections) => lookAt(registry, app, connections),
    },
    trip: () => figures.trips.inc(),
    async scrape(authorization) {
      if (token !== undefined && !isToken(authorization, token)) return refused;
      const headers = { "content-type": registry.contentType, "cache-control": "no-store" };
      return { status: 200, headers, body: await registry.metrics() };
    },
  };
}

const refused = {
  status: 401,
  headers: { "content-type": "text/plain", "www-authenticate": 'Bearer realm="metrics"', "cache-control": "no-store" },
  body: "a token is needed\n",
};

/** Compared by their hashes, in constant time: nothing tells how much of it was right, nor how long it is. */
function isToken(authorization: string | undefined, token: string): boolean {
  const given = /^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1] ?? "";
  return equal(digest(given), digest(token));
}
const digest = (text: string) => createHash("sha256").update(text).digest("base64");

type Figures = ReturnType<typeof figuresIn>;

function figuresIn(registry: Registry) {
  const registers = [registry];
  const counter = <T extends string>(name: string, help: string, labelNames: readonly T[]) =>
    new Counter<T>({ name: `orderbell_${name}_total`, help, labelNames, registers });
  const histogram = <T extends string>(name: string, help: string, labelNames: readonly T[], buckets = durations) =>
    new Histogram<T>({ name: `orderbell_${name}`, help, labelNames, buckets, registers });
  const gauge = <T extends string>(name: string, help: string, labelNames: readonly T[]) =>
    new Gauge<T>({ name: `orderbell_${name}`, help, labelNames, registers });
  return {
    info: gauge("info", "1; what runs is in the labels", ["version", "node", "engine", "engine_version", "schema"]),
    requests: histogram(
      "http_request_duration_seconds",
      "HTTP requests until their answer was out, or the client left",
      ["route", "status"],
    ),
    orders: counter(
      "orders",
      "Orders: placed, repeated (the same key again), or the code with which they were refused",
      ["outcome"],
    ),
    unaccepted: counter("orders_unaccepted", "Orders that nobody accepted in time: escalated, then expired", [
      "outcome",
    ]),
    lag: histogram("push_lag_seconds", "From an event's time, just before its commit, until its frames were written", [
      "stream",
    ]),
    frames: counter("push_frames", "Frames of events, by what became of them", ["result"]),
    slow: counter("slow_readers", "Sockets closed because their client did not read", []),
    opened: counter("sockets_opened", "Handshakes: ok, or the code with which they were refused", ["outcome"]),
    closed: counter("sockets_closed", "Sockets that ended, by the code of their close", ["code"]),
    received: counter("frames_received", "Frames of clients, by how they were handled", ["outcome"]),
    resumes: counter("resumes", "Readers that began or went on, gaps that a check found, and readers that began anew", [
      "kind",
    ]),
    polls: counter("polls", "Polls that were answered: with events, with nothing, or the code of their refusal", [
      "outcome",
    ]),
    webhooks: counter("webhook_deliveries", "Events sent to webhooks", ["outcome"]),
    batchSize: histogram("batch_size", "Items that were stored or read together", ["of"], sizes),
    database: histogram("database_duration_seconds", "Reads and transactions, with their repeats", ["kind"]),
    databaseErrors: counter("database_errors", "Reads and transactions that failed, by why", ["kind"]),
    trips: counter("database_round_trips", "Messages to the database that waited for an answer", []),
    problems: counter("log_lines", "Lines of the log at the levels warn and error", ["level", "event"]),
  };
}

/** `shop:noodles` → `shop`. */
const kindOf = (stream: unknown) => String(stream).replace(/:[\s\S]*$/, "");

/** What the log says is what is counted: each happening has its line, written or not. */
function countLine(figures: Figures, event: string, fields: Fields): void {
  const { code } = fields;
  const outcome = code === undefined ? "ok" : String(code);
  switch (event) {
    case "start":
      figures.info.set(
        {
          version: String(fields.version),
          node: String(fields.node),
          engine: String(fields.engine),
          engine_version: String(fields.engineVersion),
          schema: String(fields.schema),
        },
        1,
      );
      break;
    case "request":
      if (fields.route === "POST /bill")
        figures.orders.inc({ outcome: code === undefined ? (fields.repeated ? "repeated" : "placed") : outcome });
      else if (fields.route === "GET /events")
        figures.polls.inc({
          outcome: code === undefined ? (Number(fields.events) > 0 ? "events" : "nothing") : outcome,
        });
      break;
    case "order.escalated":
    case "order.expired":
      figures.unaccepted.inc({ outcome: event.slice("order.".length) });
      break;
    case "push":
      countPush(figures, fields);
      break;
    case "slow":
      figures.slow.inc();
      break;
    case "open":
      figures.opened.inc({ outcome });
      break;
    case "close":
      figures.closed.inc({ code: closeCodes.has(Number(fields.status)) ? String(fields.status) : "other" });
      break;
    case "message":
      figures.received.inc({ outcome });
      break;
    case "resume":
    case "gap":
    case "reset":
      figures.resumes.inc({ kind: event });
      break;
    case "webhook":
      figures.webhooks.inc({ outcome: fields.tries === undefined ? "ok" : "failed" });
      break;
  }
}

function countPush({ frames, lag }: Figures, { stream, sent, gone, lagMs }: Fields): void {
  // The line of a failure has none of these.
  if (typeof sent !== "number") return;
  frames.inc({ result: "sent" }, sent);
  frames.inc({ result: "gone" }, Number(gone ?? 0));
  if (typeof lagMs === "number") lag.observe({ stream: kindOf(stream) }, lagMs / 1_000);
}

function observeRequest(
  { requests }: Figures,
  request: IncomingMessage,
  response: ServerResponse,
  routes: Routes,
): void {
  const since = monotonicMs();
  response.once("close", () => {
    const { statusCode, headersSent } = response;
    // A client that leaves before its answer has no status.
    const status = headersSent ? `${Math.floor(statusCode / 100)}xx` : "left";
    requests.observe({ route: routeLabel(routes, request, statusCode), status }, (monotonicMs() - since) / 1_000);
  });
}

function measured<D extends Database>(database: D, { database: duration, databaseErrors }: Figures): D {
  async function timed<T>(kind: "read" | "transaction", work: () => Promise<T>): Promise<T> {
    const since = monotonicMs();
    try {
      return await work();
    } catch (error) {
      databaseErrors.inc({ kind: errorKindOf(error) });
      throw error;
    } finally {
      duration.observe({ kind }, (monotonicMs() - since) / 1_000);
    }
  }
  const own: Pick<Database, "read" | "flight"> = {
    read: (statements) => timed("read", () => database.read(statements)),
    flight: (flight) => timed("transaction", () => database.flight(flight)),
  };
  return { ...database, ...own };
}

function errorKindOf(error: unknown): string {
  if (error instanceof ConnectionLost) return "away";
  if (error instanceof DatabaseUnwell) return error.condition;
  if (error instanceof FlightLost) return "conflict";
  if (error instanceof GuardFailed) return "guard";
  if (error instanceof ConstraintFailed) return error.kind;
  // What `decide` refuses is no failure of the database.
  return error instanceof AppError ? "refused" : "other";
}

/** @param onBatch is told how many items each batch has */
function withSizes(batches: Batches, onBatch: (size: number) => void): Batches {
  const wrapped = new Map<unknown, unknown>();
  return {
    add<Given, Item, Outcome>(
      run: Run<Given, Item, Outcome>,
      given: Given,
      item: Item,
      key?: string,
    ): Promise<Outcome> {
      const known = wrapped.get(run) as Run<Given, Item, Outcome> | undefined;
      const counted: Run<Given, Item, Outcome> =
        known ??
        ((own, items) => {
          onBatch(items.length);
          return run(own, items);
        });
      if (known === undefined) wrapped.set(run, counted);
      return batches.add(counted, given, item, key);
    },
  };
}

/** Figures that are looked up when they are asked for. */
function lookAt(registry: Registry, app: App, connections: Connections): void {
  const registers = [registry];
  const sockets = ["staff", "customer", "stranger"];
  new Gauge({
    name: "orderbell_sockets",
    help: "Open sockets, by whose they are",
    labelNames: ["kind"],
    registers,
    collect() {
      const counts = new Map(sockets.map((kind) => [kind, 0]));
      for (const { kind } of connections.all()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
      for (const [kind, count] of counts) this.set({ kind }, count);
    },
  });
  new Gauge({
    name: "orderbell_readers",
    help: "Sockets that follow streams, by the kind of stream",
    labelNames: ["stream"],
    registers,
    collect() {
      this.reset();
      for (const stream of ["shop", "user", "menu", "board", "room", "presence"]) this.set({ stream }, 0);
      for (const stream of connections.streams())
        this.inc({ stream: kindOf(stream) }, connections.countReaders(stream));
    },
  });
  new Gauge({
    name: "orderbell_polls_waiting",
    help: "Polls that wait for events",
    registers,
    collect() {
      this.set(app.headWatcher.size);
    },
  });
}
