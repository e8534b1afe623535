/**
 * Removes what nobody uses: places that were never filled, pictures that no menu names, private files that nobody can reach; and
 * finishes removals that a crash interrupted. Any part may run twice or in parallel.
 */
import { lockUnused, readDue, readShopsWith, readUnreachable, setUsed } from "../../db/files.ts";
import { lockShop, readMenu } from "../../db/shops.ts";
import type { Sql } from "../../db/sql.ts";
import type { App } from "../app.ts";
import { FileContentWrong } from "../errors.ts";
import { uploadMs } from "../file_store.ts";
import type { Purpose } from "../purpose.ts";
import { completeIfArrived } from "./complete.ts";
import { type File, fileOf } from "./file.ts";
import { endFiles, endWrites, forget, lateMs } from "./remove.ts";

const dayMs = 24 * 3_600_000;
/** A place whose last address was signed so long ago, and which is not filled, is not used any more: a day in all. */
const unusedMs = dayMs - uploadMs;
/** Files of one read. */
const batch = 100;

/** Once an hour. A file that cannot be removed now is tried again at the next one. */
export async function trimFiles(app: App): Promise<void> {
  const now = app.clock.now();
  const due = (state: "waiting" | "ended", before: number) => (after: string) =>
    readDue(state, { before, after, limit: batch });
  await eachFile(app, due("waiting", now - unusedMs), (file) => endUnfilled(app, file));
  await eachFile(
    app,
    (after) => readUnreachable({ after, limit: batch }),
    (file) => endFiles(app, file),
  );
  for (const purpose of app.config.purposes.values()) if (purpose.unusedDays !== null) await endUnnamed(app, purpose);
  await eachFile(app, due("ended", now - lateMs), (file) => forget(app, [file]));
}

/** Goes through all files of a query. A failure is logged, and does not keep the others. */
async function eachFile(app: App, read: (after: string) => Sql, work: (file: File) => Promise<void>): Promise<void> {
  for (let after = "", more = true; more; ) {
    const [rows] = await app.db.read([read(after)]);
    for (const file of rows.map(fileOf)) {
      after = file.id;
      await work(file).catch((error) => app.log.error("files.sweep", { file: file.id }, error));
    }
    more = rows.length === batch;
  }
}

/** A place whose bytes are there is completed: the client was lost before it could say so. */
async function endUnfilled(app: App, file: File): Promise<void> {
  try {
    const { state } = await completeIfArrived(app, file);
    if (state === "waiting") await endFiles(app, file);
  } catch (error) {
    // It was removed with that.
    if (!(error instanceof FileContentWrong)) throw error;
  }
}

// --- Pictures of dishes --------------------------------------------------------------------------------------------

async function endUnnamed(app: App, purpose: Purpose): Promise<void> {
  const [shops] = await app.db.read([readShopsWith(purpose.name)]);
  for (const { shop_id: shop } of shops)
    await endUnnamedOf(app, purpose, String(shop)).catch((error) =>
      app.log.error("files.sweep", { shop: String(shop) }, error),
    );
}

/** The files that a menu names, by its stable addresses. */
const namedIn = (menu: string) =>
  [...menu.matchAll(/\/files\/([0-9A-HJKMNP-TV-Z]{26})\//g)].map(([, id]) => id as string);

/** Under the lock of the shop, so that no menu begins to name a picture that goes. */
async function endUnnamedOf(app: App, { name, unusedDays }: Purpose, shop: string): Promise<void> {
  const now = app.clock.now();
  const before = now - (unusedDays ?? 0) * dayMs;
  let ended: readonly File[] = [];
  await app.db.flight({
    statements: [lockShop(shop), readMenu(shop), lockUnused(shop, name, before, batch)],
    decide([, menus, unused = []]) {
      const named = namedIn(String(menus?.[0]?.document ?? ""));
      ended = unused.map(fileOf).filter(({ id }) => !named.includes(id));
      return [...(named.length === 0 ? [] : [setUsed(shop, named, now)]), ...endWrites(ended)];
    },
    repeatable: true,
  });
  await forget(app, ended);
}
