/** HTTP API on this machine: requests become events, results become answers, and what AWS answers by itself is answered here. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Log } from "../../shared/log.ts";
import type { HttpResult } from "../events.ts";
import { httpEvent, type Known, type Target, targetOf } from "./build.ts";
import { corsHeaders, isPreflight, withoutCors } from "./cors.ts";
import { type Invoke, Overflow, TimedOut } from "./invoke.ts";
import type { Limits } from "./limits.ts";
import { Pending } from "./pending.ts";
import { match, type Routes } from "./routes.ts";

/** Serves a file, or takes one, if this request is for it; else says no. */
export type Files = (request: IncomingMessage, response: ServerResponse, otherwise: () => void) => void;

export interface HttpApiOptions {
  readonly routes: Routes;
  readonly invoke: Invoke;
  readonly limits: Limits;
  readonly log: Log;
  readonly files: Files | undefined;
  readonly known: (request: IncomingMessage) => Known;
  readonly isStopping: () => boolean;
  /** For /healthz. */
  readonly healthy: () => Promise<boolean>;
  readonly connected: () => number;
}

export interface HttpApi {
  serve(request: IncomingMessage, response: ServerResponse): void;
  /** Resolves when every request has its answer. */
  idle(): Promise<void>;
}

export function httpApi(options: HttpApiOptions): HttpApi {
  const { routes, invoke, limits, log, known, isStopping } = options;
  const answering = new Pending();
  let heldBytes = 0;

  async function serve(request: IncomingMessage, response: ServerResponse, target: Target | undefined): Promise<void> {
    if (target === undefined) return bare(response, 400, "Bad Request");
    if (target.path === "/healthz") return health(response);
    if (isStopping()) return bare(response, 503, "Service Unavailable", { "retry-after": "1" });
    const { cors } = routes;
    if (cors !== undefined)
      for (const [name, value] of Object.entries(corsHeaders(cors, request))) response.setHeader(name, value);
    const found = match(routes.http, request.method ?? "GET", target.path);
    // A route that takes OPTIONS comes first, and $default takes everything.
    if (found === undefined && cors !== undefined && isPreflight(request)) return write(response, 204, {});
    if (found === undefined) return bare(response, 404, "Not Found");
    const body = await bodyOf(request);
    try {
      const event = httpEvent(request, target, body.bytes, found, known(request));
      const result = (await invoke(found.route.function, event, limits.httpTimeoutMs)) as HttpResult;
      const headers = cors === undefined ? result.headers : withoutCors(result.headers);
      write(response, result.statusCode, headers, Buffer.from(result.body, result.isBase64Encoded ? "base64" : "utf8"));
    } catch (error) {
      refuse(response, error, found.route.function);
    } finally {
      body.release();
    }
  }

  /** What API Gateway answers when no function did. */
  function refuse(response: ServerResponse, error: unknown, name?: string): void {
    if (error instanceof TooLarge) bare(response, 413, "Request Entity Too Large");
    else if (error instanceof Overflow) bare(response, 503, "Service Unavailable", { "retry-after": "1" });
    else if (error instanceof TimedOut) bare(response, 503, "Service Unavailable");
    else {
      log.error("function", { function: name }, error);
      bare(response, 500, "Internal Server Error");
    }
  }

  async function health(response: ServerResponse): Promise<void> {
    const healthy = await options.healthy();
    const status = isStopping() ? "stopping" : healthy ? "ok" : "database away";
    const headers = { "content-type": "application/json", "cache-control": "no-store" };
    const body = Buffer.from(JSON.stringify({ status, connections: options.connected() }));
    write(response, status === "ok" ? 200 : 503, headers, body);
  }

  function bare(
    response: ServerResponse,
    status: number,
    message: string,
    headers: Readonly<Record<string, string>> = {},
  ): void {
    const body = Buffer.from(JSON.stringify({ message }));
    write(response, status, { "content-type": "application/json", ...headers }, body);
  }

  function write(
    response: ServerResponse,
    status: number,
    headers: Readonly<Record<string, string>>,
    body = Buffer.alloc(0),
  ): void {
    if (response.headersSent || response.destroyed) return;
    const empty = status === 204 || status === 304;
    response.writeHead(status, {
      ...headers,
      ...(empty ? {} : { "content-length": body.length }),
      ...(isStopping() ? { connection: "close" } : {}),
    });
    response.end(empty ? undefined : body);
  }

  /**
   * What is too much is read all the same and thrown away: a client that still writes would not see the answer.
   * @throws TooLarge; Overflow when the bodies of all requests together are
   */
  async function bodyOf(request: IncomingMessage): Promise<{ bytes: Buffer; release: () => void }> {
    const chunks: Buffer[] = [];
    let read = 0;
    let held = 0;
    let full = false;
    const release = () => {
      heldBytes -= held;
      chunks.length = held = 0;
    };
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) {
        read += chunk.length;
        full ||= heldBytes + chunk.length > limits.maxBodiesBytes;
        if (full || read > limits.maxBodyBytes) {
          release();
          continue;
        }
        chunks.push(chunk);
        held += chunk.length;
        heldBytes += chunk.length;
      }
    } catch (error) {
      release();
      throw error;
    }
    if (read > limits.maxBodyBytes) throw new TooLarge();
    if (full) throw new Overflow("bodies");
    return { bytes: Buffer.concat(chunks), release };
  }

  return {
    serve(request, response) {
      answering.add(answered(request, response));
      const target = targetOf(request);
      const call = () =>
        void serve(request, response, target).catch((error) => {
          // The client left before it had said all.
          if (request.destroyed && !request.complete) response.destroy();
          else refuse(response, error);
        });
      try {
        if (options.files !== undefined && isPage(request, target)) options.files(request, response, call);
        else call();
      } catch (error) {
        refuse(response, error);
      }
    },
    idle: () => answering.idle(),
  };

  /** A function's route is never hidden by a file of the same name. PUT is how a picture comes. */
  function isPage({ method = "" }: IncomingMessage, target: Target | undefined): boolean {
    if (target === undefined || !["GET", "HEAD", "PUT"].includes(method)) return false;
    const routeKey = match(routes.http, method, target.path)?.route.routeKey;
    return routeKey === undefined || routeKey === "$default";
  }
}

/** Resolves when the answer is out, or cannot be any more: a response that waits behind another one never hears of that. */
function answered({ socket }: IncomingMessage, response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off("close", done);
      resolve();
    };
    response.once("close", done);
    // One for each request that a client sent without waiting.
    socket.setMaxListeners(0).once("close", done);
  });
}

class TooLarge extends Error {
  override readonly name = "TooLarge";
}
