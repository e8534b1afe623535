/** Login of a shop's own user, by a token of the shop's own system. */
import { ConstraintFailed } from "../../db/database.ts";
import { insertUsedToken, putOwnAccount, readOwnAccount } from "../../db/own_users.ts";
import { insertSession, insertUser, readUser, updateProfile } from "../../db/sessions.ts";
import type { App } from "../app.ts";
import { TokenInvalid } from "../errors.ts";
import { checkVisitors, type LoginResult, newSession, profileOf, rowOf, visitorReads } from "./login.ts";
import { verifyToken } from "./verify_token.ts";

/**
 * Exchanges a token for a session, once. The same issuer and subject are the same user, for ever.
 * @throws TokenInvalid, TokenKeysAway, TooManySessions
 */
export async function loginWithToken(app: App, token: string, address: string): Promise<LoginResult> {
  const tokens = app.config.userTokens;
  const { subject, name, signed, overAt } = await verifyToken(app, tokens, token);
  const now = app.clock.now();
  const account = app.secrets.hash(JSON.stringify([tokens?.issuer, subject]));
  const newUser = app.random.id();
  const profile = profileOf({ nickName: name });
  const limits = visitorReads(app, address, now);
  let result: LoginResult | undefined;
  try {
    const landed = await app.db.flight({
      statements: [
        ...limits,
        ...putOwnAccount(app.db.dialect, { account, user: newUser, at: now }),
        readOwnAccount(account),
      ],
      decide(rows) {
        checkVisitors(app, rows.slice(0, limits.length), now);
        const user = String(rows.at(-1)?.[0]?.user_id);
        result = { ...newSession(app, "own", user, now), isNew: user === newUser };
        return [
          insertUsedToken(app.secrets.hash(signed), overAt),
          ...(result.isNew ? [insertUser(user, null, now)] : []),
          ...(profile === null ? [] : [updateProfile(user, JSON.stringify(profile))]),
          insertSession(rowOf(app, result, address)),
          readUser(user),
        ];
      },
    });
    const stored = landed.decided.at(-1)?.[0]?.profile;
    return { ...(result as LoginResult), profile: typeof stored === "string" ? JSON.parse(stored) : null };
  } catch (error) {
    if (!(error instanceof ConstraintFailed)) throw error;
    throw new TokenInvalid('it was used; sign another for each login, with a "jti" of its own');
  }
}
