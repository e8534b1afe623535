/** Hashing, sealing and signing with node:crypto. Each key is derived for one purpose. */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hash,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from "node:crypto";
import { networkOf, widerNetworkOf } from "./address.ts";

export interface Secrets {
  /** For secrets of full entropy (tokens, tickets, keys): SHA-256 in base64url. */
  hash(secret: string): string;
  /** The network that limits count by. HMAC-SHA-256 in base64url: a plain hash of an address could be guessed. */
  hashAddress(address: string): string;
  /** The wider network around it, likewise; null where there is none. */
  hashWiderNetwork(address: string): string | null;
  /** Id of a mini-program, made of its app id, which is not stored in clear. Needs the WeChat key. */
  hashAppId(appid: string): string;
  /** AES-256-GCM. `about` is bound to the text: sealed for one row, it cannot be opened for another. Needs the WeChat key. */
  seal(text: string, about: string): string;
  /** @throws if it was changed, sealed with another key or about another thing */
  open(sealed: string, about: string): string;
  /** A room's grant: its claims as JSON, signed. */
  sign(claims: object): string;
  /** The claims; undefined when the signature is wrong. */
  verify(signed: string): unknown;
}

const maxNetworks = 1_000;

export function makeSecrets(signingKey: string, wechatKey: string | undefined): Secrets {
  const address = derive(signingKey, "address");
  const grant = derive(signingKey, "grant");
  const wechat = (purpose: string) => {
    if (wechatKey === undefined) throw new TypeError("this function has no WECHAT_KEY");
    return derive(wechatKey, purpose);
  };
  const mac = (key: Buffer, text: string) => createHmac("sha256", key).update(text).digest("base64url");
  /** Guests of one shop come by one network, and each of their orders asks for its hash. */
  const networks = new Map<string, string>();
  return {
    hash: (secret) => hash("sha256", secret, "base64url"),
    hashAddress(text) {
      const network = networkOf(text);
      const known = networks.get(network);
      if (known !== undefined) return known;
      const hashed = mac(address, network);
      if (networks.size >= maxNetworks) networks.clear();
      networks.set(network, hashed);
      return hashed;
    },
    hashWiderNetwork(text) {
      const network = widerNetworkOf(text);
      return network === undefined ? null : mac(address, network);
    },
    hashAppId: (appid) => mac(wechat("app id"), appid),
    seal(text, about) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", wechat("seal"), nonce).setAAD(Buffer.from(about));
      const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString("base64url");
    },
    open(sealed, about) {
      const bytes = Buffer.from(sealed, "base64url");
      const decipher = createDecipheriv("aes-256-gcm", wechat("seal"), bytes.subarray(0, 12), { authTagLength: 16 });
      decipher.setAAD(Buffer.from(about)).setAuthTag(bytes.subarray(12, 28));
      return decipher.update(bytes.subarray(28), undefined, "utf8") + decipher.final("utf8");
    },
    sign(claims) {
      const body = Buffer.from(JSON.stringify(claims)).toString("base64url");
      return `${body}.${mac(grant, body)}`;
    },
    verify(signed) {
      const dot = signed.indexOf(".");
      const body = signed.slice(0, dot);
      if (dot < 0 || !equal(signed.slice(dot + 1), mac(grant, body))) return undefined;
      return JSON.parse(Buffer.from(body, "base64url").toString());
    },
  };
}

/** Compares in constant time. */
export function equal(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

/** @param key 32 bytes in base64 */
export function derive(key: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync("sha256", Buffer.from(key, "base64"), "", `orderbell ${purpose}`, 32));
}
