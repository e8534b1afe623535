/** Settings of this device. Without storage they last as long as the page. */
const prefix = "orderbell:kitchen.";

export function readSetting<T extends string>(name: string, allowed: readonly T[], otherwise: T): T {
  try {
    const value = localStorage.getItem(prefix + name) as T | null;
    return value !== null && allowed.includes(value) ? value : otherwise;
  } catch {
    return otherwise;
  }
}

export function saveSetting(name: string, value: string): void {
  try {
    localStorage.setItem(prefix + name, value);
  } catch {
    // Without storage it lasts as long as the page.
  }
}

export const themes = ["dark", "light", "device"] as const;
export type Theme = (typeof themes)[number];
export const papers = ["58", "80"] as const;
export type Paper = (typeof papers)[number];

export const sizes = ["small", "usual", "large"] as const;
export type Size = (typeof sizes)[number];
/** Minutes from which on an order is slow, and late. */
export const ageLimits = ["5–10", "10–20", "15–30"] as const;

export const readSize = () => readSetting("size", sizes, "usual");
export const readAges = () => readSetting("ages", ageLimits, "5–10");
export const readTheme = () => readSetting("theme", themes, "dark");
export const readPaper = () => readSetting("paper", papers, "80");

/** Dark by default; kitchens differ in brightness, so each device can change it. */
export function applyTheme(theme: Theme): void {
  const light = theme === "light" || (theme === "device" && matchMedia("(prefers-color-scheme: light)").matches);
  document.documentElement.dataset.theme = light ? "light" : "dark";
  // The browser's own bars.
  document.querySelector("meta[name=theme-color]")?.setAttribute("content", light ? "#ffffff" : "#25221e");
}

/** Everything on the page is measured in rem. */
export function applySize(size: Size): void {
  document.documentElement.dataset.size = size;
}
