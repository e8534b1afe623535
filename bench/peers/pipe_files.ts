/** Peer: node:http that pipes a body into a file, forces it to the disk, and pipes it out again. */
import { createReadStream, createWriteStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

const [, folder = ""] = process.argv.slice(2);
const server = createServer({ requestTimeout: 0 }, async (request, response) => {
  const { method, url = "" } = request;
  const file = join(folder, url.replace(/\W/g, ""));
  if (method === "PUT") {
    await pipeline(request, createWriteStream(file, { flush: true }));
    response.end();
  } else {
    response.setHeader("content-length", (await stat(file)).size);
    // A client that has everything may close first.
    await pipeline(createReadStream(file), response).catch(() => {});
  }
});
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port })}\n`);
});
