/**
 * A phone with WeChat in a browser's page, as far as the mini-program needs one: pages in a stack, tabs, toasts, questions,
 * storage that outlives the app, and the network of test/clients/_wx.ts with WeChat's limits. Only declared domains are
 * allowed; they lead to the server of this page.
 */
import { CurrentWindowBackendContext, Event } from "glass-easel";
import { MiniProgramEnv } from "glass-easel-miniprogram-adapter";
import { type FakeWx, fakeWx } from "../clients/_wx.ts";
import { browserDisk } from "./_browser_disk.ts";

type Script = (require: (path: string) => unknown, module: { exports: object }, exports: object) => void;

export interface Program {
  /** The API's address in the program's settings. */
  url: string;
  templates: Record<string, unknown>;
  scripts: Record<string, Script>;
  // biome-ignore lint/suspicious/noExplicitAny: JSON files of several shapes
  settings: Record<string, any>;
}

// What is used of a page; this project's types are Node's.
// biome-ignore lint/suspicious/noExplicitAny: a browser's DOM, looked at freely
type Dom = any;
declare const document: Dom;
declare const window: Dom;
declare const location: { origin: string; host: string; search: string };
declare const localStorage: {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
} & Record<string, unknown>;

interface PageOnScreen {
  path: string;
  place: Dom;
  title: string;
  // biome-ignore lint/suspicious/noExplicitAny: any page
  caller: any;
  release(): void;
}

/** Tags of WeChat, and what stands in for them here. */
const elements = {
  view: "wx-view",
  text: "wx-text",
  image: "img",
  button: "wx-button",
  input: "input",
  "scroll-view": "wx-scroll-view",
  progress: "progress",
  video: "video",
};

export function startPhone({ url: apiUrl, templates, scripts, settings }: Program): void {
  const query = new URLSearchParams(location.search);
  const errors: string[] = [];
  window.addEventListener("error", ({ message }: { message: string }) => errors.push(message));
  window.addEventListener("unhandledrejection", ({ reason }: { reason: unknown }) => errors.push(String(reason)));

  // --- The network, with WeChat's limits -------------------------------------------------------------------------------
  const codes = query.getAll("code");
  const network = fakeWx({
    newCode: () => codes.shift() ?? "no-code-left",
    suspendMs: Number(query.get("suspendMs") ?? 5_000),
  });
  /** The console's list of server domains. */
  const domains: readonly [string, string][] = [
    [apiUrl, location.origin],
    // The server returns its socket's address: here it knows only the host of this page.
    [`wss://${location.host}`, `ws://${location.host}`],
    [`ws://${location.host}`, `ws://${location.host}`],
  ];
  function through<T extends { url: string; fail(error: { errMsg: string }): void }>(wanted: T): T {
    const [from, to] = domains.find(([domain]) => wanted.url.startsWith(`${domain}/`)) ?? [];
    if (from === undefined || to === undefined) {
      network.faults.push(`url not in domain list: ${wanted.url}`);
      throw new Error(`url not in domain list: ${wanted.url}`);
    }
    return { ...wanted, url: to + wanted.url.slice(from.length) };
  }

  // --- The frame around the pages --------------------------------------------------------------------------------------
  const [bar, pages, tabs] = ["bar", "pages", "tabs"].map((name) => document.querySelector(`.wx-${name}`));
  const tabList = (settings.app.tabBar?.list ?? []) as { pagePath: string; text: string }[];
  const stack: PageOnScreen[] = [];
  const kept = new Map<string, PageOnScreen>();
  const top = () => stack.at(-1);
  const own = (tag: string, name: string, text: string) => {
    const element = document.createElement(tag);
    element.className = name;
    element.textContent = text;
    return element;
  };

  function drawTabs(): void {
    const here = top()?.path;
    tabs.hidden = !tabList.some(({ pagePath }) => pagePath === here);
    tabs.replaceChildren(
      ...tabList.map(({ pagePath, text }) => {
        const tab = own("button", `wx-tab ${pagePath === here ? "wx-tab-here" : ""}`, text);
        tab.onclick = () => wx.switchTab({ url: `/${pagePath}` });
        return tab;
      }),
    );
  }
  function draw(): void {
    for (const page of [...kept.values(), ...stack]) page.place.hidden = page !== top();
    bar.textContent = top()?.title ?? "";
    drawTabs();
  }

  // --- Pages -----------------------------------------------------------------------------------------------------------
  function open(url: string): PageOnScreen {
    const [path = "", search = ""] = url.replace(/^\//, "").split("?");
    const place = own("div", "wx-page", "");
    const hole = document.createElement("div");
    place.append(hole);
    pages.append(place);
    const root = backend.createRoot("wx-root", space, path);
    root.attach(place, hole);
    const page = {
      path,
      place,
      title: "",
      caller: root.get() as PageOnScreen["caller"],
      release: () => root.release(),
    };
    stack.push(page);
    page.caller.onLoad?.(Object.fromEntries(new URLSearchParams(search)));
    page.caller.onShow?.();
    draw();
    return page;
  }
  function close(page: PageOnScreen | undefined): void {
    if (page === undefined || kept.has(page.path)) return;
    page.caller.onUnload?.();
    page.release();
    page.place.remove();
  }

  const wx = {
    ...network,
    request: (wanted: Parameters<FakeWx["request"]>[0]) => network.request(through(wanted)),
    connectSocket: (wanted: Parameters<FakeWx["connectSocket"]>[0]) => network.connectSocket(through(wanted)),
    uploadFile: (wanted: Parameters<FakeWx["uploadFile"]>[0]) => network.uploadFile(through(wanted)),
    downloadFile: (wanted: Parameters<FakeWx["downloadFile"]>[0]) => network.downloadFile(through(wanted)),
    getStorageSync: (key: string) => JSON.parse(localStorage.getItem(key) ?? '""'),
    setStorageSync: (key: string, value: unknown) => localStorage.setItem(key, JSON.stringify(value)),
    removeStorageSync: (key: string) => localStorage.removeItem(key),
    getStorageInfoSync: () => ({ keys: Object.keys(localStorage) }),
    getAppBaseInfo: () => ({ language: query.get("language") ?? "zh_CN" }),
    showToast({ title }: { title: string }) {
      document.querySelector(".wx-toast")?.remove();
      document.body.append(own("div", "wx-toast", title));
    },
    showModal({ content, confirmText, cancelText, success }: Dom) {
      const modal = own("div", "wx-modal", content);
      const buttons = document.createElement("div");
      for (const [text, confirm] of [
        [cancelText, false],
        [confirmText, true],
      ]) {
        const button = own("button", "wx-modal-button", text);
        button.onclick = () => {
          modal.remove();
          success({ confirm, cancel: !confirm });
        };
        buttons.append(button);
      }
      modal.append(buttons);
      document.body.append(modal);
    },
    /** The person chooses what the test has put into `window.phone.chosen`. */
    chooseMessageFile({ success, fail }: Dom) {
      const [name, text, type] = window.phone.chosen ?? [];
      if (name === undefined) return setTimeout(() => fail({ errMsg: "chooseMessageFile:fail cancel" }));
      const blob = new Blob([text], { type });
      const file = { name, path: browserDisk.add(name, blob), size: blob.size, type: "file", time: 0 };
      return setTimeout(() => success({ tempFiles: [file] }));
    },
    openDocument({ filePath, success, fail }: Dom) {
      window.phone.opened = browserDisk.blobOf(filePath);
      setTimeout(() => (window.phone.opened ? success({}) : fail({ errMsg: "openDocument:fail no such file" })));
    },
    setClipboardData({ data, success }: Dom) {
      window.phone.copied = data;
      setTimeout(() => success?.({}));
    },
    createOffscreenCanvas: ({ width, height }: Dom) =>
      Object.assign(document.createElement("canvas"), { width, height }),
    canvasToTempFilePath({ canvas, success }: Dom) {
      canvas.toBlob((blob: Blob) => success({ tempFilePath: browserDisk.add("canvas.png", blob) }), "image/png");
    },
    previewImage({ urls }: Dom) {
      window.phone.opened = urls[0];
    },
    requirePrivacyAuthorize: ({ success }: { success(): void }) => setTimeout(success),
    setNavigationBarTitle({ title }: { title: string }) {
      const page = top();
      if (page !== undefined) page.title = title;
      bar.textContent = title;
    },
    setTabBarItem({ index, text }: { index: number; text: string }) {
      const tab = tabList[index];
      if (tab !== undefined) tab.text = text;
      drawTabs();
    },
    navigateTo({ url }: { url: string }) {
      open(url);
    },
    navigateBack() {
      close(stack.pop());
      top()?.caller.onShow?.();
      draw();
    },
    redirectTo({ url }: { url: string }) {
      close(stack.pop());
      open(url);
    },
    switchTab({ url }: { url: string }) {
      const path = url.replace(/^\//, "");
      for (const page of stack.splice(0)) close(page);
      const page = kept.get(path);
      if (page === undefined) kept.set(path, open(url));
      else {
        stack.push(page);
        page.caller.onShow?.();
        draw();
      }
    },
  };

  // --- The program -----------------------------------------------------------------------------------------------------
  const env = new MiniProgramEnv();
  const space = env.createCodeSpace("", true);
  for (const [name, tag] of Object.entries(elements)) space.getComponentSpace().setGlobalUsingComponent(name, tag);
  const context = new CurrentWindowBackendContext();
  const backend = env.associateBackend(context);
  context.onEvent((target, type, detail, options) => {
    // A disabled element gets no taps.
    const node = target.getBackendElement() as Dom;
    if (type === "tap" && node?.closest?.("[disabled]")) return undefined;
    const event = new Event(type, detail, options);
    Event.dispatchEvent(target, event);
    return event.defaultPrevented() ? 1 : 0;
  });
  // Errors of pictures do not bubble.
  document.addEventListener(
    "error",
    ({ target }: Dom) => target.__wxElement && Event.dispatchEvent(target.__wxElement, new Event("error", {}, {})),
    true,
  );
  // A field tells its value in the event's detail.
  document.addEventListener("input", ({ target }: Dom) => {
    if (target.__wxElement) Event.dispatchEvent(target.__wxElement, new Event("input", { value: target.value }, {}));
  });
  // The key that ends a field's text.
  document.addEventListener("keydown", ({ target, key }: Dom) => {
    if (key === "Enter" && target.__wxElement)
      Event.dispatchEvent(target.__wxElement, new Event("confirm", { value: target.value }, {}));
  });
  new window.MutationObserver((changes: Dom[]) => {
    for (const { target } of changes)
      document.getElementById(target.getAttribute("scroll-into-view"))?.scrollIntoView();
  }).observe(pages, { subtree: true, attributes: true, attributeFilter: ["scroll-into-view"] });

  let app: object | undefined;
  Object.assign(window, {
    wx,
    App: (options: object) => {
      app = options;
    },
    getApp: () => app,
  });
  const modules = new Map<string, { exports: object }>();
  function load(path: string): unknown {
    const known = modules.get(path);
    if (known !== undefined) return known.exports;
    const script = scripts[path];
    if (script === undefined) throw new Error(`module '${path}.js' is not defined`);
    const module = { exports: {} };
    modules.set(path, module);
    script((wanted) => load(new URL(wanted, `file:///${path}`).pathname.slice(1)), module, module.exports);
    return module.exports;
  }
  // Without codes the examples' people are guests.
  if (codes.length > 0) Object.assign((load("config") as { config: object }).config, { signIn: "wechat" });
  load("app");
  for (const [path, own] of Object.entries(settings)) {
    if (templates[path] === undefined) continue;
    // All styles are in one sheet here: class names are told apart by their own beginnings.
    space.addComponentStaticConfig(path, { ...own, styleIsolation: "shared" });
    space.addCompiledTemplate(path, { groupList: templates, content: templates[path] } as never);
    space.globalComponentEnv(window, path, () => load(path));
  }
  window.phone = {
    faults: network.faults,
    errors,
    sockets: network.sockets,
    most: network.mostRequests,
    hide: network.hide,
    show: network.show,
    back: wx.navigateBack,
    /** Whether WeChat has stopped the app: it runs nothing more in the background. */
    cut: () =>
      new Promise((resolve) => {
        const none = { method: "GET" as const, header: {}, dataType: "text" as const, timeout: 5_000 };
        wx.request({
          ...none,
          url: `${apiUrl}/get_shop_info`,
          success: () => resolve(false),
          fail: ({ errMsg }) => resolve(/interrupted/.test(errMsg)),
        });
      }),
  };
  const scene = query.get("scene");
  const [first = ""] = settings.app.pages as string[];
  const begun = open(`${first}${scene === null ? "" : `?scene=${encodeURIComponent(scene)}`}`);
  if (tabList.some(({ pagePath }) => pagePath === first)) kept.set(first, begun);
}
