/**
 * Uploads in parts: each has a folder, each part is a file in it. Joining gives the files new names in the folder of the object, so
 * it costs the same for any size, and a part that is sent again meanwhile changes nothing of what was joined.
 */
import { createHash } from "node:crypto";
import { link, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { StoredPart } from "../../../shared/file_store.ts";
import { etagOf, ObjectExists, type ObjectFolder, piecesFile, written } from "./object_folder.ts";
import { receive } from "./receive.ts";
import { codeOf, syncedFolder, syncFolder } from "./synced_folder.ts";

/** The upload was joined or abandoned, or there never was one. */
export class UploadGone extends Error {
  override readonly name = "UploadGone";
}

/** What is to be joined is not what is stored, or not what S3 would join. */
export class PartsWrong extends Error {
  override readonly name = "PartsWrong";
}

/** S3 joins no smaller ones but the last. */
const minPartBytes = 5 * 1_024 * 1_024;

export interface UploadsInParts {
  begin(path: string): Promise<string>;
  /** @returns the part's ETag @throws UploadGone; what `receive` throws */
  receive(source: Readable, path: string, upload: string, part: number, bytes: number): Promise<string>;
  list(path: string, upload: string): Promise<StoredPart[]>;
  /** @throws PartsWrong */
  join(path: string, upload: string, parts: readonly StoredPart[]): Promise<boolean>;
  abandon(path: string, upload: string): Promise<void>;
}

export function uploadsInParts(
  folder: string,
  objects: ObjectFolder,
  secret: (bytes: number) => string,
): UploadsInParts {
  /** Of path and id together: an id opens no other object's upload, and is never a path. */
  const folderOf = (path: string, upload: string) =>
    join(
      folder,
      "parts",
      createHash("sha256")
        .update(JSON.stringify([path, upload]))
        .digest("base64url"),
    );

  async function list(path: string, upload: string): Promise<StoredPart[]> {
    const own = folderOf(path, upload);
    const names = await readdir(own).catch(unless("ENOENT", []));
    const numbers = names.filter((name) => /^\d{1,5}$/.test(name)).map(Number);
    const all = await Promise.all(numbers.map((part) => storedAt(join(own, String(part)), part)));
    return all.filter((one) => one !== undefined).toSorted((a, b) => a.part - b.part);
  }

  async function abandon(path: string, upload: string): Promise<void> {
    const gone = await objects.temporary();
    const found = await rename(folderOf(path, upload), gone).then(() => true, unlessGone(false));
    if (found) await rm(gone, { recursive: true, force: true });
  }

  /** Makes the object's folder beside the upload's own. */
  async function gather(own: string, whole: string, parts: readonly StoredPart[]): Promise<void> {
    await mkdir(whole);
    for (const [nth, part] of parts.entries()) {
      const piece = join(whole, `.${nth + 1}`);
      await link(join(own, String(part.part)), piece);
      const found = await storedAt(piece, part.part);
      if (found?.etag !== part.etag || found.bytes !== part.bytes)
        throw new PartsWrong(`part ${part.part} is another one`);
    }
    await written(join(whole, piecesFile), JSON.stringify({ bytes: parts.map(({ bytes }) => bytes) }));
    await syncFolder(whole);
  }

  return {
    list,
    abandon,
    async begin(path) {
      const upload = secret(16);
      await syncedFolder(folderOf(path, upload));
      return upload;
    },
    async receive(source, path, upload, part, bytes) {
      const own = folderOf(path, upload);
      await stat(own).catch(unlessGone(undefined)).then(thereOrGone);
      const file = await objects.temporary();
      await receive(source, file, bytes);
      const stored = await storedAt(file, part);
      const named = await rename(file, join(own, String(part))).then(() => true, unlessGone(false));
      if (!named) await rm(file, { force: true });
      if (!named || stored === undefined) throw new UploadGone();
      await syncFolder(own);
      return stored.etag;
    },
    async join(path, upload, parts) {
      const own = folderOf(path, upload);
      if ((await stat(own).catch(unlessGone(undefined))) === undefined) return false;
      checkOrder(parts);
      const whole = await objects.temporary();
      try {
        await gather(own, whole, parts);
        await objects.placeFolder(whole, path);
      } catch (error) {
        await rm(whole, { recursive: true, force: true });
        const isGone = (await stat(own).catch(unlessGone(undefined))) === undefined;
        // Another process has joined it, or this is a repetition after a crash between the object's name and the end of its upload.
        if (!(error instanceof ObjectExists) && !isGone) throw missingPart(error);
        await abandon(path, upload);
        return false;
      }
      await abandon(path, upload);
      return true;
    },
  };
}

function checkOrder(parts: readonly StoredPart[]): void {
  if (parts.length === 0) throw new PartsWrong("there are no parts");
  for (const [nth, { part, bytes }] of parts.entries()) {
    if (part <= (parts[nth - 1]?.part ?? 0)) throw new PartsWrong("parts are not in their order");
    if (nth < parts.length - 1 && bytes < minPartBytes) throw new PartsWrong(`part ${part} is smaller than 5 MB`);
  }
}

const missingPart = (error: unknown) => (codeOf(error) === "ENOENT" ? new PartsWrong("a part is not there") : error);

async function storedAt(file: string, part: number): Promise<StoredPart | undefined> {
  const found = await stat(file, { bigint: true }).catch(unlessGone(undefined));
  if (found === undefined) return undefined;
  return { part, bytes: Number(found.size), etag: etagOf(Number(found.size), found.mtimeNs) };
}

function thereOrGone(found: unknown): void {
  if (found === undefined) throw new UploadGone();
}

const unless =
  <T>(code: string, otherwise: T) =>
  (error: unknown): T => {
    if (codeOf(error) !== code) throw error;
    return otherwise;
  };
const unlessGone = <T>(otherwise: T) => unless("ENOENT", otherwise);
