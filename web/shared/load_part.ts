/** Parts of a page that come on demand: the words of a language, what follows the first dish. */

const pauseMs = 2_000;
/** A page that was just begun anew, and lacks a part again, is in no hurry. */
const longPauseMs = 30_000;

const isBegunAnew = (): boolean =>
  (performance.getEntriesByType("navigation")[0] as PerformanceNavigationTiming | undefined)?.type === "reload";

/**
 * Loads a part, whatever the road does. A browser remembers a module that could not be fetched and never asks for it again,
 * so the page begins anew once its host answers; what it must not forget is in the browser's storage. The same cures a
 * page that was open while a new version was deployed.
 */
export async function loadPart<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch {
    const waitMs = isBegunAnew() ? longPauseMs : pauseMs;
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      const answer = await fetch(location.pathname, { cache: "no-store" }).catch(() => undefined);
      if (!answer?.ok) continue;
      location.reload();
      return new Promise(() => {});
    }
  }
}
