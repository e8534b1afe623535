/** Traces, at a small collector for OTLP over HTTP: what is in them, whose they go on with, and that their loss harms nobody. */
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Measuring, openMeasuring } from "../../cli/measure.ts";
import { readServerConfig } from "../../shared/config.ts";
import { anyEngine } from "../_engines.ts";
import { type House, newKey, oneBowl, openHouse } from "../_house.ts";
import { until } from "../_until.ts";
import { openReceiver, type Receiver, subscribe, webhookEnvironment } from "../webhooks/_receiver.ts";

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
  readonly links?: readonly { readonly spanId: string }[];
  readonly status: { readonly code?: number };
}

interface Collector {
  readonly url: string;
  readonly spans: Span[];
  /** Requests, of which `hang` answers none. */
  readonly came: ServerResponse[];
  hangs: boolean;
  readonly services: Set<unknown>;
  close(): Promise<void>;
}

async function openCollector(): Promise<Collector> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      collector.came.push(response);
      if (collector.hangs) return;
      for (const { resource, scopeSpans } of JSON.parse(Buffer.concat(chunks).toString()).resourceSpans) {
        const name = resource.attributes.find(({ key }: { key: string }) => key === "service.name");
        collector.services.add(name?.value.stringValue);
        for (const { spans } of scopeSpans) collector.spans.push(...spans);
      }
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const collector: Collector = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans: [],
    came: [],
    hangs: false,
    services: new Set(),
    async close() {
      server.close();
      server.closeAllConnections();
    },
  };
  return collector;
}

/** The packages read their variables themselves. */
const variables = { OTEL_EXPORTER_OTLP_ENDPOINT: "", OTEL_BSP_SCHEDULE_DELAY: "20", OTEL_EXPORTER_OTLP_TIMEOUT: "300" };
const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
let collector: Collector;
let measuring: Measuring;
let house: House;
let receiver: Receiver;

beforeAll(async () => {
  collector = await openCollector();
  Object.assign(process.env, variables, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  measuring = await openMeasuring(readServerConfig(process.env));
  const { instruments } = measuring;
  house = await openHouse(anyEngine, { instruments, environment: webhookEnvironment });
  receiver = await openReceiver();
  await subscribe(house, receiver, { types: ["order.placed"] });
});

afterAll(async () => {
  await house.close();
  await receiver.close();
  await collector.close();
  for (const [name, value] of before)
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
});

const newTrace = () => Array.from({ length: 32 }, () => Math.floor(Math.random() * 16).toString(16)).join("");
const parent = "00f067aa0ba902b7";
const order = async (guest: Awaited<ReturnType<House["guest"]>>, trace: string) =>
  guest.http("POST", "/bill", {
    body: { shop: house.shop, ...oneBowl },
    headers: { "idempotency-key": newKey(), traceparent: `00-${trace}-${parent}-01` },
  });
const spansOf = (trace: string) => collector.spans.filter(({ traceId }) => traceId === trace);
const named = (trace: string, name: string) => spansOf(trace).filter((span) => span.name === name);
const attribute = ({ attributes }: Span, name: string) =>
  Object.values(attributes.find(({ key }) => key === name)?.value ?? {})[0];

it("an order is one trace: the caller's, the request, its transaction, the pushes and the webhook", async () => {
  const [kitchen, guest] = [await house.staff("kitchen"), await house.guest()];
  const screen = await kitchen.connect();
  await screen.resume({ stream: `shop:${house.shop}` });
  const trace = newTrace();
  const { status, body } = await order(guest, trace);
  expect(status).toBe(201);
  await screen.next("event");
  await receiver.got(1);
  await until(
    () => named(trace, "POST").length === 1,
    "the webhook's span",
    () => spansOf(trace).map(({ name }) => name),
  );

  const [request, ...more] = named(trace, "POST /bill");
  expect([request?.parentSpanId, more]).toEqual([parent, []]);
  expect(attribute(request as Span, "http.response.status_code")).toBe(201);
  expect(attribute(request as Span, "http.route")).toBe("/bill");
  const byId = new Map(spansOf(trace).map((span) => [span.spanId, span]));
  const wayUp = (span: Span | undefined): string[] =>
    span === undefined ? [] : [span.name, ...wayUp(byId.get(span.parentSpanId ?? ""))];
  expect(wayUp(named(trace, "transaction")[0])).toEqual(["transaction", "batch", "store", "POST /bill"]);
  const pushes = named(trace, "push");
  expect(pushes.map((span) => attribute(span, "orderbell.stream")).toSorted()).toEqual(
    [`shop:${house.shop}`, `user:${guest.user}`].toSorted(),
  );
  for (const push of pushes) expect(wayUp(push).at(-1)).toBe("POST /bill");
  // The receiver goes on with it.
  const [call] = named(trace, "POST");
  expect(receiver.requests[0]?.headers.traceparent).toBe(`00-${trace}-${call?.spanId}-01`);
  expect(collector.services).toEqual(new Set(["orderbell"]));
  // The log leads to it.
  const lines = house.lines.map((line) => JSON.parse(line));
  expect(lines.find((line) => line.event === "request" && line.order === body.order.id)).toMatchObject({ trace });
  screen.close();
});

it("orders that share a transaction each have their wait, linked to it", async () => {
  const guests = await Promise.all(Array.from({ length: 8 }, () => house.guest()));
  const traces = guests.map(newTrace);
  await Promise.all(guests.map((guest, at) => order(guest, traces[at] as string)));
  const waits = () => traces.flatMap((trace) => named(trace, "store"));
  await until(() => waits().length === guests.length, "a wait for each order");
  const batches = () => traces.flatMap((trace) => named(trace, "batch"));
  const shared = () => batches().filter((span) => Number(attribute(span, "orderbell.batch.size")) > 1);
  await until(() => shared().length > 0, "a shared batch");
  const linked = waits().flatMap(({ links = [] }) => links.map(({ spanId }) => spanId));
  const size = (span: Span | undefined) => Number(attribute(span as Span, "orderbell.batch.size"));
  for (const batch of shared()) expect(linked.filter((id) => id === batch.spanId)).toHaveLength(size(batch) - 1);
});

it("a request without a trace begins one, a refusal is no failure, and no text of a person is in any", async () => {
  const guest = await house.guest();
  const refused = await guest.order({ note: "门口的铃坏了", lines: [{ dish: "off", quantity: 1 }] });
  expect(refused.status).toBeGreaterThanOrEqual(400);
  const id = refused.headers.get("x-request-id");
  const mine = () => collector.spans.find((span) => attribute(span, "orderbell.request_id") === id);
  await until(() => mine() !== undefined, "the request's span");
  const { trace } = JSON.parse(house.lines.find((line) => line.includes(`"requestId":"${id}"`)) ?? "{}");
  expect(mine()).toMatchObject({ name: "POST /bill", traceId: trace, status: {} });
  expect(mine()?.status.code ?? 0).toBe(0);
  expect(mine()?.parentSpanId ?? "").toBe("");
  expect(JSON.stringify(collector.spans)).not.toMatch(/铃/);
});

it("background work and heartbeats make no spans", async () => {
  const guest = await house.guest();
  const socket = await guest.connect();
  await socket.resume({ stream: `menu:${house.shop}` });
  const since = collector.spans.length;
  const n = socket.say({ type: "check", streams: [{ stream: `menu:${house.shop}`, epoch: "", seq: 0, tag: "" }] });
  await until(() => socket.frames.some((frame) => "n" in frame && frame.n === n), "an answer");
  await guest.http("GET", "/session");
  await until(() => collector.spans.slice(since).some(({ name }) => name === "GET /session"), "a later span");
  const roots = collector.spans.slice(since).filter(({ parentSpanId = "" }) => parentSpanId === "");
  expect(roots.map(({ name }) => name).filter((name) => !/^[A-Z]+ \//.test(name))).toEqual([]);
  socket.close();
});

it("a collector that hangs or is away delays nothing and fails nothing, and a stop does not wait for it", async () => {
  collector.hangs = true;
  const guest = await house.guest();
  const asked = collector.came.length;
  expect((await order(guest, newTrace())).status).toBe(201);
  await until(() => collector.came.length > asked, "a request that hangs");
  expect((await order(guest, newTrace())).status).toBe(201);
  await collector.close();
  expect((await order(guest, newTrace())).status).toBe(201);
  await until(() => house.lines.some((line) => line.includes('"event":"traces.lost"')), "a line in the log");
  await measuring.close();
  expect((await order(guest, newTrace())).status).toBe(201);
});
