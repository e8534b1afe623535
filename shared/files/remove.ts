/** Removes files: the row ends, with its counts; then the object goes; then the row, when no signed upload can come any more. */
import { addToCount, deleteFiles, everybody, lockSet, setEnded } from "../../db/files.ts";
import type { Statement } from "../../db/sql.ts";
import type { App } from "../app.ts";
import { uploadMs } from "../file_store.ts";
import { type File, fileOf, incomingOf } from "./file.ts";

/** An upload that began at the last moment of its address may take as long again. */
export const lateMs = uploadMs;

/** Ends a file with its set, and removes what can be removed now. Twice is as once. */
export async function endFiles(app: App, { id }: Pick<File, "id">): Promise<void> {
  let ended: readonly File[] = [];
  await app.db.flight({
    statements: [lockSet(id)],
    decide([rows = []]) {
      ended = rows.map(fileOf).filter(({ state }) => state !== "ended");
      return endWrites(ended);
    },
    repeatable: true,
  });
  // The file is gone for everybody; what is left of it, the sweep removes.
  await forget(app, ended).catch((error) => app.log.error("files.forget", { file: id }, error));
}

/** What ends rows that are locked: counts of holders come before those of all, as everywhere. */
export function endWrites(files: readonly File[]): Statement[] {
  if (files.length === 0) return [];
  const counts = new Map<string, Count>();
  for (const file of files)
    for (const holder of [file.holder, everybody]) {
      const key = `${holder === everybody ? 1 : 0} ${holder} ${file.purpose}`;
      const { files, bytes } = counts.get(key) ?? { files: 0, bytes: 0 };
      const one = file.of === null ? 1 : 0;
      counts.set(key, { holder, purpose: file.purpose, files: files - one, bytes: bytes - file.bytes });
    }
  const inOrder = [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, count]) => count);
  return [
    setEnded(files.map(({ id }) => id)),
    ...inOrder.map((count) => addToCount(count.holder, count.purpose, count)),
  ];
}

interface Count {
  readonly holder: string;
  readonly purpose: string;
  readonly files: number;
  readonly bytes: number;
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
