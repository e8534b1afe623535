/** Polling: streams without a socket, each by long-poll requests that the server holds until an event comes. */
import type { Position, StreamEvent } from "../shared/protocol.ts";
import { type Api, query } from "./api.ts";
import type { Platform } from "./platform.ts";
import { waitAfter } from "./retry.ts";
import { answerMs, maxWaiting, pollWaitSec, tickMs } from "./timing.ts";

/** A stream that can be polled. */
export interface Pollable {
  readonly stream: string;
  readonly grant: string | undefined;
  /** The reader's position; a new object after each move. */
  _position(): Position | undefined;
  _isClosed(): boolean | undefined;
  _isCurrent(): boolean | undefined;
  /** @returns whether the reader has everything up to the answer's position; undefined when it begins anew */
  _receivePolled(answer: PollAnswer): boolean | undefined;
  _fail(error: unknown): void;
}

export type PollAnswer = Position & {
  events: StreamEvent[];
  more: boolean;
  checkMs: number;
  pauseMs: number;
  reset?: string;
};

/** Streams that need no session. */
export const isOpenToAll = (stream: string): boolean => /^[mb]/.test(stream);

/**
 * @param polled those that are polled now
 * @param onChange an event came, or polling has ended
 * @returns a function that starts polling, unless it is running, for as long as it is allowed
 */
export function makePolling<T extends Pollable>(
  platform: Platform,
  api: Api,
  polled: Set<T>,
  mayPoll: (one: T) => boolean,
  onChange: () => void,
): (one: T) => Promise<void> {
  let waiting = 0;

  return async (one) => {
    if (polled.has(one)) return;
    for (let failures = 0; mayPoll(one); ) {
      polled.add(one);
      const before = one._position();
      const waits = one._isCurrent() && waiting < maxWaiting;
      let pauseMs = 0;
      if (waits) waiting++;
      try {
        const { stream, grant } = one;
        const { epoch, seq, tag } = before ?? {};
        const answer = await api.ask<PollAnswer>({
          method: "GET",
          path: `/events?${query({ stream, epoch, after: seq, tag, wait: waits ? pollWaitSec : 0 })}`,
          headers: (grant && { "x-grant": grant }) as Record<string, string> | undefined,
          open: isOpenToAll(stream),
          timeoutMs: (pollWaitSec + 10) * 1_000,
        });
        failures = 0;
        // The socket may have been faster, and may have reported another history.
        if (one._isClosed() || one._position() !== before) continue;
        if (one._receivePolled(answer) === false) pauseMs = tickMs;
        else if (one._isCurrent())
          // A server that does not hold requests says how long to pause instead.
          pauseMs = waits ? answer.pauseMs : waiting < maxWaiting ? 0 : Math.min(answer.checkMs, answerMs);
      } catch (error) {
        if (one._isClosed()) break;
        one._fail(error);
        failures += 1;
        pauseMs = waitAfter(error, failures, platform);
      } finally {
        if (waits) waiting--;
      }
      onChange();
      if (pauseMs) await new Promise<void>((resolve) => platform.later(resolve, pauseMs));
    }
    if (polled.delete(one)) onChange();
  };
}
