/**
 * The session behind the sockets of one API key: whoever watches with a publishable key has no session of its own. It is made when
 * the key is first used for a socket, has the key's id, and ends when the key is revoked.
 */
import { ConstraintFailed } from "../../db/database.ts";
import { insertSession, readSession } from "../../db/sessions.ts";
import type { App } from "../app.ts";
import type { ApiKey } from "./api_key.ts";
import { aliveOf, type Session } from "./session.ts";

/** Longer than any key is in use. */
const lifeMs = 20 * 365 * 86_400_000;

/** No token has this hash: nobody can sign in with it. */
export const noToken = "none";

/** @throws SessionEnded when the key was revoked meanwhile */
export async function sessionOfKey(app: App, key: ApiKey): Promise<Session> {
  const now = app.clock.now();
  const [known] = await app.db.read([readSession(key.id)]);
  if (known[0] !== undefined) return aliveOf(known[0], now);
  const row = {
    id: key.id,
    user: key.id,
    kind: "key",
    tokenHash: noToken,
    addressHash: null,
    widerHash: null,
    at: now,
    expiresAt: now + lifeMs,
  };
  try {
    await app.db.flight({ statements: [insertSession(row)] });
  } catch (error) {
    // Another request made it at the same time.
    if (!(error instanceof ConstraintFailed)) throw error;
  }
  const [made] = await app.db.read([readSession(key.id)]);
  if (made[0] === undefined) throw new TypeError("the session of a key is gone");
  return aliveOf(made[0], now);
}
