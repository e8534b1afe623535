/**
 * Serves `examples/` under /examples: its pages, and the SDK's modules that they load. Names are those that were there when the
 * server started; a file that has changed since is read again, so that who tries something out only reloads.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type PageFile, pageFile, pageType } from "../shared/page_files.ts";
import { exampleHeaders } from "../shared/pages.ts";
import { type Files, sendPage } from "./serve_pages.ts";

const examplesFolder = fileURLToPath(new URL("../examples", import.meta.url));
/** Where `ensureExamples` puts the SDK's modules. */
export const sdkFolder = fileURLToPath(new URL("../dist/examples/sdk", import.meta.url));

/** The player of the example "video", for browsers that do not play HLS themselves. Not there where only what runs is installed. */
const hls = fileURLToPath(new URL("../node_modules/hls.js/dist/hls.light.min.mjs", import.meta.url));

/** Folders of examples that are no pages. */
const noPages = /^(miniprogram|servers)\//;

interface Held {
  readonly path: string;
  changedAt: number;
  file: PageFile;
}

export interface ExamplesOptions {
  readonly folder?: string;
  readonly sdk?: string;
  /** As for `servePages`. */
  readonly socketUrl?: string | undefined;
  readonly filesUrl?: string | undefined;
}

/** The examples before the other pages. */
export const withExamples =
  (examples: Files, others: Files): Files =>
  (request, response, otherwise) =>
    examples(request, response, () => others(request, response, otherwise));

/** Calls `otherwise` for a request that is not for a file of the examples. */
export function serveExamples(options: ExamplesOptions = {}): Files {
  const { folder = examplesFolder, sdk = sdkFolder, socketUrl, filesUrl } = options;
  const modules = filesOf(sdk);
  const held = new Map<string, Held>([
    ...[...filesOf(folder)].filter(([name]) => !noPages.test(name)).map(at("/examples/")),
    ...[...modules].map(at("/examples/sdk/")),
    // Where the pages that a static host serves from the project's folder find them.
    ...[...modules].map(at("/dist/sdk/")),
    ...(existsSync(hls) ? [["/examples/video/hls.js", heldOf(hls, "text/javascript; charset=utf-8")] as const] : []),
  ]);
  return (request, response, otherwise) => {
    const guard = exampleHeaders(request.headers.host, socketUrl, filesUrl);
    const [path = "", ...query] = (request.url ?? "").split("?");
    if (request.method !== "GET" && request.method !== "HEAD") return otherwise();
    const name = path.endsWith("/") ? `${path}index.html` : path;
    const found = held.get(name);
    if (found !== undefined) return sendPage(request, response, { name, file: read(found) }, guard);
    if (!held.has(`${path}/index.html`)) return otherwise();
    // Its addresses are relative to the folder. A path alone: never to another host.
    const location = [`${path}/`, ...query].join("?");
    response.writeHead(308, { ...guard, location });
    response.end();
  };
}

const at =
  (prefix: string) =>
  ([name, one]: [string, Held]): [string, Held] => [prefix + name, one];

/** A file that is read when it is asked for. */
const heldOf = (path: string, type: string): Held => ({
  path,
  changedAt: Number.NaN,
  file: pageFile(type, new Uint8Array()),
});

/** The files of a folder that a page may load, by their names. Empty where there is none. */
function filesOf(folder: string): Map<string, Held> {
  if (statSync(folder, { throwIfNoEntry: false }) === undefined) return new Map();
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return new Map(
    names.flatMap((name): [string, Held][] => {
      const [path, type] = [join(folder, name), pageType(name)];
      if (type === undefined || !statSync(path).isFile()) return [];
      return [[name.replaceAll("\\", "/"), heldOf(path, type)]];
    }),
  );
}

/** A file that has gone, such as while it is replaced, stays as it was. */
function read(one: Held): PageFile {
  const changedAt = statSync(one.path, { throwIfNoEntry: false })?.mtimeMs;
  if (changedAt === undefined || changedAt === one.changedAt) return one.file;
  one.file = pageFile(one.file.type, readFileSync(one.path));
  one.changedAt = changedAt;
  return one.file;
}
