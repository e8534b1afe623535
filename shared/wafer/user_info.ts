/** The WeChat user of a session, and what Wafer's back ends and clients are told of the user, in the members that their SDKs read. */
import type { Row } from "../../db/database.ts";
import { readSession } from "../../db/sessions.ts";
import { readAccountOfUser } from "../../db/wechat.ts";
import type { App } from "../app.ts";
import { SessionInvalid } from "../errors.ts";
import { claimOf, slide, verifyClaim } from "../sessions/session.ts";

export interface UserInfo {
  readonly openId: string;
  readonly nickName: string;
  /** Always a number: the SDK for C# takes nothing else. */
  readonly gender: number;
  readonly language: string;
  readonly city: string;
  readonly province: string;
  readonly country: string;
  readonly avatarUrl: string;
  readonly unionId?: string;
  readonly watermark: { readonly timestamp: number; readonly appid: string };
}

/** The part of WeChat's decrypted data that is stored, without the ids, which the account has. */
export function keptOf(data: Readonly<Record<string, unknown>>): Omit<UserInfo, "openId" | "unionId" | "watermark"> {
  return {
    nickName: text(data.nickName, 64),
    gender: genderOf(data.gender),
    language: text(data.language, 32),
    city: text(data.city, 64),
    province: text(data.province, 64),
    country: text(data.country, 64),
    avatarUrl: text(data.avatarUrl, 400),
  };
}

/** The account of the user whose session it is. @throws SessionMissing, SessionInvalid (also for guests and staff), SessionEnded, SessionExpired */
export async function authenticateAccount(app: App, authorization: string | undefined): Promise<Row> {
  const claim = claimOf(app, authorization);
  const now = app.clock.now();
  const [sessions, accounts] = await app.db.read([readSession(claim.session), readAccountOfUser(claim.user)]);
  await slide(app, verifyClaim(claim, sessions?.[0], now), now);
  if (accounts?.[0] === undefined) throw new SessionInvalid();
  return accounts[0];
}

/** @throws SessionInvalid for a user without an account at WeChat */
export async function accountOf(app: App, user: string): Promise<Row> {
  const [rows] = await app.db.read([readAccountOfUser(user)]);
  if (rows?.[0] === undefined) throw new SessionInvalid();
  return rows[0];
}

/** @param account a row of `readAccountOfUser` */
export function userInfoOf(app: App, account: Row): UserInfo {
  const { openid, unionid, session_key_at: at } = account;
  const sealed = account.user_info_sealed;
  // Whoever signed in without encrypted data has the profile that orderbell's own login takes.
  const known =
    typeof sealed === "string"
      ? app.secrets.open(sealed, `user_info ${account.app_id} ${openid}`)
      : typeof account.profile === "string"
        ? account.profile
        : "{}";
  return {
    openId: String(openid),
    ...keptOf(JSON.parse(known)),
    ...(unionid === null ? {} : { unionId: String(unionid) }),
    watermark: { timestamp: Math.floor(Number(at) / 1_000), appid: appidOf(app, account) },
  };
}

/** The id of the account's mini-program. */
export const appidOf = (app: App, { app_id: id, appid_sealed: sealed }: Row) =>
  app.secrets.open(String(sealed), `appid ${id}`);

const text = (value: unknown, max: number) =>
  typeof value === "string" && value.isWellFormed() ? [...value].slice(0, max).join("") : "";

/** Of old WeChat clients it is a text now and then. */
function genderOf(value: unknown): number {
  const number = Number(value);
  return Number.isInteger(number) && number >= 0 && number <= 2 ? number : 0;
}
