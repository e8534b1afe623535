/** The example "upload and download" in a browser: two people, progress, cancel, a lost network, names and links. */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Page } from "../web/_browser.ts";
import { barriersOf, type Demo, openDemo, shot } from "./_demo.ts";

let demo: Demo;
beforeAll(async () => {
  demo = await openDemo();
});
afterAll(async () => demo?.close());

const film = readFileSync(new URL("../../demo/films/sunrise.mp4", import.meta.url));
const text = (name: string, content: string) => ({ name, mimeType: "text/plain", buffer: Buffer.from(content) });
const choose = (page: Page, ...files: { name: string; mimeType: string; buffer: Buffer }[]) =>
  page.locator("#input").setInputFiles(files);
const mine = (page: Page, name: string) => page.locator("#list li", { hasText: name });

describe("the example of upload and download", () => {
  it("lists what is uploaded to its owner alone, and gives it back under its name", async () => {
    const [page, other] = [await demo.open("files/"), await demo.open("files/")];
    await choose(page, text("菜单 & 价格.txt", "牛肉面 28"), { name: "日出.mp4", mimeType: "video/mp4", buffer: film });
    await mine(page, "日出.mp4").getByText("74.0 KB · video/mp4").waitFor();
    await mine(page, "菜单 & 价格.txt").getByText("text/plain").waitFor();
    const saving = page.waitForEvent("download");
    await mine(page, "菜单 & 价格.txt").getByRole("button", { name: "Download" }).click();
    const saved = await saving;
    expect(saved.suggestedFilename()).toBe("菜单 & 价格.txt");
    expect(readFileSync(await saved.path(), "utf8")).toBe("牛肉面 28");
    // A private file has no link to copy.
    expect(await mine(page, "菜单").getByRole("button", { name: "Copy link" }).count()).toBe(0);
    await other.reload();
    await other.locator("#more").waitFor({ state: "hidden" });
    expect(await other.locator("#list li").count()).toBe(0);
    await shot(page, "files-list");
    await mine(page, "日出.mp4").getByRole("button", { name: "Remove" }).click();
    await page.getByText("Removed: 日出.mp4").waitFor();
    expect(await page.locator("#list li").count()).toBe(1);
    for (const one of [page, other]) await one.close();
    expect(demo.errors).toEqual([]);
  });

  it("shares by a link what is meant to be shared", async () => {
    const page = await demo.open("files/");
    await page.getByLabel("Whoever has the link may download it").check();
    await choose(page, text("notes.txt", "for all"));
    await mine(page, "notes.txt").getByRole("button", { name: "Copy link" }).click();
    const said = await page.getByText("The link is copied:").textContent();
    const answer = await fetch(/http\S+/.exec(said ?? "")?.[0] ?? "");
    expect([await answer.text(), answer.headers.get("content-disposition")]).toEqual([
      "for all",
      expect.stringMatching(/^attachment; filename="?notes\.txt/),
    ]);
    await page.close();
  });

  it("refuses what is not what its name says, and says so", async () => {
    const page = await demo.open("files/");
    await choose(page, { name: "page.png", mimeType: "image/png", buffer: Buffer.from("<script>alert(1)</script>") });
    await page.locator("#uploads li", { hasText: "FILE_CONTENT_WRONG" }).waitFor();
    expect(await page.locator("#list li").count()).toBe(0);
    await page.close();
    demo.errors.length = 0;
  });

  it("waits for a lost network and goes on, and is cancelled and begun again", async () => {
    const page = await demo.open("files/");
    let held: (() => void) | undefined;
    const isHeld = new Promise<void>((resolve) => {
      void page.route("**/store/**", async (route) => {
        if (held !== undefined) return route.continue();
        held = () => void route.abort("internetdisconnected");
        resolve();
      });
    });
    const large = Buffer.concat([Buffer.from("%PDF-1.7\n"), randomBytes(3_000_000), Buffer.from("\n%%EOF\n")]);
    await choose(page, { name: "large.pdf", mimeType: "application/pdf", buffer: large });
    await isHeld;
    await page.getByRole("progressbar", { name: "large.pdf" }).waitFor();
    held?.();
    await mine(page, "large.pdf").waitFor();
    await page.unroute("**/store/**");
    const never = new Promise<void>((resolve) => {
      void page.route("**/store/**", () => resolve());
    });
    await choose(page, text("again.txt", "one"));
    await never;
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByText("Cancelled.").waitFor();
    await page.unroute("**/store/**");
    await page.getByRole("button", { name: "Try again" }).click();
    await mine(page, "again.txt").waitFor();
    expect(await page.locator("#uploads li").count()).toBe(0);
    await page.close();
  });

  it("keeps nobody out", async () => {
    const ready = (page: Page) => page.getByRole("heading").nth(1).waitFor();
    expect(await barriersOf(demo, "files/", ready)).toEqual([]);
  });
});
