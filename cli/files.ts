/** The built pages, held in memory: a folder that is built anew meanwhile takes nothing away from whoever reads. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { pageHeaders } from "../shared/pages.ts";

type Files = (request: IncomingMessage, response: ServerResponse, otherwise: () => void) => void;

/** Where `npm run build` puts them. */
export const pagesFolder = fileURLToPath(new URL("../dist/web", import.meta.url));

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".webp": "image/webp",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".mp3": "audio/mpeg",
  ".wav": "audio/wav",
};

interface Held {
  readonly type: string;
  readonly etag: string;
  readonly body: Buffer;
  /** Made when the first one asks. */
  br?: Buffer;
  gzip?: Buffer;
}

/** `/` is index.html, `/kitchen` is kitchen.html. What is none of these is left to `otherwise`. */
export function pages(folder = pagesFolder): Files {
  const held = new Map<string, Held>();
  const changedAt = (name: string) => statSync(join(folder, name), { throwIfNoEntry: false })?.mtimeMs;
  let read: string | undefined;

  /** Reads what was built, if it is another build. Parts of the one before stay for pages that are open. */
  function look(): void {
    const [all, parts] = [changedAt("."), changedAt("assets")];
    const build = `${all} ${parts}`;
    if (all === undefined || build === read) return;
    try {
      for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
        const type = types[extname(name)];
        if (type === undefined) continue;
        const body = readFileSync(join(folder, name));
        const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
        held.set(`/${name.replaceAll("\\", "/")}`, { type, etag, body });
      }
      read = build;
    } catch (error) {
      // Built anew in this very moment: the next one who asks looks again.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  look();

  return (request, response, otherwise) => {
    const [path = ""] = (request.url ?? "").split("?");
    if (request.method !== "GET" && request.method !== "HEAD") return otherwise();
    const name = path === "/" ? "/index.html" : /^\/[a-z]+$/.test(path) ? `${path}.html` : path;
    if (name.endsWith(".html") || (name.startsWith("/assets/") && !held.has(name))) look();
    const file = held.get(name);
    if (file !== undefined) return send(request, response, name, file);
    if (read === undefined && ["/", "/kitchen", "/board", "/owner"].includes(path)) return notBuilt(response);
    otherwise();
  };
}

function send(request: IncomingMessage, response: ServerResponse, name: string, file: Held): void {
  const { type, etag, body } = file;
  const isHashed = name.startsWith("/assets/");
  const common = {
    ...pageHeaders,
    "cache-control": isHashed ? "public, max-age=31536000, immutable" : "no-cache",
    etag,
    vary: "accept-encoding",
  };
  if (request.headers["if-none-match"]?.includes(etag)) return void response.writeHead(304, common).end();
  const [encoding, bytes] = encoded(request, file) ?? [undefined, body];
  response.writeHead(200, {
    ...common,
    "content-type": type,
    "content-length": bytes.length,
    ...(encoding === undefined ? {} : { "content-encoding": encoding }),
  });
  response.end(request.method === "HEAD" ? undefined : bytes);
}

/** A packet holds this much anyway. */
const worthPacking = 1_000;

function encoded({ headers }: IncomingMessage, file: Held): ["br" | "gzip", Buffer] | undefined {
  if (file.body.length < worthPacking || !/^text\/|json|svg/.test(file.type)) return undefined;
  const accepted = String(headers["accept-encoding"] ?? "");
  const takes = (name: string) => new RegExp(`\\b${name}\\b(?!\\s*;\\s*q=0(\\.0+)?\\s*(,|$))`).test(accepted);
  if (takes("br")) {
    file.br ??= brotliCompressSync(file.body, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } });
    return ["br", file.br];
  }
  if (!takes("gzip")) return undefined;
  file.gzip ??= gzipSync(file.body, { level: 9 });
  return ["gzip", file.gzip];
}

function notBuilt(response: ServerResponse): void {
  response.writeHead(503, {
    ...pageHeaders,
    "content-type": "text/plain; charset=utf-8",
    "cache-control": "no-store",
    "retry-after": "10",
  });
  response.end(
    "The pages are not built yet: run `npm run build`. The API is here.\n页面尚未构建，请运行 npm run build；接口可正常使用。\n",
  );
}
