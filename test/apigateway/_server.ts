/** The local gateway with tiny functions, and clients that send exact bytes. */
import { connect, type Socket } from "node:net";
import { WebSocket } from "ws";
import type { CallOptions } from "../../apigateway/local/invoke.ts";
import { readRoutes } from "../../apigateway/local/routes.ts";
import { type LocalServer, type ServerOptions, startServer } from "../../apigateway/local/server.ts";
import { makeLog } from "../../shared/log.ts";
import { note } from "../_printed.ts";

export const petRoutes = `
functions:
  pets:
    handler: functions/pets.handler
    events:
      - httpApi: GET /pets
      - httpApi: POST /pets
      - httpApi: GET /pets/{id}
      - httpApi: GET /pets/mine
      - httpApi: GET /pets/{id}/{part}
      - httpApi: GET /pets/{id}/name
      - httpApi: { method: put, path: "/pets/{id}" }
  rest:
    handler: functions/rest.handler
    events:
      - httpApi: "*"
  handshake:
    handler: functions/handshake.handler
    events:
      - websocket: $connect
  say:
    handler: functions/say.handler
    events:
      - websocket: { route: $default }
  leave:
    handler: functions/leave.handler
    events:
      - websocket: $disconnect
`;

// biome-ignore lint/suspicious/noExplicitAny: tests read any member of an event
export type AnyEvent = any;
export type Functions = Record<string, (event: AnyEvent, asked: CallOptions) => unknown>;

export interface TestServerOptions extends Partial<Omit<ServerOptions, "routes" | "call" | "log">> {
  readonly functions?: Functions;
  readonly yaml?: string;
}

export interface TestServer extends LocalServer {
  readonly url: string;
  readonly ws: string;
  /** Lines of the log. */
  readonly lines: string[];
  /** Events that functions were called with, oldest first, not yet taken by `called`. */
  readonly calls: { name: string; event: AnyEvent }[];
  /** The next call of the function, taken out. */
  called(name: string): Promise<AnyEvent>;
  /** Sends the bytes and gives everything that comes until the server closes. */
  raw(...parts: (string | Buffer)[]): Promise<string>;
}

/** Answers with its event, so that the client sees what the function saw. */
export const echo = (event: AnyEvent) => ({
  statusCode: 200,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(event),
  isBase64Encoded: false,
});

export async function openServer({ functions = {}, yaml = petRoutes, ...more }: TestServerOptions = {}) {
  const lines: string[] = [];
  const calls: TestServer["calls"] = [];
  const looking = new Set<() => void>();
  const own: Functions = {
    pets: echo,
    rest: (event) => ({ ...echo(event), statusCode: 404 }),
    handshake: () => ({ statusCode: 200 }),
    say: () => ({ statusCode: 200 }),
    leave: () => ({ statusCode: 200 }),
    ...functions,
  };
  const server = await startServer({
    routes: readRoutes(yaml),
    async call(name, event, asked) {
      calls.push({ name, event });
      for (const look of [...looking]) look();
      return own[name]?.(event, asked);
    },
    log: makeLog("debug", Date.now, (line) => {
      lines.push(line);
      note(line);
    }),
    host: "127.0.0.1",
    port: 0,
    healthy: async () => true,
    trustedProxies: [],
    ...more,
  });
  const test: TestServer = {
    ...server,
    url: `http${more.tls ? "s" : ""}://127.0.0.1:${server.port}`,
    ws: `ws${more.tls ? "s" : ""}://127.0.0.1:${server.port}/pgws`,
    lines,
    calls,
    called: (name) =>
      new Promise((resolve) => {
        const look = () => {
          const at = calls.findIndex((call) => call.name === name);
          if (at < 0) return;
          looking.delete(look);
          resolve(calls.splice(at, 1)[0]?.event);
        };
        looking.add(look);
        look();
      }),
    raw: async (...parts) => {
      const socket = await dial(server.port);
      for (const part of parts) socket.write(part);
      return ended(socket);
    },
  };
  return test;
}

/** A TCP connection. */
export function dial(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => resolve(socket));
    socket.once("error", reject);
  });
}

/** Everything that comes until the other side closes, however it does. */
export function ended(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  socket.on("error", () => {});
  return new Promise((resolve) => socket.once("close", () => resolve(Buffer.concat(chunks).toString("utf8"))));
}

/** The parts of the first HTTP answer. */
export function parse(answer: string): { status: number; headers: Record<string, string>; body: AnyEvent } {
  const [head = "", body = ""] = answer.split("\r\n\r\n");
  const [first = "", ...rest] = head.split("\r\n");
  const headers = Object.fromEntries(
    rest.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]),
  );
  const own = Buffer.from(body).subarray(0, Number(headers["content-length"] ?? 0));
  return { status: Number(first.split(" ")[1]), headers, body: own.length === 0 ? undefined : JSON.parse(`${own}`) };
}

/** A promise with its ends in hand. */
export function deferred<T = void>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

export interface Client {
  readonly socket: WebSocket;
  /** The next text that comes. */
  next(): Promise<string>;
  /** What has come and was not taken. */
  readonly texts: string[];
  readonly closed: Promise<{ code: number; reason: string }>;
}

/** An open WebSocket, or the HTTP status with which the server refused. */
export function enter(url: string, protocols: string[] = [], options: object = {}): Promise<Client> {
  const socket = new WebSocket(url, protocols, options);
  const texts: string[] = [];
  const looking = new Set<() => void>();
  socket.on("message", (data) => {
    texts.push(data.toString());
    for (const look of [...looking]) look();
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.once("close", (code, reason) => resolve({ code, reason: reason.toString() })),
  );
  const client: Client = {
    socket,
    texts,
    closed,
    next: () =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (texts.length === 0) return;
          looking.delete(look);
          resolve(texts.shift() as string);
        };
        looking.add(look);
        look();
        void closed.then(({ code }) => reject(new Error(`closed with ${code} before a text came`)));
      }),
  };
  return new Promise((resolve, reject) => {
    socket.once("open", () => {
      socket.on("error", () => {});
      resolve(client);
    });
    socket.once("unexpected-response", (_, response) => {
      socket.on("error", () => {});
      socket.terminate();
      reject(new Refused(response.statusCode ?? 0));
    });
    socket.once("error", reject);
  });
}

export class Refused extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`refused with ${status}`);
    this.status = status;
  }
}
