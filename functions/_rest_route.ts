/** Routes of CloudBase's REST dialect: who calls, and errors as its clients read them. */
import type { HttpRequest, Route } from "../apigateway/entry.ts";
import type { App } from "../shared/app.ts";
import type { AppError } from "../shared/errors.ts";
import { type Caller, callerOf } from "../shared/live/caller.ts";
import { waitHeaders } from "../shared/rate_limit.ts";
import { toAppError } from "../shared/to_app_error.ts";

/** The caller, who is added to the request's line in the log. */
export async function callerFor(app: App, request: HttpRequest, authorization: string | undefined): Promise<Caller> {
  const caller = await callerOf(app, authorization);
  if (caller.session !== undefined) request.notes.session = caller.session.id;
  return caller;
}

export type Serve = (app: App, request: HttpRequest, caller: Caller) => Promise<unknown>;

/**
 * A route whose errors are `{code, message, requestId}`.
 * @param refusalOf code and message of an error @param check before the caller is known
 */
export const restRoute =
  (refusalOf: (error: AppError) => object, serve: Serve, check: (request: HttpRequest) => void = () => {}): Route =>
  async (app, request) => {
    const { requestId } = request.event.requestContext;
    try {
      check(request);
      const caller = await callerFor(app, request, request.authorization);
      return { status: 200, body: await serve(app, request, caller) };
    } catch (error) {
      const refused = toAppError(app, error);
      request.notes.code = refused.code;
      return { status: refused.status, headers: waitHeaders(refused), body: { ...refusalOf(refused), requestId } };
    }
  };
