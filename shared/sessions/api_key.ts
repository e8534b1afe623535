/** API keys of other back ends: stored hashed, with scopes, revocable. */
import type { Row } from "../../db/database.ts";
import { insertApiKey, readApiKey } from "../../db/sessions.ts";
import type { Statement } from "../../db/sql.ts";
import type { App } from "../app.ts";
import { ApiKeyInvalid } from "../errors.ts";

/**
 * What a key may do. A key with `collections` is publishable, for front ends without a session: it gives the rights of a visitor.
 * `collections:admin` is for back ends: no permission binds it.
 */
export const scopes = ["introspect", "notify", "sessions", "publish", "collections", "collections:admin"] as const;
export type Scope = (typeof scopes)[number];

export interface ApiKey {
  readonly id: string;
  /** The only shop that it may act for; null for all. */
  readonly shop: string | null;
  readonly scopes: readonly string[];
}

const pattern = /^Bearer +(obk_[A-Za-z0-9_-]{43})$/i;

/** Whether the header carries an API key rather than a session token. */
export const isApiKey = (authorization: string | undefined) =>
  authorization !== undefined && pattern.test(authorization);

/** @param enough one of these scopes @throws ApiKeyInvalid */
export async function authenticateKey(
  app: App,
  authorization: string | undefined,
  ...enough: readonly Scope[]
): Promise<ApiKey> {
  const key = pattern.exec(authorization ?? "")?.[1];
  if (key === undefined) throw new ApiKeyInvalid();
  const [rows] = await app.db.read([readApiKey(app.secrets.hash(key))]);
  const row: Row | undefined = rows[0];
  const granted = String(row?.scopes ?? "").split(" ");
  if (row === undefined || !enough.some((scope) => granted.includes(scope))) throw new ApiKeyInvalid();
  return { id: String(row.id), shop: row.shop_id === null ? null : String(row.shop_id), scopes: granted };
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
  const statement = insertApiKey(id, app.secrets.hash(key), name, granted.join(" "), shop, app.clock.now());
  await app.db.flight({ statements: [statement, ...audit] });
  return { id, key };
}
