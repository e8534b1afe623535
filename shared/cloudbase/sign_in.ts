/**
 * Sign-in of CloudBase's clients, on orderbell's own sessions: the access token is the session's token, so one sign-in serves
 * collections and orders, and a session of `POST /login` serves here.
 *
 * The refresh token is the same token: an exchange slides the session and gives the same tokens again, so that an exchange
 * whose answer was lost is repeated without harm.
 */
import { readUser } from "../../db/sessions.ts";
import type { App } from "../app.ts";
import { AppError } from "../errors.ts";
import { loginAsGuest } from "../sessions/login.ts";
import { authenticate, type Session } from "../sessions/session.ts";

/** An answer of OAuth 2, as the clients store it. */
export interface Credentials {
  readonly token_type: "Bearer";
  readonly access_token: string;
  readonly refresh_token: string;
  /** Seconds from now. */
  readonly expires_in: number;
  readonly sub: string;
  /** A client whose `anonymous` session is over begins a new one by itself. */
  readonly scope: "anonymous" | "user";
}

/** @param token of this session */
export function credentialsOf(app: App, session: Session, token: string): Credentials {
  return {
    token_type: "Bearer",
    access_token: token,
    refresh_token: token,
    expires_in: Math.max(1, Math.floor((session.expiresAt - app.clock.now()) / 1_000)),
    sub: session.user,
    scope: session.kind === "guest" ? "anonymous" : "user",
  };
}

/** A new guest. @throws TooManySessions */
export async function signInAnonymously(app: App, address: string): Promise<{ session: Session; token: string }> {
  return loginAsGuest(app, address);
}

/** The session of a token that was kept: alive, it is extended. @throws SessionInvalid, SessionEnded, SessionExpired */
export const exchange = (app: App, token: string): Promise<Session> => authenticate(app, `Bearer ${token}`);

/** As `exchange`, but undefined where the session is over or the token unknown. */
export async function exchangeIfAlive(app: App, token: unknown): Promise<Session | undefined> {
  if (typeof token !== "string") return undefined;
  try {
    return await exchange(app, token);
  } catch (error) {
    if (error instanceof AppError && error.status === 401) return undefined;
    throw error;
  }
}

export interface UserInfo {
  readonly sub: string;
  readonly uid: string;
  readonly loginType: "ANONYMOUS" | "WECHAT" | "STAFF" | "CUSTOM";
  readonly created_at: string;
  readonly name?: string;
  readonly picture?: string;
}

const loginTypes = { guest: "ANONYMOUS", wechat: "WECHAT", staff: "STAFF", own: "CUSTOM", key: "ANONYMOUS" } as const;

/** The signed-in user as the clients show it. */
export async function userInfo(app: App, session: Session): Promise<UserInfo> {
  const [rows] = await app.db.read([readUser(session.user)]);
  const stored = rows[0]?.profile;
  const { nickName, avatarUrl } = (typeof stored === "string" ? JSON.parse(stored) : {}) as Record<string, string>;
  return {
    sub: session.user,
    uid: session.user,
    loginType: loginTypes[session.kind],
    created_at: new Date(session.createdAt).toISOString(),
    ...(nickName === undefined ? {} : { name: nickName }),
    ...(avatarUrl === undefined ? {} : { picture: avatarUrl }),
  };
}
