/** Checks the SDK's size in a page: core and browser, bundled, minified, gzipped. */
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { bundling, peers } from "./build_sdk.ts";

export const maxBytes = 6 * 1_024;
/** The bound of the collections, an entry of its own: a page that has none does not pay for them. */
export const maxCollectionsBytes = 4 * 1_024;
/** The bound of the hooks for each framework, beside the framework. */
export const maxHooksBytes = 1_024;

/** The bound of what rooms, likewise an entry of their own, add to a page that has a client. */
export const maxRoomsBytes = 3 * 1_024;

/** The same for files, which bring along what each platform needs to send and read bytes. */
export const maxFilesBytes = 4.5 * 1_024;

const client = 'export { ApiError, createClient } from "./browser.ts";';

/** Bytes of a script that only makes a client. */
export async function sizeOfSdk(contents = client): Promise<number> {
  const { outputFiles } = await build({
    ...bundling,
    stdin: { contents, resolveDir: fileURLToPath(new URL("../clients", import.meta.url)) },
    external: peers,
    minify: true,
    write: false,
  });
  return gzipSync(outputFiles[0]?.contents ?? "", { level: 9 }).length;
}

const collections = 'export { collections, command } from "./collections.ts";';
const rooms = `${client} export { createRoom, room } from "./rooms.ts";`;
const files = `${client} export { downloadFile, files, upload } from "./files.ts";`;

/** @returns a line for each entry that is too large */
export async function checkSize(
  limit = maxBytes,
  collectionsLimit = maxCollectionsBytes,
  roomsLimit = maxRoomsBytes,
  hooksLimit = maxHooksBytes,
  filesLimit = maxFilesBytes,
): Promise<string[]> {
  const kb = (size: number) => (size / 1_024).toFixed(2);
  const wrong: string[] = [];
  const check = (file: string, bytes: number, most: number) => {
    if (bytes > most) wrong.push(`clients/${file} is ${bytes} bytes gzipped, ${bytes - most} too many`);
  };
  const [page, alone] = [await sizeOfSdk(), await sizeOfSdk(collections)];
  const [added, addedByFiles] = [(await sizeOfSdk(rooms)) - page, (await sizeOfSdk(files)) - page];
  const [react, vue] = [await sizeOfSdk('export * from "./react.ts";'), await sizeOfSdk('export * from "./vue.ts";')];
  console.log(
    `     the SDK in a page: ${kb(page)} KB gzip of ${kb(limit)}; its collections: ${kb(alone)} of ${kb(collectionsLimit)}; what rooms add: ${kb(added)} of ${kb(roomsLimit)}; files: ${kb(addedByFiles)} of ${kb(filesLimit)}; its hooks: React ${kb(react)}, Vue ${kb(vue)} of ${kb(hooksLimit)}`,
  );
  check("browser.ts", page, limit);
  check("collections.ts", alone, collectionsLimit);
  check("rooms.ts", added, roomsLimit);
  check("files.ts", addedByFiles, filesLimit);
  check("react.ts", react, hooksLimit);
  check("vue.ts", vue, hooksLimit);
  return wrong;
}
