/** Opens the engine that the address names; its driver is loaded only then. A bundle for the cloud fixes the engine, so it carries one driver. */
import { type AddressSettings, readAddress } from "./address.ts";
import type { Database, Migrator } from "./database.ts";

export interface OpenOptions extends AddressSettings {
  /** `postgres://…` or `mysql://…`. PGlite is opened by db/pglite.ts: a server has no part of it. */
  readonly url: string;
  readonly maxConnections: number;
  readonly connectTimeoutMs: number;
  /** Is told of each message that waits for an answer. */
  readonly onTrip?: (() => void) | undefined;
}

/** @throws AddressWrong */
export async function openDatabase(options: OpenOptions): Promise<Database & Migrator> {
  const { engine } = readAddress(options.url, options);
  return engine === "postgres"
    ? (await import("./postgres.ts")).openPostgres(options)
    : (await import("./mysql.ts")).openMysql(options);
}
