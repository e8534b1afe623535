/** A scripted client, and the parts of WeChat that a page needs, for pages in the simulator. */
import type {
  ApiError,
  Bill,
  Client,
  OrdersQuery,
  OrderView,
  PendingBill,
  Session,
  ShopInfo,
  Watches,
} from "../../clients/wechat.ts";
import { noAnswer } from "../../clients/wechat.ts";
import { type Code, statusOf } from "../../shared/errors.ts";
import { readLaw } from "../_contract.ts";
import type { Simulator } from "./_simulate.ts";

export const info = lawful<ShopInfo>("ShopInfo", {
  shop: {
    id: "noodle-house",
    names: { zh: "面馆", en: "Noodle house" },
    zone: "Asia/Shanghai",
    open: true,
    live: true,
    needsKitchen: true,
    guests: "take",
    services: { table: true, pickup: true, delivery: { feeFen: 500, minimumFen: 2_000, freeFromFen: 10_000 } },
    notice: { zh: "现拉现煮" },
  },
  menu: {
    version: 1,
    categories: [
      { id: "noodles", names: { zh: "面", en: "Noodles" } },
      { id: "drinks", names: { zh: "饮料" } },
    ],
    dishes: [
      {
        id: "beef",
        category: "noodles",
        names: { zh: "红烧牛肉面", en: "Braised beef noodles" },
        description: { zh: "牛腱肉，手擀面" },
        picture: "/pictures/noodle-house/kI1c0pXqR4uT7yZ2bN5mVw.webp",
        priceFen: 2_800,
        packingFen: 100,
        options: [
          {
            id: "spice",
            names: { zh: "辣度", en: "Spice" },
            min: 1,
            max: 1,
            choices: [
              { id: "mild", names: { zh: "微辣", en: "mild" }, priceFen: 0, available: true },
              { id: "hot", names: { zh: "特辣", en: "hot" }, priceFen: 100, available: true },
            ],
          },
          {
            id: "extra",
            names: { zh: "加料", en: "Extras" },
            min: 0,
            max: 2,
            choices: [
              { id: "egg", names: { zh: "卤蛋", en: "egg" }, priceFen: 300, available: true },
              { id: "tofu", names: { zh: "豆干", en: "tofu" }, priceFen: 200, available: true },
              { id: "beef", names: { zh: "加肉", en: "beef" }, priceFen: 900, available: true },
              { id: "tripe", names: { zh: "毛肚", en: "tripe" }, priceFen: 900, available: false },
            ],
          },
        ],
      },
      {
        id: "tea",
        category: "drinks",
        names: { zh: "茉莉花茶", en: "Jasmine tea" },
        priceFen: 800,
        packingFen: 0,
        options: [],
      },
    ],
  },
  soldOut: [],
  table: null,
  position: { stream: "menu:noodle-house", epoch: "e", seq: 1, tag: "t" },
});

export const order = lawful<OrderView>("CustomerOrder", {
  number: "A017",
  id: "01JD0000000000000000000017",
  shop: "noodle-house",
  day: "2026-11-21",
  status: "placed",
  version: 1,
  payment: "unpaid",
  service: "pickup",
  table: null,
  delivery: null,
  lines: [
    {
      line: 1,
      dish: "beef",
      names: { zh: "红烧牛肉面", en: "Braised beef noodles" },
      options: [
        {
          option: "spice",
          names: { zh: "辣度" },
          choice: "hot",
          choiceNames: { zh: "特辣", en: "hot" },
          priceFen: 100,
        },
      ],
      quantity: 2,
      unitFen: 2_900,
      totalFen: 5_800,
      note: "不要香菜",
    },
  ],
  note: "",
  itemsFen: 5_800,
  packingFen: 200,
  deliveryFen: 0,
  totalFen: 6_000,
  reason: null,
  placedAt: "2026-11-21T04:05:00.000Z",
  acceptedAt: null,
  readyAt: null,
  completedAt: null,
  endedAt: null,
  expireAt: "2026-11-21T04:20:00.000Z",
  updatedAt: "2026-11-21T04:05:00.000Z",
});

export const session: Session = {
  id: "01JD0000000000000000000001",
  token: "a-token",
  kind: "wechat",
  expiresAt: "2026-12-21T04:05:00.000Z",
  user: { id: "01JD000000000000000ABCDEF" },
};

/**
 * As the SDK's, which is bundled apart: pages look at `code` and `extra`. @throws when openapi.yaml knows no such problem; what
 * the SDK says by itself is none.
 */
export function refusal(code: string, extra: object = {}, retryAfterMs?: number): ApiError {
  const status = code === noAnswer ? 0 : statusOf[code as Code];
  const type = `/errors#${code}`;
  const problem = { type, title: code, status, detail: code, code, ...extra };
  if (code !== noAnswer) lawful(code, problem);
  return Object.assign(new Error(code), { code, status, retryAfterMs, extra }) as unknown as ApiError;
}

/** A fixture that the server could have sent. @throws with what differs from openapi.yaml */
function lawful<T>(schema: string, value: T): T {
  const fault = readLaw().api.fault({ $ref: `schema:${schema}`, unevaluatedProperties: false }, value);
  if (fault !== undefined) throw new TypeError(`this is no ${schema} of openapi.yaml: ${fault}`);
  return value;
}

interface CartLine {
  readonly dish: string;
  readonly quantity: number;
}

/** What tests use of miniprogram/shop/ordering.ts, whose own types are read by the mini-program's compiler. */
interface Ordering {
  readonly client: Client;
  cart(): readonly CartLine[];
  setCart(lines: readonly CartLine[]): void;
  table(): { token: string; label: string } | null;
  sitDown(token: string): Promise<void>;
  address(): object | undefined;
  setAddress(address: object | undefined): void;
  submitting(): boolean;
  signOut(): Promise<void>;
  language(): string;
}

export interface FakeShop {
  readonly ordering: Ordering;
  /** What pages said outside of themselves: toasts, ways, titles. */
  readonly said: { what: string; value: unknown }[];
  /** Bills that were submitted; each waits for `answer`. */
  readonly bills: Bill[];
  readonly steps: { id: string; action: string }[];
  readonly watched: string[];
  menu(next: ShopInfo): void;
  menuFails(error: ApiError): void;
  orders(all: OrderView[]): void;
  ordersFail(error: ApiError): void;
  /** Answers the oldest bill that waits. */
  answer(what: OrderView | ApiError): Promise<void>;
  state(next: ReturnType<Client["state"]>): void;
  /** What a question, or WeChat's own for consent, is answered. */
  says(yes: boolean): void;
  /** What a step, a shop or an old order is answered. */
  readonly answers: {
    step?: OrderView | ApiError;
    shop?: ShopInfo | ApiError;
    order?: OrderView | ApiError;
    older?: OrderView[];
    signIn?: ApiError;
  };
  /** What the phone keeps. */
  readonly kept: Map<string, unknown>;
}

/** Lets every promise that is under way go on. */
export const settle = () => new Promise<void>((resolve) => setTimeout(resolve));

const given = <T>(answer: T | ApiError | undefined): T => {
  if (answer === undefined) throw new Error("the test has no answer for this");
  if (answer instanceof Error) throw answer;
  return answer;
};

export function openShop({ module }: Simulator, kept = new Map<string, unknown>()): FakeShop {
  const hears = {
    session: new Set<(session: Session | undefined) => void>(),
    state: new Set<(state: ReturnType<Client["state"]>) => void>(),
    pending: new Set<(bill: PendingBill, answer: OrderView | ApiError) => void>(),
  };
  const on =
    <T>(all: Set<T>) =>
    (hear: T) => {
      all.add(hear);
      return () => void all.delete(hear);
    };
  let mine: Session | undefined = session;
  let state: ReturnType<Client["state"]> = "live";
  let yes = true;
  let menuWatch: Watches["menu"] | undefined;
  let ordersWatch: Watches["orders"] | undefined;
  const waiting: { pending: PendingBill; settle(answer: OrderView | ApiError): void }[] = [];
  const answers: FakeShop["answers"] = {};
  const bills: Bill[] = [];
  const steps: FakeShop["steps"] = [];
  const watched: string[] = [];
  const said: FakeShop["said"] = [];
  const begin = (next: Session | undefined) => {
    mine = next;
    for (const hear of hears.session) hear(next);
  };

  const client: Partial<Client> = {
    session: () => mine,
    async signIn() {
      if (answers.signIn !== undefined) throw answers.signIn;
      if (mine === undefined) begin(session);
      return session;
    },
    signOut: async () => begin(undefined),
    onSession: on(hears.session),
    state: () => state,
    onState: on(hears.state),
    heardAt: () => Date.parse("2026-11-21T04:05:00Z"),
    shop: async () => lawful("ShopInfo", given(answers.shop)),
    order: async () => ({ ...lawful("CustomerOrder", given(answers.order)), history: [] }),
    orders: async (_: OrdersQuery = {}) => ({ orders: answers.older ?? [], more: false }),
    async step({ id }, action) {
      steps.push({ id, action });
      return lawful("CustomerOrder", given(answers.step));
    },
    submit: (bill) => {
      bills.push(bill);
      const pending = { key: `key-${bills.length}`, bill, at: 0, user: session.user.id };
      return new Promise((resolve, reject) =>
        waiting.push({
          pending,
          settle(answer) {
            for (const hear of hears.pending) hear(pending, answer);
            if (answer instanceof Error) reject(answer);
            else resolve(answer);
          },
        }),
      );
    },
    pending: () => waiting.map(({ pending }) => pending),
    onPending: on(hears.pending),
    watch(what, options) {
      watched.push(what);
      if (what === "menu") menuWatch = options as Watches["menu"];
      else ordersWatch = options as Watches["orders"];
      return { close: () => void watched.splice(watched.indexOf(what), 1) };
    },
  };

  const note = (what: string) => (value: unknown) => void said.push({ what, value });
  const wx = {
    getStorageSync: (key: string) => kept.get(key) ?? "",
    setStorageSync: (key: string, value: unknown) => void kept.set(key, value),
    removeStorageSync: (key: string) => void kept.delete(key),
    getAppBaseInfo: () => ({ language: "zh_CN" }),
    showToast: ({ title }: { title: string }) => note("toast")(title),
    showModal: ({ content, success }: { content: string; success(answer: { confirm: boolean }): void }) => {
      note("modal")(content);
      success({ confirm: yes });
    },
    requirePrivacyAuthorize: ({ success, fail }: { success(): void; fail(): void }) => {
      note("consent")(yes);
      if (yes) success();
      else fail();
    },
    openPrivacyContract: () => note("guideline")(undefined),
    setNavigationBarTitle: ({ title }: { title: string }) => note("title")(title),
    setTabBarItem: ({ index, text }: { index: number; text: string }) => note(`tab ${index}`)(text),
    navigateTo: ({ url }: { url: string }) => note("to")(url),
    redirectTo: ({ url }: { url: string }) => note("instead")(url),
    switchTab: ({ url }: { url: string }) => note("tab")(url),
  };
  const ordering: Ordering = module("shop/ordering").openOrdering({
    client,
    phone: wx,
    url: "https://api.example.com",
    shop: "noodle-house",
  });
  Object.assign(globalThis, { wx, getApp: () => ({ ordering }) });

  const none = { snapshot: true };
  return {
    ordering,
    said,
    bills,
    steps,
    watched,
    kept,
    answers,
    menu: (next) => menuWatch?.onChange(lawful("ShopInfo", next)),
    menuFails: (error) => menuWatch?.onError?.(error),
    orders: (all) =>
      ordersWatch?.onChange(
        all.map((one) => lawful("CustomerOrder", one)),
        none,
      ),
    ordersFail: (error) => ordersWatch?.onError?.(error),
    async answer(what) {
      waiting.shift()?.settle(what instanceof Error ? what : lawful("CustomerOrder", what));
      await settle();
    },
    state(next) {
      state = next;
      for (const hear of hears.state) hear(next);
    },
    says(answer) {
      yes = answer;
    },
  };
}
