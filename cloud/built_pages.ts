/** The built pages out of a function's own zip, told where socket and pictures are in this deployment. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { answerPage, type PageFile, type Pages, pageFile, pageName, pageType } from "../shared/page_files.ts";
import { pageHeadersAt, withSocket } from "../shared/pages.ts";

export interface BuiltPages {
  /** What a build of the pages left; `x.js.br` beside `x.js` is the same, packed. */
  readonly folder: string;
  readonly socketUrl: string;
  /** Where pictures are put and fetched. */
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
    const own = name.endsWith(".html") ? Buffer.from(withSocket(body.toString(), socketUrl)) : body;
    held.set(`/${name}`, pageFile(type, own));
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
