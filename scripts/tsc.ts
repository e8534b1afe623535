/**
 * Path of the compiler. It is installed under another name: `typescript` is an optional peer of valibot, and
 * `npm ci --omit=dev` would then install 30 MB that production does not use.
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

export const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript-7/package.json")), "bin/tsc");
