/** Servers with TLS and an authority of their own, as most providers have: the effect of each option of an address. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ConnectionLost } from "../../db/database.ts";
import { openDatabase } from "../../db/open.ts";
import { sql } from "../../db/sql.ts";
import { type Authority, newAuthority } from "../_certificate.ts";
import { type OwnServer, programAt, startTlsMariadb, startTlsPostgres, writeOwn } from "../_own_servers.ts";

interface Kind {
  readonly name: string;
  readonly here: boolean;
  start(certificate: { key: string; cert: string }): Promise<OwnServer>;
  address(host: string, query: string): string;
  /** The cipher, or nothing on a connection in plain text. */
  readonly cipher: ReturnType<typeof sql>;
  /** Makes the server read its certificate anew. */
  readonly readCertificate: string;
  readonly unverified: readonly string[];
  readonly verifiesAuthority: string;
  readonly verified: readonly string[];
  readonly plain: readonly string[];
  /** The word for a CA file. */
  readonly ca: string;
}

const kinds: readonly Kind[] = [
  {
    name: "postgres",
    here: programAt("initdb") !== undefined,
    start: startTlsPostgres,
    address: (host, query) => `postgres://postgres@${host}/postgres${query}`,
    cipher: sql`SELECT cipher AS "Value" FROM pg_stat_ssl WHERE pid = pg_backend_pid()`,
    readCertificate: "SELECT pg_reload_conf()::text",
    unverified: ["?sslmode=require", "?uselibpqcompat=true&sslmode=require", "?sslmode=no-verify"],
    verifiesAuthority: "?sslmode=verify-ca",
    verified: ["?sslmode=verify-full", "?ssl=true", "?sslmode=verify-full&channel_binding=require"],
    plain: ["", "?sslmode=disable"],
    ca: "sslrootcert",
  },
  {
    name: "mysql",
    here: programAt("mariadbd") !== undefined && programAt("mariadb-install-db") !== undefined,
    start: startTlsMariadb,
    address: (host, query) => `mysql://root@${host}/mysql${query}`,
    cipher: sql`SHOW STATUS LIKE 'Ssl_cipher'`,
    readCertificate: "FLUSH SSL",
    unverified: ["?ssl-mode=REQUIRED", "?sslmode=require", "?useSSL=true", "?sslaccept=accept_invalid_certs"],
    verifiesAuthority: "?ssl-mode=VERIFY_CA",
    verified: ["?ssl-mode=VERIFY_IDENTITY", "?sslaccept=strict", "?ssl=true", '?ssl={"rejectUnauthorized":true}'],
    plain: ["", "?ssl-mode=DISABLED"],
    ca: "ssl-ca",
  },
];

for (const kind of kinds)
  (kind.here ? describe : describe.skip)(`${kind.name} with TLS`, () => {
    let server: OwnServer;
    let caFile: string;
    let authority: Authority;
    beforeAll(async () => {
      authority = await newAuthority();
      server = await kind.start(await authority.certify("localhost"));
      caFile = join(server.folder, "ca.pem");
      await writeFile(caFile, authority.ca);
    });
    afterAll(() => server?.stop());

    /** @returns the cipher, or why there is no connection */
    async function tried(query: string, settings: { caFile?: string } = {}, host = "localhost"): Promise<unknown> {
      const url = kind.address(`${host}:${server.port}`, query);
      const database = await openDatabase({ url, maxConnections: 1, connectTimeoutMs: 5_000, ...settings });
      try {
        return (await database.read([kind.cipher]))[0]?.[0]?.Value ?? "";
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error;
        expect(error.lasting).toBe(true);
        return error.reason;
      } finally {
        await database.close();
      }
    }
    const encrypted = /^[A-Z0-9_-]{10,}$/;
    const unknownAuthority =
      /not signed by an authority that is known here.*DATABASE_CA.*NODE_EXTRA_CA_CERTS.*DATABASE_TLS=off/;

    it("encrypts without verification, where that is what the word says", async () => {
      for (const query of kind.unverified)
        expect([query, await tried(query)]).toEqual([query, expect.stringMatching(encrypted)]);
    });

    it("names the three remedies where the authority is not known", async () => {
      for (const query of [...kind.verified, kind.verifiesAuthority])
        expect([query, await tried(query)]).toEqual([query, expect.stringMatching(unknownAuthority)]);
    });

    it("trusts the authority that it is given, beside the address or in it", async () => {
      for (const query of [...kind.verified, kind.verifiesAuthority])
        expect([query, await tried(query, { caFile })]).toEqual([query, expect.stringMatching(encrypted)]);
      expect(await tried(`${kind.verified[0]}&${kind.ca}=${caFile}`)).toMatch(encrypted);
      // As libpq has it: with an authority at hand, even `require` asks for its signature.
      const other = join(server.folder, "other.pem");
      await writeFile(other, (await newAuthority()).ca);
      expect(await tried(kind.unverified[0] as string, { caFile: other })).toMatch(unknownAuthority);
    });

    it("speaks plain text only where no word asks for TLS", async () => {
      for (const query of kind.plain) expect([query, await tried(query)]).toEqual([query, ""]);
    });

    it("takes no certificate of another host, unless only the authority matters", async () => {
      const other = await authority.certify("elsewhere.example");
      await writeOwn(join(server.folder, "key.pem"), other.key);
      await writeOwn(join(server.folder, "cert.pem"), other.cert);
      const url = kind.address(`localhost:${server.port}`, "");
      const database = await openDatabase({ url, maxConnections: 1, connectTimeoutMs: 5_000 });
      await database.alone((run) => run(kind.readCertificate));
      await database.close();
      const mismatch = expect.stringMatching(/is for another host/);
      // Until the server has read it.
      while (/^[A-Z0-9_-]+$/.test(String(await tried(kind.verified[0] as string, { caFile }))));
      for (const query of kind.verified) expect([query, await tried(query, { caFile })]).toEqual([query, mismatch]);
      expect(await tried(kind.verifiesAuthority, { caFile })).toMatch(encrypted);
    });
  });
