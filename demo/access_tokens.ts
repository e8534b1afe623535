/** The access tokens of one app, as WeChat's `stable_token` gives them. Source: developers.weixin.qq.com, getStableAccessToken. */
import { randomBytes } from "node:crypto";

interface Token {
  readonly text: string;
  readonly until: number;
}

const minuteMs = 60_000;
const lifeMs = 120 * minuteMs;
/** How long before its end a token gets a successor; both are valid meanwhile. */
const earlyMs = 5 * minuteMs;
const forcePauseMs = 30_000;
const forcesPerDay = 20;
const dayMs = 24 * 60 * minuteMs;
/** WeChat's day begins at midnight in China. */
const chinaMs = 8 * 60 * minuteMs;

export class AccessTokens {
  readonly #now: () => number;
  /** Newest last. */
  #tokens: Token[] = [];
  /** Times of today's forced refreshes. */
  #forced: number[] = [];

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Normal mode: the same token while it is valid. */
  ask(): { token: string; expiresInSec: number } {
    const current = this.#tokens.at(-1);
    if (current === undefined || current.until - this.#now() <= earlyMs) return this.#issue();
    return { token: current.text, expiresInSec: Math.floor((current.until - this.#now()) / 1_000) };
  }

  /**
   * Ends all tokens and issues a new one. Within 30 seconds of the last time it returns the current token, as WeChat
   * documents.
   * @returns undefined when it was done 20 times today
   */
  force(): { token: string; expiresInSec: number } | undefined {
    const now = this.#now();
    this.#forced = this.#forced.filter((at) => dayOf(at) === dayOf(now));
    if (this.#forced.length >= forcesPerDay) return undefined;
    if (now - (this.#forced.at(-1) ?? 0) < forcePauseMs) return this.ask();
    this.#forced.push(now);
    this.#tokens = [];
    return this.#issue();
  }

  state(token: string): "valid" | "expired" | "unknown" {
    const known = this.#tokens.find(({ text }) => text === token);
    if (known === undefined) return "unknown";
    return known.until > this.#now() ? "valid" : "expired";
  }

  #issue(): { token: string; expiresInSec: number } {
    // The length that WeChat tells clients to expect.
    const token = randomBytes(384).toString("base64url");
    this.#tokens = [...this.#tokens.slice(-1), { text: token, until: this.#now() + lifeMs }];
    return { token, expiresInSec: lifeMs / 1_000 };
  }
}

const dayOf = (at: number) => Math.floor((at + chinaMs) / dayMs);
