/** How often a flight or read is tried: the one place that decides, for every engine. */
import { ConnectionLost, FlightLost } from "./database.ts";

/** Lost to a deadlock: at once again, three times. Database away: three tries within about a second, then say so. */
const maxRepeats = 3;
const awayWaitMs = [100, 300, 700];
/** No further try after this long: a gateway gives a function 29 seconds in all. */
const patienceMs = 5_000;

/**
 * Runs `attempt` until it succeeds or it is time to tell the caller.
 * A broken connection after sending is repeated only if the work may be done twice.
 */
export async function repeat<T>(attempt: () => Promise<T>, mayRunTwice: boolean): Promise<T> {
  const giveUpAt = performance.now() + patienceMs;
  for (let tries = 0; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (tries >= maxRepeats || performance.now() > giveUpAt) throw error;
      if (error instanceof FlightLost) await sleep(Math.random() * 20 * (tries + 1));
      else if (error instanceof ConnectionLost && (mayRunTwice || !error.sent))
        await sleep(awayWaitMs[tries] as number);
      else throw error;
    }
  }
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
