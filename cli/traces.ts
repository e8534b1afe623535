/**
 * Traces by OpenTelemetry: request → transactions → pushes → calls to other servers. The context travels with the asynchronous call; where
 * orders share a transaction, each has a span for its wait, linked to the transaction that stored it.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Attributes, Context, Span, SpanContext, SpanKind, Tracer } from "@opentelemetry/api";
import type { Call } from "../apigateway/local/invoke.ts";
import { waitAtMost } from "../apigateway/local/wait_at_most.ts";
import { ConstraintFailed, type Database, GuardFailed } from "../db/database.ts";
import type { App } from "../shared/app.ts";
import type { Batches, Run } from "../shared/batch.ts";
import { ConfigError } from "../shared/config.ts";
import { AppError } from "../shared/errors.ts";
import type { Outbound } from "../shared/outbound.ts";
import type { Push } from "../shared/pushes.ts";
import { Recent } from "../shared/recent.ts";
import type { MachineInstrument } from "./machine_instrument.ts";
import { version } from "./version.ts";

export interface Traces {
  readonly instrument: MachineInstrument;
  /** Sends what is not sent yet; takes bounded time, also where nobody answers. */
  close(): Promise<void>;
}

/** At a stop, for the last spans. */
const closeMs = 2_000;
/** Events whose trace is known when their webhook is called. */
const maxEvents = 10_000;

type Api = typeof import("@opentelemetry/api");

/** The packages are no part of an installation without traces. */
const packages = "@opentelemetry/sdk-trace-base@2.12.1 @opentelemetry/exporter-trace-otlp-http@0.223.1";

async function load() {
  try {
    const [api, core, resources, sdk, exporter] = await Promise.all([
      import("@opentelemetry/api"),
      import("@opentelemetry/core"),
      import("@opentelemetry/resources"),
      import("@opentelemetry/sdk-trace-base"),
      import("@opentelemetry/exporter-trace-otlp-http"),
    ]);
    return { api, core, resources, sdk, exporter };
  } catch (error) {
    if (!/MODULE_NOT_FOUND$/.test((error as NodeJS.ErrnoException).code ?? "")) throw error;
    const install = `npm install --no-save --omit=dev ${packages}`;
    throw new ConfigError("OTEL_EXPORTER_OTLP_ENDPOINT", `needs packages that are not installed: ${install}`);
  }
}

/** Address, headers, sampler and the pace of the exporter are in OpenTelemetry's own variables. @throws ConfigError */
export async function openTraces(): Promise<Traces> {
  const { api, core, resources, sdk, exporter } = await load();
  const { envDetector, defaultResource, detectResources, resourceFromAttributes } = resources;
  const provider = new sdk.BasicTracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ "service.name": "orderbell", "service.version": version }))
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new sdk.BatchSpanProcessor(new exporter.OTLPTraceExporter())],
  });
  const scope = new Scope(api, provider.getTracer("orderbell", version));
  const propagator = new core.W3CTraceContextPropagator();
  const events = new Recent<string, SpanContext>(maxEvents);
  return {
    instrument: {
      call: (call) => tracedCall(call, scope, propagator),
      database: (database) => tracedDatabase(database, scope),
      batches: (batches) => tracedBatches(batches, scope),
      push: (push) => tracedPush(push, scope, events),
      outbound: (outbound) => tracedOutbound(outbound, scope, propagator, events),
      look: (app) => logLosses(api, app),
    },
    // The exporter tries a collector that does not answer again and again; nobody waits for it but this.
    close: () =>
      waitAtMost(
        closeMs,
        provider.shutdown().catch(() => {}),
      ),
  };
}

const quietMs = 60_000;

/** The packages' own messages are not repeated: they may quote an address with its password. */
function logLosses({ diag, DiagLogLevel }: Api, { log, clock }: App): void {
  let last = Number.NEGATIVE_INFINITY;
  const note = () => {
    if (clock.now() - last < quietMs) return;
    last = clock.now();
    log.warn("traces.lost", { setting: "OTEL_EXPORTER_OTLP_ENDPOINT" });
  };
  const nothing = () => {};
  diag.setLogger({ error: note, warn: note, info: nothing, debug: nothing, verbose: nothing }, DiagLogLevel.WARN);
}

/** Work that is going on in a span. What it has started may go on for longer, and is no part of the trace then. */
interface Current {
  readonly context: Context;
  isOver: boolean;
}

/** Spans of the asynchronous call that is running. */
class Scope {
  readonly api: Api;
  readonly #tracer: Tracer;
  readonly #current = new AsyncLocalStorage<Current | undefined>();

  constructor(api: Api, tracer: Tracer) {
    this.api = api;
    this.#tracer = tracer;
  }

  get current(): Context | undefined {
    const current = this.#current.getStore();
    return current?.isOver === false ? current.context : undefined;
  }

  start(name: string, kind: SpanKind, parent: Context, attributes: Attributes = {}): Span {
    return this.#tracer.startSpan(name, { kind, attributes }, parent);
  }

  /** Runs the work inside of the span, and ends the span with it. */
  async run<T>(span: Span, parent: Context, work: () => Promise<T>): Promise<T> {
    const current = { context: this.api.trace.setSpan(parent, span), isOver: false };
    try {
      return await this.#current.run(current, work);
    } catch (error) {
      noteError(span, error, this.api);
      throw error;
    } finally {
      current.isOver = true;
      span.end();
    }
  }

  /** Runs work that belongs to no trace, though it was started in one. */
  apart<T>(work: () => T): T {
    return this.#current.run(undefined, work);
  }

  /** A child of the running span; without one there is no trace that it could belong to. */
  within<T>(name: string, kind: SpanKind, attributes: Attributes, work: () => Promise<T>): Promise<T> {
    const parent = this.current;
    if (parent === undefined) return work();
    return this.run(this.start(name, kind, parent, attributes), parent, work);
  }
}

/** The class of the error: its message may quote what a person typed. A refusal is an answer, and no failure. */
function noteError(span: Span, error: unknown, { SpanStatusCode }: Api): void {
  span.setAttribute("error.type", error instanceof Error ? error.name : typeof error);
  const isRefusal =
    error instanceof AppError ? error.status < 500 : error instanceof GuardFailed || error instanceof ConstraintFailed;
  if (!isRefusal) span.setStatus({ code: SpanStatusCode.ERROR });
}

type Propagator = InstanceType<typeof import("@opentelemetry/core").W3CTraceContextPropagator>;

/** The parts of an HTTP API's event and result that matter here; frames and schedules have none of them. */
interface HttpCall {
  readonly routeKey?: string;
  readonly version?: string;
  readonly headers?: Record<string, string>;
  readonly requestContext?: { readonly requestId?: string; readonly http?: { readonly method?: string } };
}

/** A request is a trace, or a part of its caller's. */
function tracedCall(call: Call, scope: Scope, propagator: Propagator): Call {
  const { ROOT_CONTEXT, SpanKind, SpanStatusCode, defaultTextMapGetter, defaultTextMapSetter, trace } = scope.api;
  return async (name, event, options) => {
    const { routeKey, version: format, headers, requestContext } = event as HttpCall;
    if (format !== "2.0" || routeKey === undefined || headers === undefined) return call(name, event, options);
    const parent = propagator.extract(ROOT_CONTEXT, headers, defaultTextMapGetter) as Context;
    const span = scope.start(routeKey, SpanKind.SERVER, parent, {
      "http.request.method": requestContext?.http?.method ?? "",
      "http.route": routeKey.replace(/^\S+ /, ""),
      "orderbell.request_id": requestContext?.requestId ?? "",
    });
    // The line of the request in the log names the trace by it.
    propagator.inject(trace.setSpan(parent, span), headers, defaultTextMapSetter);
    return scope.run(span, parent, async () => {
      const result = (await call(name, event, options)) as { readonly statusCode?: number } | undefined;
      const status = result?.statusCode ?? 0;
      span.setAttribute("http.response.status_code", status);
      if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      return result;
    });
  };
}

function tracedDatabase<D extends Database>(database: D, scope: Scope): D {
  const { CLIENT } = scope.api.SpanKind;
  const system = { "db.system.name": database.dialect.name === "postgres" ? "postgresql" : "mysql" };
  const own: Pick<Database, "read" | "flight"> = {
    read: (statements) =>
      scope.within("read", CLIENT, { ...system, "db.operation.batch.size": statements.length }, () =>
        database.read(statements),
      ),
    flight: (flight) =>
      scope.within("transaction", CLIENT, { ...system, "db.operation.batch.size": flight.statements.length }, () =>
        database.flight(flight),
      ),
  };
  return { ...database, ...own };
}

/** What an item of a batch carries to it. */
interface Carried<Item> {
  readonly item: Item;
  readonly span: Span | undefined;
  readonly context: Context | undefined;
}

/** A batch runs in the trace of its first item; the spans of the others are linked to it. */
function tracedBatches(batches: Batches, scope: Scope): Batches {
  const { INTERNAL } = scope.api.SpanKind;
  const wrapped = new Map<unknown, unknown>();

  function wrap<Given, Item, Outcome>(run: Run<Given, Item, Outcome>): Run<Given, Carried<Item>, Outcome> {
    const known = wrapped.get(run) as Run<Given, Carried<Item>, Outcome> | undefined;
    if (known !== undefined) return known;
    const own: Run<Given, Carried<Item>, Outcome> = (given, carried) => {
      const work = () =>
        run(
          given,
          carried.map(({ item }) => item),
        );
      const traced = carried.filter(({ span }) => span !== undefined);
      const [first, ...others] = traced;
      if (first?.context === undefined) return scope.apart(work);
      const batch = scope.start("batch", INTERNAL, first.context, { "orderbell.batch.size": carried.length });
      for (const { span } of others) span?.addLink({ context: batch.spanContext() });
      return scope.run(batch, first.context, work);
    };
    wrapped.set(run, own);
    return own;
  }

  return {
    async add<Given, Item, Outcome>(
      run: Run<Given, Item, Outcome>,
      given: Given,
      item: Item,
      key?: string,
    ): Promise<Outcome> {
      const parent = scope.current;
      if (parent === undefined)
        return batches.add(wrap(run), given, { item, span: undefined, context: undefined }, key);
      const span = scope.start(run.name.replace(/Batch$/, ""), INTERNAL, parent);
      const context = scope.api.trace.setSpan(parent, span);
      return scope.run(span, parent, () => batches.add(wrap(run), given, { item, span, context }, key));
    },
  };
}

/** Also notes whose trace the events are of, for their webhooks, which are called later. */
function tracedPush(push: Push, scope: Scope, events: Recent<string, SpanContext>): Push {
  return (stream, pushed, subscribers) => {
    const parent = scope.current;
    const context = parent === undefined ? undefined : scope.api.trace.getSpanContext(parent);
    if (context !== undefined)
      for (const { epoch, seq, tag } of pushed) events.set(`${stream}/${epoch}/${seq}/${tag}`, context);
    const attributes = { "orderbell.stream": stream, "orderbell.events": pushed.length };
    return scope.within("push", scope.api.SpanKind.PRODUCER, attributes, () => push(stream, pushed, subscribers));
  };
}

/** The called server gets the trace of the request, or of the event that it is told. */
function tracedOutbound(
  outbound: Outbound,
  scope: Scope,
  propagator: Propagator,
  events: Recent<string, SpanContext>,
): Outbound {
  const { ROOT_CONTEXT, SpanKind, defaultTextMapSetter, trace } = scope.api;
  const parentOf = (headers: Readonly<Record<string, string>>): Context => {
    const event = events.get(headers["webhook-id"] ?? "");
    return event === undefined ? (scope.current ?? ROOT_CONTEXT) : trace.setSpanContext(ROOT_CONTEXT, event);
  };
  return {
    ...outbound,
    post(url, request, signal) {
      const parent = parentOf(request.headers);
      const span = scope.start("POST", SpanKind.CLIENT, parent, {
        "http.request.method": "POST",
        "server.address": URL.canParse(url) ? new URL(url).hostname : "",
      });
      const headers = { ...request.headers };
      propagator.inject(trace.setSpan(parent, span), headers, defaultTextMapSetter);
      return scope.run(span, parent, async () => {
        const answer = await outbound.post(url, { ...request, headers }, signal);
        span.setAttribute("http.response.status_code", answer.status);
        return answer;
      });
    },
  };
}
