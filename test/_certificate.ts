/** A certificate of a server on this machine, for tests that speak TLS. */
import { generate } from "selfsigned";

/** @returns PEM; `cert` is what a client trusts */
export async function newCertificate(): Promise<{ key: string; cert: string }> {
  const { private: key, cert } = await generate([{ name: "commonName", value: "localhost" }], {
    algorithm: "sha256",
    keyType: "ec",
    extensions: [{ name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] }],
  });
  return { key, cert };
}
