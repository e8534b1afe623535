/** Whose request it is: the one place where the client's address is decided. */
import type { IncomingMessage } from "node:http";
import { BlockList, isIP } from "node:net";

/**
 * The peer's address; or, if the peer is a trusted proxy, the nearest address in `X-Forwarded-For` that is not one.
 * What stands further left was written by somebody we do not know.
 * @param trusted addresses and ranges, such as `127.0.0.1` and `10.0.0.0/8`
 * @throws TypeError for what is neither
 */
export function addressReader(trusted: readonly string[]): (request: IncomingMessage) => string {
  const proxies = listOf(trusted);
  const isTrusted = (address: string) => {
    const family = isIP(address);
    return family !== 0 && proxies.check(address, family === 6 ? "ipv6" : "ipv4");
  };
  return ({ socket, headers }) => {
    const peer = plain(socket.remoteAddress ?? "");
    if (!isTrusted(peer)) return peer;
    // Node joins a header that came twice.
    const forwarded = String(headers["x-forwarded-for"] ?? "").split(",");
    let nearest = peer;
    for (const entry of forwarded.toReversed()) {
      const address = plain(entry.trim());
      if (isIP(address) === 0) return nearest;
      nearest = address;
      if (!isTrusted(address)) return address;
    }
    return nearest;
  };
}

/** IPv4 written as IPv6 is IPv4. */
const plain = (address: string) => address.replace(/^::ffff:(?=\d+\.)/i, "");

function listOf(trusted: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of trusted) {
    const [address = "", bits, ...more] = entry.split("/");
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    const maxBits = family === "ipv6" ? 128 : 32;
    if (isIP(address) === 0 || more.length > 0 || (bits !== undefined && !(/^\d{1,3}$/.test(bits) && +bits <= maxBits)))
      throw new TypeError(`"${entry}" is neither an address nor a range`);
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}
