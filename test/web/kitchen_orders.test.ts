/** The kitchen's page in a real browser: a cook's work with orders, by touch and by keyboard. */
import {
  customer,
  is,
  longTimeout,
  order,
  owner,
  pair,
  pass,
  ready,
  statusOf,
  tap,
  ticket,
  until,
} from "./_kitchen.ts";
import { saysTheSame, translate } from "./_translator.ts";

it("the kitchen takes an order through all its steps, and back where one was a mistake", async () => {
  const page = await pair();
  const placed = await order();
  await tap(page, `接单 ${placed.number}`);
  await ticket(page, placed, "accepted").waitFor();
  await tap(page, `开始做 ${placed.number}`);
  await ticket(page, placed, "cooking").waitFor();

  // Undone in time, nothing was sent.
  await ready(page, `做好了 ${placed.number}`);
  // Within the page, so that a slow test does not miss the three seconds.
  await page.evaluate(`(async () => {
    document.querySelector(".go.ready").click();
    while (!document.querySelector(".undo")) await new Promise(requestAnimationFrame);
    document.querySelector(".undo").click();
  })()`);
  await page.getByText(`${placed.number} 已撤销`).waitFor();
  await page.getByRole("button", { name: "撤销" }).waitFor({ state: "detached" });
  const { history } = (await customer.http("GET", `/orders/${placed.id}`)).body;
  expect(history.map(({ action }: { action: string }) => action)).toEqual(["place", "accept", "cook"]);

  await tap(page, `做好了 ${placed.number}`);
  await pass(page);
  await ticket(page, placed, "ready").waitFor(longTimeout);
  expect(await statusOf(placed)).toBe("ready");
  await tap(page, `取走了 ${placed.number}`);
  await pass(page);
  await page.locator(`.floor [data-order="${placed.number}"]`).waitFor({ state: "detached", ...longTimeout });
  expect(await statusOf(placed)).toBe("completed");

  await page.getByRole("navigation").getByRole("button", { name: "找回" }).click();
  await tap(page, `找回 ${placed.number}`);
  await ticket(page, placed, "ready").waitFor();
  await tap(page, `订单 ${placed.number} 的更多操作`);
  await page.getByRole("button", { name: "退回制作" }).click();
  await ticket(page, placed, "cooking").waitFor();
});

it("the kitchen sees true amounts and states while the browser translates the page", async () => {
  const [page, twin] = [await pair(), await pair()];
  await translate(page);
  const [one, two] = [await order(), await order({ lines: [{ dish: "tea", quantity: 3 }] })];
  await ticket(page, two, "placed").waitFor();
  for (const [placed, action, status] of [
    [one, "accept", "accepted"],
    [two, "accept", "accepted"],
    [one, "cook", "cooking"],
    [two, "ready", "ready"],
    [one, "cancel", "cancelled"],
  ] as const) {
    await owner.http("POST", `/orders/${placed.id}/${action}`, { body: {} });
    if (status !== "cancelled") await ticket(twin, placed, status).waitFor();
    await saysTheSame(page, twin, ".floor");
  }
  expect(await statusOf(two)).toBe("ready");
});

it("the kitchen sends a step whose undo was still running when the page goes away", async () => {
  const page = await pair();
  const placed = await order();
  await tap(page, `接单 ${placed.number}`);
  await tap(page, `开始做 ${placed.number}`);
  await tap(page, `做好了 ${placed.number}`);
  await page.reload();
  await until(
    () => statusOf(placed),
    (status) => status === "ready",
  );
});

it("the kitchen shows a struck line on the second tablet, and counts without it", async () => {
  const [page, other] = [await pair(), await pair()];
  const spice = [{ option: "spice", choices: ["hot"] }];
  const placed = await order({
    lines: [
      { dish: "beef", quantity: 2, options: spice, note: "不要香菜" },
      { dish: "tea", quantity: 3 },
    ],
  });
  await tap(page, `接单 ${placed.number}`);
  await tap(page, "划掉 红烧牛肉面 × 2");
  await other.locator(".line.struck").getByText("红烧牛肉面").waitFor();
  await other.getByRole("navigation").getByRole("button", { name: "合计份数" }).click();
  const totals = other.getByRole("dialog");
  await totals.locator('[data-dish="tea"]').getByText("3", { exact: true }).waitFor();
  expect(await totals.locator('[data-dish="beef"]').count()).toBe(0);
  await other.keyboard.press("Escape");
  await other.getByRole("button", { name: "恢复 红烧牛肉面 × 2" }).click();
  await page.locator(".line.struck").waitFor({ state: "detached" });
});

it("the kitchen keeps to one station when asked, but never hides what waits to be accepted", async () => {
  const page = await pair();
  const spice = [{ option: "spice", choices: ["hot"] }];
  const both = await order({
    lines: [
      { dish: "beef", quantity: 1, options: spice },
      { dish: "tea", quantity: 2 },
    ],
  });
  const tea = await order({ lines: [{ dish: "tea", quantity: 1 }] });
  await tap(page, `接单 ${both.number}`);
  await ticket(page, both, "accepted").waitFor();
  await page.getByRole("button", { name: /^热菜/ }).click();
  await ticket(page, both, "accepted").getByText("其他档口还有 1 样").waitFor();
  expect(await ticket(page, both, "accepted").locator(".line").count()).toBe(1);
  await tap(page, `接单 ${tea.number}`);
  await page.locator(`[data-order="${tea.number}"]`).waitFor({ state: "detached" });
  await page.getByRole("button", { name: /^全部/ }).click();
  await ticket(page, tea, "accepted").waitFor();
});

it("the kitchen ends one station's part, and the order with the last one", async () => {
  const [page, other] = [await pair(), await pair("owner")];
  const spice = [{ option: "spice", choices: ["hot"] }];
  const both = await order({
    lines: [
      { dish: "beef", quantity: 1, options: spice },
      { dish: "tea", quantity: 2 },
    ],
  });
  await tap(other, `接单 ${both.number}`);
  await page.getByRole("button", { name: /^热菜/ }).click();
  await tap(page, `开始做 ${both.number}`);
  await other.getByRole("button", { name: `全部做好 ${both.number}` }).waitFor();
  await tap(page, `热菜 做好了 ${both.number}`);
  await pass(page);
  // Everybody sees whose part is made; the customer is told nothing yet.
  const part = (made: boolean) => other.locator(`.parts [data-made="${made}"]`);
  await part(true).getByText("热菜").waitFor();
  await part(false).getByText("未分档口").waitFor();
  await page.locator(`.tickets [data-order="${both.number}"]`).waitFor({ state: "detached" });
  expect(await statusOf(both)).toBe("cooking");
  // Taken back, and made again.
  await tap(other, `订单 ${both.number} 的更多操作`);
  await other.getByRole("button", { name: "热菜 退回制作" }).click();
  await tap(page, `热菜 做好了 ${both.number}`);
  await pass(page);
  await part(true).getByText("热菜").waitFor();
  await page.getByRole("button", { name: /^未分档口/ }).click();
  await tap(page, `未分档口 做好了 ${both.number}`);
  await pass(page);
  await ticket(page, both, "ready").waitFor(longTimeout);
  expect(await statusOf(both)).toBe("ready");
});

it("the kitchen takes no tap meant for a ticket that has just left, and undoes a mistaken one", async () => {
  const page = await pair();
  const [first, second] = [await order(), await order()];
  await owner.http("POST", `/orders/${first.id}/accept`, { body: {} });
  await owner.http("POST", `/orders/${first.id}/cook`, { body: {} });
  await ticket(page, second, "placed").waitFor();
  const go = await ready(page, `做好了 ${first.number}`);
  const { x, y, width, height } = (await go.boundingBox()) as { x: number; y: number; width: number; height: number };
  // Each frame: what would take a tap where the finger is, and since when the ticket is gone.
  await page.evaluate(`void (window.taken = new Promise((resolve) => {
    let leftAt;
    const look = () => {
      if (document.querySelector('.tickets [data-order="${first.number}"]') === null) leftAt ??= performance.now();
      const hit = document.elementFromPoint(${x + width / 2}, ${y + height / 2})?.closest(".go");
      if (leftAt !== undefined && hit) resolve(performance.now() - leftAt);
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }))`);
  await go.click();
  await pass(page);
  await ticket(page, first, "ready").waitFor(longTimeout);
  // The place was empty for 600 ms, and the ticket that came into it settled for 400 more.
  expect(await page.evaluate<number>("window.taken")).toBeGreaterThan(900);
  expect(await statusOf(second)).toBe("placed");
  await page.mouse.click(x + width / 2, y + height / 2);
  await ticket(page, second, "accepted").waitFor();
  await tap(page, `撤回接单 ${second.number}`);
  await ticket(page, second, "placed").waitFor();
  expect(await statusOf(second)).toBe("placed");
});

it("the kitchen refuses with a reason that the customer reads", async () => {
  const page = await pair();
  const placed = await order();
  await tap(page, `订单 ${placed.number} 的更多操作`);
  await page.getByRole("dialog").getByRole("button", { name: "拒单" }).click();
  const dialog = page.getByRole("dialog", { name: `拒绝订单 ${placed.number}` });
  await dialog.getByRole("button", { name: "确定拒单" }).click();
  await dialog.getByText("请选一个原因，或写一句").waitFor();
  await dialog.getByRole("button", { name: "菜卖完了" }).click();
  await dialog.getByRole("button", { name: "确定拒单" }).click();
  await is(page, "bell", "quiet");
  const { order: after } = (await customer.http("GET", `/orders/${placed.id}`)).body;
  // A code, which each reader sees in their own language.
  expect(after).toMatchObject({ status: "rejected", reason: "sold_out" });
  await page.getByRole("navigation").getByRole("button", { name: "找回" }).click();
  await page.getByRole("dialog").locator(`[data-order="${placed.number}"]`).getByText("菜卖完了").waitFor();
});

it("the kitchen follows when another screen was faster", async () => {
  const [page, other] = [await pair(), await pair()];
  const placed = await order();
  await page.getByRole("button", { name: `接单 ${placed.number}` }).waitFor();
  await tap(other, `接单 ${placed.number}`);
  await tap(other, `开始做 ${placed.number}`);
  await ticket(page, placed, "cooking").waitFor();
  // Both bump it; one of them finds it done.
  await Promise.all([page, other].map((one) => tap(one, `做好了 ${placed.number}`)));
  await pass([page, other]);
  await ticket(page, placed, "ready").waitFor(longTimeout);
  await ticket(other, placed, "ready").waitFor(longTimeout);
  expect(await page.locator(".trouble-line").count()).toBe(0);
  expect(await other.locator(".trouble-line").count()).toBe(0);
});

it("the kitchen works by keys alone: numbers, arrows, Enter, undo", async () => {
  const page = await pair();
  const [first, second] = [await order(), await order()];
  await ticket(page, second, "placed").waitFor();
  await page.keyboard.press("2");
  await page.keyboard.press("Enter");
  await ticket(page, second, "accepted").waitFor();
  await page.keyboard.press("ArrowLeft");
  const focused = () => page.evaluate<string>(`document.activeElement.closest("[data-order]")?.dataset.order`);
  expect(await focused()).toBe(first.number);
  await page.keyboard.press("Enter");
  await ticket(page, first, "accepted").waitFor();
  const enabled = (name: string) => ready(page, `${name} ${first.number}`);
  await enabled("开始做");
  await page.keyboard.press("Enter");
  await ticket(page, first, "cooking").waitFor();
  await enabled("做好了");
  await page.keyboard.press("Enter");
  await page.keyboard.press("u");
  await page.getByText(`${first.number} 已撤销`).waitFor();
  await enabled("做好了");
  await page.keyboard.press("Enter");
  await pass(page);
  await ticket(page, first, "ready").waitFor(longTimeout);
  // Its place, and the focus, are the next one's.
  await until(focused, (number) => number === second.number);
  await page.keyboard.press("r");
  await page.getByRole("dialog", { name: "找回" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
});

it("the kitchen goes on ringing when a waiting order gets the focus by itself", async () => {
  const page = await pair();
  const first = await order();
  for (const action of ["accept", "cook"]) await owner.http("POST", `/orders/${first.id}/${action}`, { body: {} });
  const second = await order();
  await ticket(page, first, "cooking").waitFor();
  await is(page, "bell", "ringing");
  await ready(page, `做好了 ${first.number}`);
  await page.keyboard.press("1");
  await page.keyboard.press("Enter");
  await pass(page);
  await ticket(page, first, "ready").waitFor(longTimeout);
  await page.locator(`[data-order="${second.number}"] .go:focus`).waitFor();
  await is(page, "bell", "ringing");
  await page.keyboard.press("s");
  await is(page, "bell", "touched");
});
