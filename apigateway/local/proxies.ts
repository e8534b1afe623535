/** Addresses of the client and of this server, as a request and its trusted proxies name them. Nothing else reads X-Forwarded headers. */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { addressOf, forwardedFor } from "../../shared/address.ts";
import { addressMatcher } from "../../shared/networks.ts";

const peers = new WeakMap<Socket, string>();

/** The address at the other end, in its canonical form; empty when the connection has gone. */
export function peerOf(socket: Socket): string {
  const known = peers.get(socket);
  if (known !== undefined) return known;
  const peer = addressOf(socket.remoteAddress ?? "") ?? "";
  if (peer !== "") peers.set(socket, peer);
  return peer;
}

/**
 * Reads the peer's address; or, if the peer is a trusted proxy, the nearest address in the header that is not a trusted
 * proxy. Addresses further left come from unknown senders.
 * @param trusted addresses and ranges, such as `127.0.0.1` and `10.0.0.0/8`
 * @param onUntrusted called with a peer that forwards and is not trusted
 * @throws TypeError for an entry that is neither an address nor a range
 */
export function clientAddressReader(
  trusted: readonly string[],
  onUntrusted: (peer: string) => void = () => {},
): (request: IncomingMessage) => string {
  const isTrusted = addressMatcher(trusted);
  return ({ socket, headers }) => {
    const peer = peerOf(socket);
    if (!isTrusted(peer)) {
      if (forwardedFor(headers).length > 0) onUntrusted(peer);
      return peer;
    }
    let nearest = peer;
    for (const address of forwardedFor(headers).toReversed()) {
      if (address === undefined) return nearest;
      nearest = address;
      if (!isTrusted(address)) return address;
    }
    return nearest;
  };
}

/** The address of this server as the client wrote it. */
export interface ServerAddress {
  readonly protocol: "http" | "https";
  readonly host: string;
}

/** Reads protocol and host of the request; or, if the peer is a trusted proxy, the first ones in X-Forwarded-Proto and X-Forwarded-Host. */
export function serverAddressReader(trusted: readonly string[]): (request: IncomingMessage) => ServerAddress {
  const isTrusted = addressMatcher(trusted);
  return ({ socket, headers }) => {
    const own = {
      protocol: socket instanceof TLSSocket ? "https" : "http",
      host: headers.host ?? "localhost",
    } as const;
    if (!isTrusted(peerOf(socket))) return own;
    const first = (name: string) =>
      String(headers[name] ?? "")
        .split(",", 1)[0]
        ?.trim() ?? "";
    const protocol = first("x-forwarded-proto").toLowerCase();
    const host = first("x-forwarded-host");
    return {
      protocol: protocol === "http" || protocol === "https" ? protocol : own.protocol,
      host: /^[\w.:[\]-]+$/.test(host) ? host : own.host,
    };
  };
}
