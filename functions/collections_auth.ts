/** Sign-in for CloudBase's clients of 2.x and 3.x, on orderbell's own sessions. */
import * as v from "valibot";
import { type HttpRequest, http, type Route } from "../apigateway/entry.ts";
import type { App } from "../shared/app.ts";
import { invalidGrant, oauthRefusalOf } from "../shared/cloudbase/refusal.ts";
import { credentialsOf, exchange, exchangeIfAlive, signInAnonymously, userInfo } from "../shared/cloudbase/sign_in.ts";
import { AppError, NotSupported } from "../shared/errors.ts";
import { parseJson } from "../shared/json.ts";
import { waitHeaders } from "../shared/rate_limit.ts";
import { end } from "../shared/sessions/login.ts";
import * as shape from "../shared/shape.ts";
import { toAppError } from "../shared/to_app_error.ts";
import { signedIn } from "./_signed_in.ts";

/** A refusal whose token the client is to forget. */
class NotExchanged extends AppError {}

const route =
  (serve: (app: App, request: HttpRequest) => Promise<object>): Route =>
  async (app, request) => {
    const { requestId } = request.event.requestContext;
    try {
      return { status: 200, body: await serve(app, request) };
    } catch (error) {
      const refused = toAppError(app, error);
      request.notes.code = refused.code;
      const told = error instanceof NotExchanged ? invalidGrant(refused) : oauthRefusalOf(refused);
      return {
        status: refused.status,
        headers: waitHeaders(refused),
        body: { ...told, requestId },
      };
    }
  };

/** JSON whatever its media type says: the client's Node build names none. */
function bodyOf(request: HttpRequest): unknown {
  const body = request.text();
  return body === "" ? {} : parseJson(body);
}

const text = (most: number) => v.pipe(v.string(), v.maxLength(most, `at most ${most} characters`));
const token = v.pipe(v.string(), v.minLength(1, "a token"), v.maxLength(8_000, "a token"));

const signIn = v.object({ provider_token: v.nullish(text(8_000)) });
const refresh = v.object({ grant_type: text(64), refresh_token: token });
const revocation = v.object({ token });

export const handler = http({
  "POST /auth/v1/signin/anonymously": route(async (app, request) => {
    const { provider_token: provider } = shape.parse(signIn, bodyOf(request));
    // It would be somebody that another service knows, and the answer a guest.
    if (provider) throw new NotSupported("a sign-in with another service's token", "provider_token");
    const { session, token: made } = await signInAnonymously(app, request.address);
    Object.assign(request.notes, { session: session.id, kind: session.kind });
    return credentialsOf(app, session, made);
  }),
  "POST /auth/v1/token": route(async (app, request) => {
    const { grant_type: grant, refresh_token: known } = shape.parse(refresh, bodyOf(request));
    if (grant !== "refresh_token") throw new NotSupported(grant, "grant_type");
    try {
      const session = await exchange(app, known);
      request.notes.session = session.id;
      return credentialsOf(app, session, known);
    } catch (error) {
      throw error instanceof AppError && error.status === 401 ? new NotExchanged(error.code, error.message) : error;
    }
  }),
  "GET /auth/v1/user/me": route(async (app, request) => userInfo(app, await signedIn(app, request))),
  // RFC 7009, 2.2: a token that is invalid already needs no revoking.
  "POST /auth/v1/revoke": route(async (app, request) => {
    const session = await exchangeIfAlive(app, shape.parse(revocation, bodyOf(request)).token);
    if (session !== undefined) await end(app, session.id, "signed_out");
    return {};
  }),
  "POST /auth/v1/user/signout": route(async (app, request) => {
    const session = await signedIn(app, request);
    await end(app, session.id, "signed_out");
    return {};
  }),
});
