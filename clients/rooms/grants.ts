/** The grant of a room: fetched at the start, and anew when the server refuses it. */
import { ApiError, mayRetry } from "../api.ts";
import type { Platform } from "../platform.ts";
import { retryAfterMs } from "../retry.ts";

export interface Grants {
  /** The grant; undefined while it is fetched. */
  _now(): string | undefined;
  /** The same, waited for. @throws what the page's function throws, where another try would throw it too */
  _get(): Promise<string>;
  /** The server has taken the grant. */
  _accept(): void;
  /** The server has refused this grant. @returns whether to try again with `_get` */
  _refuse(used: string | undefined, error: unknown): boolean;
  /** It is not fetched any more. */
  _close(): void;
}

export function makeGrants(platform: Platform, given: string | (() => string | Promise<string>)): Grants {
  const fetched = typeof given === "function" ? given : undefined;
  let grant = fetched ? undefined : (given as string);
  let getting: Promise<string> | undefined;
  /** It has not been taken yet. */
  let isNew = true;
  let isClosed = false;

  async function fetch(get: () => string | Promise<string>): Promise<string> {
    for (let tries = 1; ; tries++)
      try {
        grant = await get();
        isNew = true;
        return grant;
      } catch (error) {
        if (isClosed || (error instanceof ApiError && !mayRetry(error))) throw error;
        await new Promise<void>((resolve) => platform.later(resolve, retryAfterMs(tries, platform)));
      }
  }

  return {
    _now: () => grant,
    async _get() {
      if (grant === undefined && fetched)
        getting ??= fetch(fetched).finally(() => {
          getting = undefined;
        });
      return getting ?? (grant as string);
    },
    _accept() {
      isNew = false;
    },
    _refuse(used, error) {
      if (!fetched || (error as ApiError).code !== "GRANT_INVALID") return false;
      if (used === grant) {
        if (isNew) return false;
        grant = undefined;
      }
      return true;
    },
    _close() {
      isClosed = true;
    },
  };
}
