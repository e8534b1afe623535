/** Tells another back end whether a token is active and whose it is (RFC 7662). */
import { http, ok } from "../apigateway/entry.ts";
import { readSession } from "../db/sessions.ts";
import { AppError, InvalidInput } from "../shared/errors.ts";
import { authenticateKey } from "../shared/sessions/api_key.ts";
import { claimOfToken, verifyClaim } from "../shared/sessions/session.ts";

export const handler = http({
  "POST /introspect": async (app, request) => {
    const key = await authenticateKey(app, request.authorization, "introspect");
    request.notes.key = key.id;
    const token = request.form().get("token");
    if (token === null || token === "") throw new InvalidInput("token", "is missing");
    try {
      const claim = claimOfToken(app, token);
      const [rows] = await app.db.read([readSession(claim.session)]);
      const session = verifyClaim(claim, rows[0], app.clock.now());
      // A key that is bound to a shop gets nothing about another shop's staff.
      if (key.shop !== null && session.shop !== null && session.shop !== key.shop) return ok({ active: false });
      const { id, user, kind, shop, role, createdAt, expiresAt } = session;
      return ok({
        active: true,
        token_type: "Bearer",
        sub: user,
        sid: id,
        kind,
        iat: Math.floor(createdAt / 1_000),
        exp: Math.floor(expiresAt / 1_000),
        ...(shop === null ? {} : { shop, role }),
      });
    } catch (error) {
      // RFC 7662, 2.2: an invalid token of any kind is only "not active".
      if (error instanceof AppError && error.status === 401) return ok({ active: false });
      throw error;
    }
  },
});
