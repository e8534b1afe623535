/** A browser's translator, as a page sees it: it replaces each text by a `<font>` with other words, and each new one too. */
import type { Page } from "./_browser.ts";

/** Google's: two `<font>`, a text of its own inside, nothing under `translate="no"`. The other words are the same between marks. */
const translator = `(() => {
  const untouched = "script, style, textarea, font, title, .notranslate, [translate=no]";
  const wrap = (text) => {
    if (!text.data.trim() || !text.parentElement || text.parentElement.closest(untouched)) return;
    const [outer, inner] = [document.createElement("font"), document.createElement("font")];
    inner.textContent = "«" + text.data + "»";
    outer.append(inner);
    text.parentNode.replaceChild(outer, text);
  };
  const all = (node) => {
    const texts = [];
    for (const walk = document.createTreeWalker(node, NodeFilter.SHOW_TEXT); walk.nextNode(); ) texts.push(walk.currentNode);
    for (const text of texts) wrap(text);
  };
  new MutationObserver((changes) => {
    for (const { target, type, addedNodes } of changes)
      if (type === "characterData") wrap(target);
      else for (const node of addedNodes) node.nodeType === Node.TEXT_NODE ? node.isConnected && wrap(node) : all(node);
  }).observe(document.body, { childList: true, characterData: true, subtree: true });
  all(document.body);
})()`;

/** Translates the page, from now on. A page that is loaded anew is as it was. */
export async function translate(page: Page): Promise<void> {
  await page.evaluate(translator);
  await page.locator("font font").first().waitFor({ state: "attached" });
}

/** Resolves when the translated page says what the other one, which shows the same and is not translated, says. */
export async function saysTheSame(page: Page, other: Page, selector = "body"): Promise<void> {
  const seen = (of: Page) => of.locator(selector).first().innerText();
  const plain = (text: string) => text.replace(/[«»]/g, "").replace(/\s+/g, "");
  for (let tries = 1; ; tries++) {
    const [here, there] = [await seen(page), await seen(other)];
    if (plain(here) === plain(there)) return;
    if (tries === 1_200) expect(plain(here)).toBe(plain(there));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
