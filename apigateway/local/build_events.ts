/** Builds events exactly as the clouds send them. */
import type { IncomingMessage } from "node:http";
import type { ConnectEvent, DisconnectEvent, HttpEvent, MessageEvent, TencentEvent } from "../events.ts";
import type { Match } from "./routes.ts";

/** What the gateway itself knows about a request. */
export interface RequestInfo {
  readonly requestId: string;
  readonly domainName: string;
  readonly protocol: "http" | "https";
  readonly stage: string;
  readonly now: number;
  readonly sourceIp: string;
}

/** A request's path and query as they were sent. Nothing is resolved: routes match what the client wrote. */
export interface Target {
  readonly path: string;
  readonly query: string;
}

/** @returns undefined for a target that is not a path (`*`, `http://…`) or cannot be decoded */
export function targetOf({ url = "" }: IncomingMessage): Target | undefined {
  const mark = url.indexOf("?");
  const path = mark < 0 ? url : url.slice(0, mark);
  if (!path.startsWith("/")) return undefined;
  try {
    decodeURIComponent(path);
  } catch {
    return undefined;
  }
  return { path, query: mark < 0 ? "" : url.slice(mark + 1) };
}

/** Values by name, in the order they came. A Map, because a client may well name something `__proto__`. */
function grouped(pairs: Iterable<readonly [string, string]>): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (const [name, value] of pairs) {
    const before = values.get(name);
    if (before === undefined) values.set(name, [value]);
    else before.push(value);
  }
  return values;
}

const mapValues = <T>(values: Map<string, string[]>, take: (values: string[]) => T): Record<string, T> =>
  Object.fromEntries([...values].map(([name, all]) => [name, take(all)]));

const joined = (values: readonly string[]) => values.join(",");
const last = (values: readonly string[]) => values.at(-1) as string;

/** Headers of the connection; they end at the gateway. */
const hopByHop = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** The headers with their names as they were sent. */
export function headersOf({ rawHeaders }: IncomingMessage): [string, string][] {
  const headers: [string, string][] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name, value] = [rawHeaders[at] as string, rawHeaders[at + 1] as string];
    if (!hopByHop.has(name.toLowerCase())) headers.push([name, value]);
  }
  return headers;
}

/** Observed at AWS: only these travel as text; forms and bodies without a type come in base64 as well. */
const textual = /^(text\/|application\/(json|xml|javascript)\s*(;|$))/i;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A body whose type is text but that is not UTF-8 counts as binary. */
function bodyOf(request: IncomingMessage, bytes: Buffer): Pick<HttpEvent, "isBase64Encoded"> & { body?: string } {
  if (bytes.length === 0) return { isBase64Encoded: false };
  if (textual.test(request.headers["content-type"] ?? ""))
    try {
      return { body: utf8.decode(bytes), isBase64Encoded: false };
    } catch {
      // Falls through to base64.
    }
  return { body: bytes.toString("base64"), isBase64Encoded: true };
}

/** HTTP API, payload format 2.0: lower-case header names, repeated ones joined by a comma, cookies apart. */
export function httpEvent(
  request: IncomingMessage,
  { path, query }: Target,
  bytes: Buffer,
  { route, params }: Match,
  info: RequestInfo,
): HttpEvent {
  const { headers, cookies } = joinedHeaders(request);
  // As at AWS, set by the gateway and not by the client.
  headers["x-forwarded-proto"] = info.protocol;
  return {
    version: "2.0",
    routeKey: route.routeKey,
    rawPath: path,
    rawQueryString: query,
    ...(cookies === undefined ? {} : { cookies }),
    headers,
    ...(query === "" ? {} : queriesOf(query)),
    ...(Object.keys(params).length === 0 ? {} : { pathParameters: decodeAll(params) }),
    ...bodyOf(request, bytes),
    requestContext: {
      accountId: "123456789012",
      apiId: "local",
      domainName: info.domainName,
      domainPrefix: "local",
      http: {
        method: request.method ?? "GET",
        path,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: info.sourceIp,
        userAgent: request.headers["user-agent"] ?? "",
      },
      requestId: info.requestId,
      routeKey: route.routeKey,
      stage: "$default",
      time: awsTime(info.now),
      timeEpoch: info.now,
    },
  };
}

/** In one pass: grouped in a Map first, the headers took half the time of the event. */
function joinedHeaders({ rawHeaders }: IncomingMessage): { headers: Record<string, string>; cookies?: string[] } {
  const headers: Record<string, string> = {};
  const cookies: string[] = [];
  let hasCookie = false;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name, value] = [(rawHeaders[at] as string).toLowerCase(), rawHeaders[at + 1] as string];
    if (hopByHop.has(name)) continue;
    if (name === "cookie") {
      hasCookie = true;
      cookies.push(...value.split(/; */).filter((cookie) => cookie !== ""));
    } else if (Object.hasOwn(headers, name)) headers[name] += `,${value}`;
    else setOwn(headers, name, value);
  }
  return hasCookie ? { headers, cookies } : { headers };
}

/** A client may well name a header `__proto__`. */
function setOwn(object: Record<string, string>, name: string, value: string): void {
  if (name !== "__proto__") object[name] = value;
  else Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
}

function queriesOf(query: string): Pick<HttpEvent, "queryStringParameters"> {
  const queries = grouped(new URLSearchParams(query));
  return queries.size === 0 ? {} : { queryStringParameters: mapValues(queries, joined) };
}

function decodeAll(params: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, decodeURIComponent(value)]));
}

let lastTime = { second: Number.NaN, text: "" };

/** `21/Nov/2026:06:15:30 +0000` */
function awsTime(now: number): string {
  const second = Math.floor(now / 1_000);
  if (second !== lastTime.second) {
    const [, day, month, year, time] = new Date(now).toUTCString().split(/[ ,]+/);
    lastTime = { second, text: `${day}/${month}/${year}:${time} +0000` };
  }
  return lastTime.text;
}

// --- Sockets -------------------------------------------------------------------------------------------------------

export interface ConnectionInfo extends RequestInfo {
  readonly connectionId: string;
  readonly connectedAt: number;
  readonly userAgent: string;
}

function context(routeKey: string, info: ConnectionInfo) {
  return {
    routeKey,
    extendedRequestId: info.requestId,
    requestTime: awsTime(info.now),
    messageDirection: "IN" as const,
    stage: info.stage,
    connectedAt: info.connectedAt,
    requestTimeEpoch: info.now,
    identity: { sourceIp: info.sourceIp, userAgent: info.userAgent },
    requestId: info.requestId,
    domainName: info.domainName,
    connectionId: info.connectionId,
    apiId: "local",
  };
}

/** The only event with headers and a query; AWS keeps the names as they were sent, and the last value of repeated ones. */
export function connectEvent(request: IncomingMessage, { query }: Target, info: ConnectionInfo): ConnectEvent {
  const headers = grouped(headersOf(request));
  const queries = grouped(new URLSearchParams(query));
  return {
    headers: mapValues(headers, last),
    multiValueHeaders: mapValues(headers, (values) => values),
    ...(queries.size === 0
      ? {}
      : {
          queryStringParameters: mapValues(queries, last),
          multiValueQueryStringParameters: mapValues(queries, (values) => values),
        }),
    requestContext: { ...context("$connect", info), eventType: "CONNECT" },
    isBase64Encoded: false,
  };
}

export function messageEvent(body: string, messageId: string, info: ConnectionInfo): MessageEvent {
  return {
    requestContext: { ...context("$default", info), eventType: "MESSAGE", messageId },
    body,
    isBase64Encoded: false,
  };
}

export function disconnectEvent(code: number, reason: string, info: ConnectionInfo): DisconnectEvent {
  return {
    headers: { Host: info.domainName, "x-api-key": "", "X-Forwarded-For": "", "x-restapi": "" },
    multiValueHeaders: { Host: [info.domainName], "x-api-key": [""], "X-Forwarded-For": [""], "x-restapi": [""] },
    requestContext: {
      ...context("$disconnect", info),
      eventType: "DISCONNECT",
      disconnectStatusCode: code,
      disconnectReason: reason,
    },
    isBase64Encoded: false,
  };
}

/** Tencent's three events, distinguished by the action. */
export const tencentEvents = {
  connect: (request: IncomingMessage, { connectionId, sourceIp }: ConnectionInfo): TencentEvent => {
    const protocol = request.headers["sec-websocket-protocol"];
    return {
      requestContext: { sourceIp, websocketEnable: true },
      websocket: {
        action: "connecting",
        secConnectionID: connectionId,
        ...(protocol === undefined ? {} : { secWebSocketProtocol: protocol }),
      },
    };
  },
  message: (data: string, { connectionId }: ConnectionInfo): TencentEvent => ({
    websocket: { action: "data send", secConnectionID: connectionId, dataType: "text", data },
  }),
  disconnect: ({ connectionId }: ConnectionInfo): TencentEvent => ({
    websocket: { action: "closing", secConnectionID: connectionId },
  }),
};
