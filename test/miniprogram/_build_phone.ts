/**
 * The mini-program for a browser: glass-easel, which runs inside WeChat too, with templates by its own compiler. Writes
 * phone.html and phone.js: node --import tsx test/miniprogram/_build_phone.ts <folder> [<shop> | examples]
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { config as examplesConfig } from "../../examples/miniprogram/config.ts";
import { config } from "../../miniprogram/config.ts";
import { examples, ordering, pack } from "../../scripts/build_miniprogram.ts";
import { filesIn } from "../../scripts/files_in.ts";

const [folder = "", shop = config.shop] = process.argv.slice(2);
const here = fileURLToPath(new URL(".", import.meta.url));
const { TmplGroup } = createRequire(import.meta.url)("glass-easel-template-compiler");

const packed = join(folder, "packed");
mkdirSync(packed, { recursive: true });
const [program, url] = shop === "examples" ? [examples, examplesConfig.url] : [ordering, config.url];
await pack(packed, program);
/** As it is, but for the shop: a test has its own. */
const read = (file: string) =>
  readFileSync(join(packed, file), "utf8").replace(file === "config.js" ? JSON.stringify(config.shop) : "\0", () =>
    JSON.stringify(shop),
  );
const of = (ending: string) => filesIn(packed).filter((file) => file.endsWith(ending));
const stem = (file: string) => file.replace(/\.\w+$/, "");

const templates = new TmplGroup();
for (const file of of(".wxml")) {
  const told = templates.addTmpl(stem(file), read(file));
  // The compiler does not throw; it lists what is wrong.
  const wrong = (Array.isArray(told) ? told : []).filter(({ level }: { level: number }) => level >= 3);
  if (wrong.length > 0) throw new Error(`${file}: ${JSON.stringify(wrong)}`);
}

/** 750rpx are the width of any screen. */
const css = of(".wxss")
  .map(read)
  .join("\n")
  .replace(/(-?[\d.]+)rpx/g, (_, rpx) => `${Number(rpx) / 7.5}vw`)
  .replace(/(^|\n)page \{/g, "$1body {");

const scripts = of(".js").map(
  (file) => `${JSON.stringify(stem(file))}: (require, module, exports) => {\n${read(file)}\n}`,
);
const settings = of(".json").map((file) => `${JSON.stringify(stem(file))}: ${read(file)}`);
const source = `
import { startPhone } from "./_phone.ts";
startPhone({
  url: ${JSON.stringify(url)},
  templates: ${templates.getTmplGenObjectGroups()},
  scripts: { ${scripts.join(",\n")} },
  settings: { ${settings.join(",\n")} },
});
`;
await build({
  stdin: { contents: source, resolveDir: here, sourcefile: "phone.ts", loader: "ts" },
  bundle: true,
  format: "iife",
  target: "es2022",
  outfile: join(folder, "phone.js"),
  // The fake wx is for Node; a browser has sockets of its own, and no disk.
  alias: { ws: join(here, "_browser_ws.ts"), "glass-easel": fileURLToPath(import.meta.resolve("glass-easel")) },
  plugins: [
    {
      name: "disk",
      setup: ({ onResolve }) =>
        onResolve({ filter: /\/_wx_files\.ts$/ }, () => ({ path: join(here, "_browser_disk.ts") })),
    },
  ],
  logLevel: "error",
});
rmSync(packed, { recursive: true });

/** What a phone has by itself: the elements that are not HTML, a bar above, tabs below. */
const ownCss = `
* { -webkit-tap-highlight-color: transparent; }
html, body { height: 100%; margin: 0; }
body { display: flex; flex-direction: column; min-height: 0; }
wx-view, wx-scroll-view, wx-button { display: block; }
wx-text, img { display: inline-block; }
wx-text { display: inline; }
wx-scroll-view { overflow: auto; }
wx-button, button { border: 0; border-radius: 5px; box-sizing: border-box; background: #f8f8f8; font: inherit; text-align: center; cursor: pointer; user-select: none; }
input, textarea { display: block; font: inherit; outline-offset: 2px; }
.wx-bar { flex: none; height: 44px; line-height: 44px; background: #fff; text-align: center; font-size: 17px; font-weight: 600; }
.wx-pages { position: relative; flex: 1; min-height: 0; }
.wx-page { position: absolute; inset: 0; overflow: auto; }
.wx-page[hidden] { display: none; }
.wx-page wx-root { display: block; height: 100%; }
.wx-page .menu { height: 100%; }
.wx-tabs { display: flex; flex: none; border-top: 1px solid #ddd; background: #fff; }
.wx-tabs[hidden] { display: none; }
.wx-tab { flex: 1; height: 50px; background: #fff; border-radius: 0; color: #5c5750; }
.wx-tab-here { color: #b3261e; font-weight: 600; }
.wx-toast, .wx-modal { position: fixed; z-index: 50; left: 50%; top: 45%; transform: translate(-50%, -50%); max-width: 80vw; padding: 14px 18px; border-radius: 10px; background: rgba(50, 50, 50, 0.92); color: #fff; font-size: 15px; }
.wx-toast { pointer-events: none; }
.wx-modal { min-width: 70vw; background: #fff; color: #222; box-shadow: 0 0 0 100vmax rgba(0, 0, 0, 0.5); text-align: center; }
.wx-modal div { display: flex; gap: 12px; margin-top: 16px; }
.wx-modal button { flex: 1; padding: 10px; }
`;
writeFileSync(
  join(folder, "phone.html"),
  `<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,"><style>${ownCss}</style><style>${css}</style></head><body><div class="wx-bar"></div><div class="wx-pages"></div><div class="wx-tabs"></div><script src="phone.js"></script></body></html>`,
);
