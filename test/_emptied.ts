/**
 * Used databases, emptied for the next test: creating all tables takes twenty times as long. Those on a server are for any
 * worker: a folder has one file for each free database, and a worker takes one by renaming its file.
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Database, Migrator } from "../db/database.ts";
import { type Embedded, openPglite } from "../db/pglite.ts";

export interface TestDatabase extends Database, Migrator {
  /** Address of this very schema, for a second process; empty where there can be none. */
  readonly url: string;
  /** Closes and removes what was made. */
  remove(): Promise<void>;
}

export interface Emptied {
  readonly place: string;
  /** As they were made: a test that has altered a table keeps it. */
  readonly columns: string;
}

const runFolder = () => process.env.ORDERBELL_TEST_FOLDER as string;
const freeFolder = (server: string) => join(runFolder(), `emptied-${server}`);

/** @returns one that no other worker has, or undefined */
export async function takeEmptied(server: string): Promise<Emptied | undefined> {
  const folder = freeFolder(server);
  for (const name of await readdir(folder).catch(() => [])) {
    const mine = join(runFolder(), `taken-${name}`);
    try {
      await rename(join(folder, name), mine);
    } catch {
      continue;
    }
    const one = JSON.parse(await readFile(mine, "utf8")) as Emptied;
    await rm(mine);
    return one;
  }
  return undefined;
}

export async function keepEmptied(server: string, one: Emptied): Promise<void> {
  const written = join(runFolder(), `written-${one.place}`);
  await writeFile(written, JSON.stringify(one));
  await mkdir(freeFolder(server), { recursive: true });
  await rename(written, join(freeFolder(server), one.place));
}

type Made = Pick<Database, "dialect"> & Migrator;

const schemaOf = ({ dialect }: Made) => (dialect.name === "mysql" ? "database()" : "current_schema()");

/** Every column of every table, as one text. */
export async function columnsOf(database: Made): Promise<string> {
  const rows = await database.alone((run) =>
    run(
      `SELECT table_name AS one, column_name AS two, data_type AS three FROM information_schema.columns
        WHERE table_schema = ${schemaOf(database)} ORDER BY table_name, ordinal_position`,
    ),
  );
  return rows.map(({ one, two, three }) => `${one}.${two} ${three}`).join("\n");
}

/** Removes every row except the list of applied migrations. @returns whether it is now as it was made */
export async function emptied(database: Made, columns: string): Promise<boolean> {
  try {
    if ((await columnsOf(database)) !== columns) return false;
    const tables = new Set(columns.split("\n").map((line) => line.slice(0, line.indexOf("."))));
    tables.delete("schema_migrations");
    const first = (table: string) => `SELECT '${table}' AS one FROM (SELECT 1 AS one FROM ${table} LIMIT 1) AS first`;
    await database.alone(async (run) => {
      for (const { one } of await run([...tables].map(first).join(" UNION ALL "))) await run(`DELETE FROM ${one}`);
    });
    return true;
  } catch {
    return false;
  }
}

// --- PGlite ----------------------------------------------------------------------------------------------------------

/** Instances of this worker; one holds some hundred megabytes. */
const free: Embedded[] = [];
const mostFree = 2;
let embeddedColumns = "";
let fileEnds = false;

// The worker goes on with other files, which have instances of their own. This runs before what the file itself does at its end.
globalThis.afterAll?.(async () => {
  fileEnds = true;
  for (const one of free.splice(0)) await one.close();
});

export async function openEmbedded({ tables = true }: { readonly tables?: boolean } = {}): Promise<TestDatabase> {
  const pglite = (tables ? free.pop() : undefined) ?? (await newEmbedded(tables));
  if (tables && embeddedColumns === "") embeddedColumns = await columnsOf(pglite);
  let open = true;
  /** What still runs for a test that has ended must not write into the next one's. */
  const whileOpen =
    <P extends unknown[], T>(work: (...given: P) => Promise<T>) =>
    async (...given: P): Promise<T> => {
      if (!open) throw new Error("this database was removed");
      return work(...given);
    };
  async function close(): Promise<void> {
    if (!open) return;
    open = false;
    await pglite.close();
  }
  return {
    ...pglite,
    read: whileOpen(pglite.read),
    flight: whileOpen(pglite.flight),
    alone: whileOpen(pglite.alone) as Embedded["alone"],
    close,
    url: "",
    async remove() {
      if (!tables || fileEnds || free.length >= mostFree) return close();
      if (!open) return;
      open = false;
      if (await emptied(pglite, embeddedColumns)) free.push(pglite);
      else await pglite.close();
    },
  };
}

const newEmbedded = async (tables: boolean): Promise<Embedded> =>
  openPglite({ from: await dumped(tables ? "pglite.tar" : "pglite-empty.tar") });

const dumps = new Map<string, Blob>();

/** A dump of test/_setup.ts, read once. A Blob hands out its bytes piece by piece and copies them; this one has them. */
async function dumped(name: string): Promise<Blob> {
  const known = dumps.get(name);
  if (known !== undefined) return known;
  const { buffer } = await readFile(join(runFolder(), name));
  const dump = Object.assign(new Blob([]), { arrayBuffer: async () => buffer as ArrayBuffer });
  dumps.set(name, dump);
  return dump;
}

export const allTables = (): Promise<Blob> => dumped("pglite.tar");
