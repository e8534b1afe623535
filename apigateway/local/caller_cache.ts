/**
 * Callers as far as a gateway can know them: a token that a function has accepted is valid until one rejects it. All
 * others are strangers: anybody can send a token that looks valid.
 */
import { hash } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { networkOf } from "../../shared/address.ts";
import { Recent } from "../../shared/recent.ts";
import { authorizationOf } from "../../shared/wafer/headers.ts";
import type { HttpResult } from "../events.ts";

export interface Caller {
  readonly kind: "staff" | "customer" | "stranger";
  /** The session or the network whose share this counts against. */
  readonly key: string;
}

/** Functions that reject a request without a valid token; `events` and `collections` do if there is a token. */
const authenticating = new Set([
  "session",
  "bill",
  "order",
  "shop",
  "picture",
  "notify",
  "room",
  "events",
  "collections",
]);
/** The routes that reject a wrong key in `Authorization`; a request without one may be accepted for its network. */
const isKeyed = (routeKey: string, { authorization }: IncomingHttpHeaders) =>
  /^POST \/mina_auth\/?$/.test(routeKey) && authorization !== undefined;
/** Tokens and tickets each; the oldest is removed, and is a stranger for one request. */
const maxKnown = 50_000;

export class CallerCache {
  readonly #tokens = new Recent<string, Caller>(maxKnown);
  readonly #tickets = new Recent<string, Caller>(maxKnown);

  /** @param address of the client, as the gateway decided */
  ofRequest({ headers }: IncomingMessage, address: string): Caller {
    const token = tokenOf(headers);
    const known = token === undefined ? undefined : this.#tokens.get(digest(token));
    return known ?? stranger(address);
  }

  /** Of a handshake. */
  ofHandshake({ headers, url = "" }: IncomingMessage, address: string): Caller {
    const ticket =
      /(?:^|[\s,])ticket\.([^\s,]+)/.exec(String(headers["sec-websocket-protocol"] ?? ""))?.[1] ??
      tunnelTicket(url) ??
      watchTicket(url);
    const name = ticket === undefined ? "" : digest(ticket);
    const known = this.#tickets.get(name);
    // A ticket is valid once.
    this.#tickets.delete(name);
    return known ?? stranger(address);
  }

  /** Learns from an answer whether the request's token is valid, and which new token was issued. */
  learn(name: string, routeKey: string, { headers }: IncomingMessage, { statusCode, body }: HttpResult): void {
    const token = tokenOf(headers);
    if (statusCode === 401 && token !== undefined) this.#tokens.delete(digest(token));
    if (statusCode < 200 || statusCode >= 300) return;
    if (name === "wafer_channel") remember(this.#tickets, tunnelTicket(body), clientOf);
    if (routeKey === "POST /web") remember(this.#tickets, watchTicket(body), clientOf);
    if (name === "collections_auth") remember(this.#tokens, stringAt(body, "access_token"), callerOf);
    if (name === "login" || name === "login_token")
      remember(this.#tokens, stringAt(body, "session", "token"), callerOf);
    if (name === "wafer_session")
      for (const place of ["session", "returnData"]) remember(this.#tokens, stringAt(body, place, "skey"), callerOf);
    // A key for front ends is known to everybody: whoever shows it stays a stranger.
    if (token === undefined || (name === "collections" && token.startsWith("obk_"))) return;
    if (!(authenticating.has(name) || isKeyed(routeKey, headers))) return;
    if (routeKey === "DELETE /session") this.#tokens.delete(digest(token));
    else remember(this.#tokens, token, callerOf);
    if (routeKey === "POST /session/ticket") remember(this.#tickets, stringAt(body, "ticket"), () => callerOf(token));
  }
}

const stranger = (address: string): Caller => ({ kind: "stranger", key: networkOf(address) });

const callerOf = (token: string): Caller => ({ kind: /^obs_/.test(token) ? "staff" : "customer", key: digest(token) });

/** The client of a tunnel that a business server asked for, or of a socket for watches. */
const clientOf = (ticket: string): Caller => ({ kind: "customer", key: digest(ticket) });

/** In the address that the channel service gave out. */
const tunnelTicket = (text: string) => /[?&]tunnelId=[\w-]+&ticket=([\w-]+)/.exec(text)?.[1];

/** In the address of a socket for watches. Nobody who is not signed in is given one. */
const watchTicket = (text: string) => /\?ticket=(obt_[\w-]+)/.exec(text)?.[1];

/** A session's token or a back end's key, wherever the request carries it. */
function tokenOf(headers: IncomingHttpHeaders): string | undefined {
  try {
    return /^(?:Bearer|Basic) +(\S+)$/i.exec(authorizationOf(headers) ?? "")?.[1];
  } catch {
    // Its headers contradict each other: a function rejects it.
    return undefined;
  }
}

const digest = (secret: string) => hash("sha256", secret, "base64url");

function remember(all: Recent<string, Caller>, secret: string | undefined, make: (secret: string) => Caller): void {
  if (secret === undefined) return;
  const name = digest(secret);
  all.set(name, all.get(name) ?? make(secret));
}

function stringAt(body: string, ...path: string[]): string | undefined {
  let value: unknown = JSON.parse(body);
  for (const name of path)
    value = typeof value === "object" && value !== null ? Object.entries(value).find(([key]) => key === name)?.[1] : "";
  return typeof value === "string" && value !== "" ? value : undefined;
}
