/** The system of a shop that signs tokens for its own users, honest or not. */
import { generateKeyPairSync, type KeyObject, sign as signBytes } from "node:crypto";

const make = {
  RS256: () => generateKeyPairSync("rsa", { modulusLength: 2_048 }),
  ES256: () => generateKeyPairSync("ec", { namedCurve: "P-256" }),
  EdDSA: () => generateKeyPairSync("ed25519"),
};
export type Algorithm = keyof typeof make;

export const issuerName = "https://biz.example.com";
export const audience = "orderbell";

export interface Issuer {
  readonly publicKey: KeyObject;
  readonly pem: string;
  privatePem(): string;
  /** An RSA key as .NET and Mono read it. */
  privateXml(): string;
  /** As its JWK Set has it. */
  jwk(kid: string): object;
  /** A token of now. @param header beside `alg` */
  sign(claims?: object, header?: object): string;
}

export const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** @param now in milliseconds */
export function makeIssuer(alg: Algorithm = "EdDSA", now: () => number = Date.now): Issuer {
  const { publicKey, privateKey } = make[alg]();
  let made = 0;
  return {
    publicKey,
    pem: publicKey.export({ type: "spki", format: "pem" }).toString(),
    privatePem: () => privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    privateXml() {
      const { n, e, p, q, dp, dq, qi, d } = privateKey.export({ format: "jwk" });
      const parts = { Modulus: n, Exponent: e, P: p, Q: q, DP: dp, DQ: dq, InverseQ: qi, D: d };
      const text = Object.entries(parts).map(
        ([name, value]) => `<${name}>${Buffer.from(String(value), "base64url").toString("base64")}</${name}>`,
      );
      return `<RSAKeyValue>${text.join("")}</RSAKeyValue>`;
    },
    jwk: (kid) => ({ ...publicKey.export({ format: "jwk" }), kid }),
    sign(claims = {}, header = {}) {
      const iat = Math.floor(now() / 1_000);
      made += 1;
      const all = { iss: issuerName, aud: audience, sub: "42", iat, exp: iat + 300, jti: String(made), ...claims };
      const signed = `${encoded({ alg, ...header })}.${encoded(all)}`;
      const key = alg === "ES256" ? { key: privateKey, dsaEncoding: "ieee-p1363" as const } : privateKey;
      const signature = signBytes(alg === "EdDSA" ? null : "sha256", Buffer.from(signed), key);
      return `${signed}.${signature.toString("base64url")}`;
    },
  };
}

/** What a server is told that takes the tokens of these keys. */
export const tokenSettings = (keys: string) => ({
  USER_TOKEN_ISSUER: issuerName,
  USER_TOKEN_AUDIENCE: audience,
  USER_TOKEN_KEYS: keys,
});
