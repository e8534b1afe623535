/** The example "session" in a browser: from a code to the rows behind it, for two people who see nothing of each other. */
import axios from "axios";
import { withExamples } from "../../cli/serve_examples.ts";
import { type StandIn, startWechat } from "../../demo/wechat.ts";
import { serveWechatCodes } from "../../demo/wechat_code.ts";
import { addWechatApp } from "../../shared/sessions/wechat_apps.ts";
import { makeWechat } from "../../shared/wechat.ts";
import type { Page } from "../web/_browser.ts";
import { barriersOf, type Demo, openDemo } from "./_demo.ts";

const app = { appid: "wx0123456789abcdef", secret: "secret-of-one", name: "one" };

let wechat: StandIn;
let demo: Demo;
beforeAll(async () => {
  wechat = await startWechat({ apps: [app] });
  demo = await openDemo({ wechat: makeWechat(axios.create({ baseURL: wechat.url, timeout: 10_000 })) }, (examples) =>
    withExamples(serveWechatCodes(wechat), examples),
  );
  await addWechatApp(demo.house.app, app);
});
afterAll(async () => {
  await demo?.close();
  await wechat?.close();
});

const step = (page: Page, heading: string) => page.locator("#steps > li", { hasText: heading });
/** The value beside a column's name. */
const valueIn = (page: Page, heading: string, name: string) =>
  step(page, heading).locator(`dt:text-is("${name}") + dd`).first();

async function signIn(page: Page, name: string): Promise<void> {
  await page.getByLabel("Name").fill(name);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByText(`${name}: seen on any device`).waitFor();
  await step(page, "wechat_accounts").waitFor();
}

describe("the example of a session", () => {
  it("shows a guest the session and its rows, with what is secret hidden", async () => {
    const page = await demo.open("session/");
    await step(page, "Rows in the database").waitFor();
    expect(await valueIn(page, "Code", "request").textContent()).toBe("POST /login/guest");
    expect(await valueIn(page, "Rows", "token_hash").textContent()).toBe("(hidden)");
    expect(await valueIn(page, "Rows", "kind").textContent()).toBe("guest");
    const token = await page.evaluate<string>(`JSON.parse(localStorage["examples.session"]).token`);
    expect(await page.evaluate("document.body.textContent")).not.toContain(token.slice(8));
    const requests = Number(await page.locator("#requests").textContent());
    await page.getByRole("button", { name: "Ask the database again" }).click();
    await page.locator("#requests", { hasText: String(requests + 1) }).waitFor();
    await page.close();
  });

  it("leads one person from a code to the same user on another device, and another person to another one", async () => {
    const [mine, theirs, again] = [
      await demo.open("session/"),
      await demo.open("session/"),
      await demo.open("session/"),
    ];
    await signIn(mine, "小明");
    await signIn(theirs, "小红");
    await signIn(again, "小明");
    const users = [];
    for (const page of [mine, theirs, again]) {
      expect(await valueIn(page, "Code", "request").textContent()).toBe("POST /login");
      expect(await valueIn(page, "Rows", "session_key_sealed").textContent()).toBe("(hidden)");
      users.push(await valueIn(page, "Rows", "user_id").textContent());
    }
    expect(users[2]).toBe(users[0]);
    expect(users[1]).not.toBe(users[0]);
    const code = await valueIn(mine, "Code", "code").textContent();
    await mine.getByRole("button", { name: "Sign in anew" }).click();
    await expect(valueIn(mine, "Code", "code").textContent()).resolves.toBeTruthy();
    await mine.locator("#steps dd", { hasText: code ?? "" }).waitFor({ state: "detached" });
    await mine.getByRole("button", { name: "Sign out" }).click();
    await step(mine, "wechat_accounts").waitFor({ state: "detached" });
    expect(await valueIn(mine, "Rows", "kind").textContent()).toBe("guest");
    for (const page of [mine, theirs, again]) await page.close();
    expect(demo.errors).toEqual([]);
  });

  it("keeps nobody out", async () => {
    expect(await barriersOf(demo, "session/", (page) => page.locator("#requests").waitFor())).toEqual([]);
  });
});

describe("the codes of the stand-in for WeChat", () => {
  it("need a name, and are read by no page of another host", async () => {
    expect((await fetch(`${demo.house.url}/examples/wechat_code?name=%20`)).status).toBe(400);
    const answer = await fetch(`${demo.house.url}/examples/wechat_code?name=x`, {
      headers: { origin: "http://evil.test" },
    });
    expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([200, null]);
  });
});
