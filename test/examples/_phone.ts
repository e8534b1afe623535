/** Phones with the examples' mini-program: glass-easel in a real Chromium, against a whole server. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { withExamples } from "../../cli/serve_examples.ts";
import type { HouseOptions } from "../_house.ts";
import type { Locator, Page } from "../web/_browser.ts";
import { type Demo, openDemo } from "./_demo.ts";

export interface Phone {
  readonly page: Page;
  /** What is on the screen now, by its class. */
  on(selector: string, text?: string | RegExp): Locator;
  /** What WeChat, or a script itself, would have complained of. */
  complaints(): Promise<string[]>;
  close(): Promise<void>;
}

export interface Phones extends Demo {
  /** A phone of its own user, with a page of the program open. @param name of the page, without it the index */
  phone(name?: string, language?: "zh_CN" | "en"): Promise<Phone>;
}

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Builds the program in a process of its own: jest has its own ways with modules. */
function build(folder: string): void {
  const script = join(root, "test/miniprogram/_build_phone.ts");
  const { status, stderr } = spawnSync(process.execPath, ["--import", "tsx", script, folder, "examples"], {
    encoding: "utf8",
    env: { ...process.env, NODE_OPTIONS: "" },
    cwd: root,
  });
  if (status !== 0) throw new Error(`the phone was not built: ${stderr}`);
}

const types: Readonly<Record<string, string>> = { "/phone.html": "text/html", "/phone.js": "text/javascript" };

export async function openPhones(options: HouseOptions = {}): Promise<Phones> {
  const folder = mkdtempSync(join(tmpdir(), "orderbell-phones-"));
  build(folder);
  const demo = await openDemo(options, (examples) =>
    withExamples((request, response, otherwise) => {
      const { pathname } = new URL(request.url ?? "/", "http://phone");
      const type = types[pathname];
      if (type === undefined) return otherwise();
      response.writeHead(200, { "content-type": type });
      response.end(readFileSync(join(folder, pathname)));
    }, examples),
  );
  return {
    ...demo,
    phone: async (name, language = "en") => startPhone(demo, name, language),
    async close() {
      await demo.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function startPhone(demo: Demo, name: string | undefined, language: string): Promise<Phone> {
  const page = await demo.open(`../phone.html?language=${language}`, { touch: true, height: 844 });
  const on = (selector: string, text?: string | RegExp) =>
    page.locator(`.wx-page:not([hidden]) ${selector}`, text === undefined ? {} : { hasText: text });
  await on(".index-head").waitFor();
  if (name !== undefined) await on(`.index-${name}`).tap();
  return {
    page,
    on,
    complaints: () => page.evaluate("[...window.phone.faults, ...window.phone.errors]"),
    close: () => page.close(),
  };
}
