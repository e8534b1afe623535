/** Signed addresses of the local store: what stands in one is what was signed, and nothing else is taken. */
import { createHmac } from "node:crypto";
import { Forbidden } from "../../../shared/errors.ts";
import { derive, equal } from "../../../shared/secrets.ts";

export const storePrefix = "/store/";

type Fields = Readonly<Record<string, string>>;

export interface Signer {
  /** The fields with the time until which they hold, and the signature. */
  fields(method: Method, path: string, fields: Fields, until: number): Record<string, string>;
  /** Likewise as an address. */
  address(method: Method, path: string, fields: Fields, until: number): string;
  /** @returns what was signed @throws Forbidden when anything was changed, or the time is over */
  verify(method: Method, path: string, given: Iterable<readonly [string, string]>): Fields;
}

/** `GET` is HEAD's too. */
export type Method = "GET" | "PUT" | "POST";

export function makeSigner(signingKey: string, now: () => number): Signer {
  const key = derive(signingKey, "store");
  /** Of all names and values, as JSON: no two of them read the same. */
  const sign = (method: Method, path: string, fields: readonly (readonly [string, string])[]) =>
    createHmac("sha256", key)
      .update(JSON.stringify([method, path, ...fields.toSorted(([a], [b]) => (a < b ? -1 : 1))]))
      .digest("base64url");

  const signed: Signer["fields"] = (method, path, fields, until) => {
    const all = { ...fields, until: String(until) };
    return { ...all, signature: sign(method, path, Object.entries(all)) };
  };

  return {
    fields: signed,
    address: (method, path, fields, until) =>
      `${storePrefix}${path}?${new URLSearchParams(signed(method, path, fields, until))}`,
    verify(method, path, given) {
      const all = [...given];
      const signature = all.find(([name]) => name === "signature")?.[1] ?? "";
      const rest = all.filter(([name]) => name !== "signature");
      if (all.length !== rest.length + 1 || !equal(signature, sign(method, path, rest)))
        throw new Forbidden("this address was not made here");
      const fields = Object.fromEntries(rest);
      if (Number(fields.until) <= now()) throw new Forbidden("this address has expired");
      return fields;
    },
  };
}
