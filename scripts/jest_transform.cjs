/** Compiles TypeScript and ES modules for jest with esbuild: ts-jest does not install beside TypeScript 7. */
const { createHash } = require("node:crypto");
const { transformSync, version } = require("esbuild");

const options = {
  format: "cjs",
  target: "node20",
  sourcemap: "inline",
  supported: { "dynamic-import": false },
  // import.meta does not exist in CommonJS.
  define: { "import.meta.url": "__importMetaUrl" },
  banner: 'const __importMetaUrl = require("node:url").pathToFileURL(__filename).href;',
};

module.exports = {
  getCacheKey: (source, path, { supportsStaticESM }) =>
    createHash("sha256")
      .update(`${version} ${supportsStaticESM} ${path} ${JSON.stringify(options)}`)
      .update(source)
      .digest("hex"),
  process(source, sourcefile, { supportsStaticESM }) {
    // From Node 24.9 on, jest loads packages that are ES modules itself.
    if (supportsStaticESM) return { code: source };
    return {
      code: transformSync(source, { ...options, sourcefile, loader: sourcefile.endsWith("ts") ? "ts" : "js" }).code,
    };
  },
};
