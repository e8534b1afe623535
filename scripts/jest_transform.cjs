/** TypeScript and ES modules for jest by esbuild: ts-jest does not install beside TypeScript 7. */
const { createHash } = require("node:crypto");
const { transformSync, version } = require("esbuild");

const options = {
  format: "cjs",
  target: "node20",
  sourcemap: "inline",
  supported: { "dynamic-import": false },
  // import.meta has no CommonJS twin.
  define: { "import.meta.url": "__importMetaUrl" },
  banner: 'const __importMetaUrl = require("node:url").pathToFileURL(__filename).href;',
};

module.exports = {
  getCacheKey: (source, path) =>
    createHash("sha256").update(version).update(path).update(JSON.stringify(options)).update(source).digest("hex"),
  process: (source, sourcefile) => ({
    code: transformSync(source, { ...options, sourcefile, loader: sourcefile.endsWith("ts") ? "ts" : "js" }).code,
  }),
};
