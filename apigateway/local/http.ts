/** HTTP API on this machine: turns requests into events and results into answers, and gives the answers that API Gateway gives without a function. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { largeBodies } from "../../shared/large_bodies.ts";
import type { SignalSource } from "../../shared/signal.ts";
import { hsts } from "../entry.ts";
import type { HttpResult } from "../events.ts";
import { Bodies } from "./bodies.ts";
import { httpEvent, type RequestInfo, type Target, targetOf } from "./build_events.ts";
import { Overflow } from "./bulkhead.ts";
import type { CallerCache } from "./caller_cache.ts";
import { compartmentOf } from "./compartments.ts";
import { Compressor } from "./compress.ts";
import { corsHeaders, isPreflight, withoutCors } from "./cors.ts";
import type { StoreHttp } from "./files/serve.ts";
import { storePrefix } from "./files/signed.ts";
import { type HealthOptions, healthRoute } from "./health.ts";
import { type HttpAnswersOptions, httpAnswers } from "./http_answers.ts";
import type { Invoke } from "./invoke.ts";
import { delayed, OpenRequests } from "./request_end.ts";
import { type Match, match, type Routes } from "./routes.ts";

/** Serves or takes a file, if this request is for one; else calls `otherwise`. */
export type Files = (request: IncomingMessage, response: ServerResponse, otherwise: () => void) => void;

export interface HttpApiOptions extends HttpAnswersOptions, HealthOptions {
  readonly routes: Routes;
  readonly invoke: Invoke;
  readonly files: Files | undefined;
  /** Serves `/store/…`: bodies and answers there are of any size. */
  readonly store: StoreHttp | undefined;
  /** To be called when a request has shown that it may upload. @returns to be called when it has its answer */
  readonly beginUpload: (request: IncomingMessage) => () => void;
  readonly infoOf: (request: IncomingMessage) => RequestInfo;
  readonly callers: CallerCache;
  /** To be called before a body is read that takes longer than others. */
  readonly beginLargeBody: (request: IncomingMessage, response: ServerResponse) => void;
  /** To be called when the request is complete. @returns to be called when it has its answer */
  readonly beginWork: (request: IncomingMessage) => () => void;
  /** To be called when its answer is out, or cannot be any more. */
  readonly endRequest: (request: IncomingMessage) => void;
  /** GET /metrics, where this port has it. */
  readonly scrape: Scrape | undefined;
  /** Is told of each request when it begins. */
  readonly observe: ObserveRequest | undefined;
  /** Whether the client came by HTTPS, to us or to the proxy in front. */
  readonly isSecure: (request: IncomingMessage) => boolean;
}

/** Answers a request for the figures of this process; the authorization decides. */
export type Scrape = (authorization: string | undefined) => Promise<ScrapeAnswer>;

export interface ScrapeAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type ObserveRequest = (request: IncomingMessage, response: ServerResponse) => void;

export interface HttpApi {
  serve(request: IncomingMessage, response: ServerResponse): void;
  /** Ends requests that only wait, and those that have not begun. */
  hurry(): void;
  /** Resolves when every request has its answer. */
  idle(): Promise<void>;
  /** Requests that have none yet. */
  size(): number;
}

const ownHeaders = { "x-content-type-options": "nosniff" };
const secureHeaders = { ...ownHeaders, "strict-transport-security": hsts };

export function httpApi(options: HttpApiOptions): HttpApi {
  const { routes, invoke, limits, infoOf, callers, isStopping } = options;
  const answers = httpAnswers(options);
  const health = healthRoute(options, answers);
  const open = new OpenRequests();
  const bodies = new Bodies(limits);
  const compressor = new Compressor();
  /** Those that are complete and served. */
  const underWay = new Set<SignalSource>();

  async function serve(
    request: IncomingMessage,
    response: ServerResponse,
    target: Target | undefined,
    opened: SignalSource,
  ): Promise<void> {
    if (target === undefined) return answers.message(response, 400, "Bad Request");
    if (target.path === "/healthz") return health(response);
    if (options.scrape !== undefined && isScrape(request, target)) {
      const { status, headers, body } = await options.scrape(request.headers.authorization);
      return answers.write(response, status, headers, body);
    }
    if (isStopping()) return answers.message(response, 503, "Service Unavailable", { "retry-after": "1" });
    const { cors } = routes;
    if (cors !== undefined && request.headers.origin !== undefined) answers.add(response, corsHeaders(cors, request));
    const found = match(routes.http, request.method ?? "GET", target.path);
    // A route that takes OPTIONS comes first, and $default takes everything.
    if (found === undefined && cors !== undefined && isPreflight(request)) return answers.write(response, 204, {});
    if (found === undefined) return answers.message(response, 404, "Not Found");
    await callFunction(request, response, target, found, opened);
  }

  async function callFunction(
    request: IncomingMessage,
    response: ServerResponse,
    target: Target,
    found: Match,
    opened: SignalSource,
  ): Promise<void> {
    const info = infoOf(request);
    const caller = callers.ofRequest(request, info.sourceIp);
    const { function: name, routeKey } = found.route;
    const most = largeBodies[routeKey];
    if (most !== undefined) options.beginLargeBody(request, response);
    const body = await bodies.read(request, caller, most);
    const done = options.beginWork(request);
    underWay.add(opened);
    // The body arrived after the stop had begun: the request is served, but must not wait.
    if (isStopping()) setImmediate(() => opened.abort());
    try {
      const event = () => httpEvent(request, target, body.bytes, found, info);
      const invokeOptions = { compartment: compartmentOf(caller, name), key: caller.key, signal: opened };
      const result = (await invoke(name, event, limits.httpTimeoutMs, invokeOptions)) as HttpResult;
      callers.learn(name, routeKey, request, result);
      const headers = routes.cors === undefined ? result.headers : withoutCors(result.headers);
      const text = result.isBase64Encoded ? Buffer.from(result.body, "base64") : result.body;
      if (Compressor.isFor(request.method, result.statusCode, headers, text)) {
        const accepted = String(request.headers["accept-encoding"] ?? "");
        answers.write(response, result.statusCode, ...(await compressor.answer(accepted, headers, text)));
      } else answers.write(response, result.statusCode, headers, text);
    } catch (error) {
      if (error instanceof Overflow && caller.kind === "stranger") {
        body.release();
        await delayed(limits.overloadDelayMs, opened);
      }
      answers.error(response, error, name);
    } finally {
      body.release();
      underWay.delete(opened);
      done();
    }
  }

  /** A file on its way in or out is given little time when the server stops: its client goes on from where it was. */
  function serveStore(
    request: IncomingMessage,
    response: ServerResponse,
    store: StoreHttp,
    opened: SignalSource,
  ): void {
    if (isStopping()) {
      answers.message(response, 503, "Service Unavailable", { "retry-after": "1" });
      return;
    }
    underWay.add(opened);
    response.once("close", () => underWay.delete(opened));
    opened.addEventListener("abort", () => {
      underWay.delete(opened);
      setTimeout(() => response.destroy(), limits.transferStopMs).unref();
    });
    store(request, response, () => options.beginUpload(request));
  }

  /** A function's route is never hidden by a file of the same name. PUT uploads a picture. */
  function mayBeFile({ method = "" }: IncomingMessage, target: Target | undefined): boolean {
    if (target === undefined || !["GET", "HEAD", "PUT"].includes(method)) return false;
    const routeKey = match(routes.http, method, target.path)?.route.routeKey;
    return routeKey === undefined || routeKey === "$default";
  }

  return {
    serve(request, response) {
      options.observe?.(request, response);
      const opened = open.begin(request, response, () => options.endRequest(request));
      const headers = options.isSecure(request) ? secureHeaders : ownHeaders;
      answers.add(response, headers);
      const target = targetOf(request);
      const call = () =>
        void serve(request, response, target, opened).catch((error) => {
          // The client left before its request was complete.
          if (request.destroyed && !request.complete) response.destroy();
          else answers.error(response, error);
        });
      const store = target?.path.startsWith(storePrefix) ? options.store : undefined;
      const files = mayBeFile(request, target) ? options.files : undefined;
      try {
        if (store === undefined && files === undefined) return call();
        for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
        if (store !== undefined) serveStore(request, response, store, opened);
        else files?.(request, response, call);
      } catch (error) {
        answers.error(response, error);
      }
    },
    hurry() {
      for (const opened of underWay) opened.abort();
    },
    idle: () => open.idle(),
    size: () => open.size,
  };
}

const isScrape = ({ method }: IncomingMessage, { path }: Target) => method === "GET" && path === "/metrics";

/** The route that a request was for, as a label: there are few, whatever clients send. */
export function routeLabel(routes: Routes, request: IncomingMessage, status: number): string {
  const { method = "" } = request;
  const target = targetOf(request);
  if (target === undefined) return "none";
  if (target.path === "/healthz" || isScrape(request, target)) return `GET ${target.path}`;
  const route = match(routes.http, method, target.path)?.route.routeKey ?? "none";
  // A file of this machine's own: nothing else without a route is answered well.
  return route === "$default" && status < 400 && method !== "OPTIONS" ? "files" : route;
}
