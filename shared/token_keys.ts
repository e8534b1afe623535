/** Public keys that sign the tokens of a shop's own users: read from PEM, from a JWK Set, or from where one is published. */
import { createPublicKey, type KeyObject } from "node:crypto";

/** The algorithms taken. Which one a key is for follows from the key, never from a token. */
export const tokenAlgorithms = ["RS256", "ES256", "EdDSA"] as const;
export type TokenAlgorithm = (typeof tokenAlgorithms)[number];

export interface TokenKey {
  readonly algorithm: TokenAlgorithm;
  /** Its name in a JWK Set, where it has one. */
  readonly kid: string | undefined;
  readonly key: KeyObject;
}

/** The keys themselves, or the address of their JWK Set. */
export type TokenKeys = { readonly keys: readonly TokenKey[] } | { readonly url: URL };

/** The text is none of the forms, or a key in it cannot be used; the message says which. */
export class TokenKeysWrong extends Error {
  override readonly name = "TokenKeysWrong";
}

/**
 * @param text `https://…` of a JWK Set; a JWK Set as JSON; PEM, one key or several, with line breaks or `\n`; or the base64 of a PEM
 * alone, several with semicolons
 * @throws TokenKeysWrong
 */
export function parseTokenKeys(text: string): TokenKeys {
  if (/^https?:/i.test(text)) return { url: urlOf(text) };
  const keys = text.startsWith("{") ? keysOfSet(text, "all") : keysOfPem(text);
  if (keys.length === 0) throw new TokenKeysWrong("holds no key");
  return { keys };
}

/** Without TLS anybody on the way could put a key of their own in its place; on this machine nobody is on the way. */
function urlOf(text: string): URL {
  if (!URL.canParse(text)) throw new TokenKeysWrong("is no address");
  const url = new URL(text);
  if (url.protocol !== "https:" && !/^(localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname))
    throw new TokenKeysWrong("must be https://");
  if (url.username !== "" || url.password !== "" || url.hash !== "")
    throw new TokenKeysWrong("must have neither user nor fragment");
  return url;
}

const smallestRsaBits = 2_048;

/**
 * The keys of a JWK Set.
 * @param which `all`: a key that cannot be used is an error. `usable`: it is left out, as other services may need it
 * @throws TokenKeysWrong
 */
export function keysOfSet(json: string, which: "all" | "usable"): TokenKey[] {
  let set: unknown;
  try {
    set = JSON.parse(json);
  } catch {
    throw new TokenKeysWrong("is no JSON");
  }
  const { keys } = (set ?? {}) as { keys?: unknown };
  if (!Array.isArray(keys)) throw new TokenKeysWrong('is no JWK Set: it has no list "keys"');
  return keys.flatMap((jwk) => {
    try {
      return [keyOfJwk((jwk ?? {}) as Jwk)];
    } catch (error) {
      if (which === "usable" && error instanceof TokenKeysWrong) return [];
      throw error;
    }
  });
}

interface Jwk {
  readonly kid?: unknown;
  readonly alg?: unknown;
  readonly use?: unknown;
  readonly d?: unknown;
  readonly k?: unknown;
}

function keyOfJwk(jwk: Jwk): TokenKey {
  if (jwk.d !== undefined || jwk.k !== undefined) throw new TokenKeysWrong("holds a secret key; give the public one");
  if (jwk.use !== undefined && jwk.use !== "sig") throw new TokenKeysWrong("holds a key that is not for signatures");
  const found = usable(() => createPublicKey({ key: jwk as never, format: "jwk" }));
  if (jwk.alg !== undefined && jwk.alg !== found.algorithm)
    throw new TokenKeysWrong(`holds a key for another algorithm than ${tokenAlgorithms.join(", ")}`);
  return { ...found, kid: typeof jwk.kid === "string" ? jwk.kid : undefined };
}

function keysOfPem(text: string): TokenKey[] {
  const lines = text.replaceAll("\\n", "\n");
  if (/PRIVATE KEY-----/.test(lines)) throw new TokenKeysWrong("holds a private key; give the public one");
  const pems = lines.match(/-----BEGIN PUBLIC KEY-----[\s\S]*?-----END PUBLIC KEY-----/g);
  if (pems !== null) return pems.map((pem) => usable(() => createPublicKey(pem)));
  const bodies = lines.split(";").map((body) => body.trim());
  if (!bodies.every((body) => /^[A-Za-z0-9+/]+=*$/.test(body)))
    throw new TokenKeysWrong('is neither an address nor a JWK Set nor "-----BEGIN PUBLIC KEY-----"');
  return bodies.map((body) =>
    usable(() => createPublicKey({ key: Buffer.from(body, "base64"), format: "der", type: "spki" })),
  );
}

function usable(read: () => KeyObject): TokenKey {
  let key: KeyObject;
  try {
    key = read();
  } catch {
    throw new TokenKeysWrong("holds a key that cannot be read");
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails: details = {} } = key;
  if (type === "rsa" && Number(details.modulusLength) < smallestRsaBits)
    throw new TokenKeysWrong(`holds an RSA key of less than ${smallestRsaBits} bits`);
  const algorithm =
    type === "rsa"
      ? "RS256"
      : type === "ed25519"
        ? "EdDSA"
        : type === "ec" && details.namedCurve === "prime256v1"
          ? "ES256"
          : undefined;
  if (algorithm === undefined) throw new TokenKeysWrong("holds a key that is neither RSA nor P-256 nor Ed25519");
  return { algorithm, kid: undefined, key };
}
