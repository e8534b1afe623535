/** A word in the address → the engine, loaded only when chosen. A bundle for the cloud fixes the word, so it carries one driver. */
import type { Database, Migrator } from "./database.ts";

export interface OpenOptions {
  /** `postgres://…` or `mysql://…`. PGlite is opened by db/pglite.ts: a server has no part of it. */
  readonly url: string;
  readonly maxConnections: number;
  readonly connectTimeoutMs: number;
}

export async function openDatabase(options: OpenOptions): Promise<Database & Migrator> {
  const scheme = options.url.slice(0, options.url.indexOf(":"));
  switch (scheme) {
    case "postgres":
    case "postgresql":
      return (await import("./postgres.ts")).openPostgres(options);
    case "mysql":
    case "mariadb":
      return (await import("./mysql.ts")).openMysql({ ...options, url: options.url.replace(/^mariadb:/, "mysql:") });
    default:
      // The address holds a password, so it is not repeated.
      throw new TypeError("the database's address must start with postgres:// or mysql://");
  }
}
