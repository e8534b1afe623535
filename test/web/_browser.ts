/** A real Chromium with Chinese glyphs, for tests of pages and for screenshots. Works in jest and in a script of tsx. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Browser, Locator, Page } from "playwright-core";

export type { Browser, Locator, Page } from "playwright-core";

export interface PageOptions {
  readonly width: number;
  readonly height: number;
  /** What the browser prefers; a page without a choice in its store follows it. Default "zh". */
  readonly language?: "zh" | "en";
  /** Fingers instead of a mouse. */
  readonly touch?: boolean;
  readonly reducedMotion?: boolean;
  readonly dark?: boolean;
}

export interface OpenBrowser {
  readonly browser: Browser;
  /** A page in a context of its own: no store is shared. Closing the page closes its context. */
  newPage(options: PageOptions): Promise<Page>;
  close(): Promise<void>;
}

const require = createRequire(import.meta.url);
const packageFile = (name: string) => join(packageFolder(name), "package.json");

/** The folder of a package whose package.json may not be exported. */
function packageFolder(name: string): string {
  for (const folder of require.resolve.paths(name) ?? [])
    if (existsSync(join(folder, name, "package.json"))) return join(folder, name);
  throw new Error(`the package ${name} is not installed`);
}

/** Made beside its place and renamed: two tests that begin at once never see half of it. */
function makeOnce(folder: string, make: (into: string) => void): string {
  if (existsSync(folder)) return folder;
  mkdirSync(dirname(folder), { recursive: true });
  const mine = mkdtempSync(`${folder}.`);
  make(mine);
  try {
    renameSync(mine, folder);
  } catch (error) {
    rmSync(mine, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

/** Runs the text of a module in a process of its own: jest cannot import one. @param cwd a folder from which its packages are found */
function runModule(text: string, cwd: string, args: readonly string[] = [], variables: NodeJS.ProcessEnv = {}): void {
  const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", text, ...args], {
    cwd,
    env: { ...process.env, NODE_OPTIONS: "", ...variables },
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`not unpacked: ${stderr}`);
}

const rooms = join(tmpdir(), "orderbell-browser");

/** The Chromium that comes with npm; it unpacks itself into the temporary folder, so that is set to a folder of its version. */
function packedChromium(): string {
  const { version } = JSON.parse(readFileSync(packageFile("@sparticuz/chromium"), "utf8")) as { version: string };
  const folder = makeOnce(join(rooms, `chromium-${version}`), (into) => {
    const unpack = 'import("@sparticuz/chromium").then(({ default: chromium }) => chromium.executablePath())';
    runModule(unpack, packageFolder("@sparticuz/chromium"), [], { TMPDIR: into, TMP: into, TEMP: into });
  });
  return join(folder, "chromium");
}

/** Fonts that Chromium finds by itself, so that no page needs to know of them. Its fontconfig reads no WOFF, so they are unpacked. */
function fonts(): string {
  const place = join(rooms, "fonts-2");
  const generic = ["sans-serif", "system-ui", "serif", "monospace"];
  // A file of all weights has the name of its thinnest.
  const aliases = generic.map(
    (family) => `<alias><family>${family}</family><prefer><family>Noto Sans SC Thin</family></prefer></alias>`,
  );
  const settings = `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><dir>${place}</dir><cachedir>${place}</cachedir>${aliases.join("")}</fontconfig>`;
  const folder = makeOnce(place, (into) => {
    writeFileSync(join(into, "fonts.conf"), settings);
    const unpack = `
      import { readdirSync, readFileSync, writeFileSync } from "node:fs";
      import decompress from "woff2-encoder/decompress";
      const [from, into] = process.argv.slice(1);
      for (const file of readdirSync(from))
        writeFileSync(into + "/" + file.replace(/woff2$/, "ttf"), await decompress(readFileSync(from + "/" + file)));
    `;
    runModule(unpack, packageFolder("woff2-encoder"), [
      join(packageFolder("@fontsource-variable/noto-sans-sc"), "files"),
      into,
    ]);
  });
  return join(folder, "fonts.conf");
}

/** Where Chromium is: the one that was named, the one of npm, or an installed one. */
function candidates(): (() => string)[] {
  const named = process.env.ORDERBELL_CHROMIUM;
  if (named !== undefined) return [() => named];
  const installed = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
  const mac = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";
  return [
    // It is built for Linux on x64 only.
    ...(process.platform === "linux" && process.arch === "x64" ? [packedChromium] : []),
    ...[...installed, mac].filter(existsSync).map((path) => () => path),
  ];
}

const flags = [
  "--no-sandbox",
  "--no-zygote",
  "--disable-dev-shm-usage",
  "--font-render-hinting=none",
  "--disable-gpu",
  "--disable-features=IsolateOrigins,site-per-process",
  "--autoplay-policy=user-gesture-required",
  // A host that is not this machine's own name: to a browser, plain http from there is no secure context.
  "--host-resolver-rules=MAP shop.test 127.0.0.1",
];

/** @throws when no Chromium can start; the message says why of each */
export async function openBrowser(): Promise<OpenBrowser> {
  const { chromium } = require("playwright-core") as typeof import("playwright-core");
  const failures: string[] = [];
  for (const find of candidates()) {
    try {
      const browser = await chromium.launch({
        executablePath: find(),
        headless: true,
        args: flags,
        env: { ...process.env, FONTCONFIG_FILE: fonts() },
        timeout: 60_000,
      });
      return { browser, newPage: (options) => newPage(browser, options), close: () => browser.close() };
    } catch (error) {
      failures.push(String(error).slice(0, 500));
    }
  }
  throw new Error(`no Chromium starts here: ${failures.join("; ") || "none is installed"}`);
}

/** Whether one can start, told without starting it for long: for a suite that must choose before it runs. */
export function hasBrowser(): boolean {
  return candidates().some((find) => {
    try {
      const { status } = spawnSync(find(), ["--version", "--no-sandbox"], { timeout: 60_000 });
      return status === 0;
    } catch {
      return false;
    }
  });
}

async function newPage(browser: Browser, options: PageOptions): Promise<Page> {
  const { width, height, language = "zh", touch = false, reducedMotion = true, dark = false } = options;
  const context = await browser.newContext({
    viewport: { width, height },
    locale: language === "zh" ? "zh-CN" : "en-GB",
    timezoneId: "Asia/Shanghai",
    hasTouch: touch,
    reducedMotion: reducedMotion ? "reduce" : "no-preference",
    colorScheme: dark ? "dark" : "light",
  });
  // A busy machine is slow; what never comes fails by the test's own limit.
  context.setDefaultTimeout(30_000);
  const page = await context.newPage();
  page.on("close", () => void context.close().catch(() => {}));
  return page;
}

/**
 * Lets a page's time pass, for what comes after a while of its own such as the next try to connect. The page must have a clock.
 * Each leap is followed by twice as much real time, so that it disturbs nothing on a slow machine.
 */
export async function passUntil(page: Page, there: Locator, ms = 10_000): Promise<void> {
  for (let realMs = 500; ; realMs *= 2) {
    await page.clock.fastForward(ms);
    const came = await there.waitFor({ timeout: realMs }).then(
      () => true,
      () => false,
    );
    if (came) return;
  }
}

/**
 * Makes the text larger, as a person does in the browser, and waits until everything has its new size: with reduced motion every
 * change is a transition of no length, which takes a frame at each level.
 * @param percent 100 is the usual size
 */
export const setTextSize = (page: Page, percent: number): Promise<void> =>
  page.evaluate(`(async () => {
    document.documentElement.style.fontSize = "${percent}%";
    const sizes = () => [...document.querySelectorAll("*")].map((one) => one.offsetWidth + "x" + one.offsetHeight).join();
    for (let [before, same] = ["", 0]; same < 8; ) {
      await new Promise(requestAnimationFrame);
      const now = sizes();
      same = now === before && getComputedStyle(document.documentElement).fontSize === "${(16 * percent) / 100}px" ? same + 1 : 0;
      before = now;
    }
  })()`);
