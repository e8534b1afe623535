/** Entry of the functions: turns an event of any gateway into a request, and an answer or an error into a result. */
import type { GenericSchema, InferOutput } from "valibot";
import type { App } from "../shared/app.ts";
import {
  type AppError,
  BodyTooLarge,
  IdempotencyKeyMissing,
  Malformed,
  MediaTypeUnsupported,
  RouteUnknown,
} from "../shared/errors.ts";
import { parseJson } from "../shared/json.ts";
import type { Fields } from "../shared/log.ts";
import { pathClass } from "../shared/path_class.ts";
import { waitHeaders } from "../shared/rate_limit.ts";
import * as shape from "../shared/shape.ts";
import { never, type Signal } from "../shared/signal.ts";
import { toAppError } from "../shared/to_app_error.ts";
import { authorizationOf, membersFor401 } from "../shared/wafer/headers.ts";
import type {
  ConnectEvent,
  DisconnectEvent,
  HttpEvent,
  HttpResult,
  MessageEvent,
  SocketResult,
  TencentEvent,
  TencentResult,
} from "./events.ts";

/** A year, for this host only. */
export const hsts = "max-age=31536000";

// --- HTTP ----------------------------------------------------------------------------------------------------------

/** Enough for a menu of 500 dishes; everything else is far smaller. */
export const maxBodyBytes = 512 * 1_024;

export class HttpRequest {
  readonly event: HttpEvent;
  /** Ids and codes for this request's line in the log. */
  readonly notes: Record<string, string | number | boolean> = {};
  /** Fires when the caller no longer waits for the answer; waits and repeated reads then end. */
  readonly signal: Signal;

  /** @param signal none in a cloud, which does not report that the caller has left */
  constructor(event: HttpEvent, signal: Signal = never) {
    this.event = event;
    this.signal = signal;
  }

  header(name: string): string | undefined {
    return this.event.headers[name];
  }

  /** @returns a parameter of the query, or undefined @throws InvalidInput */
  query<S extends GenericSchema>(name: string, schema: S): InferOutput<S> | undefined {
    const raw = this.event.queryStringParameters?.[name];
    return raw === undefined ? undefined : shape.parse(schema, raw, name);
  }

  /** A part of the path. @throws InvalidInput */
  param<S extends GenericSchema>(name: string, schema: S): InferOutput<S> {
    return shape.parse(schema, this.event.pathParameters?.[name], name);
  }

  /** The client's address, as the gateway says; on this machine TRUSTED_PROXIES decides. */
  get address(): string {
    return this.event.requestContext.http.sourceIp;
  }

  /** This API's address as the caller knows it. */
  get origin(): string {
    const { origin, "sec-fetch-site": site, "x-forwarded-proto": protocol = "https" } = this.event.headers;
    // The origin of our own page is right even behind a proxy that sends no X-Forwarded headers.
    if (site === "same-origin" && origin !== undefined) return origin;
    return `${protocol}://${this.event.requestContext.domainName}`;
  }

  /** `Authorization`, or Wafer's headers of a session in its form. @throws SessionInvalid */
  get authorization(): string | undefined {
    return authorizationOf(this.event.headers);
  }

  /** @throws IdempotencyKeyMissing, InvalidInput */
  get idempotencyKey(): string {
    const key = this.header("idempotency-key");
    if (key === undefined) throw new IdempotencyKeyMissing();
    return shape.parse(shape.idempotencyKey, key, "Idempotency-Key");
  }

  /** The body as JSON; `{}` when there is none. @throws BodyTooLarge, MediaTypeUnsupported, Malformed */
  json(): unknown {
    const received = this.received();
    if (received.length === 0) return {};
    const type = this.header("content-type") ?? "";
    if (!/^application\/([a-z.-]+\+)?json\s*(;|$)/i.test(type))
      throw new MediaTypeUnsupported(type, "application/json");
    return parseJson(textIn(received));
  }

  /** The body as text, without a check of its media type. @throws BodyTooLarge, Malformed */
  text(): string {
    return textIn(this.received());
  }

  /** The body as `application/x-www-form-urlencoded`. @throws BodyTooLarge, MediaTypeUnsupported, Malformed */
  form(): URLSearchParams {
    const type = this.header("content-type") ?? "";
    const form = "application/x-www-form-urlencoded";
    if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(type)) throw new MediaTypeUnsupported(type, form);
    return new URLSearchParams(this.text());
  }

  /** The body as it was sent, of a route in `largeBodies`. @throws BodyTooLarge */
  bytes(most: number): Buffer {
    return Buffer.from(this.received(most));
  }

  /** @throws BodyTooLarge */
  private received(most = maxBodyBytes): string | Buffer {
    // Some gateways send null if there is no body.
    const body = this.event.body ?? "";
    const received = this.event.isBase64Encoded ? Buffer.from(body, "base64") : body;
    if (Buffer.byteLength(received) > most) throw new BodyTooLarge(most);
    return received;
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Without a byte order mark. @throws Malformed */
function textIn(received: string | Buffer): string {
  if (typeof received === "string") return received.startsWith("\uFEFF") ? received.slice(1) : received;
  try {
    return utf8.decode(received);
  } catch {
    throw new Malformed("the body is not UTF-8");
  }
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; text and bytes as they are, with a content-type in `headers`. */
  readonly body?: unknown;
}

export type Route = (app: App, request: HttpRequest) => Promise<HttpAnswer>;

export const ok = (body: unknown): HttpAnswer => ({ status: 200, body });
export const created = (body: unknown): HttpAnswer => ({ status: 201, body });
export const noContent: HttpAnswer = { status: 204 };

/** Serves the routes of one function. `routeKey` is the key under which serverless.yml lists the route. */
export function http(routes: Readonly<Record<string, Route>>) {
  return (app: App) =>
    async (event: HttpEvent, signal?: Signal): Promise<HttpResult> => {
      const startedAt = app.clock.now();
      const request = new HttpRequest(event, signal);
      let answer: HttpAnswer;
      try {
        const route = routes[event.routeKey];
        if (route === undefined) throw new RouteUnknown(event.requestContext.http.method, event.rawPath);
        answer = await route(app, request);
      } catch (error) {
        const appError = toAppError(app, error);
        request.notes.code = appError.code;
        if (appError instanceof RouteUnknown) request.notes.path = pathClass(event.rawPath);
        answer = problem(appError, appError.status === 401 ? membersFor401(event.headers) : {});
      }
      const { requestId } = event.requestContext;
      const ms = app.clock.now() - startedAt;
      const trace = traceOf(request);
      const fields = { requestId, trace, route: event.routeKey, status: answer.status, ms, ...request.notes };
      if (answer.status >= 500) app.log.error("request", fields);
      else app.log.info("request", fields);
      return resultOf(answer, requestId, request.header("x-forwarded-proto") === "https");
    };
}

/** The id of the caller's trace (W3C Trace Context), or of our own. */
function traceOf(request: HttpRequest): string | undefined {
  const parent = request.header("traceparent");
  return parent === undefined ? undefined : /^[\da-f]{2}-([\da-f]{32})-[\da-f]{16}-/.exec(parent)?.[1];
}

/** RFC 9457. `code` is stable; `type` leads to what this server's page of errors says about it. */
function problem(error: AppError, more: object): HttpAnswer {
  const { code, status, message, extra } = error;
  const title = code.charAt(0) + code.slice(1).toLowerCase().replaceAll("_", " ");
  return {
    status,
    headers: {
      "content-type": "application/problem+json",
      ...waitHeaders(error),
      ...(status === 426 ? { upgrade: "websocket" } : {}),
      ...(status === 401 ? { "www-authenticate": 'Bearer realm="orderbell"' } : {}),
    },
    body: {
      type: `/errors#${code}`,
      title,
      status,
      detail: message,
      code,
      ...extra,
      ...more,
    },
  };
}

function resultOf({ status, headers = {}, body }: HttpAnswer, requestId: string, isSecure: boolean): HttpResult {
  const isBase64Encoded = body instanceof Uint8Array;
  const text = isBase64Encoded ? Buffer.from(body).toString("base64") : textOf(body);
  return {
    statusCode: status,
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json; charset=utf-8" }),
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      // Browsers ignore it over HTTP, so a forged x-forwarded-proto does no harm.
      ...(isSecure ? { "strict-transport-security": hsts } : {}),
      "x-request-id": requestId,
      ...headers,
    },
    body: text,
    isBase64Encoded,
  };
}

function textOf(body: unknown): string {
  if (body === undefined) return "";
  return typeof body === "string" ? body : JSON.stringify(body);
}

// --- WebSocket -----------------------------------------------------------------------------------------------------

/** Ids for the line in the log. */
export type Notes = Record<string, string | number>;

/** Handshake of a socket. */
export interface ConnectRequest {
  readonly notes: Notes;
  readonly connection: string;
  readonly protocols: readonly string[];
  readonly query: Readonly<Record<string, string | undefined>>;
  /** The gateway's address for pushes to this connection. */
  readonly gateway: string;
}

/** @returns the subprotocol that was chosen, if one was offered @throws an AppError to refuse the upgrade */
export type ConnectRoute = (app: App, request: ConnectRequest) => Promise<string | undefined>;

export function connect(route: ConnectRoute) {
  return (app: App) =>
    async (event: ConnectEvent | TencentEvent): Promise<SocketResult | TencentResult> => {
      const request = isTencent(event) ? fromTencent(event) : fromAws(event);
      const { connection, notes } = request;
      const outcome = await attempt(app, "open", { connection }, notes, () => route(app, request));
      if (isTencent(event)) return tencentResult(outcome, request.connection);
      if ("error" in outcome)
        return { statusCode: outcome.error.status, body: JSON.stringify({ code: outcome.error.code }) };
      const headers = outcome.value === undefined ? {} : { headers: { "Sec-WebSocket-Protocol": outcome.value } };
      return { statusCode: 200, ...headers };
    };
}

/** @param gateway the gateway's address for pushes to this connection */
export type MessageRoute = (app: App, connection: string, text: string, gateway: string) => Promise<void>;

/** Serves a frame. Answers and errors are pushed; the answer to the gateway is always 200. */
export function message(route: MessageRoute) {
  return (app: App) =>
    async (event: MessageEvent | TencentEvent): Promise<SocketResult> => {
      const [connection, text, gateway] =
        "websocket" in event
          ? [event.websocket.secConnectionID, event.websocket.data ?? "", "tencent"]
          : [event.requestContext.connectionId, event.body ?? "", gatewayOf(event.requestContext)];
      await attempt(app, "message", { connection }, {}, () => route(app, connection, text, gateway));
      return { statusCode: 200 };
    };
}

/** @param notes ids for the line in the log */
export type DisconnectRoute = (app: App, connection: string, notes: Notes) => Promise<void>;

export function disconnect(route: DisconnectRoute) {
  return (app: App) =>
    async (event: DisconnectEvent | TencentEvent): Promise<SocketResult> => {
      const aws = "websocket" in event ? undefined : event.requestContext;
      const connection = aws === undefined ? (event as TencentEvent).websocket.secConnectionID : aws.connectionId;
      const openMs = aws === undefined ? undefined : aws.requestTimeEpoch - aws.connectedAt;
      const notes: Notes = {};
      const fields = { connection, status: aws?.disconnectStatusCode, openMs };
      await attempt(app, "close", fields, notes, () => route(app, connection, notes));
      return { statusCode: 200 };
    };
}

const isTencent = (event: object): event is TencentEvent => "websocket" in event;

/** @param notes filled by the work */
async function attempt<T>(
  app: App,
  event: "open" | "message" | "close",
  fields: Fields,
  notes: Notes,
  work: () => Promise<T>,
): Promise<{ value: T } | { error: AppError }> {
  const startedAt = app.clock.now();
  try {
    const value = await work();
    // Heartbeats are frames too: at `info` they would be most of the log.
    app.log[event === "message" ? "debug" : "info"](event, { ...fields, ...notes, ms: app.clock.now() - startedAt });
    return { value };
  } catch (error) {
    const appError = toAppError(app, error);
    const { code, status } = appError;
    app.log[status >= 500 ? "error" : "info"](event, { ...fields, ...notes, code, ms: app.clock.now() - startedAt });
    return { error: appError };
  }
}

function fromAws({ headers, requestContext, queryStringParameters }: ConnectEvent): ConnectRequest {
  const { connectionId } = requestContext;
  const offered = Object.entries(headers).find(([name]) => name.toLowerCase() === "sec-websocket-protocol")?.[1] ?? "";
  return {
    notes: {},
    connection: connectionId,
    protocols: split(offered),
    query: queryStringParameters ?? {},
    gateway: gatewayOf(requestContext),
  };
}

const gatewayOf = ({ domainName, stage }: ConnectEvent["requestContext"] | MessageEvent["requestContext"]) =>
  `https://${domainName}/${stage}`;

function fromTencent({ websocket }: TencentEvent): ConnectRequest {
  return {
    notes: {},
    connection: websocket.secConnectionID,
    protocols: split(websocket.secWebSocketProtocol ?? ""),
    // Its event tells no query, so tunnels cannot be opened there.
    query: {},
    gateway: "tencent",
  };
}

const split = (protocols: string) =>
  protocols
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");

/** Any `errNo` but 0 refuses the upgrade. */
function tencentResult(
  outcome: { value: string | undefined } | { error: AppError },
  secConnectionID: string,
): TencentResult {
  if ("error" in outcome) return { errNo: outcome.error.status, errMsg: outcome.error.code };
  return {
    errNo: 0,
    errMsg: "ok",
    websocket: {
      action: "connecting",
      secConnectionID,
      ...(outcome.value === undefined ? {} : { secWebSocketProtocol: outcome.value }),
    },
  };
}
