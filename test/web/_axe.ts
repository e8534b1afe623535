/** What axe finds in a page that would keep somebody out. */
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "./_browser.ts";

/** Resolves when nothing has changed its place for a moment. Transforms, such as a bell that swings, move nothing. */
const atRest = `(async () => {
  const places = () =>
    [...document.querySelectorAll("body *")].map((one) => [one.offsetLeft, one.offsetTop, one.offsetWidth, one.offsetHeight]).join();
  for (let before; before !== places(); ) {
    before = places();
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
})()`;

async function findings(page: Page): Promise<string[]> {
  await page.evaluate(atRest);
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(
      ({ id, nodes }) => `${id}: ${nodes.map(({ html, any: [why] }) => `${html.slice(0, 120)} ${why?.message ?? ""}`)}`,
    );
}

/**
 * @returns a line for each serious or critical finding. What is found is looked at twice: axe notes where everything is and
 * asks for colours a moment later, so a page that moves meanwhile shows it a text on its neighbour's ground
 */
export async function barriers(page: Page): Promise<string[]> {
  const found = await findings(page);
  return found.length === 0 ? found : findings(page);
}
