/** Carries what `decide` threw past a driver's judgement of its connection. */
export class Refused extends Error {}

export function refusable<T>(decide: () => T): T {
  try {
    return decide();
  } catch (cause) {
    throw new Refused("refused", { cause });
  }
}
