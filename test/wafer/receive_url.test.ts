/** The addresses for callbacks in every form in which an SDK writes them, and those that nobody may write. */
import { allowedUrl, OutboundRefused } from "../../shared/outbound.ts";
import { hostOf, moveUrl, originOf, unwrapUrl } from "../../shared/wafer/receive_url.ts";

describe("a callback's address", () => {
  it.each([
    ["https://biz.example.com/tunnel", "https://biz.example.com/tunnel"],
    ["http://127.0.0.1:5757/tunnel", "http://127.0.0.1:5757/tunnel"],
    ["http://[127.0.0.1:5757]/tunnel", "http://127.0.0.1:5757/tunnel"],
    ["https://[biz.example.com:8443]/a/b", "https://biz.example.com:8443/a/b"],
    ["https://[https://www.x.com]/tunnel", "https://www.x.com/tunnel"],
    ["https://[http://www.x.com]/tunnel", "http://www.x.com/tunnel"],
    ["http://[::1]:5757/tunnel", "http://[::1]:5757/tunnel"],
    ["HTTP://BIZ.example.com/T", "http://biz.example.com/T"],
  ])("%s is %s", (written, plain) => {
    expect(unwrapUrl(written)).toBe(plain);
  });

  it.each([
    ["a user and a password", "http://biz.example.com:x@evil.example/tunnel"],
    ["a user within brackets", "http://[biz.example.com@evil.example]/tunnel"],
    ["another scheme", "ftp://biz.example.com/tunnel"],
    ["another scheme within brackets", "http://[file:///etc/passwd]/"],
    ["a query", "http://biz.example.com/tunnel?x=1"],
    ["a fragment", "http://biz.example.com/tunnel#x"],
    ["no host", "http:///"],
    ["no address at all", "tunnel"],
    ["brackets in brackets", "http://[[::1]:5757]/tunnel"],
    ["more than a column holds", `http://biz.example.com/${"x".repeat(1_024)}`],
  ])("with %s is none", (_, written) => {
    expect(unwrapUrl(written)).toBeUndefined();
  });

  it("keeps its path behind another origin", () => {
    expect(moveUrl("http://127.0.0.1/weapp/tunnel", "http://10.0.0.5:5757")).toBe("http://10.0.0.5:5757/weapp/tunnel");
  });

  it.each([
    ["biz.example.com", "biz.example.com"],
    ["https://www.x.com", "www.x.com"],
    ["https://www.x.com/", "www.x.com"],
    ["127.0.0.1:5757", "127.0.0.1:5757"],
    ["x@evil.example", undefined],
    ["a/b", undefined],
    ["", undefined],
  ])("of the configured host %s may go to %s", (written, host) => {
    expect(hostOf(written)).toBe(host);
  });

  it.each([
    ["http://10.0.0.5:5757", "http://10.0.0.5:5757"],
    ["http://10.0.0.5:5757/", "http://10.0.0.5:5757"],
    ["http://10.0.0.5:5757/tunnel", undefined],
    ["10.0.0.5:5757", undefined],
  ])("is moved by %s to %s", (written, origin) => {
    expect(originOf(written)).toBe(origin);
  });
});

describe("a host that is allowed", () => {
  it.each([
    ["https://biz.example.com/tunnel", "biz.example.com"],
    ["https://biz.example.com:443/tunnel", "biz.example.com"],
    ["https://biz.example.com/tunnel", "biz.example.com:443"],
    ["http://biz.example.com/tunnel", "biz.example.com:80"],
    ["http://127.0.0.1:5757/tunnel", "127.0.0.1:5757"],
    ["http://[::1]:5757/tunnel", "[::1]:5757"],
    ["https://BIZ.example.com/tunnel", "biz.EXAMPLE.com"],
  ])("takes %s by the entry %s", (url, entry) => {
    expect(allowedUrl(url, ["other.example", entry]).href).toBeTruthy();
  });

  it.each([
    ["another port", "https://biz.example.com:8443/", "biz.example.com"],
    ["the other scheme's port", "http://biz.example.com/", "biz.example.com:443"],
    ["a subdomain", "https://a.biz.example.com/", "biz.example.com"],
    ["a name that begins like it", "https://biz.example.com.evil.example/", "biz.example.com"],
    ["a name that ends like it", "https://evilbiz.example.com/", "biz.example.com"],
    ["an address written as a number", "http://2130706433/", "127.0.0.2"],
    ["a user that looks like it", "https://biz.example.com@evil.example/", "biz.example.com"],
    ["an entry with a path", "https://biz.example.com/x", "biz.example.com/x"],
    ["an empty entry", "https://biz.example.com/", ""],
    ["a backslash", "https://biz.example.com\\@evil.example/", "evil.example"],
  ])("refuses %s", (_, url, entry) => {
    expect(() => allowedUrl(url, [entry])).toThrow(OutboundRefused);
  });
});
