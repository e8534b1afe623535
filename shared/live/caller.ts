/** Who asks for documents: a session, a key of another back end or front end, or nobody. */
import { readShopIds } from "../../db/shops.ts";
import { readOpenids } from "../../db/wechat.ts";
import type { App } from "../app.ts";
import { type ApiKey, authenticateKey, isApiKey } from "../sessions/api_key.ts";
import { authenticate, type Session } from "../sessions/session.ts";
import type { Request } from "./permission.ts";
import type { QueryContext } from "./query.ts";
import { type Auth, type Lookup, ownerOf } from "./rules.ts";
import type { Fields } from "./value.ts";

export interface Caller {
  /** Null: nobody has signed in. */
  readonly auth: Auth | null;
  /** Where the caller has one. */
  readonly session: Session | undefined;
  /** Where the caller has a key instead. */
  readonly key?: ApiKey | undefined;
}

/** Nobody has signed in, and there is no key. */
export const visitor: Caller = { auth: null, session: undefined };

/**
 * The caller of a request. A key with the scope `collections` gives a visitor's rights, as it lies open in a page;
 * one with `collections:admin` is bound by no permission.
 * @throws SessionInvalid, SessionEnded, SessionExpired, ApiKeyInvalid
 */
export async function callerOf(app: App, authorization: string | undefined): Promise<Caller> {
  if (authorization === undefined) return visitor;
  if (!isApiKey(authorization)) return callerOfSession(app, await authenticate(app, authorization));
  const key = await authenticateKey(app, authorization, "collections", "collections:admin");
  const isAdmin =
    key.scopes.includes("collections:admin") && (key.shop === null || (await mayAdminister(app, key.shop)));
  const auth = isAdmin ? { uid: key.id, openid: null, loginType: "KEY", isAdmin } : null;
  return { auth, session: undefined, key };
}

/** The caller behind a session that was verified. The session of a key's sockets has a visitor's rights. */
export async function callerOfSession(app: App, session: Session): Promise<Caller> {
  return { auth: await authOf(app, session), session };
}

async function authOf(app: App, { user: uid, kind, shop, role }: Session): Promise<Auth | null> {
  if (kind === "guest") return { uid, openid: null, loginType: "ANONYMOUS" };
  if (kind === "own") return { uid, openid: null, loginType: "CUSTOM" };
  if (kind === "staff") {
    const isAdmin = role === "owner" && shop !== null && (await mayAdminister(app, shop));
    return { uid, openid: null, loginType: "STAFF", isAdmin };
  }
  if (kind !== "wechat") return null;
  const [accounts] = await app.db.read([readOpenids(uid)]);
  const openid = accounts[0]?.openid;
  return { uid, openid: openid === undefined ? null : String(openid), loginType: "WECHAT" };
}

/** Whether the owners of this shop may administer collections. */
export async function mayAdminister(app: App, shop: string): Promise<boolean> {
  const { collectionAdmins } = app.config;
  if (collectionAdmins !== undefined) return collectionAdmins.includes(shop);
  const [shops] = await app.db.read([readShopIds(2)]);
  return shops.length === 1 && shops[0]?.id === shop;
}

/** What a query of this caller means. */
export const contextOf = (app: Pick<App, "clock">, { auth }: Caller): QueryContext => ({
  now: app.clock.now(),
  owner: auth === null ? undefined : ownerOf(auth),
});

/** Who owns the documents that this caller adds: nobody, where it is an administrator or has not signed in. */
export const newOwner = ({ auth }: Caller): string | undefined =>
  auth === null || auth.isAdmin === true ? undefined : ownerOf(auth);

/** What permissions are asked about. @param data what a write brings */
export const requestOf = (app: Pick<App, "clock">, { auth }: Caller, lookup: Lookup, data?: Fields): Request => ({
  auth,
  now: app.clock.now(),
  data,
  lookup,
});
