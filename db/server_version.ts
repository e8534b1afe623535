/** What a database server says of itself, and how old it may be. */
import type { Row } from "./database.ts";
import { raw } from "./sql.ts";

export interface ServerVersion {
  /** `PostgreSQL`, `MySQL`, `MariaDB`, or the name of a relative of theirs. */
  readonly engine: string;
  readonly version: string;
}

/** Every engine has this function. */
export const versionText = "SELECT version() AS version";
export const readServerVersion = raw(versionText);

/** PostgreSQL and its relatives begin with a name, MySQL with a number, and behind it may stand whose it is. */
export function serverVersionOf(row: Row | undefined): ServerVersion {
  const text = String(row?.version ?? "");
  const [, name = "", number = ""] = /^([A-Za-z]+)\D*([\d.]*)/.exec(text) ?? [];
  if (name !== "") return { engine: name, version: number };
  const [, version = "", relative] = /^([\d.]+)-?(MariaDB|TiDB|OceanBase|Vitess)?/i.exec(text) ?? [];
  return { engine: relative ?? "MySQL", version };
}

/** Of relatives nothing is known: they are let in. */
const oldest: Readonly<Record<string, readonly number[]>> = { PostgreSQL: [15], MySQL: [8], MariaDB: [10, 11] };

/** The message is one sentence for a person. */
export class ServerTooOld extends Error {
  override readonly name = "ServerTooOld";
  constructor({ engine, version }: ServerVersion, wanted: string) {
    super(`the database is ${engine} ${version}; orderbell needs ${wanted} or newer`);
  }
}

/** @throws ServerTooOld */
export function refuseOldServer(server: ServerVersion): void {
  const wanted = oldest[server.engine];
  const has = server.version.split(".").map(Number);
  if (wanted === undefined || !Number.isInteger(has[0])) return;
  const differs = wanted.findIndex((part, at) => part !== (has[at] ?? 0));
  if (differs >= 0 && (has[differs] ?? 0) < (wanted[differs] as number))
    throw new ServerTooOld(server, wanted.join("."));
}
