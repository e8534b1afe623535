/** The caller's address behind proxies. A mistake here lets a stranger use another one's address, or share one with everybody. */
import type { IncomingMessage } from "node:http";
import fc from "fast-check";
import { clientAddressReader, serverAddressReader } from "../../apigateway/local/proxies.ts";
import { untrustedProxies } from "../../apigateway/local/untrusted_proxies.ts";
import { addressOf } from "../../shared/address.ts";
import { type AnyEvent, dial, ended, openServer } from "./_server.ts";

const read = (trusted: string[], peer: string | undefined, forwarded?: string) =>
  clientAddressReader(trusted)({
    socket: { remoteAddress: peer },
    headers: forwarded === undefined ? {} : { "x-forwarded-for": forwarded },
  } as unknown as IncomingMessage);

const proxy = "10.0.0.1";
const trusted = ["127.0.0.1", "10.0.0.0/8", "fd00::/8", "fe80::/16", "2001:db8::1"];

it.each<[string, string | undefined, string | undefined, string]>([
  ["a stranger's own header is nothing", "203.0.113.7", "198.51.100.1", "203.0.113.7"],
  ["a proxy tells", proxy, "198.51.100.1", "198.51.100.1"],
  ["a proxy that says nothing is the client", proxy, undefined, proxy],
  ["an empty header is nothing", proxy, "", proxy],
  ["the nearest stranger counts, not what he wrote", proxy, "1.1.1.1, 198.51.100.1", "198.51.100.1"],
  ["a chain of proxies is followed", proxy, "1.1.1.1,198.51.100.1, 10.2.3.4 ,127.0.0.1", "198.51.100.1"],
  ["proxies all the way: the farthest", proxy, "10.0.0.3, 10.0.0.2", "10.0.0.3"],
  ["garbage ends the chain", proxy, "198.51.100.1, unknown", proxy],
  ["garbage behind a proxy ends it there", proxy, "198.51.100.1, <script>, 10.0.0.9", "10.0.0.9"],
  ["a port is not the client", proxy, "198.51.100.1:40007", "198.51.100.1"],
  ["IPv6 with brackets and port", proxy, "[2001:db8::7]:443", "2001:db8::7"],
  ["quotes and empty entries", proxy, '1.1.1.1, "[2001:db8::7]:443" , ,', "2001:db8::7"],
  ["what hides itself ends the chain", proxy, "198.51.100.1, _hidden", proxy],
  ["out of range is garbage", proxy, "198.51.100.256", proxy],
  ["IPv6", proxy, "2001:db8::7", "2001:db8::7"],
  ["an IPv6 proxy", "2001:db8::1", "2001:db8::7, fd12::1", "2001:db8::7"],
  ["an IPv6 neighbour of a proxy", "2001:db8::2", "198.51.100.1", "2001:db8::2"],
  ["IPv4 in IPv6 as peer", "::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"],
  ["IPv4 in IPv6 as stranger", "::ffff:203.0.113.7", "198.51.100.1", "203.0.113.7"],
  ["IPv4 in IPv6 forwarded", proxy, "198.51.100.1, ::FFFF:10.0.0.9", "198.51.100.1"],
  ["a proxy of a zone", "fe80::1%eth0", "198.51.100.1", "198.51.100.1"],
  ["a stranger of a zone", "fe90::1%eth0", "198.51.100.1", "fe90::1"],
  ["a zone that is forwarded", proxy, "fe90::1%eth0, fe80::2%1", "fe90::1"],
  ["a peer that is gone", undefined, "198.51.100.1", ""],
])("the caller's address behind proxies: %s", (_, peer, forwarded, expected) => {
  expect(read(trusted, peer, forwarded)).toBe(expected);
});

it.each<[string, string, string]>([
  ["a proxy that writes the standard's own header", "for=198.51.100.1;proto=https;by=203.0.113.43", "198.51.100.1"],
  ["quotes, brackets and port", 'For="[2001:db8:cafe::17]:4711"', "2001:db8:cafe::17"],
  ["a chain", 'for=1.1.1.1, proto=http;for="198.51.100.1:80", for=10.0.0.2', "198.51.100.1"],
  ["a comma and a semicolon in quotes", 'for=198.51.100.1;host="a,b;for=1.1.1.1"', "198.51.100.1"],
  ["unknown", "for=198.51.100.1, for=unknown", proxy],
  ["hidden", "for=198.51.100.1, for=_SEVKISEK", proxy],
  ["an element without for", "for=198.51.100.1, proto=http", proxy],
])("the caller's address is read from Forwarded: %s", (_, forwarded, expected) => {
  const request = (headers: object) => ({ socket: { remoteAddress: proxy }, headers }) as unknown as IncomingMessage;
  expect(clientAddressReader(trusted)(request({ forwarded }))).toBe(expected);
  // A proxy that writes the other header leaves this one as the client sent it.
  expect(clientAddressReader(trusted)(request({ forwarded, "x-forwarded-for": "192.0.2.9" }))).toBe("192.0.2.9");
});

it("a peer that names another address without being trusted is reported", () => {
  const told: string[] = [];
  const ask = clientAddressReader(["10.0.0.0/8"], (peer) => told.push(peer));
  const from = (remoteAddress: string, headers: object) =>
    ask({ socket: { remoteAddress }, headers } as unknown as IncomingMessage);
  from("172.18.0.1", {});
  from("10.0.0.1", { "x-forwarded-for": "198.51.100.1" });
  expect(told).toEqual([]);
  from("::ffff:172.18.0.1", { "x-forwarded-for": "198.51.100.1" });
  from("172.18.0.2", { forwarded: "for=198.51.100.1" });
  expect(told).toEqual(["172.18.0.1", "172.18.0.2"]);
});

it("no proxy is trusted when none is named", () => {
  expect(read([], "127.0.0.1", "198.51.100.1")).toBe("127.0.0.1");
});

it.each(["", "proxy.example", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "::1/129", "10.0.0.0/", "10.0.0", "*"])(
  'the server refuses to start with the proxy "%s"',
  (entry) => {
    expect(() => clientAddressReader([entry])).toThrow(TypeError);
    expect(() => clientAddressReader([entry])).toThrow(`"${entry}"`);
  },
);

const stranger = fc.oneof(
  fc.ipV4().filter((address) => !address.startsWith("10.") && address !== "127.0.0.1"),
  fc.ipV6().filter((address) => !/^(fd|fe80|2001:)|\.|^::|^[0:]+:/i.test(address)),
);
const insider = fc.oneof(
  fc.constantFrom("127.0.0.1", "2001:db8::1", "fd00::9"),
  fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255)).map((rest) => `10.${rest.join(".")}`),
);
const anything = fc.string().filter((text) => !text.includes(","));

it("the caller is the nearest untrusted address, whatever stands further left", () => {
  fc.assert(
    fc.property(fc.array(anything), stranger, fc.array(insider), insider, (left, client, chain, peer) => {
      expect(read(trusted, peer, [...left.map((text) => text.replaceAll('"', "")), client, ...chain].join(","))).toBe(
        addressOf(client),
      );
    }),
  );
});

it("the header of an untrusted peer is ignored", () => {
  fc.assert(
    fc.property(stranger, fc.string(), (peer, forwarded) => {
      expect(read(trusted, peer, forwarded)).toBe(addressOf(peer));
    }),
  );
});

it("the caller's address is always one that was there, whatever the header", () => {
  fc.assert(
    fc.property(
      fc.oneof(insider, stranger, anything),
      fc.array(fc.oneof(insider, stranger, anything)),
      (peer, list) => {
        const address = read(trusted, peer, list.join(","));
        expect(["", ...[peer, ...list.flatMap((entry) => entry.split(","))].map(addressOf)]).toContain(address);
      },
    ),
  );
});

it("functions see the caller's address, and a header that came twice is read as one", async () => {
  const server = await openServer({ trustedProxies: ["127.0.0.0/8", "10.0.0.0/8"] });
  try {
    const socket = await dial(server.port);
    const forwarded = "X-Forwarded-For: 1.1.1.1, 198.51.100.1\r\nX-Forwarded-For: 10.0.0.2\r\n";
    socket.write(`GET /pets HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${forwarded}\r\n`);
    await ended(socket);
    expect((await server.called("pets")).requestContext.http.sourceIp).toBe("198.51.100.1");
  } finally {
    await server.stop();
  }
});

it("a proxy that is not trusted is reported once in the log, and in answers about health, with the value to set", async () => {
  const server = await openServer({ trustedProxies: ["10.0.0.0/8"] });
  try {
    const get = async (path: string, headers = {}): Promise<AnyEvent> =>
      (await fetch(server.url + path, { headers })).json();
    const said = () => server.lines.filter((line) => line.includes('"event":"proxy.untrusted"'));
    await get("/pets");
    expect([said(), (await get("/healthz")).warning]).toEqual([[], undefined]);
    await get("/pets", { "x-forwarded-for": "198.51.100.1" });
    await get("/pets", { forwarded: "for=198.51.100.2" });
    expect(said().length).toBe(1);
    const [line] = said();
    expect(line).toContain('"level":"warn"');
    expect(line).toContain('"setting":"TRUSTED_PROXIES","value":"127.0.0.1","private":true');
    expect(line).not.toContain("198.51.100");
    expect((await get("/healthz")).warning).toContain("TRUSTED_PROXIES");
  } finally {
    await server.stop();
  }
});

it("an untrusted peer's whole address is not logged, and such peers do not fill the log", () => {
  const lines: unknown[] = [];
  const { report, hasPrivate } = untrustedProxies({ warn: (_, fields) => lines.push(fields) });
  report("203.0.113.77");
  report("203.0.113.78");
  report("2001:db8:7:8::9");
  expect(lines).toMatchObject([
    { value: "203.0.113.0/24", private: false },
    { value: "2001:db8:7::/48", private: false },
  ]);
  for (let at = 0; at < 100; at++) report(`198.51.${at}.7`);
  expect([lines.length, hasPrivate()]).toEqual([20, false]);
});

describe("the address that was called", () => {
  const called = (peer: string, headers: Record<string, string>) => {
    const { protocol, host } = serverAddressReader(trusted)({ socket: { remoteAddress: peer }, headers } as never);
    return `${protocol}://${host}`;
  };

  it.each<[string, string, Record<string, string>, string]>([
    ["is the request's own", "203.0.113.7", { host: "shop.example:8787" }, "http://shop.example:8787"],
    [
      "is not what a stranger forwards",
      "203.0.113.7",
      { host: "shop.example", "x-forwarded-proto": "https", "x-forwarded-host": "evil.example" },
      "http://shop.example",
    ],
    [
      "is what a trusted proxy forwards",
      proxy,
      { host: "127.0.0.1:8787", "x-forwarded-proto": "https", "x-forwarded-host": "shop.example" },
      "https://shop.example",
    ],
    [
      "is the outermost of a chain",
      proxy,
      { host: "a", "x-forwarded-proto": "https, http", "x-forwarded-host": "shop.example, inner" },
      "https://shop.example",
    ],
    [
      "is the request's own where a proxy forwards garbage",
      proxy,
      { host: "shop.example", "x-forwarded-proto": "gopher", "x-forwarded-host": "a b/c" },
      "http://shop.example",
    ],
    ["is IPv6 with a port", "203.0.113.7", { host: "[2001:db8::1]:8787" }, "http://[2001:db8::1]:8787"],
  ])("%s", (_, peer, headers, expected) => {
    expect(called(peer, headers)).toBe(expected);
  });
});

it("the list of trusted proxies is validated before the server starts", async () => {
  await expect(openServer({ trustedProxies: ["10.0.0.0/99"] })).rejects.toThrow(TypeError);
});
