/** Freshness of a subscription: its questions without an answer, and the time of the next one. */
import type { Platform } from "./platform.ts";
import { waitAfter } from "./retry.ts";
import { askAgainMs, tickMs } from "./timing.ts";

export interface Freshness {
  /** Nothing was missing by the server's last message about the stream, and nothing since then says otherwise. */
  _current?: boolean;
  /** Something came meanwhile that the expected answers may not include. */
  _again?: boolean;
  /** The time of the next check, or of the repeated question. */
  _checkAt: number;
  /** Questions without an answer: the time each was asked, by its number. */
  readonly _asked: Map<number, number>;
  _ask(number: number): void;
  /** Something is missing or wrong. Questions already asked are answered first. */
  _doubt(): void;
  /** Expects no more answers. @param polling the stream is polled, so it is as fresh as it was */
  _clear(polling?: boolean): void;
  /** Asks again in a second or two. */
  _postpone(): void;
  /** Takes the answer to all questions up to this number. @param fits the reader has everything up to the answer's position */
  _settle(to: number, checkMs: number, fits: boolean, more?: boolean): void;
}

export interface FreshnessListeners {
  /** Something is missing and must be requested at once, by socket or by polling. */
  _ask(): void;
  /** The server sent a message about the stream. @param answer it answers a question of this subscription */
  _heard(answer?: boolean): void;
}

/** @param dropEarly drops the events that came early; returns how many there were */
export function makeFreshness(platform: Platform, dropEarly: () => number, on: FreshnessListeners): Freshness {
  const asked = new Map<number, number>();
  const fresh: Freshness = {
    _checkAt: 0,
    _asked: asked,
    _ask(number) {
      fresh._again = false;
      asked.set(number, platform.now());
      fresh._checkAt = platform.now() + askAgainMs;
    },
    _doubt() {
      fresh._current = false;
      if (!asked.size) on._ask();
    },
    _clear(polling) {
      if (!polling) fresh._current = false;
      asked.clear();
    },
    _postpone() {
      fresh._clear();
      fresh._checkAt = platform.now() + waitAfter({}, 1, platform) + tickMs;
    },
    _settle(to, checkMs, fits, more) {
      const at = asked.get(to);
      const size = asked.size;
      for (const number of asked.keys()) if (number <= to) asked.delete(number);
      // It answers another subscription's question. Of two questions about one stream the server answers the later, so this one is asked again.
      if (!at) return void (size > asked.size && fresh._doubt());
      on._heard(true);
      fresh._checkAt = at + checkMs - tickMs;
      // The server has compared and sent everything. Early events that are not part of it may belong to another history.
      if (dropEarly() || fresh._again || (fits && more)) {
        fresh._current = false;
        on._ask();
      } else if (!fits) fresh._postpone();
      // A later question may bring events that this answer does not include.
      else if (!asked.size) fresh._current = true;
    },
  };
  return fresh;
}
