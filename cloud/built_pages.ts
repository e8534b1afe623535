/** Built pages in a function's own zip; their headers allow the addresses of this deployment's socket and pictures. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { answerPage, type PageFile, type Pages, pageFile, pageName, pageType } from "../shared/page_files.ts";
import { pageHeadersAt } from "../shared/pages.ts";

export interface BuiltPages {
  /** The folder of a build of the pages; `x.js.br` is `x.js`, compressed. */
  readonly folder: string;
  readonly socketUrl: string;
  /** The address for uploading and fetching pictures. */
  readonly picturesUrl: string;
}

export function builtPages({ folder, socketUrl, picturesUrl }: BuiltPages): Pages["find"] {
  const guard = pageHeadersAt(socketUrl, picturesUrl);
  const held = new Map<string, PageFile>();
  const packed = new Map<string, Uint8Array>();
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const type = pageType(name);
    if (name.endsWith(".br")) packed.set(`/${name.slice(0, -3)}`, readFileSync(join(folder, name)));
    if (type === undefined) continue;
    const body = readFileSync(join(folder, name));
    held.set(`/${name}`, pageFile(type, body));
  }
  for (const [name, br] of packed) {
    const file = held.get(name);
    if (file !== undefined) file.br = br;
  }
  return (path, asked) => {
    const name = pageName(path);
    const file = held.get(name);
    return file === undefined ? undefined : answerPage(name, file, asked, guard);
  };
}
