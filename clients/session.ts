/** Who is signed in here. The store is the truth: several tabs of one browser share it, and none believes its own memory. */
import { type Api, ApiError, type Ask, parse } from "./api.ts";
import { makeHearers } from "./hearers.ts";
import type { Platform } from "./platform.ts";
import type { Session, User } from "./types.ts";

export type HearSession = (session: Session | undefined) => void;

export interface Keeper {
  session(): Session | undefined;
  /** The kept session, else one that begins by itself. @throws ApiError SESSION_MISSING where somebody must do it */
  signIn(): Promise<Session>;
  /** The same for what goes on by itself: not after somebody has signed out. */
  need(): Promise<Session>;
  pair(pairingCode: string): Promise<Session>;
  signOut(): Promise<void>;
  onSession(hear: HearSession): () => void;
  /** For the API: another token than `stale`; undefined when somebody must sign in. @throws ApiError when it cannot be known now */
  renew(stale?: string): Promise<string | undefined>;
  close(): void;
}

interface Begun {
  session: Omit<Session, "user">;
  user: User;
}

/** @param begin the request that begins a session without anybody's doing; undefined where there is none */
export function keepSession(
  { store }: Platform,
  name: string,
  ask: Api["ask"],
  begin: (() => Promise<Ask>) | false | undefined,
): Keeper {
  const item = `${name}.session`;
  const hearers = makeHearers<Parameters<HearSession>>();
  const session = () => parse(store.get(item)) as Session | undefined;
  let told = session()?.token;
  let beginning: Promise<Session> | undefined;
  /** Somebody signed out here: nothing begins by itself. */
  let out = false;

  function tell(): void {
    const now = session();
    if (now?.token === told) return;
    told = now?.token;
    hearers.tell(now);
  }

  function keep(begun: Session): Session {
    out = false;
    store.set(item, JSON.stringify(begun));
    tell();
    return begun;
  }

  function forget(): void {
    store.remove(item);
    tell();
  }

  async function start(wanted: Ask): Promise<Session> {
    const begun = await ask<Begun>({ ...wanted, open: true });
    return { ...begun.session, user: begun.user };
  }

  async function beginOnce(make: () => Promise<Ask>): Promise<Session> {
    const mine = await start(await make());
    // Another tab was faster: two customers in one browser would each see half of the orders.
    const other = session();
    return other ?? keep(mine);
  }

  const keeper: Keeper = {
    session,
    signIn() {
      out = false;
      return keeper.need();
    },
    async need() {
      tell();
      const kept = session();
      if (kept) return kept;
      if (!begin || out) throw new ApiError("SESSION_MISSING", 401, "nobody is signed in");
      beginning ??= beginOnce(begin).finally(() => {
        beginning = undefined;
      });
      return beginning;
    },
    pair: async (pairingCode) => keep(await start({ method: "POST", path: "/login/staff", body: { pairingCode } })),
    async signOut() {
      out = true;
      // Without an answer it ends by its own expiry; here it ends now.
      if (session()) await ask({ method: "DELETE", path: "/session", once: true, timeoutMs: 5_000 }).catch(() => {});
      forget();
    },
    onSession: hearers.add,
    async renew(stale) {
      if (stale && session()?.token === stale) forget();
      const kept = session();
      if (!kept && (out || !begin)) return undefined;
      return (kept ?? (await keeper.need())).token;
    },
    close:
      store.onChange?.((changed) => {
        if (changed !== item) return;
        // Who signs out in one tab does so in all.
        out = !session();
        tell();
      }) ?? (() => {}),
  };
  return keeper;
}
