/** Files at paths: which one readers get, and who may have it. */
import {
  clearNextAt,
  lockPath,
  readFilesAt,
  readNextAt,
  readPaths,
  setFileAt,
  setTypeOf,
} from "../../db/cloud_paths.ts";
import { lockFile, setStored } from "../../db/files.ts";
import type { App } from "../app.ts";
import { AppError, FileUnknown, Forbidden } from "../errors.ts";
import { type File, fileOf, presentIn } from "../files/file.ts";
import { purposeOf } from "../files/place.ts";
import { endFiles, endWrites, forget } from "../files/remove.ts";
import { nameOf } from "./cloud_path.ts";
import { typeByContent, typeHead } from "./object_type.ts";

/** Who asks: an administrator is bound by no ownership. */
export interface Author {
  /** Null: nobody has signed in. */
  readonly user: string | null;
  readonly isAdmin: boolean;
}

export const mayChange = ({ user, isAdmin }: Author, file: File): boolean => isAdmin || user === file.owner;
export const mayRead = (author: Author, file: File): boolean =>
  file.visibility !== "private" || mayChange(author, file);

export const notYours = () => new Forbidden("there is somebody else's file at this path");

export interface CloudFile {
  readonly hash: string;
  readonly path: string;
  /** As it stands in the row, also when that file is gone. */
  readonly fileId: string | null;
  /** What readers get. */
  readonly file: File | undefined;
  /** One whose bytes go to the storage without us. */
  readonly next: File | undefined;
}

type At = Pick<CloudFile, "hash" | "path">;

/** What is at the paths of these hashes. What has arrived without us is put into its place first. */
export async function findAt(app: App, hashes: readonly string[]): Promise<ReadonlyMap<string, CloudFile>> {
  const known = await readRows(app, hashes);
  const waiting = [...known.values()].filter(({ next }) => next !== undefined);
  for (const one of waiting) await settle(app, one, one.next as File);
  return waiting.length === 0 ? known : readRows(app, hashes);
}

/** The same for paths, in their order. */
export async function findCloudFiles(app: App, paths: readonly string[]): Promise<CloudFile[]> {
  const asked = paths.map((path) => ({ path, hash: app.secrets.hash(path) }));
  const found = await findAt(app, [...new Set(asked.map(({ hash }) => hash))]);
  return asked.map((one) => found.get(one.hash) ?? { ...one, fileId: null, file: undefined, next: undefined });
}

async function readRows(app: App, hashes: readonly string[]): Promise<ReadonlyMap<string, CloudFile>> {
  const [paths, files, nexts] = await app.db.read([readPaths(hashes), readFilesAt(hashes), readNextAt(hashes)]);
  const present = [...files, ...nexts].map(fileOf).filter(({ state }) => state !== "ended");
  const byId = new Map(present.map((file) => [file.id, file]));
  return new Map(
    paths.map((row) => {
      const [hash, fileId] = [String(row.hash), row.file_id === null ? null : String(row.file_id)];
      const next = byId.get(String(row.next_id));
      return [hash, { hash, path: String(row.path), fileId, file: byId.get(fileId ?? ""), next }];
    }),
  );
}

/** Puts a file into its place whose bytes went straight to the storage, if they are there. */
async function settle(app: App, at: At, next: File): Promise<void> {
  const found = await app.store.find(next.path);
  if (found === undefined) return;
  try {
    if (next.state === "waiting") await setType(app, at, next);
    await putInPlace(app, { ...at, author: { user: next.owner, isAdmin: false } }, next, found.etag);
  } catch (error) {
    // Refused: the path has become somebody else's, or its content is not taken.
    if (!(error instanceof AppError) || error.status >= 500) throw error;
    await endFiles(app, next);
  }
}

async function setType(app: App, { path }: At, { id, type: declared, purpose, path: object }: File): Promise<void> {
  const head = await app.store.read(object, typeHead);
  const type = typeByContent(purposeOf(app, purpose), head, { declared, name: nameOf(path) });
  await app.db.flight({ statements: [setTypeOf(id, type)], repeatable: true });
}

/**
 * Makes a waiting file, whose bytes are in the storage, the one at its path: in one commit with the end of the one before it, so that
 * readers get either. The old object goes after that.
 * @throws Forbidden when the one before is somebody else's, FileUnknown when the new one was removed meanwhile
 */
export async function putInPlace(
  app: App,
  at: At & { readonly author: Author },
  file: File,
  etag: string,
): Promise<void> {
  for (;;) {
    const before = (await readRows(app, [at.hash])).get(at.hash);
    const ended = await replaced(app, at, { before, file, etag });
    if (ended !== undefined) return forget(app, ended);
  }
}

interface Replacement {
  readonly before: CloudFile | undefined;
  readonly file: File;
  readonly etag: string;
}

/** @returns the file that has ended, if there was one; undefined where another one came to the path since it was read */
async function replaced(
  app: App,
  { hash, path, author }: At & { readonly author: Author },
  { before, file, etag }: Replacement,
): Promise<File[] | undefined> {
  const now = app.clock.now();
  // Another reader may have put it there just now.
  const old = before?.file?.id === file.id ? undefined : before?.file;
  const locks = lockPath(app.db.dialect, { hash, path, at: now });
  const files = [file.id, ...(old === undefined ? [] : [old.id])].sort();
  let ended: File[] | undefined;
  await app.db.flight({
    statements: [...locks, readPaths([hash]), ...files.map(lockFile)],
    decide(rows) {
      ended = undefined;
      const at = locks.length;
      if ((rows[at]?.[0]?.file_id ?? null) !== (before?.fileId ?? null)) return [];
      const locked = new Map(files.map((id, nth) => [id, presentIn(rows[at + 1 + nth])]));
      if (locked.get(file.id) === undefined) throw new FileUnknown(file.id);
      const last = old === undefined ? undefined : locked.get(old.id);
      if (last !== undefined && !mayChange(author, last)) throw notYours();
      ended = last === undefined ? [] : [last];
      return [
        setStored(file.id, etag.slice(0, 200), now),
        setFileAt(hash, file.id),
        clearNextAt(hash, file.id),
        ...endWrites(ended),
      ];
    },
    repeatable: true,
  });
  return ended;
}
