/** Who stores and asks for files, by the caller that collections know. */
import type { App } from "../app.ts";
import { SessionMissing } from "../errors.ts";
import type { Caller } from "../live/caller.ts";
import { sessionOfKey } from "../sessions/key_session.ts";
import type { Session } from "../sessions/session.ts";
import type { Author } from "./cloud_files.ts";

/** A publishable key lies open in a page: it has the rights of a visitor. */
export const authorOf = ({ auth, session, key }: Caller): Author => ({
  user: auth === null ? null : (session?.user ?? key?.id ?? null),
  isAdmin: auth?.isAdmin === true,
});

/** The session that a new file is stored by. @throws SessionMissing for visitors */
export async function sessionFor(app: App, { auth, session, key }: Caller): Promise<Session> {
  if (auth === null) throw new SessionMissing();
  if (session !== undefined) return session;
  if (key === undefined) throw new SessionMissing();
  return sessionOfKey(app, key);
}
