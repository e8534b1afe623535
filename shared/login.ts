/** How a session begins: by WeChat's code, as a guest, or as staff by pairing code. And how it ends. */

import { readConnectionsOfSession } from "../db/connections.ts";
import { ConstraintFailed } from "../db/database.ts";
import {
  countGuests,
  endSession,
  insertPairingCode,
  insertSession,
  insertTicket,
  insertUser,
  type NewSession,
  pair,
  readUser,
  updateProfile,
} from "../db/sessions.ts";
import { insertCode, putAccount, readAccount, readApp, readApps } from "../db/wechat.ts";
import type { App } from "./app.ts";
import { frameOf } from "./deliver.ts";
import { AppUnknown, LoginCodeUsed, PairingCodeInvalid, SessionEnded, ShopUnknown, TooManySessions } from "./errors.ts";
import { type Kind, newToken, type Role, type Session } from "./session.ts";
import { decryptData, verifySignature, type WechatApp } from "./wechat.ts";

/** A session that has just begun: the only time its token is known. */
export interface Begun {
  readonly session: Session;
  readonly token: string;
  readonly profile: Profile | null;
}

/** What WeChat says of a user who agreed to say it. */
export interface Profile {
  readonly nickName?: string;
  readonly avatarUrl?: string;
}

export interface WechatLogin {
  readonly code: string;
  readonly appid?: string | undefined;
  readonly encrypted?: { readonly data: string; readonly iv: string } | undefined;
  readonly signed?: { readonly rawData: string; readonly signature: string } | undefined;
  readonly address: string;
}

/**
 * The full flow of a mini-program's login.
 * @throws AppUnknown, LoginCodeUsed, LoginCodeInvalid, LoginBlocked, LoginTooOften, LoginDataInvalid, WechatAway, WechatMisconfigured
 */
export async function loginWithWechat(app: App, login: WechatLogin): Promise<Begun> {
  const now = app.clock.now();
  const wechatApp = await appOf(app, login.appid);
  await takeCode(app, `${wechatApp.appid} ${login.code}`);
  const { openid, unionid, sessionKey } = await app.wechat.codeToSession(wechatApp, login.code);
  if (login.signed !== undefined) verifySignature(login.signed.rawData, login.signed.signature, sessionKey);
  const opened =
    login.encrypted === undefined
      ? undefined
      : decryptData(login.encrypted.data, login.encrypted.iv, sessionKey, wechatApp.appid, now);
  const said = profileOf(opened ?? (login.signed === undefined ? undefined : parse(login.signed.rawData)));

  const { dialect } = app.db;
  const newUser = app.random.id();
  const account = putAccount(dialect, {
    app: wechatApp.id,
    openid,
    unionid,
    user: newUser,
    sessionKeySealed: app.secrets.seal(sessionKey, `session_key ${wechatApp.id} ${openid}`),
    at: now,
  });
  let begun: Begun | undefined;
  const landed = await app.db.flight({
    statements: [...account, readAccount(wechatApp.id, openid)],
    decide(rows) {
      const user = String(rows.at(-1)?.[0]?.user_id);
      begun = begin(app, "wechat", user, now);
      return [
        ...(user === newUser ? [insertUser(user, null, now)] : []),
        ...(said === null ? [] : [updateProfile(user, JSON.stringify(said))]),
        insertSession(rowOf(app, begun, login.address)),
        readUser(user),
      ];
    },
  });
  const profile = landed.decided.at(-1)?.[0]?.profile;
  return { ...(begun as Begun), profile: typeof profile === "string" ? JSON.parse(profile) : null };
}

async function appOf(app: App, appid: string | undefined): Promise<WechatApp & { id: string }> {
  const [rows = []] = await app.db.read([appid === undefined ? readApps(2) : readApp(app.secrets.hashAppId(appid))]);
  const [row] = rows;
  if (row === undefined)
    throw new AppUnknown(
      appid === undefined ? "no mini-program was added yet" : `mini-program "${appid}" was not added`,
    );
  if (rows.length > 1) throw new AppUnknown('there are several mini-programs; name one with "X-WX-Appid"');
  const id = String(row.id);
  return {
    id,
    appid: app.secrets.open(String(row.appid_sealed), `appid ${id}`),
    secret: app.secrets.open(String(row.secret_sealed), `secret ${id}`),
  };
}

/** A code that came here before is refused without asking WeChat. */
async function takeCode(app: App, code: string): Promise<void> {
  try {
    await app.db.flight({ statements: [insertCode(app.secrets.hash(code), app.clock.now())] });
  } catch (error) {
    throw error instanceof ConstraintFailed ? new LoginCodeUsed() : error;
  }
}

function parse(rawData: string): Record<string, unknown> | undefined {
  try {
    const data = JSON.parse(rawData);
    return data !== null && typeof data === "object" ? data : undefined;
  } catch {
    return undefined;
  }
}

/** What no page should show: control characters, and what turns the direction of writing. */
const unshowable = /[\p{Cc}\u202A-\u202E\u2066-\u2069\u2028\u2029]/gu;

/** Only what a page shows; the rest of WeChat's data is not ours to keep. */
function profileOf(data: Record<string, unknown> | undefined): Profile | null {
  const clean = (value: unknown, max: number) => {
    if (typeof value !== "string" || !value.isWellFormed()) return undefined;
    // Cut between characters: half of one is no text.
    const shown = [...value.replace(unshowable, "")].slice(0, max).join("");
    return shown === "" ? undefined : shown;
  };
  const nickName = clean(data?.nickName, 64);
  const avatarUrl = clean(data?.avatarUrl, 400);
  if (nickName === undefined && avatarUrl === undefined) return null;
  return { ...(nickName === undefined ? {} : { nickName }), ...(avatarUrl === undefined ? {} : { avatarUrl }) };
}

/** A session without WeChat. @throws TooManySessions when one address makes too many */
export async function loginAsGuest(app: App, address: string): Promise<Begun> {
  const now = app.clock.now();
  const begun = begin(app, "guest", app.random.id(), now);
  const limit = app.config.limits.guestSessionsPerHour;
  await app.db.flight({
    statements: [countGuests(app.secrets.hashAddress(address), now - 3_600_000)],
    decide([rows]) {
      if (Number(rows?.[0]?.n) >= limit) throw new TooManySessions();
      return [insertUser(begun.session.user, null, now), insertSession(rowOf(app, begun, address))];
    },
  });
  return begun;
}

// --- Staff ---------------------------------------------------------------------------------------------------------

/** 32 letters and digits that are not mistaken for each other, 5 bits each. */
const codeLetters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
const codeLength = 12;

/** A new pairing code of 60 bits, such as `K7QM-2XPA-9TRW`. Only its hash is stored. @throws ShopUnknown */
export async function newPairingCode(
  app: App,
  asked: { shop: string; role: Role; device: string; by: string | null },
): Promise<{ code: string; expiresAt: number }> {
  const now = app.clock.now();
  const bytes = Buffer.from(app.random.secret(codeLength), "base64url");
  const letters = [...bytes].map((byte) => codeLetters[byte % codeLetters.length]).join("");
  const expiresAt = now + app.config.pairingMs;
  const row = { ...asked, hash: codeHash(app, letters), at: now, expiresAt };
  const { rows } = await app.db.flight({ statements: insertPairingCode(row) });
  if (rows.at(-1)?.length === 0) throw new ShopUnknown(asked.shop);
  return { code: letters.replace(/(.{4})(?=.)/g, "$1-"), expiresAt };
}

/** However it is typed: lower case, with or without dashes. */
const codeHash = (app: App, code: string) =>
  app.secrets.hash(`pairing ${code.toUpperCase().replace(/[^0-9A-Z]/g, "")}`);

/** @throws PairingCodeInvalid */
export async function loginAsStaff(app: App, code: string, address: string): Promise<Begun> {
  const now = app.clock.now();
  const begun = begin(app, "staff", app.random.id(), now);
  const { rows } = await app.db.flight({ statements: pair(codeHash(app, code), rowOf(app, begun, address)) });
  const row = rows.at(-1)?.[0];
  if (row === undefined) throw new PairingCodeInvalid();
  const session = {
    ...begun.session,
    shop: String(row.shop_id),
    role: String(row.role) as Role,
    device: String(row.device),
  };
  return { ...begun, session };
}

// --- All -----------------------------------------------------------------------------------------------------------

function begin(app: App, kind: Kind, user: string, now: number): Begun {
  const id = app.random.id();
  const { token } = newToken(app, kind, user, id);
  const expiresAt = now + app.config.sessionMs[kind];
  return {
    token,
    profile: null,
    session: { id, user, kind, shop: null, role: null, device: null, createdAt: now, expiresAt },
  };
}

function rowOf(app: App, { session, token }: Begun, address: string): NewSession {
  return {
    id: session.id,
    user: session.user,
    kind: session.kind,
    tokenHash: app.secrets.hash(token),
    addressHash: app.secrets.hashAddress(address),
    at: session.createdAt,
    expiresAt: session.expiresAt,
  };
}

/** A one-time ticket for the socket: URLs and headers of a handshake are logged by others, a session token must not be. */
export async function newTicket(app: App, session: Session): Promise<{ ticket: string; expiresAt: number }> {
  const ticket = `obt_${app.random.secret(24)}`;
  const expiresAt = app.clock.now() + app.config.ticketMs;
  await app.db.flight({ statements: [insertTicket(app.secrets.hash(ticket), session.id, expiresAt)] });
  return { ticket, expiresAt };
}

/** Ends a session. Its sockets hear why, and are closed; nothing is pushed to them from the commit on. */
export async function end(app: App, session: string, reason: "signed_out" | "revoked"): Promise<void> {
  const { after } = await app.db.flight({
    statements: [endSession(session, reason, app.clock.now())],
    after: [readConnectionsOfSession(session)],
    repeatable: true,
  });
  const { code, message, retry } = new SessionEnded();
  for (const { id } of after[0] ?? []) {
    await app.gateway.send(String(id), frameOf({ type: "error", code, message, retry }));
    await app.gateway.close(String(id));
  }
}
