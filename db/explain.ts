/** Explains in one sentence, for the operator, why a database could not be used. Never contains a password. */
import type { Address } from "./address.ts";

export interface Explained {
  readonly sentence: string;
  /** Waiting will not help. */
  readonly lasting: boolean;
}

interface Failure {
  readonly code: string;
  readonly message: string;
}

const untrusted =
  /UNABLE_TO_(VERIFY|GET)|SELF_SIGNED|unable to (verify|get)|self[- ]signed|CERT_UNTRUSTED|certificate signature failure/i;
const misnamed = /ERR_TLS_CERT_ALTNAME_INVALID|does not match certificate/;
const expired = /CERT_(HAS_EXPIRED|NOT_YET_VALID)|certificate (has expired|is not yet valid)/i;
const noTls = /HANDSHAKE_NO_SSL_SUPPORT|does not support (SSL|secure) connection/i;
const otherTls = /HANDSHAKE_SSL_ERROR|ERR_SSL|SSL routines|establishing an SSL connection|EPROTO/;
const gibberish =
  /PROTOCOL_(?!CONNECTION_LOST|SEQUENCE_TIMEOUT)|Malformed|invalid response|Unknown message|Received unexpected|received invalid|unsupported protocol|ERR_OUT_OF_RANGE|packets out of order/i;
const overdue = /timeout expired|connection timeout|ETIMEDOUT|timeout exceeded/i;

/** @param thrown what an engine threw; its causes are looked through */
export function explain(thrown: unknown, address: Address): Explained {
  const { code, message } = failureOf(thrown);
  const { engine, host, port, user, database, tls } = address;
  const name = engine === "postgres" ? "PostgreSQL" : "MySQL";
  const at = host.startsWith("/") ? host : `${host}:${port}`;
  const who = `user "${user ?? ""}"`;
  const both = `${code} ${message}`;
  const coded = code === "" ? "" : ` (${code})`;
  const lasting = (sentence: string): Explained => ({ sentence: `${sentence}${coded}`, lasting: true });
  const passing = (sentence: string): Explained => ({ sentence: `${sentence}${coded}`, lasting: false });

  if (code === "3D000" || code === "1049") return lasting(`database "${database ?? user ?? ""}" does not exist`);
  if (code === "28000" && /no encryption|SSL off/i.test(message))
    return lasting(`${at} takes only TLS: add sslmode=verify-full to the address`);
  if ((code === "1105" && /insecure transport/i.test(message)) || code === "3159")
    return lasting(`${at} takes only TLS: add ssl-mode=VERIFY_IDENTITY to the address`);
  if (code === "1044") return lasting(`${who} has no right to database "${database}", or it does not exist`);
  if (code === "28P01" || code === "1045") return lasting(`${at} refuses ${who}: wrong name or password`);
  if (code.startsWith("28") || code === "1698" || code === "1130" || code === "1251")
    return lasting(`${at} does not let ${who} in from here or by password`);
  if (/ENOTFOUND/.test(code)) return lasting(`host "${host}" is unknown`);
  if (code === "ENETUNREACH" || code === "EADDRNOTAVAIL")
    return lasting(`there is no way to ${at} from here; a host with IPv6 only needs IPv6, or the provider's pooler`);
  if (untrusted.test(both))
    return lasting(
      `the certificate of ${at} is not signed by an authority that is known here: give the provider's CA file as DATABASE_CA, ` +
        "or trust it everywhere by NODE_EXTRA_CA_CERTS, or go without being sure whom you talk to " +
        `(${engine === "postgres" ? "sslmode=no-verify" : "sslaccept=accept_invalid_certs"}, with DATABASE_TLS=off in the cloud)`,
    );
  if (misnamed.test(both))
    return lasting(`the certificate of ${at} is for another host; use the name that it is made for`);
  if (expired.test(both)) return lasting(`the certificate of ${at} is past its time or before it`);
  if (noTls.test(both)) return lasting(`${at} does not speak TLS, and the address asks for it`);
  if (/unsupported startup parameter|startup parameter/i.test(message))
    return lasting(`${at} is a pooler and refuses what a session begins with: set DATABASE_POOLER=transaction`);
  if (/tenant or user not found/i.test(message))
    return lasting(
      `the pooler at ${at} knows no ${who}; Supabase's is postgres.<project>, and a paused project must be resumed`,
    );
  if (code === "53300" || code === "1040" || code === "1203" || code === "1226")
    return passing(`${at} has no connection left for ${who}`);
  if (isReadOnly(code)) return passing(`${at} takes no writes: it may be a replica, give the one that writes`);
  if (code === "57P03") return passing(`${at} is starting or stopping`);
  if (/ECONNREFUSED|ENOENT/.test(code)) return passing(`nothing listens at ${at}`);
  if (code === "EAI_AGAIN") return passing(`host "${host}" cannot be looked up now`);
  if (tls !== undefined && otherTls.test(both)) return lasting(`no TLS could be agreed on with ${at}`);
  if (gibberish.test(both)) return lasting(`what answers at ${at} is not ${name}`);
  if (overdue.test(both)) return passing(`${at} does not answer as ${name} does, or not in time`);
  if (/^(57|53|58|XX|08006)/.test(code)) return passing(`${at} cannot serve now`);
  if (/^[0-9A-Z]{5}$|^\d{4}$/.test(code)) return lasting(`${at} refuses`);
  return passing(`${at} ended the connection, or does not speak as ${name} does`);
}

/** A replica, a server that is locked, or a user whose transactions only read. */
const isReadOnly = (code: string) => ["25006", "1290", "1792", "1836"].includes(code);

/** The first code in the chain of causes, and all messages up to it. */
function failureOf(thrown: unknown): Failure {
  let code = "";
  const messages: string[] = [];
  for (
    let error = thrown;
    typeof error === "object" && error !== null;
    error = "cause" in error ? error.cause : undefined
  ) {
    const errno = "errno" in error && typeof error.errno === "number" && error.errno > 0 ? String(error.errno) : "";
    const own = "code" in error && typeof error.code === "string" ? error.code : "";
    if (code === "") code = errno || own;
    if ("message" in error) messages.push(String(error.message));
  }
  return { code, message: messages.join("; ") };
}

/** The reason why a migration could not change the tables, if the operator can correct it. */
export function explainRefusal(error: unknown): string | undefined {
  const { code } = failureOf(error);
  if (code === "42501" || code === "1142" || code === "1044" || code === "1227")
    return `its user may not make tables (${code}): let it own the database, or GRANT it CREATE`;
  if (isReadOnly(code)) return `it takes no writes (${code}): it may be a replica, give the one that writes`;
  if (code === "3F000") return `there is no schema to make tables in (${code}): see the user's search_path`;
  return undefined;
}
