/**
 * Requests from pages of another origin, as an HTTP API answers them when `provider.httpApi.cors` is set.
 * Source: the API Gateway developer guide, "Configure CORS for HTTP APIs".
 */
import type { IncomingMessage } from "node:http";

export interface Cors {
  readonly allowedOrigins: readonly string[];
  readonly allowedHeaders: readonly string[];
  readonly allowedMethods: readonly string[];
  readonly exposedHeaders: readonly string[];
  readonly allowCredentials: boolean;
  readonly maxAgeSec: number | undefined;
}

/** The request by which a browser asks for permission before it sends the request itself. */
export function isPreflight({ method, headers }: IncomingMessage): boolean {
  return method === "OPTIONS" && headers.origin !== undefined && "access-control-request-method" in headers;
}

/** @returns headers for the answer; none if no page asks or its origin is not allowed */
export function corsHeaders(cors: Cors, request: IncomingMessage): Record<string, string> {
  const { origin } = request.headers;
  if (origin === undefined || !cors.allowedOrigins.some((allowed) => fits(allowed, origin))) return {};
  const anyone = cors.allowedOrigins.includes("*") && !cors.allowCredentials;
  const added: Record<string, string> = anyone
    ? { "access-control-allow-origin": "*" }
    : { "access-control-allow-origin": origin, vary: "origin" };
  if (cors.allowCredentials) added["access-control-allow-credentials"] = "true";
  if (!isPreflight(request)) {
    if (cors.exposedHeaders.length > 0) added["access-control-expose-headers"] = cors.exposedHeaders.join(",");
    return added;
  }
  added["access-control-allow-methods"] = cors.allowedMethods.join(",");
  added["access-control-allow-headers"] = cors.allowedHeaders.join(",");
  if (cors.maxAgeSec !== undefined) added["access-control-max-age"] = String(cors.maxAgeSec);
  return added;
}

/** `https://*` is every origin of that scheme. */
const fits = (allowed: string, origin: string) =>
  allowed === "*" || allowed === origin || (/^https?:\/\/\*$/.test(allowed) && origin.startsWith(allowed.slice(0, -1)));

/** The gateway ignores what a function says of CORS. */
export function withoutCors(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const isOfCors = (name: string) => /^access-control-/i.test(name);
  if (!Object.keys(headers).some(isOfCors)) return headers;
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !isOfCors(name)));
}
