/** The pages: one HTML file each, into dist/web. No inline script but the one whose hash stands in the content policy. */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const page = (name: string) => fileURLToPath(new URL(`web/${name}.html`, import.meta.url));

export default defineConfig({
  root: fileURLToPath(new URL("web", import.meta.url)),
  // The gateway's own files are not the pages'.
  publicDir: false,
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: fileURLToPath(new URL("dist/web", import.meta.url)),
    emptyOutDir: true,
    // WeChat's own browser on older phones.
    target: "es2020",
    // The same year for style sheets; scripts/check_built_ins.ts holds what no build can lower.
    cssTarget: ["chrome80", "ios13.4"],
    // Its inline script would break the content policy.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: { index: page("index"), kitchen: page("kitchen"), board: page("board"), owner: page("owner") },
    },
  },
});
