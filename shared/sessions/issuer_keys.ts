/** The issuer's public keys: from the settings, or fetched from where it publishes them and kept for a while. */
import type { App } from "../app.ts";
import type { UserTokens } from "../config.ts";
import { TokenKeysAway } from "../errors.ts";
import { OutboundFailed, OutboundRefused } from "../outbound.ts";
import { keysOfSet, type TokenKey, TokenKeysWrong } from "../token_keys.ts";

/** Keys are fetched again after this time, so a withdrawn one is not taken for longer. */
const keptMs = 10 * 60_000;
/** While the issuer does not answer, its last keys are good for this time. */
const staleMs = 60 * 60_000;
/** No more than one call in this time, however many tokens name unknown keys. */
const pauseMs = 30_000;
const timeoutMs = 5_000;

interface Held {
  readonly keys: readonly TokenKey[];
  readonly fetchedAt: number;
  readonly triedAt: number;
}

const held = new WeakMap<UserTokens, Held>();
const fetching = new WeakMap<UserTokens, Promise<readonly TokenKey[]>>();

/**
 * The keys that may have signed a token.
 * @param kid as the token names its key @throws TokenKeysAway
 */
export async function issuerKeys(app: App, tokens: UserTokens, kid: string | undefined): Promise<readonly TokenKey[]> {
  if ("keys" in tokens.keys) return fitting(tokens.keys.keys, kid);
  const now = app.clock.now();
  const known = held.get(tokens);
  if (known !== undefined) {
    const isGood = now - known.fetchedAt < keptMs && fitting(known.keys, kid).length > 0;
    const isUsable = now - known.triedAt < pauseMs && now - known.fetchedAt < staleMs;
    if (isGood || isUsable) return fitting(known.keys, kid);
  }
  const running = fetching.get(tokens) ?? fetchKeys(app, tokens.keys.url).finally(() => fetching.delete(tokens));
  fetching.set(tokens, running);
  try {
    const keys = await running;
    held.set(tokens, { keys, fetchedAt: now, triedAt: now });
    return fitting(keys, kid);
  } catch (error) {
    if (known === undefined || now - known.fetchedAt >= staleMs) throw error;
    held.set(tokens, { ...known, triedAt: now });
    return fitting(known.keys, kid);
  }
}

/** Keys without a name fit every token. */
const fitting = (keys: readonly TokenKey[], kid: string | undefined) =>
  keys.filter((one) => kid === undefined || one.kid === undefined || one.kid === kid);

async function fetchKeys(app: App, url: URL): Promise<readonly TokenKey[]> {
  try {
    const headers = { accept: "application/jwk-set+json, application/json" };
    const { status, text } = await app.outbound.get(url.href, { headers, hosts: [url.host], timeoutMs });
    if (status !== 200) throw new TokenKeysAway(`status ${status}`);
    return keysOfSet(text, "usable");
  } catch (error) {
    if (error instanceof OutboundRefused) throw new TokenKeysAway("REFUSED", error);
    if (error instanceof OutboundFailed) throw new TokenKeysAway(error.reason, error);
    if (error instanceof TokenKeysWrong) throw new TokenKeysAway("no JWK Set", error);
    throw error;
  }
}
