/** Loading of a page's parts on demand: the texts of a language, the modules after the menu. */

const pauseMs = 2_000;
/** The pause before a reload, if the page was itself begun by a reload and lacks a part again. */
const longPauseMs = 30_000;

const wasReloaded = (): boolean =>
  (performance.getEntriesByType("navigation")[0] as PerformanceNavigationTiming | undefined)?.type === "reload";

/**
 * Loads a part, despite a bad network. A browser remembers a module that could not be fetched and never requests it again,
 * so the page is reloaded once its host answers; values that must survive this are in the browser's storage. It also helps a
 * page that was open while a new version was deployed.
 */
export async function loadPart<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch {
    const waitMs = wasReloaded() ? longPauseMs : pauseMs;
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      const answer = await fetch(location.pathname, { cache: "no-store" }).catch(() => undefined);
      if (!answer?.ok) continue;
      location.reload();
      return new Promise(() => {});
    }
  }
}
