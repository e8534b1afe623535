/** Warns once about a peer that forwards for others but is not trusted: all guests behind it count as one address. */
import { isIPv4 } from "node:net";
import { privateNetworks, widerNetworkOf } from "../../shared/address.ts";
import type { Log } from "../../shared/log.ts";
import { addressMatcher } from "../../shared/networks.ts";

export interface UntrustedProxies {
  report(peer: string): void;
  /** Whether a peer of a private network forwarded and was not trusted: very likely the shop's own proxy. */
  hasPrivate(): boolean;
}

/** Anyone can send the header, so the number of lines is bounded. */
const maxLines = 20;

export function untrustedProxies(log: Pick<Log, "warn">): UntrustedProxies {
  const isPrivate = addressMatcher(privateNetworks);
  const reported = new Set<string>();
  let hasPrivate = false;
  return {
    report(peer) {
      const near = isPrivate(peer);
      hasPrivate ||= near;
      // An address of the internet may be a customer's, and is not logged whole.
      const value = near ? peer : networkAround(peer);
      if (reported.has(value) || reported.size >= maxLines) return;
      reported.add(value);
      log.warn("proxy.untrusted", {
        setting: "TRUSTED_PROXIES",
        value,
        private: near,
        hint: near
          ? "this peer forwards for others and is not believed: all guests behind it count as one address; add the value to the setting"
          : "a peer of the internet says for whom it forwards and is not believed; add its network to the setting only if it is your proxy",
      });
    },
    hasPrivate: () => hasPrivate,
  };
}

const networkAround = (address: string) =>
  isIPv4(address) ? address.replace(/\d+$/, "0/24") : (widerNetworkOf(address) ?? "unknown");
