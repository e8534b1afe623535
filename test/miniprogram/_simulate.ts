/**
 * Pages and components in miniprogram-simulate: WeChat's own compiler for WXML, its exparser, jsdom. Fingers are events.
 * For tests with `@jest-environment jsdom`.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { packMiniprogram } from "./_pack.ts";

// What is used of a page; this project's types are Node's.
export interface Dom {
  readonly classList: Iterable<string>;
  readonly textContent: string | null;
  readonly innerHTML: string;
  append(child: Dom): void;
  remove(): void;
  querySelectorAll(selector: string): Iterable<Dom>;
  /** The exparser element behind it. */
  readonly __wxElement?: { readonly _vt?: { readonly attrs: readonly { name: string; value: unknown }[] } };
}
declare const document: { body: Dom; createElement(tag: string): Dom };

/** What is used of j-component. */
interface RootComponent {
  readonly dom: Dom;
  // A page's own methods and data are looked at freely.
  // biome-ignore lint/suspicious/noExplicitAny: a test's own assertion is the type check here
  readonly instance: any;
  attach(parent: Dom): void;
  detach(): void;
  addEventListener(name: string, hear: (event: { detail: unknown }) => void): void;
}

export interface Shown {
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly instance: any;
  /** Everything written on it. */
  text(): string;
  /** The first that fits, or undefined. */
  find(selector: string): Dom | undefined;
  all(selector: string): Dom[];
  tap(selector: string, nth?: number): void;
  /** Into a field. */
  write(selector: string, value: string, nth?: number): void;
  /** Events of the component itself. */
  readonly told: { name: string; detail: unknown }[];
  close(): void;
}

export interface Simulator {
  readonly folder: string;
  /** Every page of app.json. */
  readonly pages: string[];
  /** A module of the mini-program. */
  // biome-ignore lint/suspicious/noExplicitAny: compiled scripts have no types
  module(path: string): any;
  /** A component with its properties. @param hear names of events that land in `told` */
  component(name: string, properties?: object, hear?: string[]): Shown;
  /** A page, through onLoad and onShow. */
  page(name: string, query?: object): Promise<Shown>;
  close(): void;
}

/** WeChat's compiler of WXML is a program for these. */
export const canSimulate =
  (process.platform === "linux" && process.arch === "x64") || ["darwin", "win32"].includes(process.platform);

export function openSimulator(): Simulator {
  const { folder, remove } = packMiniprogram();
  // biome-ignore lint/suspicious/noExplicitAny: the package's types know nothing of what is used here
  const simulate: any = require("miniprogram-simulate");
  // biome-ignore lint/suspicious/noExplicitAny: it has no types
  const exparser: any = require("miniprogram-exparser");
  const ids = new Map<string, string>();
  const shown = new Set<RootComponent>();

  function load(path: string): string {
    const known = ids.get(path);
    if (known !== undefined) return known;
    // Scripts of components run when they are loaded, and once in jest's registry: a second page needs its stepper, too.
    jest.resetModules();
    const id = simulate.load(join(folder, path), { compiler: "official", rootPath: folder }) as string;
    ids.set(path, id);
    return id;
  }

  function fire(element: Dom, name: string, detail: object): void {
    const event = exparser.Event.create(name, detail, { bubbles: true, capturePhase: true, composed: true });
    exparser.Event.dispatchEvent(element.__wxElement, event);
  }

  function show(path: string, properties: object, hear: string[]): Shown {
    const root: RootComponent = simulate.render(load(path), properties);
    const place = document.createElement("div");
    document.body.append(place);
    root.attach(place);
    shown.add(root);
    const told: Shown["told"] = [];
    for (const name of hear) root.addEventListener(name, ({ detail }) => told.push({ name, detail }));
    // Classes of a component bear its tag's name in front: `main--dish`, `stepper--stepper-more`.
    const all = (selector: string) =>
      [...place.querySelectorAll("*")].filter((element) =>
        selector
          .split(".")
          .every((name) => name === "" || [...element.classList].some((has) => has.replace(/^.*--/, "") === name)),
      );
    const get = (selector: string, nth: number) => {
      const element = all(selector)[nth];
      if (element === undefined)
        throw new Error(`there is no ${selector} (${nth}) in ${place.innerHTML.slice(0, 2_000)}`);
      return element;
    };
    return {
      instance: root.instance,
      told,
      text: () => place.textContent ?? "",
      all,
      find: (selector) => all(selector)[0],
      tap(selector, nth = 0) {
        const element = get(selector, nth);
        // As on a phone: a disabled element gets no events.
        if (disabled(element)) return;
        fire(element, "tap", {});
      },
      write: (selector, value, nth = 0) => fire(get(selector, nth), "input", { value }),
      close() {
        root.instance.onUnload?.();
        root.detach();
        place.remove();
        shown.delete(root);
      },
    };
  }

  return {
    folder,
    pages: readdirSync(join(folder, "pages")).map((name) => `pages/${name}/${name}`),
    module: (path) => require(join(folder, path)),
    component: (name, properties = {}, hear = []) => show(`components/${name}/${name}`, properties, hear),
    async page(name, query = {}) {
      const page = show(`pages/${name}/${name}`, {}, []);
      await page.instance.onLoad?.(query);
      page.instance.onShow?.();
      return page;
    },
    close() {
      for (const root of shown) root.detach();
      remove();
    },
  };
}

const disabled = (element: Dom): boolean =>
  element.__wxElement?._vt?.attrs.some(({ name, value }) => name === "disabled" && value === true) ?? false;
