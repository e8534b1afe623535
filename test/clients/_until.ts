/** Waits for a state instead of sleeping. */

const patienceMs = 40_000;

/** Looks again and again until it is so. @throws when it never was, with what there was instead */
export async function until(is: () => boolean, what: string, instead: () => unknown = () => ""): Promise<void> {
  const giveUpAt = Date.now() + patienceMs;
  while (!is()) {
    if (Date.now() > giveUpAt) throw new Error(`${what} never was: ${JSON.stringify(instead())}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
