/**
 * Objects as files below a folder that several processes share. A new file is complete and on the disk before it gets its name, and
 * a name is given by `link`, which never replaces: so an object is whole or absent, whoever else writes, and after a crash too.
 */
import { constants } from "node:fs";
import { type FileHandle, link, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { codeOf, syncedFolder, syncFolder } from "./synced_folder.ts";

/** There is an object of this path. */
export class ObjectExists extends Error {
  override readonly name = "ObjectExists";
}

/** There is no object of this path, or none any more. */
export class ObjectMissing extends Error {
  override readonly name = "ObjectMissing";
}

/** A file of an object: most have one, and one that was joined has its parts. */
export interface Piece {
  readonly file: string;
  readonly bytes: number;
}

export interface FoundObject {
  readonly bytes: number;
  /** With its quotes. */
  readonly etag: string;
  readonly modifiedMs: number;
  readonly pieces: readonly Piece[];
}

/** What a joined object has in `.pieces`: the sizes of its files `.1`, `.2`, … */
export interface Pieces {
  readonly bytes: readonly number[];
}

/** Of a joined object's folder. No path of an object has a segment that begins with a dot. */
export const piecesFile = ".pieces";

const path = /^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}(\/[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}){0,5}$/;

/** Whether the store can have an object of this path: nothing that leads out of the folder, and nothing that is decoded. */
export const isObjectPath = (text: string): boolean => path.test(text);

export interface ObjectFolder {
  /** A new name for a file that is being written. */
  temporary(): Promise<string>;
  fileOf(path: string): string;
  /** @returns undefined when there is none */
  find(path: string): Promise<FoundObject | undefined>;
  /** Gives a complete file its name; the temporary name goes. @throws ObjectExists */
  place(temporary: string, path: string): Promise<void>;
  /** Likewise; an older object is replaced, as S3 does with what forms send. */
  replace(temporary: string, path: string): Promise<void>;
  /** Gives a complete folder of pieces its name. @throws ObjectExists */
  placeFolder(temporary: string, path: string): Promise<void>;
  /** An object that is at the new path already stays. @throws ObjectMissing when it is at neither */
  move(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
}

export function objectFolder(folder: string, tag: () => string): ObjectFolder {
  const waiting = join(folder, "uploading");
  const objects = join(folder, "objects");

  function fileOf(name: string): string {
    if (!isObjectPath(name)) throw new TypeError("this is no path of an object");
    return join(objects, name);
  }

  async function temporary(): Promise<string> {
    await syncedFolder(waiting);
    return join(waiting, `${tag()}${tag()}`);
  }

  /** Does what gives a file its name, after making the folders of that name: a sweep may have just removed them. */
  async function named(file: string, give: () => Promise<void>): Promise<void> {
    await syncedFolder(dirname(file));
    await give().catch(async (error) => {
      if (codeOf(error) !== "ENOENT") throw error;
      await syncedFolder(dirname(file));
      await give();
    });
    await syncFolder(dirname(file));
  }

  async function place(from: string, to: string): Promise<void> {
    const file = fileOf(to);
    try {
      await named(file, () => link(from, file));
    } catch (error) {
      throw codeOf(error) === "EEXIST" ? new ObjectExists() : error;
    } finally {
      await rm(from, { force: true });
    }
  }

  const isThere = (file: string) =>
    stat(file).then(
      () => true,
      () => false,
    );

  return {
    temporary,
    fileOf,
    find: (name) => foundAt(fileOf(name)),
    place,
    async replace(from, to) {
      const file = fileOf(to);
      await named(file, () => rename(from, file));
    },
    async placeFolder(from, to) {
      const file = fileOf(to);
      try {
        await named(file, () => rename(from, file));
      } catch (error) {
        throw ["EEXIST", "ENOTEMPTY", "ENOTDIR"].includes(codeOf(error)) ? new ObjectExists() : error;
      }
    },
    async move(from, to) {
      const [old, file] = [fileOf(from), fileOf(to)];
      try {
        await named(file, () => link(old, file));
      } catch (error) {
        if (codeOf(error) === "ENOENT" && !(await isThere(file))) throw new ObjectMissing();
        if (!["EEXIST", "ENOENT"].includes(codeOf(error))) throw error;
      }
      await rm(old, { force: true });
    },
    async remove(name) {
      const gone = await temporary();
      try {
        await rename(fileOf(name), gone);
      } catch (error) {
        if (["ENOENT", "ENOTDIR"].includes(codeOf(error))) return;
        throw error;
      }
      await rm(gone, { recursive: true, force: true });
      await syncFolder(dirname(fileOf(name)));
    },
  };
}

async function foundAt(file: string): Promise<FoundObject | undefined> {
  try {
    const { size, mtimeNs, mtimeMs, isFolder } = await statOf(file);
    if (!isFolder)
      return { bytes: size, etag: etagOf(size, mtimeNs), modifiedMs: mtimeMs, pieces: [{ file, bytes: size }] };
    const list = join(file, piecesFile);
    const { bytes } = JSON.parse(await readFile(list, "utf8")) as Pieces;
    const pieces = bytes.map((one, nth) => ({ file: join(file, `.${nth + 1}`), bytes: one }));
    const whole = bytes.reduce((sum, one) => sum + one, 0);
    const listed = await statOf(list);
    return { bytes: whole, etag: etagOf(whole, listed.mtimeNs), modifiedMs: listed.mtimeMs, pieces };
  } catch (error) {
    // A folder of objects without a list of pieces is no object.
    if (["ENOENT", "ENOTDIR"].includes(codeOf(error))) return undefined;
    throw error;
  }
}

async function statOf(file: string) {
  const { size, mtimeNs, mtimeMs, ...found } = await stat(file, { bigint: true });
  return {
    size: Number(size),
    mtimeNs,
    mtimeMs: Number(mtimeMs),
    isFolder: (Number(found.mode) & constants.S_IFMT) === constants.S_IFDIR,
  };
}

/**
 * An object never changes, so its size and the time of its writing tell it from any other that this path had before. No digest: it
 * would cost more processor time than everything else that is done with a large file.
 */
export const etagOf = (bytes: number, writtenNs: bigint): string => `"${bytes.toString(36)}-${writtenNs.toString(36)}"`;

/** Writes a small file, onto the disk, or none. */
export async function written(file: string, body: Uint8Array | string): Promise<void> {
  try {
    await writeFile(file, body, { flag: "wx", flush: true });
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
}

/** Reads at most so many bytes from the beginning. */
export async function beginningOf({ pieces }: FoundObject, most: number): Promise<Uint8Array> {
  const read: Uint8Array[] = [];
  let left = most;
  for (const { file, bytes } of pieces) {
    if (left <= 0) break;
    const part = Buffer.alloc(Math.min(left, bytes));
    await readInto(file, part);
    read.push(part);
    left -= part.length;
  }
  return Buffer.concat(read);
}

async function readInto(file: string, into: Buffer): Promise<void> {
  const handle = await open(file);
  try {
    await filled(handle, into);
  } finally {
    await handle.close();
  }
}

async function filled(handle: FileHandle, into: Buffer): Promise<void> {
  for (let at = 0; at < into.length; ) {
    const { bytesRead } = await handle.read(into, at, into.length - at, at);
    if (bytesRead === 0) throw new ObjectMissing();
    at += bytesRead;
  }
}
