/** What CloudBase's clients do with files that are stored, the same in both dialects: each of a list has an outcome of its own. */
import { deletePath } from "../../db/cloud_paths.ts";
import type { App } from "../app.ts";
import { FileUnknown } from "../errors.ts";
import { addressOf } from "../files/read.ts";
import { endFiles } from "../files/remove.ts";
import { type Author, type CloudFile, findAt, findCloudFiles, mayChange, mayRead, notYours } from "./cloud_files.ts";
import { pathOf } from "./cloud_path.ts";
import { boundedAge, objectAddress } from "./object_address.ts";
import { openGetTicket } from "./object_ticket.ts";
import { type Refusal, storageRefusalOf } from "./refusal.ts";

/** As many as CloudBase takes. */
export const maxList = 50;

export interface Wanted {
  readonly fileId: string;
  /** Seconds. */
  readonly age?: number | undefined;
}

export type Outcome<T> = { readonly fileId: string } & (
  | ({ readonly refusal?: undefined } & T)
  | { readonly refusal: Refusal }
);

const refused = (fileId: string, error: Parameters<typeof storageRefusalOf>[0]) => ({
  fileId,
  refusal: storageRefusalOf(error),
});

/** What is at the ids, in their order; undefined for an id that names no path. */
async function found(app: App, ids: readonly string[]): Promise<(CloudFile | undefined)[]> {
  const paths = ids.map(pathOf);
  const known = paths.filter((path) => path !== undefined);
  const byPath = new Map((known.length === 0 ? [] : await findCloudFiles(app, known)).map((one) => [one.path, one]));
  return paths.map((path) => (path === undefined ? undefined : byPath.get(path)));
}

/** An address for each file that the caller may read. */
export async function addressesOf(
  app: App,
  author: Author,
  origin: string,
  wanted: readonly Wanted[],
): Promise<Outcome<{ readonly url: string; readonly age: number }>[]> {
  const files = await found(
    app,
    wanted.map(({ fileId }) => fileId),
  );
  return wanted.map(({ fileId, age: asked }, nth) => {
    const { file, path = "" } = files[nth] ?? {};
    if (file === undefined || !mayRead(author, file)) return refused(fileId, new FileUnknown(fileId));
    const age = boundedAge(asked);
    return { fileId, age, ...objectAddress(app, origin, path, file.visibility === "private" ? age : undefined) };
  });
}

/** Removes each file that is the caller's. */
export async function removeObjects(
  app: App,
  author: Author,
  ids: readonly string[],
): Promise<Outcome<Record<never, never>>[]> {
  const files = await found(app, ids);
  const outcomes: Outcome<Record<never, never>>[] = [];
  for (const [nth, fileId] of ids.entries()) outcomes.push(await removeOne(app, author, fileId, files[nth]));
  return outcomes;
}

async function removeOne(app: App, author: Author, fileId: string, at: CloudFile | undefined) {
  if (at?.file === undefined || !mayRead(author, at.file)) return refused(fileId, new FileUnknown(fileId));
  if (!mayChange(author, at.file)) return refused(fileId, notYours());
  // One that is on its way would bring the path back.
  if (at.next !== undefined) await endFiles(app, at.next);
  await endFiles(app, at.file);
  await app.db.flight({ statements: [deletePath(at.hash, at.file.id)], repeatable: true });
  return { fileId };
}

export interface Opened {
  /** Of the storage, absolute or relative to the API. */
  readonly url: string;
  readonly bytes: number;
  readonly type: string;
  readonly isPrivate: boolean;
  readonly etag: string;
  readonly storedAt: number;
}

/** What an address of ours leads to now. @throws Forbidden for a wrong or expired one, FileUnknown */
export async function openObject(app: App, ticket: string): Promise<Opened> {
  const { hash, until } = openGetTicket(app, ticket);
  const file = (await findAt(app, [hash])).get(hash)?.file;
  const isPrivate = file?.visibility === "private";
  // What was made for everybody does not lead to a file that has become private.
  if (file === undefined || (isPrivate && until === undefined)) throw new FileUnknown("");
  const [{ url }, stored] = await Promise.all([addressOf(app, file), app.store.find(file.path)]);
  if (stored === undefined) throw new FileUnknown(file.id);
  return { url, bytes: file.bytes, type: file.type, isPrivate, etag: stored.etag, storedAt: file.storedAt ?? 0 };
}
