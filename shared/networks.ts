/** Lists of networks, as settings name them: whether an address is in one of them. */
import { BlockList, isIP } from "node:net";
import { addressOf, privateNetworks } from "./address.ts";

/** @returns whether an address is one of the entries @throws TypeError for an entry that is neither an address nor a range */
export function addressMatcher(entries: readonly string[]): (address: string) => boolean {
  // The usual server trusts no proxy, and an empty BlockList takes 3 µs to say no.
  if (entries.length === 0) return () => false;
  const list = new BlockList();
  for (const entry of entries) add(list, entry);
  return (address) => {
    const family = isIP(address);
    return family !== 0 && list.check(address, family === 6 ? "ipv6" : "ipv4");
  };
}

function add(list: BlockList, entry: string): void {
  const [written = "", bits, ...more] = entry.split("/");
  const family = isIP(written);
  const address = addressOf(written);
  const maxBits = family === 6 ? 128 : 32;
  if (
    address === undefined ||
    family === 0 ||
    more.length > 0 ||
    (bits !== undefined && !(/^\d{1,3}$/.test(bits) && +bits <= maxBits))
  )
    throw new TypeError(`"${entry}" is neither an address nor a range`);
  const length = bits === undefined ? maxBits : Number(bits);
  // IPv4 written as IPv6 is looked up as IPv4.
  if (isIP(address) === 6) list.addSubnet(address, length, "ipv6");
  else list.addSubnet(address, family === 6 ? Math.max(0, length - 96) : length, "ipv4");
}

const internalIPv4 = addressMatcher([
  ...privateNetworks,
  "0.0.0.0/8",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
]);

/** All that is outside of 2000::/3; and within, what is reserved or carries an IPv4 address of unknown meaning (6to4, Teredo). */
const internalIPv6 = addressMatcher([
  "::/3",
  "2001::/23",
  "2001:db8::/32",
  "2002::/16",
  "3fff::/20",
  "4000::/2",
  "8000::/1",
]);

/**
 * Whether the internet does not route to this address: private, local to a link, reserved, multicast. Two lists: a list of
 * networks looks IPv4 up among those of IPv6 too.
 */
export const isInternal = (address: string): boolean =>
  isIP(address) === 6 ? internalIPv6(address) : internalIPv4(address);
