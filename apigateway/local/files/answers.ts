/** Answers of the local store without bytes: refusals, and what browsers ask before they send. */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import { mostInOneRequest } from "../../../shared/file_store.ts";

/** An answer with this status. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/** Pages of any origin may send and fetch: the signature decides, and no cookie or session is looked at. */
export function allow(response: ServerResponse): void {
  response.setHeader("access-control-allow-origin", "*");
  response.setHeader("access-control-expose-headers", "ETag, Content-Range, Accept-Ranges, Content-Length");
}

export const isPreflight = ({ method, headers }: IncomingMessage): boolean =>
  method === "OPTIONS" && headers.origin !== undefined && "access-control-request-method" in headers;

export function preflight({ headers }: IncomingMessage, response: ServerResponse): void {
  const asked = headers["access-control-request-headers"];
  response.writeHead(204, {
    "access-control-allow-methods": "GET, HEAD, PUT, POST",
    ...(asked === undefined ? {} : { "access-control-allow-headers": asked }),
    "access-control-max-age": "3600",
    vary: "access-control-request-headers",
  });
  response.end();
}

/** The rest of a body is read and dropped, up to the size of an upload: a client that still writes would not see the answer. */
export function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  { status, message, headers }: Refused,
): void {
  response.writeHead(status, {
    "content-type": "application/problem+json",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...headers,
  });
  response.end(JSON.stringify({ type: "about:blank", title: STATUS_CODES[status], status, detail: message }));
  let dropped = 0;
  request.on("data", (chunk: Buffer) => {
    dropped += chunk.length;
    if (dropped > mostInOneRequest) request.destroy();
  });
  request.resume();
}
