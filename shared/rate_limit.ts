/** Headers that tell a caller how long to wait, and what is left: `Retry-After`, and draft-ietf-httpapi-ratelimit-headers-11. Pure. */
import type { AppError, Quota } from "./errors.ts";

export interface Available {
  readonly quota: Quota;
  /** How much may still be done within `forSec` seconds. */
  readonly left: number;
  readonly forSec: number;
}

type Headers = Readonly<Record<string, string>>;

/** A name is a string of a structured field: letters, digits and dashes need no escapes. */
const policyOf = ({ name, limit, windowSec, unit }: Quota) =>
  `"${name}";q=${limit}${unit === undefined ? "" : `;qu="${unit}"`}${windowSec === undefined ? "" : `;w=${windowSec}`}`;

/** @returns no headers for no quota: the fields are lists that must not be empty */
export function availableHeaders(available: readonly Available[]): Headers {
  if (available.length === 0) return {};
  return {
    "ratelimit-policy": available.map(({ quota }) => policyOf(quota)).join(", "),
    ratelimit: available.map(({ quota, left, forSec }) => `"${quota.name}";r=${left};t=${forSec}`).join(", "),
  };
}

/** What an error says about waiting. */
export function waitHeaders({ retryAfterSec, quota }: AppError): Headers {
  if (retryAfterSec === undefined) return {};
  const spent = quota === undefined ? [] : [{ quota, left: 0, forSec: retryAfterSec }];
  return { "retry-after": String(retryAfterSec), ...availableHeaders(spent) };
}

/**
 * What is left of a quota whose window slides over the last entries.
 * @param times of the counted entries, newest first, this one not among them
 */
export function leftOf(quota: Quota, times: readonly number[], now: number): Available {
  const windowSec = quota.windowSec ?? 0;
  const oldest = times.at(-1) ?? now;
  const forSec = Math.max(1, Math.ceil((oldest - now) / 1_000 + windowSec));
  return { quota, left: Math.max(0, quota.limit - times.length - 1), forSec };
}
