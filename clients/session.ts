/** The session of this client, always read from the store: the tabs of one browser share it. */
import { type Api, type ApiRequest, parse, signedOut } from "./api.ts";
import { makeEmitter } from "./emitter.ts";
import type { Platform } from "./platform.ts";
import type { Session, User } from "./types.ts";

export type SessionListener = (session: Session | undefined) => void;

export interface SessionStore {
  session(): Session | undefined;
  /** The stored session, else one that begins without the user. @throws ApiError SESSION_MISSING where the user must sign in */
  signIn(): Promise<Session>;
  /** The same for background work: not after the user has signed out. */
  need(): Promise<Session>;
  pair(pairingCode: string): Promise<Session>;
  signOut(): Promise<void>;
  onSession(listener: SessionListener): () => void;
  /** Another token than `stale`, for the API; undefined when the user must sign in. @throws ApiError when it cannot be known now */
  renew(stale?: string): Promise<string | undefined>;
  close: (() => void) | undefined;
}

interface SessionAnswer {
  session: Omit<Session, "user">;
  user: User;
}

/** @param begin the request that begins a session without the user; undefined where there is none */
export function makeSessionStore(
  platform: Platform,
  name: string,
  ask: Api["ask"],
  begin: (() => Promise<ApiRequest>) | false | undefined,
): SessionStore {
  const { store } = platform;
  const item = `${name}.session`;
  const emitter = makeEmitter<Parameters<SessionListener>>(platform);
  const session = () => parse(store.get(item)) as Session | undefined;
  let lastToken = session()?.token;
  let beginning: Promise<Session> | undefined;
  /** The user signed out here: no session begins without the user. */
  let hasSignedOut = false;

  const emitChange = (): void => {
    const now = session();
    if (now?.token === lastToken) return;
    lastToken = now?.token;
    emitter._emit(now);
  };

  const save = (started: Session): Session => {
    hasSignedOut = false;
    store.set(item, JSON.stringify(started));
    emitChange();
    return started;
  };

  const remove = (): void => {
    store.remove(item);
    emitChange();
  };

  const start = async (wanted: ApiRequest): Promise<Session> => {
    const answer = await ask<SessionAnswer>({ ...wanted, open: true });
    return { ...answer.session, user: answer.user };
  };

  const beginOnce = async (make: () => Promise<ApiRequest>): Promise<Session> => {
    const mine = await start(await make());
    // Another tab was faster: two customers in one browser would each see half of the orders.
    const other = session();
    return other ?? save(mine);
  };

  const sessions: SessionStore = {
    session,
    signIn() {
      hasSignedOut = false;
      return sessions.need();
    },
    async need() {
      emitChange();
      const stored = session();
      if (stored) return stored;
      if (!begin || hasSignedOut) throw signedOut("SESSION_MISSING");
      beginning ??= beginOnce(begin).finally(() => {
        beginning = undefined;
      });
      return beginning;
    },
    pair: async (pairingCode) => save(await start({ method: "POST", path: "/login/staff", body: { pairingCode } })),
    async signOut() {
      hasSignedOut = true;
      // Without an answer the server ends it at its expiry; here it ends now.
      if (session()) await ask({ method: "DELETE", path: "/session", once: true, timeoutMs: 5_000 }).catch(() => {});
      remove();
    },
    onSession: emitter._listen,
    async renew(stale) {
      if (stale && session()?.token === stale) remove();
      return session() || (begin && !hasSignedOut) ? (await sessions.need()).token : undefined;
    },
    close: store.onChange?.((changed) => {
      if (changed !== item) return;
      // Signing out in one tab signs out in all.
      hasSignedOut = !session();
      emitChange();
    }),
  };
  return sessions;
}
