/** Authentication: tokens, sessions, and their expiry. */
import { inOrderOf } from "../../db/by_keys.ts";
import type { Row } from "../../db/database.ts";
import { extendSessions, readManySessions, readSession } from "../../db/sessions.ts";
import type { App } from "../app.ts";
import { fulfilled } from "../batch.ts";
import { ApiKeyInvalid, Forbidden, SessionEnded, SessionExpired, SessionInvalid, SessionMissing } from "../errors.ts";
import { type Role, roles } from "../order_states.ts";
import { equal } from "../secrets.ts";
import { isApiKey } from "./api_key.ts";

export interface Session {
  readonly id: string;
  readonly user: string;
  /** `own`: of a user of the shop's own system. `key`: of no person, but of a back end, or of all who watch with one publishable key. It has no token. */
  readonly kind: "wechat" | "guest" | "staff" | "own" | "key";
  /** Of staff, and of a key that is bound to it. */
  readonly shop: string | null;
  /** Staff only. */
  readonly role: Role | null;
  readonly device: string | null;
  readonly createdAt: number;
  readonly expiresAt: number;
  /** Of a key, where a request has shown it. */
  readonly scopes?: readonly string[];
}

/** A session that acts for a shop: its staff, or a key that is bound to it. */
export interface Staff extends Session {
  readonly shop: string;
}

/** Kinds of people's sessions, which have tokens. */
export type Kind = Exclude<Session["kind"], "key">;

/** `ob`, a letter for the kind, `_`, user, session, 24 random bytes. */
const letters = { w: "wechat", g: "guest", s: "staff", o: "own" } as const satisfies Record<string, Kind>;
const pattern = /^ob([wgso])_([0-9A-HJKMNP-TV-Z]{26})([0-9A-HJKMNP-TV-Z]{26})([A-Za-z0-9_-]{32})$/;

/** The claim that a token makes. It proves nothing until `verifyClaim` has compared `hash` with the row. */
export interface Claim {
  readonly kind: Kind;
  readonly user: string;
  readonly session: string;
  readonly hash: string;
}

/**
 * A new token. It holds kind, user and session in clear, so that an order's flight can verify them in the same round trip;
 * 24 random bytes make it unguessable, and only its hash is stored.
 */
export function newToken(app: App, kind: Kind, user: string, session: string): { token: string; hash: string } {
  const token = `ob${kind[0]}_${user}${session}${app.random.secret(24)}`;
  return { token, hash: app.secrets.hash(token) };
}

/** @throws SessionMissing, SessionInvalid, ApiKeyInvalid where only a session will do */
export function claimOf(app: App, authorization: string | undefined): Claim {
  if (authorization === undefined) throw new SessionMissing();
  if (isApiKey(authorization))
    throw new ApiKeyInvalid("a key is not taken here; sign in, and send the session's token");
  const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? "";
  const [, letter, user, session] = pattern.exec(token) ?? [];
  if (letter === undefined || user === undefined || session === undefined) throw new SessionInvalid();
  return { kind: letters[letter as keyof typeof letters], user, session, hash: app.secrets.hash(token) };
}

/** The user whose token it says it is. */
export const userOf = (token: string) => pattern.exec(token)?.[2];

export function claimOfToken(app: App, token: string): Claim {
  return claimOf(app, `Bearer ${token}`);
}

/** Verifies a claim with its row. @throws SessionInvalid, SessionEnded, SessionExpired */
export function verifyClaim(claim: Claim, row: Row | undefined, now: number): Session {
  const known = row !== undefined && row.user_id === claim.user && row.kind === claim.kind;
  if (!known || !equal(String(row.token_hash), claim.hash)) throw new SessionInvalid();
  return aliveOf(row, now);
}

/** The session of a row. @throws SessionEnded, SessionExpired */
export function aliveOf(row: Row, now: number): Session {
  if (row.ended_at !== null) throw new SessionEnded();
  if (Number(row.expires_at) <= now) throw new SessionExpired();
  return {
    id: String(row.id),
    user: String(row.user_id),
    kind: String(row.kind) as Session["kind"],
    shop: row.shop_id === null ? null : String(row.shop_id),
    role: row.role === null ? null : (String(row.role) as Role),
    device: row.device === null ? null : String(row.device),
    createdAt: Number(row.created_at),
    expiresAt: Number(row.expires_at),
  };
}

/** Authenticates the caller, and extends the session at most once a day. */
export async function authenticate(app: App, authorization: string | undefined): Promise<Session> {
  const claim = claimOf(app, authorization);
  const now = app.clock.now();
  return slide(app, verifyClaim(claim, await app.arrivals.add(readBatch, app, claim.session), now), now);
}

/** @returns the row of each session */
async function readBatch({ db }: App, ids: readonly string[]): Promise<PromiseSettledResult<Row | undefined>[]> {
  const [rows] = await db.read([readManySessions(db.dialect, ids)]);
  return inOrderOf(ids, rows, "id").map(fulfilled);
}

/** Whether the session is still alive. @throws SessionEnded, SessionExpired */
export async function authenticateAgain(app: App, { id }: Session): Promise<void> {
  const [rows] = await app.db.read([readSession(id)]);
  if (rows[0] === undefined) throw new SessionEnded();
  aliveOf(rows[0], app.clock.now());
}

const slideMs = 24 * 3_600_000;

/** Extends the session's expiry, written at most once a day. A key's ends with the key. */
export async function slide(app: App, session: Session, now: number): Promise<Session> {
  if (session.kind === "key") return session;
  const expiresAt = now + app.config.sessionMs[session.kind];
  if (expiresAt - session.expiresAt < Math.min(slideMs, app.config.sessionMs[session.kind] / 2)) return session;
  return { ...session, expiresAt: await app.arrivals.add(slideBatch, app, { id: session.id, kind: session.kind }) };
}

/** After a night all sessions of the morning's customers are due at once. @returns the new expiry of each */
async function slideBatch(
  app: App,
  batch: readonly { readonly id: string; readonly kind: Kind }[],
): Promise<PromiseSettledResult<number>[]> {
  const { db, clock, config } = app;
  const now = clock.now();
  const due = (of: Kind) => [...new Set(batch.flatMap(({ id, kind }) => (kind === of ? [id] : [])))].sort();
  const statements = Object.values(letters).flatMap((kind) =>
    due(kind).length === 0 ? [] : [extendSessions(db.dialect, due(kind), now, now + config.sessionMs[kind])],
  );
  await db.flight({ statements, repeatable: true });
  return batch.map(({ kind }) => fulfilled(now + config.sessionMs[kind]));
}

/** Whether the session acts for a shop rather than for a customer. */
export const actsForShop = ({ kind }: Pick<Session, "kind">) => kind === "staff" || kind === "key";

/** @throws Forbidden unless the session is staff of this shop with one of the roles, or a key that is bound to it */
export function staffOf(session: Session, shop: string, allowed: readonly Role[] = roles): Staff {
  if (session.kind === "key") return keyOf(session, shop);
  if (session.kind !== "staff" || session.shop !== shop || session.role === null)
    throw new Forbidden(`this session is not staff of shop "${shop}"`);
  if (!allowed.includes(session.role)) throw new Forbidden(`this is not for the role "${session.role}"`);
  return session as Staff;
}

/** A key has no role: what it may do was decided by its scopes. */
function keyOf(session: Session, shop: string): Staff {
  if (session.shop === null) throw new Forbidden("this key is bound to no shop; a key that acts for one is");
  if (session.shop !== shop) throw new Forbidden(`this key is bound to shop "${session.shop}"`);
  return { ...session, shop };
}

/** The session as its owner sees it. */
export function sessionView({ id, kind, user, shop, role, device, createdAt, expiresAt }: Session) {
  return {
    id,
    kind,
    user: { id: user },
    shop,
    role,
    device,
    createdAt: new Date(createdAt).toISOString(),
    expiresAt: new Date(expiresAt).toISOString(),
  };
}
