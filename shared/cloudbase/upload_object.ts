/**
 * Uploads of CloudBase's clients. They send fields, headers and an `Authorization` of their own vendor's storage, and mostly no size,
 * so a file comes through a function of ours, up to `maxObjectBytes`. A larger one, whose size is known before, goes to the storage
 * itself where that takes such requests.
 */
import { lockPath, setNextAt } from "../../db/cloud_paths.ts";
import { readSession } from "../../db/sessions.ts";
import type { App } from "../app.ts";
import { FileTooLarge, SessionEnded } from "../errors.ts";
import { uploadMs } from "../file_store.ts";
import { readCounts, throwIfFull } from "../files/count.ts";
import type { File } from "../files/file.ts";
import { maxName } from "../files/names.ts";
import { makePlace, purposeOf } from "../files/place.ts";
import { endFiles } from "../files/remove.ts";
import { holderOf, shopFor } from "../files/rights.ts";
import { maxObjectBytes } from "../large_bodies.ts";
import type { Purpose, Visibility } from "../purpose.ts";
import { aliveOf, type Session } from "../sessions/session.ts";
import { type Author, type CloudFile, findCloudFiles, mayChange, notYours, putInPlace } from "./cloud_files.ts";
import { fileIdOf, nameOf } from "./cloud_path.ts";
import { objectAddress } from "./object_address.ts";
import { type PutClaims, putTicket } from "./object_ticket.ts";
import { typeByContent, typeByName, typeHead } from "./object_type.ts";

/** The purpose of files that these clients store. */
export const cloudPurpose = "cloud";

export interface UploadAsk {
  readonly session: Session;
  readonly isAdmin: boolean;
  readonly path: string;
  /** As the client will send it; "" where it does not say. */
  readonly type: string;
  readonly bytes: number | undefined;
  /** Of this API. */
  readonly origin: string;
  /** Of the caller. */
  readonly address: string;
}

/** What the clients are told: where to send the file, and what it is called from then on. */
export interface UploadOffer {
  readonly url: string;
  readonly fileId: string;
  readonly downloadUrl: string;
}

/** @throws Forbidden, FileTooLarge, FilesFull, PurposeUnknown */
export async function offerUpload(app: App, ask: UploadAsk): Promise<UploadOffer> {
  const { session, isAdmin, path, type, bytes, origin } = ask;
  const purpose = purposeOf(app, cloudPurpose);
  const visibility = purpose.visibility[0] as Visibility;
  shopFor(session, purpose, visibility);
  if (bytes !== undefined && bytes > mostBytes(app, purpose)) throw new FileTooLarge(mostBytes(app, purpose));
  const author = { user: session.user, isAdmin };
  const [at] = (await findCloudFiles(app, [path])) as [CloudFile];
  if (at.file !== undefined && !mayChange(author, at.file)) throw notYours();
  await throwIfNoRoom(app, session, purpose, bytes ?? 0);
  const claims: PutClaims = { session: session.id, isAdmin, path, type, until: app.clock.now() + uploadMs };
  return {
    url:
      bytes === undefined || bytes <= maxObjectBytes
        ? `${origin}/v1/storages/objects/${putTicket(app, claims)}`
        : new URL(await direct(app, ask, at, bytes), origin).href,
    fileId: fileIdOf(path),
    downloadUrl: objectAddress(app, origin, path, visibility === "private" ? 600 : undefined).url,
  };
}

/** Of one file, by the way that there is for it. */
const mostBytes = ({ store }: App, { maxBytes }: Purpose) =>
  store.ignoresAuthorization ? maxBytes : Math.min(maxBytes, maxObjectBytes);

/** Says it before anything is sent. What counts is said again when the place is made. @throws FilesFull */
async function throwIfNoRoom(app: App, session: Session, purpose: Purpose, bytes: number): Promise<void> {
  const counted = await app.db.read(readCounts(holderOf(session, null), purpose.name));
  throwIfFull(purpose, counted, { files: 1, bytes });
}

const shortName = (path: string) => [...nameOf(path)].slice(-maxName).join("");

/** A place in the storage itself; the file comes to its path when somebody asks for it. Of several the one that began last counts. */
async function direct(
  app: App,
  { session, path, type, address }: UploadAsk,
  at: CloudFile,
  bytes: number,
): Promise<string> {
  const expected = typeByName(purposeOf(app, cloudPurpose), { declared: type, name: nameOf(path) });
  const asked = { purpose: cloudPurpose, name: shortName(path), type: expected, bytes, by: "put" } as const;
  const { file } = await makePlace(app, session, asked, address);
  const locks = lockPath(app.db.dialect, { hash: at.hash, path, at: app.clock.now() });
  await app.db.flight({ statements: [...locks, setNextAt(at.hash, file.id)], repeatable: true });
  if (at.next !== undefined && mayChange({ user: session.user, isAdmin: false }, at.next)) await endFiles(app, at.next);
  return (await app.store.put({ path: file.path, type, bytes })).url;
}

/** What came, and from where. */
interface Received {
  readonly body: Uint8Array;
  /** The type of the request's body, where that is the file itself. */
  readonly declared: string;
  readonly address: string;
}

/**
 * Stores a file that came through us.
 * @throws SessionEnded, SessionExpired, FileTypeRefused, FileTooLarge, FilesFull, Forbidden
 */
export async function receiveObject(app: App, claims: PutClaims, { body, declared, address }: Received): Promise<void> {
  const { path, isAdmin } = claims;
  const session = await sessionOf(app, claims);
  const name = shortName(path);
  const called = { declared: claims.type === "" ? declared : claims.type, name: nameOf(path) };
  const type = typeByContent(purposeOf(app, cloudPurpose), body.subarray(0, typeHead), called);
  const asked = { purpose: cloudPurpose, name, type, bytes: body.length, by: "put" } as const;
  const { file } = await makePlace(app, session, asked, address);
  await orEnd(app, file, async () => {
    await app.store.write({ path: file.path, type, bytes: body.length }, body);
    const { etag = "" } = (await app.store.find(file.path)) ?? {};
    await putInPlace(app, { path, hash: app.secrets.hash(path), author: authorOf(session, isAdmin) }, file, etag);
  });
}

const authorOf = ({ user }: Session, isAdmin: boolean): Author => ({ user, isAdmin });

async function sessionOf(app: App, { session: id }: PutClaims): Promise<Session> {
  const [rows] = await app.db.read([readSession(id)]);
  if (rows[0] === undefined) throw new SessionEnded();
  return aliveOf(rows[0], app.clock.now());
}

/** A file that does not come to its path leaves nothing behind. */
async function orEnd(app: App, file: File, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    await endFiles(app, file);
    throw error;
  }
}
