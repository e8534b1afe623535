/** Login by WeChat's code, as a guest, or as staff by pairing code; and the end of a session. */
import { readConnectionsOfSession } from "../../db/connections.ts";
import { ConstraintFailed, type Row } from "../../db/database.ts";
import {
  endSession,
  insertPairingCode,
  insertSession,
  insertUser,
  pair,
  readIdleVisitors,
  readUser,
  type SessionRow,
  updateProfile,
} from "../../db/sessions.ts";
import type { Sql, Statement } from "../../db/sql.ts";
import { clearCode, insertCode, putAccount, readAccount, readApp, readApps, readFailedCodes } from "../../db/wechat.ts";
import type { App } from "../app.ts";
import {
  AppUnknown,
  LoginCodeInvalid,
  LoginCodeUsed,
  LoginTooOften,
  PairingCodeInvalid,
  type Quota,
  SessionEnded,
  ShopUnknown,
  TooManySessions,
} from "../errors.ts";
import { errorFrame } from "../frame.ts";
import type { Role } from "../order_states.ts";
import { type Available, leftOf } from "../rate_limit.ts";
import { isVisible, oneLine } from "../text.ts";
import { decryptData, type EncryptedData, verifySignature, type WechatApp, type WechatSession } from "../wechat.ts";
import { type Kind, newToken, type Session } from "./session.ts";

const hourMs = 3_600_000;

/** A new session with its token, which is not known again later. */
export interface LoginResult {
  readonly session: Session;
  readonly token: string;
  readonly profile: Profile | null;
  /** Whether the user is new too. */
  readonly isNew: boolean;
  /** What is left of the network's quotas, for guests. */
  readonly available?: readonly Available[];
}

/** The profile that the user allowed WeChat to share. */
export interface Profile {
  readonly nickName?: string;
  readonly avatarUrl?: string;
}

export interface WechatLogin {
  readonly code: string;
  readonly appid?: string | undefined;
  readonly encrypted?: EncryptedData | undefined;
  readonly signed?: { readonly rawData: string; readonly signature: string } | undefined;
  /** The user's own. Undefined where a back end asks for all its users: no limit per network applies then. */
  readonly address: string | undefined;
  /** What is kept of the decrypted data, sealed, beside the profile. */
  readonly userInfoOf?: (opened: Readonly<Record<string, unknown>>) => object;
}

/**
 * The full flow of a mini-program's login.
 * @throws AppUnknown, LoginCodeUsed, LoginCodeInvalid, LoginBlocked, LoginTooOften, LoginDataInvalid, WechatAway, WechatMisconfigured
 */
export async function loginWithWechat(app: App, login: WechatLogin): Promise<LoginResult> {
  const now = app.clock.now();
  const wechatApp = await appOf(app, login.appid);
  const codeHash = await takeCode(app, `${wechatApp.appid} ${login.code}`, login.address);
  const { openid, unionid, sessionKey } = await exchange(app, wechatApp, login.code, codeHash);
  if (login.signed !== undefined) verifySignature(login.signed.rawData, login.signed.signature, sessionKey);
  const opened =
    login.encrypted === undefined
      ? undefined
      : decryptData(login.encrypted, { sessionKey, appid: wechatApp.appid, now });
  const shared = profileOf(opened ?? (login.signed === undefined ? undefined : parse(login.signed.rawData)));

  const { dialect } = app.db;
  const newUser = app.random.id();
  const userInfo = opened === undefined ? undefined : login.userInfoOf?.(opened);
  const account = putAccount(dialect, {
    app: wechatApp.id,
    openid,
    unionid,
    user: newUser,
    sessionKeySealed: app.secrets.seal(sessionKey, `session_key ${wechatApp.id} ${openid}`),
    userInfoSealed:
      userInfo === undefined ? null : app.secrets.seal(JSON.stringify(userInfo), `user_info ${wechatApp.id} ${openid}`),
    at: now,
  });
  let result: LoginResult | undefined;
  const landed = await app.db.flight({
    statements: [clearCode(codeHash), ...account, readAccount(wechatApp.id, openid)],
    decide(rows) {
      const user = String(rows.at(-1)?.[0]?.user_id);
      result = { ...newSession(app, "wechat", user, now), isNew: user === newUser };
      return [
        ...(result.isNew ? [insertUser(user, null, now)] : []),
        ...(shared === null ? [] : [updateProfile(user, JSON.stringify(shared))]),
        insertSession(rowOf(app, result, login.address)),
        readUser(user),
      ];
    },
  });
  const profile = landed.decided.at(-1)?.[0]?.profile;
  return { ...(result as LoginResult), profile: typeof profile === "string" ? JSON.parse(profile) : null };
}

async function appOf(app: App, appid: string | undefined): Promise<WechatApp & { id: string }> {
  const [rows] = await app.db.read([appid === undefined ? readApps(2) : readApp(app.secrets.hashAppId(appid))]);
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

/**
 * Reserves a code: a code seen before, and a network with too many wrong codes, are rejected without asking WeChat.
 * @returns the code's hash @throws LoginCodeUsed, LoginTooOften
 */
async function takeCode(app: App, code: string, address: string | undefined): Promise<string> {
  const now = app.clock.now();
  const hash = app.secrets.hash(code);
  const near = address === undefined ? null : app.secrets.hashAddress(address);
  const wider = address === undefined ? null : app.secrets.hashWiderNetwork(address);
  const limit = app.config.limits.failedLoginsPerHour;
  const [nearby, wide] = perNetwork("wrong-codes", limit);
  try {
    await app.db.flight({
      statements: [
        readFailedCodes("address_hash", near ?? "", now - hourMs, nearby.limit),
        readFailedCodes("wider_hash", wider ?? "", now - hourMs, wide.limit),
      ],
      decide([failed = [], around = []]) {
        const full = firstFull([failed, nearby], [around, wide]);
        if (full !== undefined) throw new LoginTooOften(Number(full[0].at(-1)?.sent_at) + hourMs - now, full[1]);
        return [insertCode(hash, near, wider, now)];
      },
    });
  } catch (error) {
    throw error instanceof ConstraintFailed ? new LoginCodeUsed() : error;
  }
  return hash;
}

/** Exchanges the code at WeChat. Only a wrong code counts against the caller's network. */
async function exchange(
  app: App,
  { appid, secret }: WechatApp,
  code: string,
  codeHash: string,
): Promise<WechatSession> {
  try {
    return await app.wechat.codeToSession({ appid, secret }, code);
  } catch (error) {
    if (!(error instanceof LoginCodeInvalid))
      await app.db.flight({ statements: [clearCode(codeHash)], repeatable: true });
    throw error;
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

/** Keeps only what a page shows; the rest of what a login brings is not stored. */
export function profileOf(data: Record<string, unknown> | undefined): Profile | null {
  const clean = (value: unknown, max: number) => {
    if (typeof value !== "string" || !value.isWellFormed()) return undefined;
    // Cut between characters: half a surrogate pair is not valid text.
    const shown = [...oneLine(value.replace(/\p{Cc}/gu, ""))].slice(0, max).join("");
    return isVisible(shown) ? shown : undefined;
  };
  const nickName = clean(data?.nickName, 64);
  const avatarUrl = clean(data?.avatarUrl, 400);
  if (nickName === undefined && avatarUrl === undefined) return null;
  return { ...(nickName === undefined ? {} : { nickName }), ...(avatarUrl === undefined ? {} : { avatarUrl }) };
}

/** A /48 has this many times the limit of a /64: it can hold all of a carrier's customers in a town. */
const widerTimes = 5;

/** The quotas of a network and of the wider one around it. */
const perNetwork = (name: string, limit: number): readonly [Quota, Quota] => {
  const windowSec = hourMs / 1_000;
  return [
    { name, limit, windowSec },
    { name: `${name}-wider`, limit: limit * widerTimes, windowSec },
  ];
};

const firstFull = (...counted: readonly (readonly [readonly Row[], Quota])[]) =>
  counted.find(([rows, { limit }]) => rows.length >= limit);

/** A session without WeChat. @throws TooManySessions when one network begins too many that order nothing */
export async function loginAsGuest(app: App, address: string): Promise<LoginResult> {
  const now = app.clock.now();
  const result = newSession(app, "guest", app.random.id(), now);
  let available: readonly Available[] = [];
  await app.db.flight({
    statements: visitorReads(app, address, now),
    decide(rows) {
      available = checkVisitors(app, rows, now);
      return [insertUser(result.session.user, null, now), insertSession(rowOf(app, result, address))];
    },
  });
  return { ...result, available };
}

const visitorQuotas = ({ config }: App) => perNetwork("guests", config.limits.guestSessionsPerHour);

/** The reads that `checkVisitors` needs. */
export function visitorReads(app: App, address: string, now: number): Sql[] {
  const [nearby, wide] = visitorQuotas(app);
  const since = now - hourMs;
  const wider = app.secrets.hashWiderNetwork(address);
  return [
    readIdleVisitors("address_hash", app.secrets.hashAddress(address), since, nearby.limit),
    ...(wider === null ? [] : [readIdleVisitors("wider_hash", wider, since, wide.limit)]),
  ];
}

/** @returns what is left behind this one @throws TooManySessions when one network begins too many that order nothing */
export function checkVisitors(app: App, counted: readonly Row[][], now: number): Available[] {
  const quotas = visitorQuotas(app);
  return counted.map((rows, at) => {
    const quota = quotas[at] as Quota;
    const times = rows.map(({ created_at }) => Number(created_at));
    // The oldest counted session leaves the window first.
    if (rows.length >= quota.limit) throw new TooManySessions(Number(times.at(-1)) + hourMs - now, quota);
    return leftOf(quota, times, now);
  });
}

// --- Staff ---------------------------------------------------------------------------------------------------------

/** 32 letters and digits without look-alikes (no 0, 1, I, O), 5 bits each. */
const codeLetters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
const codeLength = 12;

/** A new pairing code of 60 bits, such as `K7QM-2XPA-9TRW`. Only its hash is stored. @param audit written with it @throws ShopUnknown */
export async function newPairingCode(
  app: App,
  asked: { shop: string; role: Role; device: string; by: string | null },
  audit: readonly Statement[] = [],
): Promise<{ code: string; expiresAt: number }> {
  const now = app.clock.now();
  const bytes = Buffer.from(app.random.secret(codeLength), "base64url");
  const letters = [...bytes].map((byte) => codeLetters[byte % codeLetters.length]).join("");
  const expiresAt = now + app.config.pairingMs;
  const row = { ...asked, hash: codeHash(app, letters), at: now, expiresAt };
  await app.db.flight({
    statements: insertPairingCode(row),
    decide(rows) {
      if (rows.at(-1)?.length === 0) throw new ShopUnknown(asked.shop);
      return audit;
    },
  });
  return { code: letters.replace(/(.{4})(?=.)/g, "$1-"), expiresAt };
}

/** Accepts lower case, and any dashes or none. */
const codeHash = (app: App, code: string) =>
  app.secrets.hash(`pairing ${code.toUpperCase().replace(/[^0-9A-Z]/g, "")}`);

/** @throws PairingCodeInvalid */
export async function loginAsStaff(app: App, code: string, address: string): Promise<LoginResult> {
  const now = app.clock.now();
  const result = newSession(app, "staff", app.random.id(), now);
  const { rows } = await app.db.flight({ statements: pair(codeHash(app, code), rowOf(app, result, address)) });
  const row = rows.at(-1)?.[0];
  if (row === undefined) throw new PairingCodeInvalid();
  const session = {
    ...result.session,
    shop: String(row.shop_id),
    role: String(row.role) as Role,
    device: String(row.device),
  };
  return { ...result, session };
}

// --- Every login ---------------------------------------------------------------------------------------------------

/** A session that is not stored yet. */
export function newSession(app: App, kind: Kind, user: string, now: number): LoginResult {
  const id = app.random.id();
  const { token } = newToken(app, kind, user, id);
  const expiresAt = now + app.config.sessionMs[kind];
  return {
    token,
    profile: null,
    isNew: true,
    session: { id, user, kind, shop: null, role: null, device: null, createdAt: now, expiresAt },
  };
}

export function rowOf(app: App, { session, token }: LoginResult, address: string | undefined): SessionRow {
  return {
    id: session.id,
    user: session.user,
    kind: session.kind,
    tokenHash: app.secrets.hash(token),
    addressHash: address === undefined ? null : app.secrets.hashAddress(address),
    widerHash: address === undefined ? null : app.secrets.hashWiderNetwork(address),
    at: session.createdAt,
    expiresAt: session.expiresAt,
  };
}

/** Ends a session. Its sockets receive the reason and are closed; nothing is pushed to them after the commit. @param others written with it */
export async function end(
  app: App,
  session: string,
  reason: "signed_out" | "revoked",
  others: readonly Statement[] = [],
): Promise<void> {
  const { after } = await app.db.flight({
    statements: [endSession(session, reason, app.clock.now()), ...others],
    after: [readConnectionsOfSession(session)],
    repeatable: true,
  });
  const why = errorFrame(new SessionEnded());
  for (const { id } of after[0] ?? []) {
    await app.gateway.send(String(id), why);
    await app.gateway.close(String(id));
  }
}
