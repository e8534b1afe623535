/** Authenticates a request, and adds the session to its log line. */
import type { HttpRequest } from "../apigateway/entry.ts";
import type { App } from "../shared/app.ts";
import { authenticate, type Session } from "../shared/sessions/session.ts";

/** @throws SessionMissing, SessionInvalid, SessionEnded, SessionExpired */
export async function signedIn(app: App, request: HttpRequest): Promise<Session> {
  const session = await authenticate(app, request.authorization);
  request.notes.session = session.id;
  return session;
}
