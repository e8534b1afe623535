/** Phones of the stand-in for WeChat: users, their login codes, and their current session_key. */
import { createCipheriv, createHash, createHmac, randomBytes } from "node:crypto";

export interface StandInApp {
  readonly appid: string;
  readonly secret: string;
  /** Bound to an Open Platform account: a login returns the unionid too. */
  readonly bound?: boolean;
}

interface User {
  readonly app: StandInApp;
  readonly openid: string;
  /** Of the newest code. */
  sessionKey: string;
  /** Times of this user's logins in the last minute. */
  logins: number[];
}

interface Code {
  readonly user: User;
  readonly sessionKey: string;
  readonly expiresAt: number;
  used: boolean;
}

const codeMs = 5 * 60_000;
const loginsPerMinute = 100;

export class Phones {
  readonly #apps: readonly StandInApp[];
  readonly #now: () => number;
  readonly #users: User[] = [];
  readonly #codes = new Map<string, Code>();
  readonly #blocked = new Set<string>();

  constructor(apps: readonly StandInApp[], now: () => number) {
    this.#apps = apps;
    this.#now = now;
  }

  // --- On the phone ------------------------------------------------------------------------------------------------

  newCode(openid: string, appid: string | undefined): string {
    for (const [text, { expiresAt }] of this.#codes) if (expiresAt <= this.#now()) this.#codes.delete(text);
    const user = this.#userOf(openid, appid);
    user.sessionKey = randomBytes(16).toString("base64");
    const text = randomBytes(24).toString("base64url");
    this.#codes.set(text, { user, sessionKey: user.sessionKey, expiresAt: this.#now() + codeMs, used: false });
    return text;
  }

  encrypt(who: string, data: object): { encryptedData: string; iv: string } {
    const { app, sessionKey } = this.#keyOf(who);
    const watermark = { timestamp: Math.floor(this.#now() / 1_000), appid: app.appid };
    const iv = randomBytes(16);
    const cipher = createCipheriv("aes-128-cbc", Buffer.from(sessionKey, "base64"), iv);
    const text = JSON.stringify({ watermark, ...data });
    const encryptedData = cipher.update(text, "utf8", "base64") + cipher.final("base64");
    return { encryptedData, iv: iv.toString("base64") };
  }

  encryptWithoutIv(who: string, data: object): string {
    const key = Buffer.from(this.#keyOf(who).sessionKey, "base64");
    const cipher = createCipheriv("aes-128-cbc", key, key);
    return cipher.update(JSON.stringify(data), "utf8", "base64") + cipher.final("base64");
  }

  sign(rawData: string, who: string): string {
    const { sessionKey } = this.#keyOf(who);
    return createHash("sha1")
      .update(rawData + sessionKey)
      .digest("hex");
  }

  block(openid: string): void {
    this.#blocked.add(openid);
  }

  // --- On the server -----------------------------------------------------------------------------------------------

  /** Uses the code up, or returns the errcode. */
  login(app: StandInApp, text: string): { openid: string; sessionKey: string } | 40029 | 40163 | 40226 | 45011 {
    const now = this.#now();
    const code = this.#codes.get(text);
    if (code === undefined || code.user.app !== app || code.expiresAt <= now) return 40029;
    if (code.used) return 40163;
    const { user, sessionKey } = code;
    if (this.#blocked.has(user.openid)) return 40226;
    user.logins = user.logins.filter((at) => at > now - 60_000);
    if (user.logins.length >= loginsPerMinute) return 45011;
    user.logins.push(now);
    code.used = true;
    return { openid: user.openid, sessionKey };
  }

  /** Whether the signature was made with the user's newest session_key; undefined for an unknown user. */
  check(appid: string, openid: string | null, signature: string | null): boolean | undefined {
    const user = this.#users.find((one) => one.app.appid === appid && one.openid === openid);
    // The key is the base64 text itself, and the message is empty.
    return user && createHmac("sha256", user.sessionKey).digest("hex") === signature;
  }

  #keyOf(who: string): { app: StandInApp; sessionKey: string } {
    const code = this.#codes.get(who);
    if (code !== undefined) return { app: code.user.app, sessionKey: code.sessionKey };
    const user = this.#users.find(({ openid }) => openid === who);
    if (user === undefined) throw new TypeError("no user has logged in with this openid or code");
    return user;
  }

  #userOf(openid: string, appid: string | undefined): User {
    const app = appid === undefined ? this.#apps[0] : this.#apps.find((one) => one.appid === appid);
    if (app === undefined) throw new TypeError("the stand-in does not have this app");
    const known = this.#users.find((one) => one.app === app && one.openid === openid);
    if (known !== undefined) return known;
    const user = { app, openid, sessionKey: "", logins: [] };
    this.#users.push(user);
    return user;
  }
}
