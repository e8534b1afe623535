/** Repeats a flight or read that failed, by the same rules for every engine. */
import { ConnectionLost, FlightLost } from "./database.ts";

/** After a deadlock: at once, three times. Database unreachable: three tries within about a second, then the error is thrown. */
const maxRepeats = 3;
const awayWaitMs = [100, 300, 700];
/** No further try after this long: a gateway gives a function 29 seconds in all. */
const maxRepeatMs = 5_000;

/**
 * Runs `attempt` until it succeeds or it is time to tell the caller.
 * After a connection that broke behind the sending, it is repeated only if the work may be done twice.
 */
export async function repeat<T>(attempt: () => Promise<T>, mayRunTwice: boolean): Promise<T> {
  const giveUpAt = performance.now() + maxRepeatMs;
  for (let tries = 0; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (tries >= maxRepeats || performance.now() > giveUpAt) throw error;
      if (error instanceof FlightLost) await sleep(Math.random() * 20 * (tries + 1));
      else if (error instanceof ConnectionLost && !error.lasting && (mayRunTwice || !error.sent))
        await sleep(awayWaitMs[tries] as number);
      else throw error;
    }
  }
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
