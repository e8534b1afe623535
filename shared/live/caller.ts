/** Who asks for documents: a session, a key of another back end or front end, or nobody. */
import type { App } from "../app.ts";
import type { Session } from "../sessions/session.ts";
import type { Auth } from "./rules.ts";

export interface Caller {
  /** Null: nobody has signed in. */
  readonly auth: Auth | null;
  /** Where the caller has one. */
  readonly session: Session | undefined;
}

/** The caller of a request. @throws SessionInvalid, SessionEnded, SessionExpired, ApiKeyInvalid */
export async function callerOf(_app: App, _authorization: string | undefined): Promise<Caller> {
  throw new Error("not yet");
}

/** The caller behind a session that was verified. */
export async function callerOfSession(_app: App, _session: Session): Promise<Caller> {
  throw new Error("not yet");
}
