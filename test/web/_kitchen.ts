/** One orderbell and one browser for a test file of the kitchen's page, and tablets that are paired once. */
import type { Role } from "../../shared/order_states.ts";
import type { OrderView } from "../../shared/protocol.ts";
import { newPairingCode } from "../../shared/sessions/login.ts";
import { anyEngine } from "../_engines.ts";
import { type House, openHouse, type Person } from "../_house.ts";
import { type Locator, type OpenBrowser, openBrowser, type Page, type PageOptions } from "./_browser.ts";
import { type BuiltPages, buildPages } from "./_pages.ts";

export const tablet: PageOptions = { width: 1180, height: 820 };
export const longTimeout = { timeout: 30_000 };

let pages: BuiltPages;
export let browser: OpenBrowser;
export let house: House;
export let owner: Person;
export let customer: Person;
/** Tablets by role, paired once; `used` of them are on this test's counter. */
export const tablets = new Map<Role, Page[]>();
const used = new Map<Role, number>();

beforeAll(async () => {
  pages = buildPages("kitchen");
  [browser, house] = await Promise.all([openBrowser(), openHouse(anyEngine, { files: pages.files, mayFail: true })]);
  owner = await house.staff("owner");
  customer = await house.guest();
});
afterAll(async () => {
  await browser?.close();
  await house?.close();
  pages?.remove();
});
// Each test finds an open shop without orders.
afterEach(async () => {
  used.clear();
  await Promise.all([...tablets.values()].flat().map((page) => page.goto("about:blank")));
  await owner.http("PUT", `/shops/${house.shop}/open`, { body: { open: true } });
  const { orders } = (await owner.http("GET", `/shops/${house.shop}/orders`)).body;
  for (const { id, status } of orders as OrderView[])
    await owner.http("POST", `/orders/${id}/${status === "placed" ? "reject" : "cancel"}`, {
      body: { reason: "over" },
    });
});

export const codeFor = async (role: Role = "kitchen", device = "平板") =>
  (await newPairingCode(house.app, { shop: house.shop, role, device, by: null })).code;

/** A tablet that is paired and live; within a test, another one each time. */
export async function pair(role: Role = "kitchen"): Promise<Page> {
  const nth = used.get(role) ?? 0;
  used.set(role, nth + 1);
  const known = tablets.get(role) ?? [];
  tablets.set(role, known);
  let page = known[nth];
  if (page === undefined) {
    page = await browser.newPage(tablet);
    await page.clock.install();
    known.push(page);
    await page.goto(`${house.url}/kitchen#pair=${await codeFor(role)}`);
  } else {
    await page.goto(`${house.url}/kitchen`);
    // Language, appearance and shift are as on the first day.
    const changed = await page.evaluate<string[]>(`(() => {
      const names = Object.keys(localStorage).filter((name) => !name.endsWith(".session"));
      for (const name of names) localStorage.removeItem(name);
      return names;
    })()`);
    if (changed.length > 0) await page.reload();
  }
  await is(page, "line", "live");
  return page;
}

/** How long a step can be undone, and how long a button that has become another one takes no tap. */
const [undoMs, settleMs] = [3_000, 600];

/** Lets this time pass on these tablets at once; by default, that in which a step can be undone. */
export const pass = (pages: Page | Page[], ms = undoMs) =>
  Promise.all([pages].flat().map((page) => page.clock.fastForward(ms)));

/** Whether something has just moved and takes no tap; what comes by itself, such as a banner, moves things some frames later. */
const settling = (page: Page) =>
  page.evaluate<boolean>(`(async () => {
    for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
    return document.querySelector("[data-settling]") !== null;
  })()`);

/** A button that takes a tap now. */
export async function ready(page: Page, name: string): Promise<Locator> {
  await page.getByRole("button", { name }).waitFor();
  do await pass(page, settleMs);
  while (await settling(page));
  const button = page.getByRole("button", { name, disabled: false });
  await button.waitFor();
  return button;
}

export const tap = async (page: Page, name: string) => (await ready(page, name)).click();

export const is = (page: Page, what: "bell" | "line" | "sound", value: string) =>
  page.locator(`.kitchen[data-${what}="${value}"]`).waitFor(longTimeout);

export const ticket = (page: Page, { number }: { number: string }, status: string) =>
  page.locator(`.floor [data-order="${number}"][data-status="${status}"]`);

export async function order(bill: object = {}): Promise<OrderView> {
  const answer = await customer.order(bill);
  expect(answer.status).toBe(201);
  return answer.body.order;
}

export const statusOf = async ({ id }: OrderView): Promise<string> =>
  (await customer.http("GET", `/orders/${id}`)).body.order.status;

/** Waits until something that is asked for again and again is so. */
export async function until<T>(ask: () => Promise<T>, fits: (now: T) => boolean): Promise<T> {
  for (;;) {
    const now = await ask();
    if (fits(now)) return now;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
