/** The accessibility findings of axe in a page. */
import { source } from "axe-core";
import type { Page } from "./_browser.ts";

interface Finding {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly any: readonly { readonly message: string }[] }[];
}

/**
 * Looks once nothing has changed its place for a moment, and again when something has moved meanwhile: axe notes where everything
 * is and asks for colours a moment later, so a page that moves shows it a text on its neighbour's ground. Transforms, such as a
 * bell that swings, move nothing. Only what is serious leaves the page: all that axe has to say is megabytes.
 */
const look = (options: object, within?: string) => `(async () => {
  const places = () =>
    [...document.querySelectorAll("body *")].map((one) => [one.offsetLeft, one.offsetTop, one.offsetWidth, one.offsetHeight]).join();
  for (let before = places(); ; ) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    await new Promise(requestAnimationFrame);
    if (before === places()) {
      const { violations } = await axe.run(${within === undefined ? "document" : JSON.stringify(within)}, ${JSON.stringify({ resultTypes: ["violations"], ...options })});
      if (before === places())
        return violations.filter(({ impact }) => impact === "serious" || impact === "critical")
          .map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html, any }) =>
            ({ html, any: any.map(({ message }) => ({ message })) })) }));
    }
    before = places();
  }
})()`;

async function findings(page: Page, options: object, within?: string): Promise<string[]> {
  // Not by axe's own package for Playwright: it takes axe into the page anew for each look, and all results out of it.
  if (page.frames().length > 1) throw new Error("axe is not taken into frames");
  if (!(await page.evaluate(`"axe" in window`))) await page.evaluate(source);
  const found = await page.evaluate<Finding[]>(look(options, within));
  return found.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ html, any: [why] }) => `${html.slice(0, 120)} ${why?.message ?? ""}`)}`,
  );
}

/**
 * @param options axe's own @param within a selector; default: the whole page
 * @returns a line for each serious or critical finding. What is found is looked at twice: a colour may be on its way
 */
export async function barriers(page: Page, options: object = {}, within?: string): Promise<string[]> {
  const found = await findings(page, options, within);
  return found.length === 0 ? found : findings(page, options, within);
}
