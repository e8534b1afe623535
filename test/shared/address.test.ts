/** Addresses in every spelling of sockets and proxies, and the networks by which limits count. */
import fc from "fast-check";
import { addressOf, networkOf, widerNetworkOf } from "../../shared/address.ts";

it.each<[string, string | undefined]>([
  ["192.0.2.7", "192.0.2.7"],
  [" 192.0.2.7:40007 ", "192.0.2.7"],
  ['"192.0.2.7:40007"', "192.0.2.7"],
  ["::ffff:192.0.2.7", "192.0.2.7"],
  ["::FFFF:c000:207", "192.0.2.7"],
  ["0:0:0:0:0:ffff:192.0.2.7", "192.0.2.7"],
  ["[::ffff:192.0.2.7]:80", "192.0.2.7"],
  ["64:ff9b::192.0.2.7", "192.0.2.7"],
  ["2001:DB8:0:0::0:7", "2001:db8::7"],
  ["[2001:db8::7]", "2001:db8::7"],
  ['"[2001:db8::7]:443"', "2001:db8::7"],
  ["[2001:db8::7]:_port", "2001:db8::7"],
  ["fe80::1%eth0", "fe80::1"],
  ["[fe80::1%25eth0]:80", "fe80::1"],
  ["::1", "::1"],
  ["::", "::"],
  ["unknown", undefined],
  ["_hidden", undefined],
  ["", undefined],
  ["192.0.2.256", undefined],
  ["192.0.2.7:", undefined],
  ["192.0.2.7:123456", undefined],
  ["[192.0.2.7]:80", undefined],
  ["[2001:db8::7", undefined],
  ["2001:db8::7::", undefined],
  ["192.0.2.7, 192.0.2.8", undefined],
  ["0x7f000001", undefined],
  ["shop.example", undefined],
])("the address %j is read as %j", (written, expected) => {
  expect(addressOf(written)).toBe(expected);
});

it("an IPv6 address counts by /64, its wider network by /48, an IPv4 address as it is", () => {
  const networks = (address: string) => [networkOf(address), widerNetworkOf(address)];
  expect(networks("2001:db8:1:2:3:4:5:6")).toEqual(["2001:db8:1:2::/64", "2001:db8:1::/48"]);
  expect(networks("2001:DB8:1:2::")).toEqual(networks("2001:db8:1:2:ffff:ffff:ffff:ffff"));
  expect(networkOf("2001:db8:1:3::1")).not.toBe(networkOf("2001:db8:1:2::1"));
  expect(networks("::ffff:192.0.2.7")).toEqual(["192.0.2.7", undefined]);
  expect(networks("garbage")).toEqual(["unknown", undefined]);
});

it("an address has one spelling, and one network for any lower half", () => {
  fc.assert(
    fc.property(fc.ipV6(), fc.array(fc.nat(0xffff), { minLength: 4, maxLength: 4 }), (address, host) => {
      const text = addressOf(address) as string;
      expect(addressOf(text)).toBe(text);
      expect(addressOf(`"[${address.toUpperCase()}]:1"`)).toBe(text);
      const network = networkOf(address);
      if (!network.endsWith("::/64") || network === "0:0:0:0::/64") return;
      const sibling = `${network.slice(0, -5)}:${host.map((group) => group.toString(16)).join(":")}`;
      // Translated IPv4 is IPv4, whatever it is written in.
      if (widerNetworkOf(sibling) !== undefined) expect(networkOf(sibling)).toBe(network);
    }),
  );
});
