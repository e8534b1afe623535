/** What this device remembers. A browser that forbids storage forgets with the page. */
const prefix = "orderbell:kitchen.";

export function keptValue<T extends string>(name: string, allowed: readonly T[], otherwise: T): T {
  try {
    const value = localStorage.getItem(prefix + name) as T | null;
    return value !== null && allowed.includes(value) ? value : otherwise;
  } catch {
    return otherwise;
  }
}

export function keepValue(name: string, value: string): void {
  try {
    localStorage.setItem(prefix + name, value);
  } catch {
    // Forgotten with the page.
  }
}

export const themes = ["dark", "light", "device"] as const;
export type Theme = (typeof themes)[number];
export const papers = ["58", "80"] as const;
export type Paper = (typeof papers)[number];

export const keptTheme = () => keptValue("theme", themes, "dark");
export const keptPaper = () => keptValue("paper", papers, "80");

/** Kitchens are dim in one place and glaring in the next, so dark is only where one begins. */
export function applyTheme(theme: Theme): void {
  const light = theme === "light" || (theme === "device" && matchMedia("(prefers-color-scheme: light)").matches);
  document.documentElement.dataset.theme = light ? "light" : "dark";
}
