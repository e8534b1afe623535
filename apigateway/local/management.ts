/**
 * The calls by which functions push, as the clouds answer them: AWS's @connections (always signature-checked) and Tencent's
 * reverse-push address. A loopback port of its own, for tests and adapters; the server itself sends in process.
 */
import { createHash, createHmac } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { equal } from "../../shared/secrets.ts";
import type { Connection, Connections } from "./connections.ts";

export interface Credentials {
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface ManagementOptions {
  /** Read for each request, because the server starts after this one, whose address it needs. */
  readonly connections: () => Connections;
  readonly credentials: Credentials;
  readonly stage: string;
  readonly maxMessageBytes: number;
}

export interface Management {
  /** The callback address: `http://127.0.0.1:port/stage`. */
  readonly url: string;
  readonly tencentUrl: string;
  /** Answers the next posts with 429, as AWS does under load. */
  throttle(times: number): void;
  close(): Promise<void>;
}

/** Longer requests are not read to their end. */
const maxRequestBytes = 1_024 * 1_024;
const idPattern = /^[A-Za-z0-9+/_-]{11,}=?$/;

export async function startManagement(options: ManagementOptions): Promise<Management> {
  const { credentials, stage, maxMessageBytes } = options;
  let throttled = 0;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await read(request);
    const [path = "", query = ""] = (request.url ?? "").split("?");
    if (path === "/api-local") return tencent(response, body);
    const [, where, at = "", encoded = "", ...more] = path.split("/");
    const right = where === stage && decode(at) === "@connections" && more.length === 0;
    if (!right || !isSigned(request, path, query, body, credentials)) return error(response, 403, "ForbiddenException");
    const id = decode(encoded);
    if (id === undefined || !idPattern.test(id)) return error(response, 400, "BadRequestException");
    const connection = connectionOf(id);
    if (connection === undefined) return error(response, 410, "GoneException");
    switch (request.method) {
      case "POST":
        return post(response, connection, body);
      case "GET":
        return answer(response, 200, stateOf(connection));
      case "DELETE":
        connection.socket.close(1000);
        return answer(response, 204);
      default:
        return error(response, 403, "MissingAuthenticationTokenException");
    }
  }

  /** @returns undefined before $connect has answered, and once the close has begun */
  function connectionOf(id: string): Connection | undefined {
    const connection = options.connections().get(id);
    return connection?.socket.readyState === connection?.socket.OPEN ? connection : undefined;
  }

  function post(response: ServerResponse, { id }: Connection, body: Buffer): void {
    if (body.length > maxMessageBytes) error(response, 413, "PayloadTooLargeException");
    else if (isThrottled()) error(response, 429, "LimitExceededException");
    else if (body.length === 0) answer(response, 200);
    else {
      const sent = options.connections().send(id, body);
      if (sent === "gone") error(response, 410, "GoneException");
      else if (sent === "throttled") error(response, 429, "LimitExceededException");
      else answer(response, 200);
    }
  }

  function tencent(response: ServerResponse, body: Buffer): void {
    const { websocket } = JSON.parse(body.toString()) as {
      websocket: { action: string; secConnectionID: string; data?: string };
    };
    const { action, secConnectionID, data = "" } = websocket;
    const reply = (status: number, errNo: number, errMsg: string) => answer(response, status, { errNo, errMsg });
    if (action === "closing") {
      options.connections().get(secConnectionID)?.socket.close(1000);
      reply(200, 0, "ok");
    } else {
      const sent = isThrottled() ? "throttled" : options.connections().send(secConnectionID, data);
      if (sent === "gone") reply(404, 2, sent);
      else if (sent === "throttled") reply(429, 1, sent);
      else reply(200, 0, "ok");
    }
  }

  function isThrottled(): boolean {
    if (throttled === 0) return false;
    throttled -= 1;
    return true;
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => error(response, 500, "InternalServerErrorException"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `${base}/${stage}`,
    tencentUrl: `${base}/api-local`,
    throttle(times) {
      throttled = times;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const stateOf = ({ lastActiveAt, info: { connectedAt, sourceIp, userAgent } }: Connection) => ({
  connectedAt: new Date(connectedAt).toISOString(),
  lastActiveAt: new Date(lastActiveAt).toISOString(),
  identity: { sourceIp, userAgent },
});

async function read(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > maxRequestBytes) break;
  }
  return Buffer.concat(chunks);
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function answer(response: ServerResponse, status: number, body?: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

function error(response: ServerResponse, status: number, type: string): void {
  response.writeHead(status, { "content-type": "application/json", "x-amzn-errortype": type });
  response.end(JSON.stringify({ message: type.replace(/Exception$/, "") }));
}

// --- Signature Version 4 -------------------------------------------------------------------------------------------

/** The clocks of the two sides may differ by so much. */
const skewMs = 5 * 60_000;

/** Written from the specification and not with the library that signs, so that the two check each other. */
function isSigned(
  { method = "", headers }: IncomingMessage,
  path: string,
  query: string,
  body: Buffer,
  { region, accessKeyId, secretAccessKey }: Credentials,
): boolean {
  const { authorization = "", "x-amz-date": date = "" } = headers;
  const names = /SignedHeaders=([^,]+)/.exec(authorization)?.[1]?.split(";") ?? [];
  if (typeof date !== "string" || !names.includes("host") || !names.includes("x-amz-date")) return false;
  const at = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  if (!(Math.abs(Date.now() - at) < skewMs)) return false;

  const scope = [date.slice(0, 8), region, "execute-api", "aws4_request"];
  const canonical = [
    method,
    // Each part of the path is encoded once more than it travels.
    path.split("/").map(encodeStrictly).join("/"),
    query.split("&").toSorted().join("&"),
    ...names.map((name) => `${name}:${String(headers[name] ?? "").trim()}`),
    "",
    names.join(";"),
    sha256(body),
  ].join("\n");
  const toSign = ["AWS4-HMAC-SHA256", date, scope.join("/"), sha256(canonical)].join("\n");
  const key = scope.reduce((secret, part) => hmac(secret, part), Buffer.from(`AWS4${secretAccessKey}`));
  const expected = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope.join("/")}, SignedHeaders=${names.join(";")}, Signature=${hmac(key, toSign).toString("hex")}`;
  return equal(expected, authorization);
}

const sha256 = (data: string | Buffer) => createHash("sha256").update(data).digest("hex");
const hmac = (key: Buffer, data: string) => createHmac("sha256", key).update(data).digest();

/** RFC 3986: `encodeURIComponent` leaves five signs as they are. */
const encodeStrictly = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
