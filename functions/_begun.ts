/** The answer of every login: the new session with its token. */
import type { HttpAnswer, HttpRequest } from "../apigateway/entry.ts";
import { availableHeaders } from "../shared/rate_limit.ts";
import type { LoginResult } from "../shared/sessions/login.ts";

/** Adds the session to the request's log line. */
export async function begun(request: HttpRequest, result: Promise<LoginResult>): Promise<HttpAnswer> {
  const { session, token, profile, available = [] } = await result;
  const { id, user, kind, shop, role, device, expiresAt } = session;
  Object.assign(request.notes, { session: id, kind });
  return {
    status: 201,
    headers: availableHeaders(available),
    body: {
      session: {
        id,
        token,
        kind,
        expiresAt: new Date(expiresAt).toISOString(),
        ...(shop === null ? {} : { shop, role, device }),
      },
      user: { id: user, ...(profile === null ? {} : { profile }) },
    },
  };
}
