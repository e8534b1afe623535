/** Encryption, signatures and hashes: only the right key and purpose match. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { equal, makeSecrets } from "../../shared/secrets.ts";
import { testKeys } from "../_house.ts";

const other = "b3RoZXIta2V5LWZvci10ZXN0cy0wMTIzNDU2Nzg5MDE";
const secrets = makeSecrets(testKeys.SIGNING_KEY, testKeys.WECHAT_KEY);
/** The text with one bit of one of its bytes turned. */
function bent(sealed: string, at: number): string {
  const bytes = Buffer.from(sealed, "base64url");
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes.toString("base64url");
}

describe("a seal", () => {
  it("opens to what was sealed, whatever that was", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (text, about) => {
        expect(secrets.open(secrets.seal(text, about), about)).toBe(text);
      }),
    );
  });

  it("hides the text, and is another one each time", () => {
    const seals = Array.from({ length: 50 }, () => secrets.seal("the-secret", "secret 1"));
    expect(new Set(seals).size).toBe(50);
    for (const seal of seals) {
      expect(seal).toMatch(/^[A-Za-z0-9_-]+$/);
      expect(Buffer.from(seal, "base64url").includes("the-secret")).toBe(false);
    }
  });

  it("does not open with another key, about another row, or for another purpose", () => {
    const sealed = secrets.seal("the-secret", "secret 1");
    expect(() => makeSecrets(testKeys.SIGNING_KEY, other).open(sealed, "secret 1")).toThrow();
    expect(() => secrets.open(sealed, "secret 2")).toThrow();
    expect(() => secrets.open(sealed, "")).toThrow();
    // The signing key is not used.
    expect(makeSecrets(other, testKeys.WECHAT_KEY).open(sealed, "secret 1")).toBe("the-secret");
  });

  it("does not open when any byte was changed, cut or added", () => {
    const sealed = secrets.seal("the-secret", "secret 1");
    const { length } = Buffer.from(sealed, "base64url");
    for (let at = 0; at < length; at++) expect(() => secrets.open(bent(sealed, at), "secret 1")).toThrow();
    for (let end = 0; end < length; end++) {
      const cut = Buffer.from(sealed, "base64url").subarray(0, end).toString("base64url");
      expect(() => secrets.open(cut, "secret 1")).toThrow();
    }
    expect(() => secrets.open(`${sealed}AAAA`, "secret 1")).toThrow();
  });

  it("needs the key of WeChat, and says so", () => {
    const without = makeSecrets(testKeys.SIGNING_KEY, undefined);
    expect(() => without.seal("x", "y")).toThrow("this function has no WECHAT_KEY");
    expect(() => without.open("x", "y")).toThrow("this function has no WECHAT_KEY");
    expect(() => without.hashAppId("wx0123456789abcdef")).toThrow("this function has no WECHAT_KEY");
  });

  it("takes the key in both alphabets of base64 as the same key", () => {
    const bytes = Buffer.alloc(32, 0xfb);
    const sealed = makeSecrets(testKeys.SIGNING_KEY, bytes.toString("base64")).seal("the-secret", "a");
    expect(makeSecrets(testKeys.SIGNING_KEY, bytes.toString("base64url")).open(sealed, "a")).toBe("the-secret");
  });
});

describe("a hash", () => {
  it("of a token is SHA-256, the same in every process and with every key", () => {
    expect(secrets.hash("token")).toBe(createHash("sha256").update("token").digest("base64url"));
    expect(makeSecrets(other, undefined).hash("token")).toBe(secrets.hash("token"));
    expect(secrets.hash("Token")).not.toBe(secrets.hash("token"));
    expect(secrets.hash("token")).toHaveLength(43);
  });

  it("of an address or an app id is stable under its key, and another one under another", () => {
    const twin = makeSecrets(testKeys.SIGNING_KEY, testKeys.WECHAT_KEY);
    expect(twin.hashAddress("192.0.2.1")).toBe(secrets.hashAddress("192.0.2.1"));
    expect(twin.hashAppId("wx0123456789abcdef")).toBe(secrets.hashAppId("wx0123456789abcdef"));
    expect(makeSecrets(other, testKeys.WECHAT_KEY).hashAddress("192.0.2.1")).not.toBe(secrets.hashAddress("192.0.2.1"));
    expect(makeSecrets(testKeys.SIGNING_KEY, other).hashAppId("x")).not.toBe(secrets.hashAppId("x"));
    // One key for one purpose.
    const same = makeSecrets(testKeys.SIGNING_KEY, testKeys.SIGNING_KEY);
    expect(new Set([same.hash("x"), same.hashAddress("x"), same.hashAppId("x")]).size).toBe(3);
  });

  // Worked out apart from this code, by RFC 5869 and RFC 2104.
  it("does not change from release to release: what is stored must still be found", () => {
    expect([secrets.hash("obg_x"), secrets.hashAddress("192.0.2.1"), secrets.hashAppId("wx0123456789abcdef")]).toEqual([
      "WPfjrYvJsUHB2Z_Q29EtUkpwxP57GIcxOcqMv9ZVRuU",
      "tL6QZ-B0g3lDC34A9DYBhvfdQ-RiOWht_kCJFTil6qo",
      "36SIAg_MxQLIhdFLBgBZShB0G3juj8St-G9YVFu-GRg",
    ]);
  });
});

describe("a signature", () => {
  const claims = { room: "r1", read: true, until: 1_795_000_000_000, name: "王小明" };

  it("gives the claims back", () => {
    expect(secrets.verify(secrets.sign(claims))).toEqual(claims);
  });

  it("fits nothing that was changed, nor another key", () => {
    const signed = secrets.sign(claims);
    const [body = "", mac = ""] = signed.split(".");
    const forged = Buffer.from(JSON.stringify({ ...claims, until: 9e15 })).toString("base64url");
    for (const text of [
      "",
      ".",
      body,
      `${body}.`,
      `.${mac}`,
      `${forged}.${mac}`,
      `${signed}A`,
      `${body}.${mac}.${mac}`,
    ])
      expect(secrets.verify(text)).toBeUndefined();
    for (let at = 0; at < mac.length - 1; at++) {
      const turned = mac[at] === "A" ? "B" : "A";
      expect(secrets.verify(`${body}.${mac.slice(0, at)}${turned}${mac.slice(at + 1)}`)).toBeUndefined();
    }
    expect(makeSecrets(other, testKeys.WECHAT_KEY).verify(signed)).toBeUndefined();
    // An address's hash under the same key is no signature.
    expect(secrets.verify(`${body}.${secrets.hashAddress(body)}`)).toBeUndefined();
  });
});

it("the comparison of secrets agrees with ===", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (a, b) => {
      expect(equal(a, b)).toBe(a === b);
      expect(equal(a, a)).toBe(true);
    }),
  );
});
