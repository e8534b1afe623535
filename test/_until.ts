/** Polling for a state: the tests' alternative to sleeping. */

const timeLimitMs = 40_000;

/** Resolves as soon as `is` holds. @throws after 40 s, with what `instead` returns in the message */
export async function until(is: () => boolean, what: string, instead: () => unknown = () => ""): Promise<void> {
  const giveUpAt = Date.now() + timeLimitMs;
  while (!is()) {
    if (Date.now() > giveUpAt) throw new Error(`${what} never was: ${JSON.stringify(instead())}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
