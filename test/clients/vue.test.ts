/** The composables for Vue in the real Vue, without a page: its renderer draws into plain objects. */

import type { ShallowRef } from "vue";
import { type Component, createRenderer, createSSRApp, effectScope, h, isRef, nextTick, shallowRef, unref } from "vue";
import { renderToString } from "vue/server-renderer";
import type { State } from "../../clients/channel.ts";
import type { Client, OrderView, Session, ShopInfo } from "../../clients/index.ts";
import * as hooks from "../../clients/vue.ts";
import { until } from "../_until.ts";
import { type Hooks, hooksContract, type Mount, type Name, settled } from "./_hooks.ts";

type Exactly<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Checked by the compiler. */
const exact: [
  Exactly<ReturnType<typeof hooks.useOrders>, Readonly<ShallowRef<hooks.Watched<OrderView[]>>>>,
  Exactly<ReturnType<typeof hooks.useMenu>["value"]["data"], ShopInfo | undefined>,
  Exactly<ReturnType<typeof hooks.useSession>["value"], Session | undefined>,
  Exactly<ReturnType<typeof hooks.useConnection>["value"], State>,
] = [true, true, true, true];

const { createApp } = createRenderer<object, object>({
  createElement: () => ({}),
  createText: () => ({}),
  createComment: () => ({}),
  insert() {},
  remove() {},
  setText() {},
  setElementText() {},
  patchProp() {},
  parentNode: () => null,
  nextSibling: () => null,
});

const byName = { ...hooks };
const call = (hook: Name, given: unknown[]) => (byName[hook] as (...given: unknown[]) => unknown)(...given);

/** The values of what a composable returns. */
function plain(made: unknown): unknown {
  if (isRef(made)) return unref(made);
  const { answer, ...rest } = made as Record<string, unknown>;
  return {
    ...(unref(answer) as object),
    ...Object.fromEntries(Object.entries(rest).map(([name, one]) => [name, unref(one)])),
  };
}

const probe = (hook: Name, given: unknown[], tell: (shown: unknown) => void): Component => ({
  setup() {
    const made = call(hook, given);
    return () => {
      tell(plain(made));
      return h("p", JSON.stringify(plain(made)) ?? "nothing");
    };
  },
});

const mount: Mount = (client, hook, ...given) => {
  type Shown = Hooks[typeof hook]["shown"];
  const shown: Shown[] = [];
  const now = shallowRef<unknown[]>(given);
  // Getters, each of which returns another object at each call.
  const getters = (["useOrder", "useOrders"].includes(hook) ? [0, 1] : given.map((_, at) => at)).map((at) => () => {
    const one = now.value[at];
    if (one === undefined && (hook === "useOrders" || at === 1)) return {};
    return typeof one === "object" && one !== null ? { ...one } : one;
  });
  const app = createApp(probe(hook, getters, (one) => shown.push(one as Shown)));
  app.config.warnHandler = () => {};
  const errors: unknown[] = [];
  app.config.errorHandler = (error) => {
    errors.push(error);
  };
  if (client) app.provide(hooks.clientKey, client);
  app.mount({});
  if (errors.length > 0) throw errors[0];
  return {
    first: () => shown[0] as Shown,
    now: () => shown.at(-1) as Shown,
    renders: () => shown.length,
    give: (...next) => {
      now.value = next;
    },
    unmount: () => app.unmount(),
  };
};

/** A client that may be given to components and not be used. */
const untouched = new Proxy({} as Client, {
  get: (_, name) => () => {
    throw new Error(`${String(name)} was called on a server`);
  },
});

describe("the composables for Vue", () => {
  it("have exact types", () => expect(exact).not.toContain(false));

  it("render on a server without using the client", async () => {
    const all: [Name, unknown[]][] = [
      ["useOrders", []],
      ["useMenu", [{ shop: "s" }]],
      ["useBoard", [{ shop: "s" }]],
      ["useOrder", ["o"]],
      ["useSession", []],
      ["useConnection", []],
      ["useSubmit", []],
    ];
    const app = createSSRApp({ render: () => all.map(([hook, given]) => h(probe(hook, given, () => {}))) });
    app.provide(hooks.clientKey, untouched);
    const html = (await renderToString(app)).replaceAll("&quot;", '"');
    await settled();
    expect(html.match(/"loading":true/g)).toHaveLength(4);
    expect(html).toContain('"idle"');
    expect(html).toContain('"pending":[]');
  });

  hooksContract(mount);

  it("end with their scope, within a component and outside of any", async () => {
    const open = new Set<object>();
    const quiet = new Proxy({} as Client, {
      get: (_, name) => {
        if (name === "session") return () => undefined;
        if (name === "state") return () => "catching up";
        if (name !== "watch") return () => () => {};
        return () => {
          const watch = { close: () => void open.delete(watch) };
          open.add(watch);
          return watch;
        };
      },
    });
    const inner = effectScope();
    const app = createApp({
      setup() {
        inner.run(() => hooks.useOrders());
        return () => null;
      },
    });
    app.provide(hooks.clientKey, quiet);
    app.mount({});
    await until(() => open.size === 1, "the watch");
    inner.stop();
    await nextTick();
    expect(open.size).toBe(0);
    const outer = effectScope();
    app.runWithContext(() => outer.run(() => hooks.useMenu({ shop: "s" })));
    await until(() => open.size === 1, "the watch outside");
    outer.stop();
    expect(open.size).toBe(0);
    app.unmount();
  });
});
