/** The hooks for React in the real React: in StrictMode, on a server, and in a page that a server has rendered. */
import { createElement, type ReactElement, StrictMode } from "react";
import { renderToString } from "react-dom/server";
import type { State } from "../../clients/channel.ts";
import type { Client, OrderView, Session, ShopInfo } from "../../clients/index.ts";
import * as hooks from "../../clients/react.ts";
import { until } from "../_until.ts";
import { type Hooks, hooksContract, type Mount, type Name } from "./_hooks.ts";

type Exactly<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Checked by the compiler. */
const exact: [
  Exactly<ReturnType<typeof hooks.useOrders>, hooks.Watched<OrderView[]>>,
  Exactly<ReturnType<typeof hooks.useMenu>["data"], ShopInfo | undefined>,
  Exactly<ReturnType<typeof hooks.useSession>, Session | undefined>,
  Exactly<ReturnType<typeof hooks.useConnection>, State>,
  Exactly<Parameters<typeof hooks.useMenu>[0], { shop: string } | null>,
] = [true, true, true, true, true];

/** Of react-dom/client; React asks for the page while it is loaded. */
let createRoot: typeof import("react-dom/client").createRoot;
let hydrateRoot: typeof import("react-dom/client").hydrateRoot;

declare const document: { createElement(name: string): Element & { innerHTML: string; textContent: string } };

const byName = { ...hooks };
const call = (hook: Name, given: unknown[]) => (byName[hook] as (...given: unknown[]) => unknown)(...given);

/** A component that calls a hook, and tells what it showed. */
const Probe = ({ hook, given, tell }: { hook: Name; given: unknown[]; tell(shown: unknown): void }): ReactElement => {
  const shown = call(hook, given);
  tell(shown);
  return createElement("p", null, JSON.stringify(shown) ?? "nothing");
};

const within = (client: Client | undefined, child: ReactElement) =>
  createElement(StrictMode, null, createElement(hooks.ClientProvider, { value: client }, child));

const mount: Mount = (client, hook, ...given) => {
  type Shown = Hooks[typeof hook]["shown"];
  const shown: Shown[] = [];
  const errors: unknown[] = [];
  const root = createRoot(document.createElement("div"), { onUncaughtError: (error) => errors.push(error) });
  const render = (given: unknown[]) =>
    root.render(within(client, createElement(Probe, { hook, given, tell: (one) => shown.push(one as Shown) })));
  const { flushSync } = jest.requireActual<typeof import("react-dom")>("react-dom");
  flushSync(() => render(given));
  if (errors.length > 0) throw errors[0];
  return {
    first: () => shown[0] as Shown,
    now: () => shown.at(-1) as Shown,
    renders: () => shown.length,
    give: (...next) => render(next),
    unmount: () => root.unmount(),
  };
};

/** A client that may be given to components and not be used. */
const untouched = new Proxy({} as Client, {
  get: (_, name) => () => {
    throw new Error(`${String(name)} was called on a server`);
  },
});

const all: [Name, unknown[]][] = [
  ["useOrders", []],
  ["useMenu", [{ shop: "s" }]],
  ["useBoard", [{ shop: "s" }]],
  ["useOrder", ["o"]],
  ["useSession", []],
  ["useConnection", []],
  ["useSubmit", []],
];
const rendered = (client: Client) =>
  renderToString(
    within(
      client,
      createElement(
        "div",
        null,
        ...all.map(([hook, given]) => createElement(Probe, { key: hook, hook, given, tell() {} })),
      ),
    ),
  );

describe("the hooks for React", () => {
  it("have exact types", () => expect(exact).not.toContain(false));

  it("render on a server without a page, and without using the client", () => {
    expect(typeof (globalThis as { document?: unknown }).document).toBe("undefined");
    const html = rendered(untouched).replaceAll("&quot;", '"');
    expect(html.match(/"loading":true,/g) ?? html.match(/"loading":true/g)).toHaveLength(4);
    expect(html).toContain('"idle"');
    expect(html).toContain("nothing");
    expect(html).toContain('"pending":[]');
  });

  describe("in a page", () => {
    beforeAll(() => {
      const { JSDOM } = jest.requireActual<{ JSDOM: new () => { window: { document: unknown } } }>("jsdom");
      const { window } = new JSDOM();
      const missing = "navigator" in globalThis ? {} : { navigator: { userAgent: "" } };
      Object.assign(globalThis, { window, document: window.document, ...missing });
      ({ createRoot, hydrateRoot } = jest.requireActual<typeof import("react-dom/client")>("react-dom/client"));
    });

    hooksContract(mount);

    it("a page from a server is taken over as it is, and then shows the session", async () => {
      const session = { id: "s", token: "t", kind: "guest", expiresAt: "2026-11-21T00:00:00Z", user: { id: "u" } };
      const quiet = new Proxy({} as Client, {
        get: (_, name) => {
          if (name === "session") return () => ({ ...session });
          if (name === "state") return () => "catching up";
          if (name === "pending") return () => [];
          if (name === "watch") return () => ({ close() {} });
          return () => () => {};
        },
      });
      const container = document.createElement("div");
      container.innerHTML = rendered(untouched);
      const mismatches: unknown[] = [];
      const shown: unknown[] = [];
      const root = hydrateRoot(
        container,
        within(
          quiet,
          createElement(
            "div",
            null,
            ...all.map(([hook, given]) =>
              createElement(Probe, { key: hook, hook, given, tell: (one) => shown.push(one) }),
            ),
          ),
        ),
        { onRecoverableError: (error) => mismatches.push(error) },
      );
      await until(() => container.textContent.includes('"user":{"id":"u"}'), "the session");
      expect(mismatches).toEqual([]);
      root.unmount();
    });
  });
});
