/** API keys of other back ends: stored hashed, with scopes, revocable. */
import type { Row } from "../../db/database.ts";
import { insertApiKey, insertSession, readApiKey, type SessionRow } from "../../db/sessions.ts";
import type { Statement } from "../../db/sql.ts";
import type { App } from "../app.ts";
import { ApiKeyInvalid, InvalidInput } from "../errors.ts";

/** What a key may do for the one shop that it is bound to. */
export const shopScopes = ["orders:read", "orders:step", "orders:paid", "menu:write"] as const;

/**
 * What a key may do. A key with `collections` is publishable, for front ends without a session: it gives the rights of a visitor.
 * `collections:admin` is for back ends: no permission binds it.
 */
export const scopes = [
  "introspect",
  "notify",
  "sessions",
  "publish",
  "collections",
  "collections:admin",
  ...shopScopes,
] as const;
export type Scope = (typeof scopes)[number];

export interface ApiKey {
  readonly id: string;
  readonly name: string;
  /** The only shop that it may act for; null for all. */
  readonly shop: string | null;
  readonly scopes: readonly string[];
}

const pattern = /^Bearer +(obk_[A-Za-z0-9_-]{43})$/i;

/** Whether the header carries an API key rather than a session token. */
export const isApiKey = (authorization: string | undefined) =>
  authorization !== undefined && /^Bearer +obk_/i.test(authorization);

/** @param enough one of these scopes @throws ApiKeyInvalid */
export async function authenticateKey(
  app: App,
  authorization: string | undefined,
  ...enough: readonly Scope[]
): Promise<ApiKey> {
  const needed = enough.map((scope) => `"${scope}"`).join(" or ");
  if (!isApiKey(authorization)) throw new ApiKeyInvalid(`a key with the scope ${needed} is needed here`);
  const key = pattern.exec(authorization ?? "")?.[1];
  const [rows] = key === undefined ? [[]] : await app.db.read([readApiKey(app.secrets.hash(key))]);
  const row: Row | undefined = rows[0];
  if (row === undefined) throw new ApiKeyInvalid("the key is unknown or revoked");
  const granted = String(row.scopes).split(" ");
  if (!enough.some((scope) => granted.includes(scope))) throw new ApiKeyInvalid(`the key lacks the scope ${needed}`);
  const shop = row.shop_id === null ? null : String(row.shop_id);
  return { id: String(row.id), name: String(row.name), shop, scopes: granted };
}

/**
 * Refuses scopes that do not go together, before a key is made.
 * @throws InvalidInput for a scope of a shop without one, and for a publishable key that could do more than a visitor
 */
export function checkScopes(granted: readonly Scope[], shop: string | undefined): void {
  const ofShop = granted.find((scope) => (shopScopes as readonly Scope[]).includes(scope));
  if (ofShop !== undefined && shop === undefined)
    throw new InvalidInput("shop", `is missing: a key with the scope "${ofShop}" acts for one shop`);
  const other = granted.find((scope) => scope !== "collections");
  if (granted.includes("collections") && other !== undefined)
    throw new InvalidInput("scopes", `"collections" is for keys that lie open in a page; make another for "${other}"`);
}

/** A new key. It is returned here only, and stored hashed. @param audit written with it */
export async function newApiKey(
  app: App,
  name: string,
  granted: readonly Scope[],
  shop: string | null,
  audit: readonly Statement[] = [],
): Promise<{ id: string; key: string }> {
  const id = app.random.id();
  const key = `obk_${app.random.secret(32)}`;
  const now = app.clock.now();
  const statement = insertApiKey(id, app.secrets.hash(key), name, granted.join(" "), shop, now);
  const session = insertSession(rowOfKey({ id, name, shop, scopes: granted }, now));
  await app.db.flight({ statements: [statement, session, ...audit] });
  return { id, key };
}

/** Longer than any key is in use. */
const lifeMs = 20 * 365 * 86_400_000;

/** No token has this hash: nobody can sign in with it. */
export const noToken = "none";

/** The session of a key, by whose name the audit knows it. Its shop is the one whose orders its sockets may read. */
export const rowOfKey = ({ id, name, shop, scopes }: ApiKey, now: number): SessionRow => ({
  id,
  user: id,
  kind: "key",
  shop: scopes.includes("orders:read") ? shop : null,
  device: name,
  tokenHash: noToken,
  addressHash: null,
  widerHash: null,
  at: now,
  expiresAt: now + lifeMs,
});
