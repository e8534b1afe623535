/** The page's title, as the browser shows it in a tab: what is urgent, then the shop's name, then the page's. */
const parts = { urgent: "", shop: "", page: "" };

/** Changes parts of it; the others stay. Empty ones are left out. */
export function setTitle(change: Partial<typeof parts>): void {
  Object.assign(parts, change);
  const { urgent, shop, page } = parts;
  document.title = [urgent, shop, page].filter((part) => part !== "").join(" · ");
}
