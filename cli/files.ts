/** The built pages, if they were built. */
import { existsSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { fileURLToPath } from "node:url";
import sirv from "sirv";

type Files = (request: IncomingMessage, response: ServerResponse, otherwise: () => void) => void;

/** Serves the pages' folder; hashed assets for ever, pages asked anew each time. */
export function pages(): Files {
  const folder = fileURLToPath(new URL("../dist/web", import.meta.url));
  if (!existsSync(folder)) return (_, __, otherwise) => otherwise();
  return sirv(folder, {
    etag: true,
    setHeaders(response, path) {
      const hashed = path.startsWith("/assets/");
      response.setHeader("cache-control", hashed ? "public, max-age=31536000, immutable" : "no-cache");
    },
  });
}
