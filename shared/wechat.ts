/** WeChat's server side: what a mini-program's login needs. Sources: developers.weixin.qq.com, code2Session and signature pages. */
import { createDecipheriv, createHash } from "node:crypto";
import type { AxiosInstance } from "axios";
import {
  LoginBlocked,
  LoginCodeInvalid,
  LoginDataInvalid,
  LoginTooOften,
  WechatAway,
  WechatMisconfigured,
} from "./errors.ts";
import { equal } from "./secrets.ts";

export interface Wechat {
  /**
   * Changes a code of `wx.login` into who it is. Sent once: the code is single-use, and after a time-out nobody knows
   * whether it was used.
   */
  codeToSession(app: WechatApp, code: string): Promise<WechatSession>;
}

export interface WechatApp {
  readonly appid: string;
  readonly secret: string;
}

export interface WechatSession {
  readonly openid: string;
  readonly unionid: string | null;
  /** Base64, 16 bytes. Never sent to a client. */
  readonly sessionKey: string;
}

/** What WeChat may say instead of a session → what we say. -1 is "busy"; 45009 ends at midnight in Beijing. */
const refusals: Readonly<Record<number, () => Error>> = {
  [-1]: () => new WechatAway(),
  40029: () => new LoginCodeInvalid(),
  40163: () => new LoginCodeInvalid(),
  41008: () => new LoginCodeInvalid(),
  40226: () => new LoginBlocked(),
  45011: () => new LoginTooOften(),
  45009: () => new WechatAway(new Error("the day's quota of calls is used up")),
};

/** @param client with WeChat's base URL and a time-out; errors of it are not passed on, their URL holds the secret */
export function makeWechat(client: Pick<AxiosInstance, "get">): Wechat {
  return {
    async codeToSession({ appid, secret }, code) {
      const answer = await client
        .get("/sns/jscode2session", { params: { appid, secret, js_code: code, grant_type: "authorization_code" } })
        .catch((error) => {
          throw new WechatAway(new Error(String((error as { code?: unknown }).code ?? "no answer")));
        });
      const body = (answer.data ?? {}) as Record<string, unknown>;
      const errcode = Number(body.errcode ?? 0);
      // Not WeChat's own words: a proxy's page, or half an answer.
      if (!Number.isInteger(errcode)) throw new WechatAway(new Error("an answer that is not WeChat's"));
      if (errcode !== 0) throw refusals[errcode]?.() ?? new WechatMisconfigured(errcode);
      // Success comes with errcode 0 or with none; only the fields tell.
      const { openid, session_key: sessionKey, unionid } = body;
      if (typeof openid !== "string" || typeof sessionKey !== "string") throw new WechatAway();
      return { openid, sessionKey, unionid: typeof unionid === "string" ? unionid : null };
    },
  };
}

/** `signature` = sha1(rawData + session_key), both as received. @throws LoginDataInvalid */
export function verifySignature(rawData: string, signature: string, sessionKey: string): void {
  const expected = createHash("sha1")
    .update(rawData + sessionKey)
    .digest("hex");
  if (!equal(expected, signature)) throw new LoginDataInvalid("signature");
}

/** Watermarks older than this are somebody's old data. */
const maxAgeMs = 10 * 60_000;

/**
 * Opens `encryptedData`: AES-128-CBC, PKCS#7, key and iv in base64. With a wrong key the padding looks right once in 256
 * times, so only the watermark proves anything.
 * @throws LoginDataInvalid for any reason: mostly a newer login has replaced the key, so not an attack
 */
export function decryptData(
  encryptedData: string,
  iv: string,
  sessionKey: string,
  appid: string,
  now: number,
): Record<string, unknown> {
  try {
    const decipher = createDecipheriv("aes-128-cbc", Buffer.from(sessionKey, "base64"), Buffer.from(iv, "base64"));
    const text = decipher.update(encryptedData, "base64", "utf8") + decipher.final("utf8");
    const data = JSON.parse(text) as { watermark?: { appid?: unknown; timestamp?: unknown } };
    const age = now - Number(data.watermark?.timestamp) * 1_000;
    if (data.watermark?.appid === appid && age < maxAgeMs && age > -maxAgeMs) return data as Record<string, unknown>;
  } catch {
    // Wrong key, wrong padding, no JSON: one answer for all.
  }
  throw new LoginDataInvalid("encryptedData");
}
