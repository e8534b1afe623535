/**
 * Network addresses as sockets, proxies and clouds write them, and the networks that limits count by.
 * An IPv4 address is one line or one carrier's NAT; an IPv6 line has a whole /64, a site often a /48.
 */
import { isIPv4, isIPv6 } from "node:net";

interface Parsed {
  /** As RFC 5952 writes it; IPv4 in its own form, also when embedded in IPv6. */
  readonly text: string;
  /** The eight groups of an IPv6 address. */
  readonly groups?: readonly number[];
}

/**
 * The address in its canonical form. Accepts quotes, brackets, ports and zones around it; undefined for `unknown`, `_hidden` and garbage.
 * @example addressOf('"[2001:DB8:0::1]:4711"') === "2001:db8::1"
 */
export function addressOf(written: string): string | undefined {
  return parse(written)?.text;
}

/** The network that limits count by: an IPv4 address, or the /64 of an IPv6 address. All invalid addresses count as one. */
export function networkOf(address: string): string {
  const parsed = parse(address);
  if (parsed === undefined) return "unknown";
  return parsed.groups === undefined ? parsed.text : `${prefix(parsed.groups, 4)}/64`;
}

/** The /48 around an IPv6 address: every line has at least a /64, but many have 65,536 of them. Undefined for IPv4. */
export function widerNetworkOf(address: string): string | undefined {
  const groups = parse(address)?.groups;
  return groups === undefined ? undefined : `${prefix(groups, 3)}/48`;
}

/** Networks that the internet does not route: the machine itself, a local network, a cloud's private one. */
export const privateNetworks: readonly string[] = [
  "127.0.0.0/8",
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "169.254.0.0/16",
  "100.64.0.0/10",
  "::1",
  "fc00::/7",
  "fe80::/10",
];

const prefix = (groups: readonly number[], count: number) =>
  `${groups
    .slice(0, count)
    .map((group) => group.toString(16))
    .join(":")}::`;

function parse(written: string): Parsed | undefined {
  const bare = withoutPort(written.trim().replace(/^"(.*)"$/s, "$1"));
  if (isIPv4(bare)) return { text: bare };
  if (!isIPv6(bare)) return undefined;
  const groups = groupsOf(bare.replace(/%.*$/s, ""));
  const embedded = embeddedIPv4(groups);
  return embedded === undefined ? { text: serialize(groups), groups } : { text: embedded };
}

/** `1.2.3.4:5678`, `[::1]:443`, `[::1]`. An IPv6 address without brackets has no port. */
function withoutPort(text: string): string {
  const [, bracketed, dotted] = /^(?:\[([^\]]*)\]|([\d.]+))(?::(?:\d{1,5}|_[\w.-]+))?$/.exec(text) ?? [];
  return bracketed === undefined ? (dotted ?? text) : isIPv6(bracketed) ? bracketed : "";
}

function groupsOf(ipv6: string): number[] {
  const hex = ipv6.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) =>
    [a * 256 + +b, c * 256 + +d].map((group) => group.toString(16)).join(":"),
  );
  const [left = "", right] = hex.split("::");
  const read = (part: string) => (part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16)));
  const [before, after] = [read(left), read(right ?? "")];
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
}

/** ::ffff:0:0/96, how a socket for both families shows IPv4; 64:ff9b::/96, how a translator in front of an IPv6 network does. */
function embeddedIPv4(groups: readonly number[]): string | undefined {
  const before = groups.slice(0, 6).join();
  if (before !== "0,0,0,0,0,65535" && before !== "100,65435,0,0,0,0") return undefined;
  return groups
    .slice(6)
    .flatMap((group) => [group >> 8, group & 255])
    .join(".");
}

const serialize = (groups: readonly number[]): string =>
  new URL(`http://[${groups.map((group) => group.toString(16)).join(":")}]`).hostname.slice(1, -1);

// --- Headers of proxies ---------------------------------------------------------------------------------------------

/**
 * The addresses that the proxies in front name, the nearest last; undefined where one names none.
 * `X-Forwarded-For` comes first: nearly every proxy writes it, but passes a client's own `Forwarded` (RFC 7239) unchanged.
 */
export function forwardedFor(headers: Readonly<Record<string, string | string[] | undefined>>): (string | undefined)[] {
  if (headers["x-forwarded-for"] === undefined && headers.forwarded === undefined) return [];
  const whole = (name: string) => [headers[name] ?? []].flat().join(",");
  const plain = elements(whole("x-forwarded-for"), ",");
  if (plain.length > 0) return plain.map(addressOf);
  return elements(whole("forwarded"), ",").map((element) => {
    const pair = elements(element, ";").find((one) => /^for\s*=/i.test(one));
    return pair === undefined ? undefined : addressOf(pair.slice(pair.indexOf("=") + 1));
  });
}

/** The parts between separators outside of quotes, without the empty ones. */
function elements(text: string, separator: string): string[] {
  const parts = [""];
  let quoted = false;
  for (const character of text) {
    if (character === '"') quoted = !quoted;
    if (character === separator && !quoted) parts.push("");
    else parts[parts.length - 1] += character;
  }
  return parts.map((part) => part.trim()).filter((part) => part !== "");
}
