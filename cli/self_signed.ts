/** Self-signed certificate, to try TLS in the LAN. Made once, so that a browser's exception stays valid. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generate } from "selfsigned";

const yearMs = 365 * 24 * 3_600_000;

/** @param addresses IPv4 addresses that the certificate names beside localhost */
export async function selfSigned(folder: string, addresses: readonly string[]): Promise<{ key: string; cert: string }> {
  const [keyPath, certPath] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  if (!existsSync(keyPath)) {
    const ips = ["127.0.0.1", ...addresses].map((ip) => ({ type: 7 as const, ip }));
    const { private: key, cert } = await generate([{ name: "commonName", value: "localhost" }], {
      algorithm: "sha256",
      notAfterDate: new Date(Date.now() + yearMs),
      extensions: [{ name: "subjectAltName", altNames: [{ type: 2, value: "localhost" }, ...ips] }],
    });
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(keyPath, key, { mode: 0o600 });
    writeFileSync(certPath, cert);
  }
  return { key: readFileSync(keyPath, "utf8"), cert: readFileSync(certPath, "utf8") };
}
