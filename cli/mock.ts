/**
 * `npm run mock`: answers HTTP routes from the examples in apigateway/openapi.yaml, all of them or, in front of a real
 * gateway, only those named, so that a page can be written before its route.
 */
import { readFileSync } from "node:fs";
import { request as ask, createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { OpenAPIBackend, type Operation } from "openapi-backend";
import { parse } from "yaml";
import { untilStopped } from "./signals.ts";
import { UsageError } from "./usage_error.ts";

const problemType = "application/problem+json";

const usage = `usage: npm run mock [-- [--port 8788] [--gateway http://127.0.0.1:8787 --route "POST /bill" …]]
Without --gateway every route is answered from its example. With it only the routes named are; the rest is passed on.
A request chooses among answers with "Prefer: code=409" or "Prefer: example=delivery" (RFC 7240).`;

export interface MockOptions {
  readonly port: number;
  /** The gateway that answers other routes. */
  readonly gateway?: string | undefined;
  /** Such as `POST /bill`, as they stand in openapi.yaml; empty for all. */
  readonly routes: readonly string[];
}

/** @throws UsageError when a route is not in openapi.yaml */
export async function startMock({ port, gateway, routes }: MockOptions): Promise<{ port: number; server: Server }> {
  const text = readFileSync(new URL("../apigateway/openapi.yaml", import.meta.url), "utf8");
  const api = new OpenAPIBackend({ definition: parse(text), quick: true });
  await api.init();
  const known = api.getOperations().map(({ method, path }) => `${method.toUpperCase()} ${path}`);
  const unknown = routes.find((route) => !known.includes(route));
  if (unknown !== undefined) throw new UsageError(`there is no route "${unknown}" in apigateway/openapi.yaml`);

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const { method = "GET", url = "/" } = request;
    const [path = "/", query = ""] = url.split("?");
    const headers = request.headers as Record<string, string>;
    const operation = api.matchOperation({ method, path, query, headers });
    const route = operation && `${operation.method.toUpperCase()} ${operation.path}`;
    const mocked = route !== undefined && (routes.length === 0 || routes.includes(route));
    if (!mocked && gateway !== undefined) {
      passOn(gateway, request, response);
      return;
    }
    request.resume();
    // Pages of any origin may ask: a mock has nothing to protect.
    const open = { "access-control-allow-origin": "*", "access-control-allow-headers": "*" };
    if (method === "OPTIONS")
      return void response.writeHead(204, { ...open, "access-control-allow-methods": "*" }).end();
    if (operation?.operationId === undefined || !mocked)
      return void response.writeHead(404, { ...open, "content-type": problemType }).end(
        JSON.stringify({
          type: "/errors#ROUTE_UNKNOWN",
          title: "Route unknown",
          status: 404,
          detail: "openapi.yaml has no such route",
          code: "ROUTE_UNKNOWN",
        }),
      );
    const { status, mock } = api.mockResponseForOperation(operation.operationId, {
      ...preference(headers.prefer),
      mediaType: problemType,
    });
    const type = mediaTypeOf(operation, status);
    response.writeHead(status, { ...open, ...(type === undefined ? {} : { "content-type": type }) });
    if (type === undefined) return void response.end();
    response.end(/[/+]json$/.test(type) ? JSON.stringify(mock) : String(mock));
  }

  const server = createServer(answer);
  // The socket has no examples: the real gateway serves it, or none.
  server.on("upgrade", (request, socket, head) => {
    if (gateway === undefined) return void socket.end("HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n");
    const { hostname, port: to } = new URL(gateway);
    const through = connect(Number(to || 80), hostname, () => {
      const lines = request.rawHeaders.flatMap((name, at, all) => (at % 2 === 0 ? [`${name}: ${all[at + 1]}`] : []));
      through.write(`${request.method} ${request.url} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
      through.write(head);
      socket.pipe(through).pipe(socket);
    });
    through.on("error", () => socket.destroy());
    socket.on("error", () => through.destroy());
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  return { port: (server.address() as { port: number }).port, server };
}

/** What the backend answers when it is asked for a problem: the problem where there is one, else the first type that is written. */
function mediaTypeOf({ responses }: Operation, status: number): string | undefined {
  const { content } = (responses?.[status] ?? {}) as { content?: Readonly<Record<string, unknown>> };
  const types = Object.keys(content ?? {});
  return types.includes(problemType) ? problemType : types[0];
}

/** `code=409, example=delivery` */
function preference(header = ""): { code?: number; example?: string } {
  const preferences = Object.fromEntries(header.split(/[,;]\s*/).map((part) => part.split("=", 2)));
  return {
    ...(preferences.code === undefined ? {} : { code: Number(preferences.code) }),
    ...(preferences.example === undefined ? {} : { example: preferences.example }),
  };
}

function passOn(gateway: string, request: IncomingMessage, response: ServerResponse): void {
  const { hostname, port } = new URL(gateway);
  const onward = ask(
    { hostname, port: port || 80, method: request.method, path: request.url, headers: request.headers },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    },
  );
  onward.on("error", () => {
    if (!response.headersSent) response.writeHead(502, { "content-type": "text/plain" });
    response.end(`no gateway answers at ${gateway}\n`);
  });
  request.pipe(onward);
}

export interface MockArguments {
  readonly port: string | undefined;
  readonly gateway: string | undefined;
  readonly routes: readonly string[];
}

export async function mock(given: MockArguments): Promise<void> {
  const options = optionsOf(given);
  const { port, server } = await startMock(options);
  const which = options.routes.length === 0 ? "every route" : options.routes.join(", ");
  process.stdout.write(`${which} answered from the examples of apigateway/openapi.yaml at http://127.0.0.1:${port}\n`);
  if (options.gateway !== undefined) process.stdout.write(`the rest is passed on to ${options.gateway}\n`);
  await untilStopped();
  server.closeAllConnections();
  server.close();
}

function optionsOf({ port = "8788", gateway, routes }: MockArguments): MockOptions {
  const refused = (reason: string) => new UsageError(`${reason}\n${usage}`);
  if (!/^\d{1,5}$/.test(port)) throw refused("--port is a number");
  if (gateway !== undefined && !/^http:\/\/[^/]+\/?$/.test(gateway))
    throw refused("--gateway is an address such as http://127.0.0.1:8787");
  if ((gateway === undefined) !== (routes.length === 0)) throw refused("--gateway and --route go together");
  return { port: Number(port), gateway, routes };
}
