/** Client of WeChat's server API for a mini-program's login. Sources: developers.weixin.qq.com, code2Session and signature pages. */
import { createDecipheriv, createHash } from "node:crypto";
import type { AxiosInstance } from "axios";
import {
  LoginBlocked,
  LoginCodeInvalid,
  LoginDataInvalid,
  LoginTooOften,
  WechatAnswerInvalid,
  WechatAway,
  WechatMisconfigured,
} from "./errors.ts";
import { equal } from "./secrets.ts";

export interface Wechat {
  /**
   * Exchanges a code of `wx.login` for the user's ids. Never retried: the code is single-use, and after a time-out it may
   * have been used.
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

/** WeChat's errcode → our error. -1 is "busy"; 45009 ends at midnight in Beijing. */
const errorsByCode: Readonly<Record<number, () => Error>> = {
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
      // A proxy's page, or a truncated answer.
      if (!Number.isInteger(errcode)) throw new WechatAnswerInvalid();
      if (errcode !== 0) throw errorsByCode[errcode]?.() ?? new WechatMisconfigured(errcode);
      // A success has errcode 0 or none, so it is recognised by its fields.
      const { openid, session_key: sessionKey, unionid } = body;
      if (typeof openid !== "string" || typeof sessionKey !== "string") throw new WechatAnswerInvalid();
      return { openid, sessionKey, unionid: typeof unionid === "string" ? unionid : null };
    },
  };
}

/** As an open-data call of the phone returns it. */
export interface EncryptedData {
  readonly data: string;
  /** Undefined as WeChat returned it until 2016: the key is the iv too, and there is no watermark. */
  readonly iv: string | undefined;
}

/** `signature` = sha1(rawData + session_key), both as received. @throws LoginDataInvalid */
export function verifySignature(rawData: string, signature: string, sessionKey: string): void {
  const expected = createHash("sha1")
    .update(rawData + sessionKey)
    .digest("hex");
  if (!equal(expected, signature)) throw new LoginDataInvalid("signature");
}

/** Data with an older watermark is rejected as a replay. */
const maxAgeMs = 10 * 60_000;

interface Key {
  readonly sessionKey: string;
  readonly appid: string;
}

/**
 * Decrypts the data of a login: its watermark must be of now.
 * @throws LoginDataInvalid for any failure; the usual cause is a newer login that replaced the key, not an attack
 */
export function decryptData(encrypted: EncryptedData, key: Key & { readonly now: number }): Record<string, unknown> {
  const { data } = decryptText(encrypted, key);
  const age = key.now - Number((data.watermark as { timestamp?: unknown } | undefined)?.timestamp) * 1_000;
  if (encrypted.iv === undefined || (age < maxAgeMs && age > -maxAgeMs)) return data;
  throw new LoginDataInvalid("encryptedData");
}

/**
 * Decrypts data of any age: AES-128-CBC, PKCS#7 in blocks of up to 32 bytes, key and iv in base64. With a wrong key the
 * padding is valid now and then, so the text must be an object in JSON and, if it has an iv, carry the mini-program's
 * watermark.
 * @throws LoginDataInvalid for any failure
 */
export function decryptText(
  { data: encryptedData, iv }: EncryptedData,
  { sessionKey, appid }: Key,
): { text: string; data: Record<string, unknown> } {
  try {
    const key = Buffer.from(sessionKey, "base64");
    const decipher = createDecipheriv("aes-128-cbc", key, iv === undefined ? key : Buffer.from(iv, "base64"));
    decipher.setAutoPadding(false);
    const bytes = Buffer.concat([decipher.update(encryptedData, "base64"), decipher.final()]);
    const padding = bytes.at(-1) ?? 0;
    const isPadded = padding > 0 && padding <= 32 && bytes.subarray(-padding).every((byte) => byte === padding);
    const text = bytes.subarray(0, -padding).toString("utf8");
    const data: unknown = JSON.parse(text);
    const isObject = data !== null && typeof data === "object" && !Array.isArray(data);
    const { watermark } = data as { watermark?: { appid?: unknown } };
    if (isPadded && isObject && (iv === undefined || watermark?.appid === appid))
      return { text, data: data as Record<string, unknown> };
  } catch {
    // Wrong key, wrong padding, no JSON: the same error for all.
  }
  throw new LoginDataInvalid("encryptedData");
}
