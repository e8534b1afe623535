/** Removes files: the row ends, with its counts; then the object goes; then the row, when no signed upload can come any more. */
import { deleteFiles, lockSet, setEnded } from "../../db/files.ts";
import type { App } from "../app.ts";
import { uploadMs } from "../file_store.ts";
import { addToCounts, lockCounts } from "./count.ts";
import { type File, fileOf, incomingOf } from "./file.ts";

/** An upload that began at the last moment of its address may take as long again. */
export const lateMs = uploadMs;

/** Ends a file with its set, and removes what can be removed now. Twice is as once. */
export async function endFiles(app: App, file: Pick<File, "id" | "holder" | "purpose">): Promise<void> {
  let ended: readonly File[] = [];
  const { dialect } = app.db;
  await app.db.flight({
    statements: [lockSet(file.id), ...lockCounts(dialect, file.holder, file.purpose)],
    decide([rows = []]) {
      ended = rows.map(fileOf).filter(({ state }) => state !== "ended");
      if (ended.length === 0) return [];
      const bytes = ended.reduce((sum, one) => sum + one.bytes, 0);
      const files = ended.filter(({ of }) => of === null).length;
      return [
        setEnded(ended.map(({ id }) => id)),
        ...addToCounts(file.holder, file.purpose, { files: -files, bytes: -bytes }),
      ];
    },
    repeatable: true,
  });
  await forget(app, ended);
}

/** Removes the objects of ended rows, and those rows to which nothing can come any more. */
export async function forget(app: App, ended: readonly File[]): Promise<void> {
  for (const { path, upload, state } of ended)
    if (upload !== null && state !== "stored") await app.store.abandonParts(path, upload);
  const paths = ended.flatMap((one) => (one.by === "form" ? [one.path, incomingOf(one)] : [one.path]));
  if (paths.length > 0) await app.store.remove(paths);
  const before = app.clock.now() - lateMs;
  const over = ended.filter(({ signedUntil }) => signedUntil < before).map(({ id }) => id);
  if (over.length > 0) await app.db.flight({ statements: [deleteFiles(over)], repeatable: true });
}
