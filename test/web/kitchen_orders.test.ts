/** The kitchen's page in a real browser: what a cook does with orders, by finger and by key. */
import { customer, is, order, owner, pair, patience, statusOf, ticket, until } from "./_kitchen.ts";

it("takes an order through all its steps, and back where one was a mistake", async () => {
  const page = await pair();
  const placed = await order();
  const tap = (name: string) => page.getByRole("button", { name: `${name} ${placed.number}` }).click();
  await tap("接单");
  await ticket(page, placed, "accepted").waitFor();
  await tap("开始做");
  await ticket(page, placed, "cooking").waitFor();

  // Undone in time, nothing was sent.
  await page.getByRole("button", { name: `做好了 ${placed.number}`, disabled: false }).waitFor();
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

  await tap("做好了");
  await ticket(page, placed, "ready").waitFor(patience);
  expect(await statusOf(placed)).toBe("ready");
  await tap("取走了");
  await page.locator(`.floor [data-order="${placed.number}"]`).waitFor({ state: "detached", ...patience });
  expect(await statusOf(placed)).toBe("completed");

  await page.getByRole("navigation").getByRole("button", { name: "找回" }).click();
  await page.getByRole("button", { name: `找回 ${placed.number}` }).click();
  await ticket(page, placed, "ready").waitFor();
  await page.getByRole("button", { name: `订单 ${placed.number} 的更多操作` }).click();
  await page.getByRole("button", { name: "退回制作" }).click();
  await ticket(page, placed, "cooking").waitFor();
});

it("sends a step whose undo was still running when the page goes away", async () => {
  const page = await pair();
  const placed = await order();
  await page.getByRole("button", { name: `接单 ${placed.number}` }).click();
  await page.getByRole("button", { name: `开始做 ${placed.number}` }).click();
  await page.getByRole("button", { name: `做好了 ${placed.number}` }).click();
  await page.reload();
  await until(
    () => statusOf(placed),
    (status) => status === "ready",
  );
});

it("shows a struck line on the second tablet, and counts without it", async () => {
  const [page, other] = [await pair(), await pair()];
  const spice = [{ option: "spice", choices: ["hot"] }];
  const placed = await order({
    lines: [
      { dish: "beef", quantity: 2, options: spice, note: "不要香菜" },
      { dish: "tea", quantity: 3 },
    ],
  });
  await page.getByRole("button", { name: `接单 ${placed.number}` }).click();
  await page.getByRole("button", { name: "划掉 红烧牛肉面 × 2" }).click();
  await other.locator(".line.struck").getByText("红烧牛肉面").waitFor();
  await other.getByRole("navigation").getByRole("button", { name: "合计份数" }).click();
  const totals = other.getByRole("dialog");
  await totals.locator('[data-dish="tea"]').getByText("3", { exact: true }).waitFor();
  expect(await totals.locator('[data-dish="beef"]').count()).toBe(0);
  await other.keyboard.press("Escape");
  await other.getByRole("button", { name: "恢复 红烧牛肉面 × 2" }).click();
  await page.locator(".line.struck").waitFor({ state: "detached" });
});

it("keeps to one station when asked, but never hides what waits to be accepted", async () => {
  const page = await pair();
  const spice = [{ option: "spice", choices: ["hot"] }];
  const both = await order({
    lines: [
      { dish: "beef", quantity: 1, options: spice },
      { dish: "tea", quantity: 2 },
    ],
  });
  const tea = await order({ lines: [{ dish: "tea", quantity: 1 }] });
  await page.getByRole("button", { name: `接单 ${both.number}` }).click();
  await ticket(page, both, "accepted").waitFor();
  await page.getByRole("button", { name: /^热菜/ }).click();
  await ticket(page, both, "accepted").getByText("其他档口还有 1 样").waitFor();
  expect(await ticket(page, both, "accepted").locator(".line").count()).toBe(1);
  await page.getByRole("button", { name: `接单 ${tea.number}` }).click();
  await page.locator(`[data-order="${tea.number}"]`).waitFor({ state: "detached" });
  await page.getByRole("button", { name: /^全部/ }).click();
  await ticket(page, tea, "accepted").waitFor();
});

it("refuses with a reason that the customer reads", async () => {
  const page = await pair();
  const placed = await order();
  await page.getByRole("button", { name: `订单 ${placed.number} 的更多操作` }).click();
  await page.getByRole("dialog").getByRole("button", { name: "拒单" }).click();
  const dialog = page.getByRole("dialog", { name: `拒绝订单 ${placed.number}` });
  await dialog.getByRole("button", { name: "确定拒单" }).click();
  await dialog.getByText("请选一个原因，或写一句").waitFor();
  await dialog.getByRole("button", { name: "菜卖完了" }).click();
  await dialog.getByRole("button", { name: "确定拒单" }).click();
  await is(page, "bell", "quiet");
  const { order: after } = (await customer.http("GET", `/orders/${placed.id}`)).body;
  expect(after).toMatchObject({ status: "rejected", reason: "菜卖完了" });
});

it("follows when another screen was faster", async () => {
  const [page, other] = [await pair(), await pair()];
  const placed = await order();
  await page.getByRole("button", { name: `接单 ${placed.number}` }).waitFor();
  await other.getByRole("button", { name: `接单 ${placed.number}` }).click();
  await other.getByRole("button", { name: `开始做 ${placed.number}` }).click();
  await ticket(page, placed, "cooking").waitFor();
  // Both bump it; one of them finds it done.
  await Promise.all([page, other].map((one) => one.getByRole("button", { name: `做好了 ${placed.number}` }).click()));
  await ticket(page, placed, "ready").waitFor(patience);
  await ticket(other, placed, "ready").waitFor(patience);
  expect(await page.locator(".trouble-line").count()).toBe(0);
  expect(await other.locator(".trouble-line").count()).toBe(0);
});

it("works by keys alone: numbers, arrows, Enter, undo", async () => {
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
  const enabled = (name: string) =>
    page.getByRole("button", { name: `${name} ${first.number}`, disabled: false }).waitFor();
  await enabled("开始做");
  await page.keyboard.press("Enter");
  await ticket(page, first, "cooking").waitFor();
  await enabled("做好了");
  await page.keyboard.press("Enter");
  await page.keyboard.press("u");
  await page.getByText(`${first.number} 已撤销`).waitFor();
  await enabled("做好了");
  await page.keyboard.press("Enter");
  await ticket(page, first, "ready").waitFor(patience);
  // Its place, and the focus, are the next one's.
  await until(focused, (number) => number === second.number);
  await page.keyboard.press("r");
  await page.getByRole("dialog", { name: "找回" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
});

it("goes on ringing when the focus comes to a waiting order by itself", async () => {
  const page = await pair();
  const first = await order();
  for (const action of ["accept", "cook"]) await owner.http("POST", `/orders/${first.id}/${action}`, { body: {} });
  const second = await order();
  await ticket(page, first, "cooking").waitFor();
  await is(page, "bell", "ringing");
  await page.getByRole("button", { name: `做好了 ${first.number}`, disabled: false }).waitFor();
  await page.keyboard.press("1");
  await page.keyboard.press("Enter");
  await ticket(page, first, "ready").waitFor(patience);
  await page.locator(`[data-order="${second.number}"] .go:focus`).waitFor();
  await is(page, "bell", "ringing");
  await page.keyboard.press("s");
  await is(page, "bell", "touched");
});
