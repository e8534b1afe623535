/** Certificates of a server on this machine, for tests over TLS. */
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

export interface Authority {
  readonly ca: string;
  /** A server's key and certificate, signed. */
  certify(host: string): Promise<{ key: string; cert: string }>;
}

/** An authority of one's own, as RDS and Supabase have. PEM. */
export async function newAuthority(): Promise<Authority> {
  const authority = await generate([{ name: "commonName", value: "an authority of one's own" }], {
    algorithm: "sha256",
    keyType: "ec",
    extensions: [{ name: "basicConstraints", cA: true }],
  });
  return {
    ca: authority.cert,
    async certify(host) {
      const { private: key, cert } = await generate([{ name: "commonName", value: "database" }], {
        algorithm: "sha256",
        keyType: "ec",
        ca: { key: authority.private, cert: authority.cert },
        extensions: [{ name: "subjectAltName", altNames: [{ type: 2, value: host }] }],
      });
      return { key, cert };
    },
  };
}
