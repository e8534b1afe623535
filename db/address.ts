/** Reads a database's address, for both engines. Unknown parameters are refused; the password is never repeated. */
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { isTlsWord, readTlsWords, type TlsMode } from "./tls_words.ts";

/**
 * `transaction`: each transaction may run on another connection of the server, so no state may be left on one.
 * `session`: one server connection per client, but the pooler refuses settings at its start. To MySQL, either means that it may
 * not answer what is sent before the last answer was read.
 */
export type Pooler = "off" | "session" | "transaction";

/** Settings that complete the address. */
export interface AddressSettings {
  /** Without it, the address decides. */
  readonly pooler?: Pooler | undefined;
  /** A PEM file with the authority that signed the server's certificate. */
  readonly caFile?: string | undefined;
  /** Refuses a server whose certificate cannot be verified, except on this machine. */
  readonly verifiedTls?: boolean | undefined;
}

export interface Address {
  readonly engine: "postgres" | "mysql";
  /** A name, a number, or the folder or path of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string | undefined;
  readonly tls: Tls | undefined;
  /** To another machine without TLS, because the address did not ask for it. */
  readonly plain: boolean;
  readonly pooler: Pooler;
  /** The pooler was given explicitly, so it is not detected. */
  readonly poolerTold: boolean;
  /** PostgreSQL's `options`, for the server at the beginning of a session. */
  readonly options: string | undefined;
  readonly applicationName: string | undefined;
  readonly channelBinding: boolean;
  readonly directTls: boolean;
}

export interface Tls {
  readonly rejectUnauthorized: boolean;
  /** Whether the certificate must be for this host. */
  readonly checkHost: boolean;
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/** The message is one sentence for a person. */
export class AddressWrong extends Error {
  override readonly name = "AddressWrong";
}

const engines: Readonly<Record<string, Address["engine"]>> = {
  postgres: "postgres",
  postgresql: "postgres",
  mysql: "mysql",
  mariadb: "mysql",
};
const usualPorts = { postgres: 5_432, mysql: 3_306 };

/** Parameters without effect here: our own settings replace them, or they belong to another tool. */
const harmless = new Set(
  `connect_timeout connecttimeout connection_limit pool_timeout pool_max_conns socket_timeout statement_cache_size max_idle_connection_lifetime
  uselibpqcompat gssencmode target_session_attrs keepalives keepalives_idle keepalives_interval keepalives_count tcp_user_timeout
  client_encoding charset characterencoding useunicode servertimezone timezone allowpublickeyretrieval enabledtlsprotocols
  tls-version tls-versions autoreconnect reconnect supa sslcrl sslcompression ssl_min_protocol_version parsetime loc
  enablekeepalive waitforconnections`.split(/\s+/),
);
/** Parameters that are read below: ours and the drivers'. */
const read = new Set(
  `options application_name fallback_application_name channel_binding sslnegotiation pgbouncer schema host port user password dbname
  socket socketpath sslrootcert sslcert sslkey ssl-ca ssl_ca sslca ssl-cert ssl_cert ssl-key ssl_key`.split(/\s+/),
);

/** @throws AddressWrong */
export function readAddress(text: string, settings: AddressSettings = {}): Address {
  const given = text.trim();
  const engine = engines[/^([a-z]+):\/\//i.exec(given)?.[1]?.toLowerCase() ?? ""];
  if (engine === undefined) throw new AddressWrong("must start with postgres:// or mysql://");
  const url = parse(given);
  const query = new Map([...url.searchParams].map(([name, value]) => [name.toLowerCase(), value]));
  for (const name of url.searchParams.keys())
    if (!isTlsWord(name) && !read.has(name.toLowerCase()) && !harmless.has(name.toLowerCase()))
      throw new AddressWrong(`has a word that is not known here, "${name.slice(0, 40)}"; leave it out`);

  const word = (...names: readonly string[]) => names.map((name) => query.get(name)).find((value) => value);
  const socket = engine === "mysql" ? word("socket", "socketpath") : undefined;
  const host = socket ?? word("host") ?? decoded(url.hostname.replace(/^\[(.+)\]$/, "$1")).replace(dummyHost, "");
  const port = Number(word("port") ?? (url.port || usualPorts[engine]));
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new AddressWrong("has a port that is no number");
  const user = word("user") ?? decoded(url.username);
  const password = word("password") ?? decoded(url.password);
  if (/^[[<]?your[-_ ]password[\]>]?$/i.test(password))
    throw new AddressWrong("still has the provider's placeholder where the password belongs");
  const database = word("dbname") ?? decoded(url.pathname.slice(1));
  if (engine === "mysql" && database === "") throw new AddressWrong("names no database: mysql://…/name");
  const schema = word("schema") ?? "public";
  if (engine === "mysql" && query.has("options")) throw new AddressWrong('has "options", a word of PostgreSQL only');

  const here = isHere(host);
  const tls = tlsOf(url, word, settings, here);
  const told = settings.pooler ?? (yes(word("pgbouncer")) ? "transaction" : undefined);
  const pooler = told ?? (engine === "mysql" ? mysqlPoolerAt(host) : poolerAt(host, port));
  const search = schema === "public" ? "" : `-c search_path=${schema}`;
  if (search !== "" && pooler !== "off")
    throw new AddressWrong(
      'has "schema", which does not pass a pooler; give the database user a search_path of its own',
    );
  const options = [word("options"), search].filter(Boolean).join(" ");
  return {
    engine,
    host: host === "" ? "localhost" : host,
    port,
    user: user === "" ? undefined : user,
    password: password === "" ? undefined : password,
    database: database === "" ? undefined : database,
    tls,
    plain: tls === undefined && !here,
    pooler,
    poolerTold: told !== undefined || engine === "mysql",
    options: options === "" ? undefined : options,
    applicationName: word("application_name", "fallback_application_name"),
    channelBinding: word("channel_binding") === "require",
    directTls: word("sslnegotiation") === "direct",
  };
}

const yes = (value: string | undefined) => value !== undefined && /^(true|1|yes)$/i.test(value);

const dummyHost = "no-host-is-given.invalid";
const hint =
  "a password with @ : / ? # % [ ] or a space is written with %40 %3A %2F %3F %23 %25 %5B %5D %20, as in p%40ss for p@ss";

function parse(text: string): URL {
  const wrong = (what: string) => new AddressWrong(`${what}; ${hint}`);
  if (/\s/.test(text)) throw wrong("holds a space");
  // Behind // up to the first / ? or #: one of these in a password moves this border.
  const [, authority = "", rest = ""] = /^[a-z]+:\/\/([^/?#]*)(.*)$/is.exec(text) ?? [];
  if (rest.includes("@")) throw wrong("holds an @ behind a / ? or #");
  if (rest.includes("#")) throw wrong("holds a #");
  if (authority.slice(authority.lastIndexOf("@") + 1).includes(","))
    throw new AddressWrong("names several hosts; give the one that writes");
  try {
    return new URL(text.replace(/^[a-z]+:\/\/(?=\/|[^/?#]*@(?:[/?]|$))([^/?#]*)/i, `postgres://$1${dummyHost}`));
  } catch {
    throw wrong("is not an address of the form postgres://user:password@host:port/database");
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new AddressWrong(`holds a % that begins no code; ${hint}`);
  }
}

/** The connection stays on this machine. */
const isHere = (host: string) =>
  host === "" || host === "localhost" || host === "::1" || host.startsWith("/") || /^127\.\d+\.\d+\.\d+$/.test(host);

function tlsOf(
  url: URL,
  word: (...names: readonly string[]) => string | undefined,
  { verifiedTls = false, caFile }: AddressSettings,
  here: boolean,
): Tls | undefined {
  let mode: TlsMode | undefined;
  try {
    mode = readTlsWords([...url.searchParams].filter(([name]) => isTlsWord(name)));
  } catch (error) {
    throw new AddressWrong((error as Error).message);
  }
  const isMysql = url.protocol === "mysql:" || url.protocol === "mariadb:";
  const full = isMysql ? "ssl-mode=VERIFY_IDENTITY" : "sslmode=verify-full";
  // For MySQL, Prisma's `sslcert` is the authority's certificate.
  const caWord = word("sslrootcert", "ssl-ca", "ssl_ca", "sslca", ...(isMysql ? ["sslcert"] : []));
  const cert = word("ssl-cert", "ssl_cert", ...(isMysql ? [] : ["sslcert"]));
  const key = word("sslkey", "ssl-key", "ssl_key");
  // libpq: the system's own authorities.
  const ca = caWord === "system" ? undefined : (caWord ?? caFile);
  if (mode === undefined && (caWord !== undefined || word("sslnegotiation") === "direct")) mode = "verify-full";
  if (verifiedTls && !here) {
    const without = "or set DATABASE_TLS=off to go without";
    if (mode === undefined || mode === "off")
      throw new AddressWrong(
        `asks for no TLS, and passwords and orders would travel in plain text: add ${full}, ${without}`,
      );
    if (mode === "unverified") throw new AddressWrong(`asks not to verify the server: write ${full}, ${without}`);
    // The stricter of the two: every provider prints `require`, and most have a certificate that can be verified.
    if (mode === "require") mode = "verify-full";
  }
  if (mode === undefined || mode === "off") return undefined;
  const verified = mode === "verify-ca" || mode === "verify-full" || (mode === "require" && ca !== undefined);
  const written = writtenOut(word("ssl"));
  if (isMysql && mode === "verify-full" && !here && isIP(url.hostname.replace(/[[\]]/g, "")) !== 0)
    throw new AddressWrong(
      "gives a number, and MySQL's driver can prove a name only: write the host's name, or ssl-mode=VERIFY_CA",
    );
  return {
    rejectUnauthorized: verified,
    checkHost: mode === "verify-full",
    ca: verified
      ? (written.ca ?? file(ca, caWord === undefined ? "the file of DATABASE_CA" : "the file of the authority"))
      : undefined,
    cert: written.cert ?? file(cert, "the file of the certificate"),
    key: written.key ?? file(key, "the file of the key"),
  };
}

/** PEM text in `ssl={"ca":"…"}`, as mysql2 takes it. */
function writtenOut(ssl: string | undefined): { readonly ca?: string; readonly cert?: string; readonly key?: string } {
  if (ssl?.startsWith("{") !== true) return {};
  const parsed: Readonly<Record<string, unknown>> = JSON.parse(ssl);
  const text = (name: string) => (typeof parsed[name] === "string" ? { [name]: parsed[name] } : {});
  return { ...text("ca"), ...text("cert"), ...text("key") };
}

function file(path: string | undefined, what: string): string | undefined {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new AddressWrong(`needs ${what}, "${path}", which cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

/**
 * Aurora's MySQL 5.7 never answers the second of two statements that come together, RDS Proxy is not known to; the others'
 * servers are not MySQL.
 */
const mysqlPoolerAt = (host: string): Pooler =>
  /\.(rds\.amazonaws\.com(\.cn)?|psdb\.cloud|tidbcloud\.com)$/.test(host) ? "session" : "off";

/** Poolers recognized by host or port. */
function poolerAt(host: string, port: number): Pooler {
  if (port === 6_543) return "transaction"; // Supabase
  if (port === 6_432) return "transaction"; // PgBouncer's own, Azure's
  if (port === 25_061 && host.endsWith(".ondigitalocean.com")) return "transaction";
  if (/^[^.]+-pooler\./.test(host)) return "transaction"; // Neon
  if (/\.proxy-[a-z0-9]+\.[a-z0-9-]+\.rds\.amazonaws\.com(\.cn)?$/.test(host)) return "transaction"; // RDS Proxy
  if (host.endsWith(".pooler.supabase.com")) return "session";
  return "off";
}
