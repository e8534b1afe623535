/** Serves the built pages from memory, so that a build at the same time does not remove files that a page still needs. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { answerPage, type PageFile, pageFile, pageName, pageType } from "../shared/page_files.ts";
import { type PageHeaders, pageHeaders } from "../shared/pages.ts";

export type Files = (request: IncomingMessage, response: ServerResponse, otherwise: () => void) => void;

/** Where `npm run build:pages` puts them. */
export const pagesFolder = fileURLToPath(new URL("../dist/web", import.meta.url));

/** `/` is index.html, `/kitchen` is kitchen.html. Calls `otherwise` for any other request. */
export function servePages(folder = pagesFolder, socketUrl?: string, filesUrl?: string): Files {
  const held = new Map<string, PageFile>();
  const changedAt = (name: string) => statSync(join(folder, name), { throwIfNoEntry: false })?.mtimeMs;
  let read: string | undefined;

  /** Reads the build, if it is a new one. Files of the one before stay for pages that are open. */
  function readBuild(): void {
    const [all, parts] = [changedAt("."), changedAt("assets")];
    const build = `${all} ${parts}`;
    if (all === undefined || build === read) return;
    try {
      for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
        const type = pageType(name);
        if (type !== undefined)
          held.set(`/${name.replaceAll("\\", "/")}`, pageFile(type, readFileSync(join(folder, name))));
      }
      read = build;
    } catch (error) {
      // A build is just replacing the files: the next request reads again.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  readBuild();

  return (request, response, otherwise) => {
    const [path = ""] = (request.url ?? "").split("?");
    if (request.method !== "GET" && request.method !== "HEAD") return otherwise();
    const name = pageName(path);
    if (name.endsWith(".html") || (name.startsWith("/assets/") && !held.has(name))) readBuild();
    const file = held.get(name);
    if (file !== undefined)
      return sendPage(request, response, { name, file }, pageHeaders(request.headers.host, socketUrl, filesUrl));
    if (read === undefined && ["/", "/kitchen", "/board", "/owner", "/docs", "/errors"].includes(path))
      return notBuilt(response);
    otherwise();
  };
}

/** Answers a request for a file of a page. @param guard the headers that every answer has */
export function sendPage(
  { method, headers: asked }: IncomingMessage,
  response: ServerResponse,
  { name, file }: { readonly name: string; readonly file: PageFile },
  guard: PageHeaders,
): void {
  const wanted = { acceptEncoding: [asked["accept-encoding"]].flat().join(), ifNoneMatch: asked["if-none-match"] };
  const { status, headers, body } = answerPage(name, file, wanted, guard);
  response.writeHead(status, { ...headers, ...(body === undefined ? {} : { "content-length": body.length }) });
  response.end(method === "HEAD" ? undefined : body);
}

function notBuilt(response: ServerResponse): void {
  response.writeHead(503, {
    ...pageHeaders(),
    "content-type": "text/plain; charset=utf-8",
    "cache-control": "no-store",
    "retry-after": "10",
  });
  response.end(
    "The pages are not built yet: run `npm run build:pages`. The API is here.\n页面尚未构建，请运行 npm run build:pages；接口可正常使用。\n",
  );
}
