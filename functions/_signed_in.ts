/** Authenticates a request, and adds the session to its log line. */
import type { HttpRequest } from "../apigateway/entry.ts";
import type { App } from "../shared/app.ts";
import { authenticateKey, isApiKey, type Scope } from "../shared/sessions/api_key.ts";
import { sessionOfKey } from "../shared/sessions/key_session.ts";
import { authenticate, type Session } from "../shared/sessions/session.ts";

/**
 * The session of the request: a person's, or that of a back end's key.
 * @param taken a key with one of these scopes is taken too; without any, no key is
 * @throws SessionMissing, SessionInvalid, SessionEnded, SessionExpired, ApiKeyInvalid
 */
export async function signedIn(app: App, request: HttpRequest, ...taken: readonly Scope[]): Promise<Session> {
  const { authorization } = request;
  const isKeys = taken.length > 0 && isApiKey(authorization);
  const session = isKeys
    ? await sessionOfKey(app, await authenticateKey(app, authorization, ...taken))
    : await authenticate(app, authorization);
  request.notes[isKeys ? "key" : "session"] = session.id;
  return session;
}
