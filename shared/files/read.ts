/** Reads files: one's own, a shop's public ones, and the addresses at which their bytes are fetched. */
import { readFile, readFiles, readMember } from "../../db/files.ts";
import type { App } from "../app.ts";
import { FileContentWrong, FileNotStored, FileUnknown } from "../errors.ts";
import type { Session } from "../sessions/session.ts";
import { complete, completeIfArrived } from "./complete.ts";
import { type File, fileOf, ownName, presentIn } from "./file.ts";
import { kindOf, maxPlaylistBytes } from "./kinds.ts";
import { disposition } from "./names.ts";
import { isShopsOwn, mustSee } from "./rights.ts";

export interface Address {
  readonly url: string;
  readonly expiresAt: number;
}

/** @throws FileUnknown, also where the caller may not see it */
export async function findFile(app: App, session: Session | undefined, id: string): Promise<File> {
  const [rows] = await app.db.read([readFile(id)]);
  const file = presentIn(rows);
  if (file === undefined) throw new FileUnknown(id);
  mustSee(session, file);
  return file;
}

/** A file, and where its bytes are; no address while it waits for them. @throws FileUnknown, FileContentWrong */
export async function openFile(
  app: App,
  session: Session | undefined,
  id: string,
): Promise<{ file: File; address: Address | null }> {
  const file = await completeIfArrived(app, await findFile(app, session, id));
  return { file, address: file.state === "stored" ? await addressOf(app, file) : null };
}

/** The signed address of a stored file's bytes. */
export function addressOf(app: App, file: File): Promise<Address> {
  return app.store.fetch({ path: file.path, type: typeFor(file), disposition: dispositionOf(file) });
}

/** Texts are UTF-8 unless they say something else themselves. */
const typeFor = ({ type }: File) => (type.startsWith("text/") ? `${type}; charset=utf-8` : type);

/** Only known pictures, audio and video are shown in a page; everything else is saved. */
const dispositionOf = ({ type, name }: File) =>
  disposition(kindOf(type)?.shown === "download" || kindOf(type) === undefined ? "attachment" : "inline", name);

/** What `/files/{id}/{name}` leads to: an address, or a playlist's text. */
export type Served = { readonly address: Address } | { readonly playlist: Uint8Array; readonly file: File };

/**
 * What a stable address leads to, for everybody. A playlist is answered as it is: a player resolves the addresses in it against the
 * one that it was fetched from.
 * @throws FileUnknown for what is not there, not stored yet, or private
 */
export async function serveFile(app: App, id: string, name: string): Promise<Served> {
  const file = name === ownName ? await findFile(app, undefined, id) : await findMember(app, id, name);
  const stored = await completed(app, file);
  if (kindOf(stored.type)?.shown !== "playlist") return { address: await addressOf(app, stored) };
  return { playlist: await app.store.read(stored.path, maxPlaylistBytes), file: stored };
}

/** @throws FileUnknown for a file that is not whole */
async function completed(app: App, file: File): Promise<File> {
  try {
    return await complete(app, file);
  } catch (error) {
    if (error instanceof FileNotStored || error instanceof FileContentWrong) throw new FileUnknown(file.id);
    throw error;
  }
}

/** The newest stored file of this name in the set; while there is none, the newest that waits. */
async function findMember(app: App, id: string, name: string): Promise<File> {
  const [rows, of] = await app.db.read([readMember(id, app.secrets.hash(name)), readFile(id)]);
  const members = rows.map(fileOf);
  const file = members.find(({ state }) => state === "stored") ?? members[0];
  if (file === undefined || presentIn(of) === undefined) throw new FileUnknown(id);
  mustSee(undefined, file);
  return file;
}

export interface List {
  readonly purpose?: string | undefined;
  readonly shop?: string | undefined;
  readonly of?: string | undefined;
  readonly before?: string | undefined;
  readonly limit: number;
}

/** A page of the caller's own files, or of a shop's: its staff see all of them, others what is public. */
export async function listFiles(
  app: App,
  session: Session | undefined,
  { shop, limit, ...list }: List,
): Promise<{ files: File[]; more: boolean }> {
  const whose = shop === undefined ? { owner: session?.user } : { shop, publicOnly: !isShopsOwn(session, shop) };
  const [rows] = await app.db.read([readFiles({ ...whose, ...list, limit: limit + 1 })]);
  return { files: rows.slice(0, limit).map(fileOf), more: rows.length > limit };
}
