/**
 * The session of an API key: what the key does, and the sockets that it opens, are this session's. It is made with the key, has the
 * key's id, and ends when the key is revoked.
 */
import { ConstraintFailed } from "../../db/database.ts";
import { insertSession, readSession } from "../../db/sessions.ts";
import type { App } from "../app.ts";
import { type ApiKey, rowOfKey } from "./api_key.ts";
import { aliveOf, type Session } from "./session.ts";

/** @throws SessionEnded when the key was revoked meanwhile */
export async function sessionOfKey(app: App, key: ApiKey): Promise<Session> {
  const now = app.clock.now();
  const [known] = await app.db.read([readSession(key.id)]);
  if (known[0] !== undefined) return actingAs(key, aliveOf(known[0], now));
  // The key is of a release that made the session when it was first needed.
  try {
    await app.db.flight({ statements: [insertSession(rowOfKey(key, now))] });
  } catch (error) {
    // Another request made it at the same time.
    if (!(error instanceof ConstraintFailed)) throw error;
  }
  const [made] = await app.db.read([readSession(key.id)]);
  if (made[0] === undefined) throw new TypeError("the session of a key is gone");
  return actingAs(key, aliveOf(made[0], now));
}

const actingAs = ({ shop, scopes }: ApiKey, session: Session): Session => ({ ...session, shop, scopes });
