/** Databases of the benchmark: a new one for each contender in each round. */
import { randomBytes } from "node:crypto";
import { openMysql } from "../db/mysql.ts";
import { openPostgres } from "../db/postgres.ts";

export type EngineName = "postgres" | "mysql" | "pglite";

const options = { maxConnections: 1, connectTimeoutMs: 5_000 };

export async function freshDatabase(engine: EngineName): Promise<{ url: string; remove(): Promise<void> }> {
  if (engine === "pglite") return { url: "pglite:", remove: async () => {} };
  const name = `ob_bench_${randomBytes(5).toString("hex")}`;
  const postgres = engine === "postgres";
  const base = postgres
    ? (process.env.BENCH_POSTGRES_URL ?? "postgres://postgres@127.0.0.1:5432/postgres")
    : (process.env.BENCH_MYSQL_URL ?? "mysql://root@127.0.0.1:3306/mysql");
  const execute = async (text: string) => {
    const database = postgres ? openPostgres({ ...options, url: base }) : openMysql({ ...options, url: base });
    await database.alone((run) => run(text));
    await database.close();
  };
  await execute(postgres ? `CREATE SCHEMA ${name}` : `CREATE DATABASE ${name}`);
  const url = new URL(base);
  if (postgres) url.searchParams.set("options", `-c search_path=${name}`);
  else url.pathname = `/${name}`;
  return { url: url.href, remove: () => execute(postgres ? `DROP SCHEMA ${name} CASCADE` : `DROP DATABASE ${name}`) };
}
