/** GET /metrics: what is counted, who may read it and where, and that nothing of it is there without a setting. */
import { readFileSync } from "node:fs";
import { lineSeenBy, requestSeenBy } from "../../cli/machine_instrument.ts";
import { type Measuring, openMeasuring } from "../../cli/measure.ts";
import { openMetrics } from "../../cli/metrics.ts";
import { DatabaseUnwell } from "../../db/conditions.ts";
import { ConnectionLost, type Database, FlightLost } from "../../db/database.ts";
import { readServerConfig } from "../../shared/config.ts";
import { instrumented } from "../../shared/instrument.ts";
import { anyEngine } from "../_engines.ts";
import { type House, newKey, openHouse } from "../_house.ts";
import { until } from "../_until.ts";

const token = "a-token-of-the-operator";
const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

let house: House;
let measuring: Measuring;
beforeAll(async () => {
  measuring = await openMeasuring(readServerConfig({ METRICS_TOKEN: token }));
  const { instruments, scrape } = measuring;
  house = await openHouse(anyEngine, { instruments, scrape, environment: { POLL_WAIT_SEC: "1" } });
});
afterAll(async () => {
  await house.close();
  await measuring.close();
});

const scraped = async (path = "/metrics", authorization = `Bearer ${token}`) => {
  const response = await fetch(house.url + path, { headers: authorization === "" ? {} : { authorization } });
  return { status: response.status, headers: response.headers, text: await response.text() };
};
/** The sum of all series of a metric that have these labels. */
const valueIn = (text: string, name: string, labels: Readonly<Record<string, string>> = {}) =>
  text
    .split("\n")
    .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    .filter((line) => Object.entries(labels).every(([label, value]) => line.includes(`${label}="${value}"`)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);

describe("the figures", () => {
  it("count what happens to an order, its readers and its polls", async () => {
    const [kitchen, customer] = [await house.staff("kitchen"), await house.guest()];
    const screen = await kitchen.connect();
    const { epoch, seq, tag } = (await screen.resume({ stream: `shop:${house.shop}` })) as { seq: number } & Record<
      "epoch" | "tag",
      string
    >;
    const key = newKey();
    const placed = await customer.order({}, key);
    expect([placed.status, (await customer.order({}, key)).status]).toEqual([201, 200]);
    expect((await customer.order({ lines: [{ dish: "off", quantity: 1 }] })).body.code).toBe("DISH_UNAVAILABLE");
    await screen.next("event", ({ event }) => event === "order.placed");
    const query = new URLSearchParams({ stream: `shop:${house.shop}`, epoch, after: String(seq), tag });
    expect((await kitchen.http("GET", `/events?${query}`)).body.events).not.toHaveLength(0);
    expect((await customer.http("GET", `/events?${query}`)).status).toBe(403);
    const waiting = customer.http("GET", `/events?stream=menu:${house.shop}&wait=1`);
    await until(() => house.app.headWatcher.size === 1, "a waiting poll");

    const { status, headers, text } = await scraped();
    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(headers.get("cache-control")).toBe("no-store");
    const value = (name: string, labels: Readonly<Record<string, string>> = {}) => valueIn(text, name, labels);
    const requests = "orderbell_http_request_duration_seconds_count";
    expect(value(requests, { route: "POST /bill", status: "2xx" })).toBe(2);
    expect(value(requests, { route: "POST /bill", status: "4xx" })).toBe(1);
    expect(value("orderbell_orders_total", { outcome: "placed" })).toBe(1);
    expect(value("orderbell_orders_total", { outcome: "repeated" })).toBe(1);
    expect(value("orderbell_orders_total", { outcome: "DISH_UNAVAILABLE" })).toBe(1);
    expect(value("orderbell_push_lag_seconds_count", { stream: "shop" })).toBeGreaterThanOrEqual(1);
    expect(value("orderbell_push_frames_total", { result: "sent" })).toBeGreaterThanOrEqual(1);
    expect(value("orderbell_sockets", { kind: "staff" })).toBe(1);
    expect(value("orderbell_readers", { stream: "shop" })).toBe(1);
    expect(value("orderbell_readers", { stream: "board" })).toBe(0);
    expect(value("orderbell_sockets_opened_total", { outcome: "ok" })).toBe(1);
    expect(value("orderbell_polls_waiting")).toBe(1);
    expect(value("orderbell_polls_total", { outcome: "events" })).toBe(1);
    expect(value("orderbell_polls_total", { outcome: "STREAM_FORBIDDEN" })).toBe(1);
    expect(value("orderbell_batch_size_count", { of: "orders" })).toBeGreaterThanOrEqual(1);
    expect(value("orderbell_batch_size_sum", { of: "arrivals" })).toBeGreaterThanOrEqual(1);
    expect(value("orderbell_database_duration_seconds_count", { kind: "transaction" })).toBeGreaterThan(0);
    expect(value("orderbell_database_duration_seconds_count", { kind: "read" })).toBeGreaterThan(0);
    expect(value("process_resident_memory_bytes")).toBeGreaterThan(1e6);
    expect(text).toMatch(/^nodejs_eventloop_lag_seconds /m);
    expect((await waiting).status).toBe(200);

    // A reader that is gone, and one that left.
    const dead = [...house.server.connections.all()].find(({ streams }) => streams.has(`shop:${house.shop}`));
    Object.defineProperty(dead?.socket, "readyState", { value: 3, configurable: true });
    await customer.order();
    Reflect.deleteProperty(dead?.socket ?? {}, "readyState");
    screen.close();
    await until(() => house.server.connections.size === 0, "a closed socket");
    const after = (await scraped()).text;
    expect(valueIn(after, "orderbell_push_frames_total", { result: "gone" })).toBe(1);
    expect(valueIn(after, "orderbell_sockets", { kind: "staff" })).toBe(0);
    expect(valueIn(after, "orderbell_polls_total", { outcome: "nothing" })).toBe(1);

    // Labels are kinds and codes: nothing of a person, an order, a shop or a socket.
    for (const id of [house.shop, placed.body.order.id, customer.user, customer.session, kitchen.session, dead?.id])
      expect(after).not.toContain(id);
  });

  it("have few series, whatever clients send", async () => {
    for (const path of ["/a", "/b?x=1", "/orders/1/2/3", "/%00", "/wp-login.php"]) await house.http("GET", path);
    for (const method of ["BREW", "LOCK"]) await fetch(`${house.url}/x-${method}`, { method }).catch(() => {});
    const { text } = await scraped();
    const routes = [...text.matchAll(/_seconds_count\{route="([^"]+)"/g)].map(([, route = ""]) => route);
    const known = new Set(read("serverless.yml").match(/(GET|POST|PUT|PATCH|DELETE) \/\S*/g));
    expect(routes.filter((route) => !known.has(route) && !["$default", "none", "files"].includes(route))).toEqual([
      "GET /metrics",
    ]);
    // A client may close with any code.
    const { instrument, scrape } = openMetrics(undefined);
    for (let status = 3_000; status < 3_100; status++) instrument.line?.("info", "close", { status });
    const figures = (await scrape(undefined)).body;
    expect(figures.match(/^orderbell_sockets_closed_total\{.*$/gm)).toEqual([
      'orderbell_sockets_closed_total{code="other"} 100',
    ]);
  });

  it("tell failures of the database by their kind, and pass them on", async () => {
    const { instrument, scrape } = openMetrics(undefined);
    const errors = [
      new ConnectionLost(false, undefined),
      new DatabaseUnwell("full", undefined),
      new FlightLost(undefined),
      new TypeError("another"),
    ];
    let at = 0;
    const broken = { read: async () => Promise.reject(errors[at]) } as unknown as Database;
    for (; at < errors.length; at++) await expect(instrument.database?.(broken).read([])).rejects.toBe(errors[at]);
    const { body } = await scrape(undefined);
    for (const kind of ["away", "full", "conflict", "other"])
      expect(valueIn(body, "orderbell_database_errors_total", { kind })).toBe(1);
  });

  it("are documented, each with what it means, and the alert rules use no other", async () => {
    const guide = read("docs/monitoring.md");
    const documented = [...guide.matchAll(/^\| `(orderbell_\w+)` /gm)].map(([, name]) => name);
    const { text } = await scraped();
    const there = [...text.matchAll(/^# TYPE (orderbell_\w+) /gm)].map(([, name]) => name);
    expect(documented.toSorted()).toEqual(there.toSorted());
    const used = [...read("deploy/prometheus-rules.yml").matchAll(/\b(orderbell_\w+|nodejs_\w+|process_\w+)/g)];
    const series = new Set([...text.matchAll(/^(\w+)[ {]/gm)].map(([, name]) => name));
    expect(used.length).toBeGreaterThan(8);
    const declared = (name = "") => series.has(name) || there.includes(name.replace(/_(bucket|count|sum)$/, ""));
    expect(used.map(([, name]) => name).filter((name) => !declared(name))).toEqual([]);
  });
});

describe("who may read them", () => {
  it.each([
    ["without a token", ""],
    ["with another", "Bearer another-token-of-someone"],
    ["with the beginning of it", `Bearer ${token.slice(0, -1)}`],
    ["with more than it", `Bearer ${token}x`],
    ["with an empty one", "Bearer "],
    ["in another scheme", `Basic ${Buffer.from(`${token}:${token}`).toString("base64")}`],
  ])("nobody %s", async (_, authorization) => {
    const { status, headers, text } = await scraped("/metrics", authorization);
    expect([status, headers.get("www-authenticate")]).toEqual([401, 'Bearer realm="metrics"']);
    expect(text).not.toMatch(/orderbell_|process_/);
  });

  it.each(["/metrics/", "//metrics", "/%6detrics", "/METRICS", "/metrics;x", "/x/../metrics/", "/metrics/all"])(
    "nobody by the path %s",
    async (path) => {
      expect((await scraped(path)).text).not.toMatch(/orderbell_|process_/);
    },
  );

  it("the token is in no line of the log", () => {
    expect(house.lines.join("")).not.toContain(token);
  });
});

describe("where they are", () => {
  it("on a port of their own, on this machine alone, they are on no other", async () => {
    const own = await openMeasuring(readServerConfig({ METRICS_PORT: "0" }));
    expect(own.scrape).toBeUndefined();
    expect(own.metricsUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/);
    const url = own.metricsUrl ?? "";
    expect(await (await fetch(url)).text()).toMatch(/^orderbell_/m);
    expect((await fetch(url.replace("metrics", "healthz"))).status).toBe(404);
    expect((await fetch(url, { method: "POST" })).status).toBe(404);
    await own.close();
    await expect(fetch(url)).rejects.toThrow();
  });

  it("with port and token, the port wants the token", async () => {
    const own = await openMeasuring(readServerConfig({ METRICS_PORT: "0", METRICS_TOKEN: token }));
    const statuses = await Promise.all(
      [{}, { authorization: `Bearer ${token}` }].map(async (headers: Record<string, string>) => {
        const response = await fetch(own.metricsUrl ?? "", { headers });
        await response.text();
        return response.status;
      }),
    );
    expect([statuses, own.scrape]).toEqual([[401, 200], undefined]);
    await own.close();
  });

  it("without a setting there are none: nothing is opened, wrapped or called", async () => {
    const none = await openMeasuring(readServerConfig({}));
    expect(none).toMatchObject({ instruments: [], onTrip: undefined, scrape: undefined, metricsUrl: undefined });
    await none.close();
    expect([lineSeenBy([]), requestSeenBy([], {} as never)]).toEqual([undefined, undefined]);
    const part = {};
    expect(instrumented([], part, () => ({}))).toBe(part);
  });
});
