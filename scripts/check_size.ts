/** Checks the SDK's size in a page: core and browser, bundled, minified, gzipped. */
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { bundling } from "./build_sdk.ts";

export const maxBytes = 6 * 1_024;

/** Bytes of a script that only makes a client. */
export async function sizeOfSdk(contents = 'export { ApiError, createClient } from "./browser.ts";'): Promise<number> {
  const { outputFiles } = await build({
    ...bundling,
    stdin: { contents, resolveDir: fileURLToPath(new URL("../clients", import.meta.url)) },
    minify: true,
    write: false,
  });
  return gzipSync(outputFiles[0]?.contents ?? "", { level: 9 }).length;
}

/** @returns a line if it is too large */
export async function checkSize(limit = maxBytes): Promise<string[]> {
  const bytes = await sizeOfSdk();
  const kb = (size: number) => (size / 1_024).toFixed(2);
  console.log(`     the SDK in a page: ${kb(bytes)} KB gzip of ${kb(limit)}`);
  return bytes <= limit ? [] : [`clients/browser.ts is ${bytes} bytes gzipped, ${bytes - limit} too many`];
}
