/** CloudBase's own client in a real Chromium, on a page of another origin than the server's. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buildSync } from "esbuild";
import { until } from "../_until.ts";
import { type OpenBrowser, openBrowser, type Page } from "../web/_browser.ts";
import type { Doc } from "./_watched.ts";

/** What a page does with the client, as its developer would write it. `lists` is for the test to look at. */
const glue = `
  globalThis.lists = {};
  globalThis.begin = async ({ host, env, accessKey, endPointMode, anonymous }) => {
    globalThis.app = cloudbase.init({ env, ...(accessKey ? { accessKey } : {}), ...(endPointMode ? { endPointMode } : {}) });
    app.registerHost(host, "http");
    if (anonymous) await app.auth.signInAnonymously({});
    globalThis.db = app.database();
    globalThis._ = db.command;
    return anonymous ? (await app.auth.getCurrentUser())?.uid : undefined;
  };
  globalThis.look = (name, query) => {
    const list = (lists[name] = { ids: [], docs: undefined, errors: [] });
    list.watch = query.watch({
      onChange(snapshot) {
        list.ids.push(snapshot.id);
        list.docs = JSON.parse(JSON.stringify(snapshot.docs));
      },
      onError(error) {
        const { errCode, msgData, message } = error;
        list.errors.push(String(errCode ?? msgData?.code) + " " + String(JSON.stringify(error.errMsg ?? msgData ?? message)));
      },
    });
  };
`;

/** @param from a folder from which the package is found */
export function bundleClient(from: string): string {
  const { outputFiles } = buildSync({
    stdin: {
      contents: `import cloudbase from "@cloudbase/js-sdk"; globalThis.cloudbase = cloudbase; ${glue}`,
      resolveDir: from,
    },
    bundle: true,
    write: false,
    format: "iife",
    platform: "browser",
    logLevel: "silent",
  });
  return outputFiles[0]?.text ?? "";
}

export interface ListOnPage {
  readonly ids: readonly number[];
  readonly docs: readonly Doc[] | undefined;
  readonly errors: readonly string[];
}

export interface ClientPage {
  readonly page: Page;
  /** Runs the text of an async function's body in the page and gives its result. */
  run<T = unknown>(body: string): Promise<T>;
  list(name: string): Promise<ListOnPage>;
  /** Waits until the list that the page calls so fits. */
  until(name: string, fits: (list: ListOnPage) => boolean, what: string): Promise<ListOnPage>;
}

export interface ClientPages {
  /** A page in a store of its own. */
  open(): Promise<ClientPage>;
  close(): Promise<void>;
}

export async function openPages(from = process.cwd()): Promise<ClientPages> {
  const script = bundleClient(from);
  const server = createServer((request, response) => {
    const isScript = request.url === "/client.js";
    response.setHeader("content-type", isScript ? "text/javascript; charset=utf-8" : "text/html; charset=utf-8");
    response.end(isScript ? script : '<!doctype html><title>page</title><script src="/client.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const browser: OpenBrowser = await openBrowser();
  return {
    async open() {
      const page = await browser.newPage({ width: 400, height: 300 });
      await page.goto(address);
      return pageOf(page);
    },
    async close() {
      await browser.close();
      server.closeAllConnections();
      server.close();
    },
  };
}

function pageOf(page: Page): ClientPage {
  const run = <T>(body: string) => page.evaluate<T>(`(async () => { ${body} })()`);
  const list = (name: string) =>
    run<ListOnPage>(`const { ids, docs, errors } = lists[${JSON.stringify(name)}]; return { ids, docs, errors };`);
  return {
    page,
    run,
    list,
    async until(name, fits, what) {
      let seen = await list(name);
      let asking: Promise<void> | undefined;
      const ask = async () => {
        seen = await list(name);
        asking = undefined;
      };
      const look = () => {
        asking ??= ask();
        return fits(seen);
      };
      await until(look, what, () => seen);
      await asking;
      return seen;
    },
  };
}
