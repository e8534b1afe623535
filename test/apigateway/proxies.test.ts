/** Whose request it is. A wrong answer here lets a stranger borrow somebody else's address, or share one with everybody. */
import type { IncomingMessage } from "node:http";
import fc from "fast-check";
import { addressReader } from "../../apigateway/local/proxies.ts";
import { dial, ended, openServer } from "./_server.ts";

const read = (trusted: string[], peer: string | undefined, forwarded?: string) =>
  addressReader(trusted)({
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
  ["an address with a port is garbage", proxy, "198.51.100.1:80", proxy],
  ["out of range is garbage", proxy, "198.51.100.256", proxy],
  ["IPv6", proxy, "2001:db8::7", "2001:db8::7"],
  ["an IPv6 proxy", "2001:db8::1", "2001:db8::7, fd12::1", "2001:db8::7"],
  ["an IPv6 neighbour of a proxy", "2001:db8::2", "198.51.100.1", "2001:db8::2"],
  ["IPv4 in IPv6 as peer", "::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"],
  ["IPv4 in IPv6 as stranger", "::ffff:203.0.113.7", "198.51.100.1", "203.0.113.7"],
  ["IPv4 in IPv6 forwarded", proxy, "198.51.100.1, ::FFFF:10.0.0.9", "198.51.100.1"],
  ["a proxy of a zone", "fe80::1%eth0", "198.51.100.1", "198.51.100.1"],
  ["a stranger of a zone", "fe90::1%eth0", "198.51.100.1", "fe90::1%eth0"],
  ["a zone that is forwarded", proxy, "fe90::1%eth0, fe80::2%1", "fe90::1%eth0"],
  ["a peer that is gone", undefined, "198.51.100.1", ""],
])("%s", (_, peer, forwarded, expected) => {
  expect(read(trusted, peer, forwarded)).toBe(expected);
});

it("trusts nobody when nobody is named", () => {
  expect(read([], "127.0.0.1", "198.51.100.1")).toBe("127.0.0.1");
});

it.each(["", "proxy.example", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "::1/129", "10.0.0.0/", "10.0.0", "*"])(
  'refuses to start with the proxy "%s"',
  (entry) => {
    expect(() => addressReader([entry])).toThrow(TypeError);
    expect(() => addressReader([entry])).toThrow(`"${entry}"`);
  },
);

const stranger = fc.oneof(
  fc.ipV4().filter((address) => !address.startsWith("10.") && address !== "127.0.0.1"),
  fc.ipV6().filter((address) => !/^(fd|fe80|2001:)|\.|^::/i.test(address)),
);
const insider = fc.oneof(
  fc.constantFrom("127.0.0.1", "2001:db8::1", "fd00::9"),
  fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255)).map((rest) => `10.${rest.join(".")}`),
);
const anything = fc.string().filter((text) => !text.includes(","));

it("gives the nearest stranger, whatever stands further left", () => {
  fc.assert(
    fc.property(fc.array(anything), stranger, fc.array(insider), insider, (left, client, chain, peer) => {
      expect(read(trusted, peer, [...left, client, ...chain].join(","))).toBe(client);
    }),
  );
});

it("does not look at the header of a stranger", () => {
  fc.assert(
    fc.property(stranger, fc.string(), (peer, forwarded) => {
      expect(read(trusted, peer, forwarded)).toBe(peer);
    }),
  );
});

it("never fails, and gives an address that was there", () => {
  fc.assert(
    fc.property(
      fc.oneof(insider, stranger, anything),
      fc.array(fc.oneof(insider, stranger, anything)),
      (peer, list) => {
        const address = read(trusted, peer, list.join(","));
        expect([peer, ...list.map((entry) => entry.trim())]).toContain(address);
      },
    ),
  );
});

it("decides what functions see, and a header that came twice is one", async () => {
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

it("is looked at before the server starts", async () => {
  await expect(openServer({ trustedProxies: ["10.0.0.0/99"] })).rejects.toThrow(TypeError);
});
