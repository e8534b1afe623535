/** Makes places: a row for a file, counted, and the signed request that stores its bytes. */
import { countSet, type FileRow, insertFile, lockFile, setSigned, setUpload } from "../../db/files.ts";
import { readShop } from "../../db/shops.ts";
import type { App } from "../app.ts";
import {
  FilesFull,
  FileTooLarge,
  FileTypeRefused,
  FileUnknown,
  InvalidInput,
  PurposeUnknown,
  ShopUnknown,
} from "../errors.ts";
import {
  mostInOneRequest,
  type NewObject,
  partBytes,
  type StoredPart,
  type UploadForm,
  type UploadRequest,
  uploadMs,
} from "../file_store.ts";
import type { Purpose, Visibility } from "../purpose.ts";
import type { Session } from "../sessions/session.ts";
import {
  addToCounts,
  lockCounts,
  type Network,
  readCounts,
  readNetwork,
  throwIfFull,
  throwIfNetworkFull,
} from "./count.ts";
import { type About, type File, fileOf, incomingOf, presentIn, type Way } from "./file.ts";
import { anyKind, type Kind, kindOf, maxPlaylistBytes, typesOf } from "./kinds.ts";
import { holderOf, mustOwn, shopFor } from "./rights.ts";

/** What a caller asks a place for. */
export interface Asked {
  readonly purpose: string;
  readonly name: string;
  readonly type: string;
  readonly bytes: number;
  readonly visibility?: Visibility | undefined;
  readonly by?: Way | undefined;
  readonly shop?: string | undefined;
  readonly of?: string | undefined;
  readonly about?: About | undefined;
}

export type Upload = UploadRequest | UploadForm | { readonly partBytes: number; readonly parts: number };

export interface Place {
  readonly file: File;
  readonly upload: Upload;
}

/** S3 takes no more in one PUT. */
const mostInOnePut = 5 * 1_024 ** 3;
/** Of one set. */
const maxMembers = 10_000;

/** @throws PurposeUnknown */
export function purposeOf(app: App, name: string): Purpose {
  const purpose = app.config.purposes.get(name);
  if (purpose === undefined) throw new PurposeUnknown(name);
  return purpose;
}

/**
 * A place for a file of the caller's.
 * @param address the caller's, where guests' networks have their share; null for what the server stores itself
 * @throws PurposeUnknown, Forbidden, ShopUnknown, FileTypeRefused, FileTooLarge, FileUnknown of the set, FilesFull
 */
export async function makePlace(app: App, session: Session, asked: Asked, address: string | null): Promise<Place> {
  const purpose = purposeOf(app, asked.purpose);
  const visibility = asked.visibility ?? (purpose.visibility[0] as Visibility);
  if (!purpose.visibility.includes(visibility))
    throw new InvalidInput("visibility", `is one of ${purpose.visibility.join(", ")} for "${purpose.name}"`);
  const shop = shopFor(session, purpose, visibility, asked.shop);
  const kind = checkedKind(purpose, asked);
  const by = wayOf(asked, Math.min(purpose.maxBytes, kind.shown === "playlist" ? maxPlaylistBytes : purpose.maxBytes));
  if (shop !== null && shop !== session.shop) await throwIfNoShop(app, shop);
  const now = app.clock.now();
  const row: FileRow = {
    id: app.random.id(),
    owner: session.user,
    holder: holderOf(session, shop),
    shop_id: shop,
    purpose: purpose.name,
    name: asked.name,
    name_key: app.secrets.hash(asked.name),
    type: kind.types[0],
    bytes: asked.bytes,
    visibility,
    sent_by: by,
    path: `files/${app.random.secret(16)}`,
    upload: null,
    part_of: asked.of ?? null,
    about: asked.about === undefined ? null : JSON.stringify(asked.about),
    state: "waiting",
    created_at: now,
    signed_until: now + uploadMs,
    ...networkOf(app, session, address),
  };
  await insertCounted(app, session, purpose, row);
  const file = fileOf({ ...row, stored_at: null, used_at: null });
  return { file, upload: await signUpload(app, file) };
}

function networkOf({ secrets }: App, { kind }: Session, address: string | null): Network {
  if (kind !== "guest" || address === null) return { address_hash: null, wider_hash: null };
  return { address_hash: secrets.hashAddress(address), wider_hash: secrets.hashWiderNetwork(address) };
}

/** @throws FileTypeRefused */
function checkedKind({ types, members }: Purpose, { type, of }: Asked): Kind {
  const words = of === undefined ? types : members;
  const kind = kindOf(type) ?? anyKind;
  if (words.includes(kind.word) || words.includes(anyKind.word)) return kind;
  throw new FileTypeRefused(type, typesOf(words));
}

/** @throws FileTooLarge */
function wayOf({ by, bytes }: Asked, mostBytes: number): Way {
  const way = by ?? (bytes > mostInOneRequest ? "parts" : "put");
  const most = { form: mostInOneRequest, put: mostInOnePut, parts: mostBytes }[way];
  if (bytes > Math.min(mostBytes, most)) throw new FileTooLarge(Math.min(mostBytes, most));
  return way;
}

async function throwIfNoShop(app: App, shop: string): Promise<void> {
  const [rows] = await app.db.read([readShop(shop)]);
  if (rows[0] === undefined) throw new ShopUnknown(shop);
}

/** Inserts the row when both counts allow it, and the set that it is of is there. @throws FilesFull, FileUnknown, Forbidden */
async function insertCounted(app: App, session: Session, purpose: Purpose, row: FileRow): Promise<void> {
  const { dialect } = app.db;
  const { part_of: of, holder } = row;
  const set = of === null ? [] : [lockFile(of), countSet(of)];
  const more = { files: of === null ? 1 : 0, bytes: row.bytes };
  await app.db.flight({
    statements: [
      ...set,
      ...lockCounts(dialect, holder, purpose.name),
      ...readCounts(holder, purpose.name),
      ...readNetwork(row, purpose.name, row.created_at),
    ],
    decide(rows) {
      if (of !== null) checkSet(session, row, of, presentIn(rows[0]), Number(rows[1]?.[0]?.files ?? 0));
      throwIfFull(purpose, rows.slice(-4, -2), more);
      if (row.address_hash !== null) throwIfNetworkFull(purpose, rows.slice(-2), more);
      return [...insertFile(dialect, row), ...addToCounts(holder, purpose.name, more)];
    },
  });
}

function checkSet(session: Session, row: FileRow, of: string, set: File | undefined, members: number): void {
  if (set === undefined) throw new FileUnknown(of);
  mustOwn(session, set);
  if (set.of !== null || set.purpose !== row.purpose || set.shop !== row.shop_id || set.visibility !== row.visibility)
    throw new InvalidInput("of", "is a file of the same purpose, shop and visibility that is in no set itself");
  if (members >= maxMembers) throw new FilesFull(row.purpose, "user", row.bytes, maxMembers);
}

const objectOf = (file: File): NewObject => ({ path: file.path, type: file.type, bytes: file.bytes });

export const partsOf = ({ bytes }: Pick<File, "bytes">) => Math.ceil(bytes / partBytes);

/** The bytes of a part; the last one has the rest. */
export const bytesOfPart = (file: Pick<File, "bytes">, part: number) =>
  part < partsOf(file) ? partBytes : file.bytes - (partsOf(file) - 1) * partBytes;

async function signUpload(app: App, file: File): Promise<Upload> {
  if (file.by === "put") return app.store.put(objectOf(file));
  if (file.by === "form") return app.store.form({ ...objectOf(file), path: incomingOf(file) });
  await beginUpload(app, file);
  return { partBytes, parts: partsOf(file) };
}

/** Begins the upload in parts of a row that is there: one that was begun without it would be nobody's to end. */
async function beginUpload(app: App, file: File): Promise<string> {
  const upload = await app.store.beginParts(objectOf(file));
  await app.db.flight({ statements: [setUpload(file.id, upload)], repeatable: true });
  return upload;
}

export interface SignedPart extends UploadRequest {
  readonly part: number;
}

/**
 * Signs parts of a waiting file, and says which are stored.
 * @throws InvalidInput for a part that it does not have, FileNotStored where it does not come in parts
 */
export async function signParts(
  app: App,
  file: File,
  parts: readonly number[],
): Promise<{ uploads: SignedPart[]; stored: Pick<StoredPart, "part" | "bytes">[] }> {
  if (file.by !== "parts") throw new InvalidInput("", "this file does not come in parts");
  if (file.state !== "waiting") return { uploads: [], stored: [] };
  const wrong = parts.findIndex((part) => part > partsOf(file));
  if (wrong >= 0) throw new InvalidInput(`parts.${wrong}`, `this file has ${partsOf(file)} parts`);
  const upload = file.upload ?? (await beginUpload(app, file));
  // Before anything is signed: the sweep must not take the row for one that nobody can fill any more.
  const until = app.clock.now() + uploadMs;
  if (parts.length > 0) await app.db.flight({ statements: [setSigned(file.id, until)], repeatable: true });
  const object = objectOf(file);
  const [uploads, stored] = await Promise.all([
    Promise.all(
      parts.map(async (part) => ({ part, ...(await app.store.part(object, upload, part, bytesOfPart(file, part))) })),
    ),
    app.store.parts(file.path, upload),
  ]);
  return { uploads, stored: stored.map(({ part, bytes }) => ({ part, bytes })) };
}
