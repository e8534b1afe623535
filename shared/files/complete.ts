/** Completes files: joins parts, checks what was stored against what was declared, and makes the file visible. May run any number of times. */
import { readFile, setStored } from "../../db/files.ts";
import type { App } from "../app.ts";
import { FileContentWrong, FileNotStored, FileUnknown } from "../errors.ts";
import type { StoredObject, StoredPart } from "../file_store.ts";
import { whyNot } from "./content.ts";
import { type File, incomingOf, presentIn } from "./file.ts";
import { headBytes, kindOf } from "./kinds.ts";
import { bytesOfPart, partsOf } from "./place.ts";
import { endFiles } from "./remove.ts";

/** @returns the stored file @throws FileNotStored, FileContentWrong, and FileUnknown when it was removed meanwhile */
export async function complete(app: App, file: File): Promise<File> {
  if (file.state === "stored") return file;
  const found = await arrived(app, file);
  const wrong = await whyWrong(app, file, found);
  if (wrong !== undefined) {
    await endFiles(app, file);
    throw new FileContentWrong(wrong);
  }
  return markStored(app, file, found);
}

/** As `complete`, but a file whose bytes are not there stays as it is: for readers, who do not wait for it. */
export async function completeIfArrived(app: App, file: File): Promise<File> {
  try {
    return await complete(app, file);
  } catch (error) {
    if (error instanceof FileNotStored) return file;
    throw error;
  }
}

/** The object at its own place, after parts were joined or a form's bytes moved: nobody can replace it there. @throws FileNotStored */
async function arrived(app: App, file: File): Promise<StoredObject> {
  const there = await app.store.find(file.path);
  if (there !== undefined) return there;
  const parts = file.by === "parts" ? await joinAll(app, file) : [];
  if (file.by === "form") await moveIn(app, file);
  // Also where nothing was to join or to move: another request may have done it between the two looks.
  const found = await app.store.find(file.path);
  if (found === undefined) throw new FileNotStored(parts.map(({ part, bytes }) => ({ part, bytes })));
  return found;
}

/** Joins the parts if all are there. @returns those that are there */
async function joinAll(app: App, file: File): Promise<readonly StoredPart[]> {
  if (file.upload === null) return [];
  const parts = await app.store.parts(file.path, file.upload);
  const whole = parts.length === partsOf(file) && parts.every(({ part, bytes }) => bytes === bytesOfPart(file, part));
  if (whole) await app.store.joinParts(file.path, file.upload, parts);
  return parts;
}

async function moveIn(app: App, file: File): Promise<void> {
  const from = incomingOf(file);
  if ((await app.store.find(from)) === undefined) return;
  try {
    await app.store.move(from, { path: file.path, type: file.type, bytes: file.bytes });
  } catch (error) {
    // Another request has moved it meanwhile.
    if ((await app.store.find(file.path)) === undefined) throw error;
  }
}

/** Why the bytes are not what was declared; undefined when they are. */
async function whyWrong(app: App, { path, type, bytes }: File, found: StoredObject): Promise<string | undefined> {
  if (found.bytes !== bytes) return `${found.bytes} bytes instead of ${bytes}`;
  const kind = kindOf(type);
  return kind === undefined ? "its type is no longer known" : whyNot(kind, await app.store.read(path, headBytes(kind)));
}

async function markStored(app: App, file: File, { etag }: StoredObject): Promise<File> {
  const { after } = await app.db.flight({
    statements: [setStored(file.id, etag.slice(0, 200), app.clock.now())],
    after: [readFile(file.id)],
    repeatable: true,
  });
  const stored = presentIn(after[0]);
  if (stored !== undefined) return stored;
  // It was removed meanwhile, and what was just joined or moved came after that.
  await app.store.remove([file.path, incomingOf(file)]);
  throw new FileUnknown(file.id);
}
