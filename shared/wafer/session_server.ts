/** The session server of Wafer's first generation: business servers change a code into a session here, and check sessions. */
import * as v from "valibot";
import type { Row } from "../../db/database.ts";
import type { App } from "../app.ts";
import { ApiKeyInvalid, BodyTooLarge, type Code, SessionInvalid, WechatAnswerInvalid } from "../errors.ts";
import { parseJson } from "../json.ts";
import { addressMatcher } from "../networks.ts";
import { authenticateKey } from "../sessions/api_key.ts";
import { loginWithWechat } from "../sessions/login.ts";
import * as shape from "../shape.ts";
import { toAppError } from "../to_app_error.ts";
import { decryptText } from "../wechat.ts";
import { accountOf, appidOf, authenticateAccount, keptOf, userInfoOf } from "./user_info.ts";

/** As the original writes it, in this order. */
export interface Envelope {
  readonly returnCode: number;
  readonly returnMessage: string;
  readonly returnData: unknown;
  readonly version: 1;
  readonly componentName: "MA";
}

const returnCodes = {
  NO_INTERFACENAME_PARA: 1002,
  PARA_ERR: 1003,
  WEIXIN_NET_ERR: 1005,
  CHANGE_SESSION_ERR: 1006,
  WEIXIN_RETURN_ERR: 1007,
  REQUEST_IS_NOT_JSON: 1009,
  INTERFACENAME_PARA_ERR: 1010,
  NO_PARA: 1011,
  NO_APPID: 1012,
  WEIXIN_CODE_ERR: 40029,
  AUTH_FAIL: 60012,
  DECRYPT_FAIL: 60021,
} as const;
type Failure = keyof typeof returnCodes;

/** Errors of orderbell in the words of the session server. 40029 stands for whatever WeChat refuses. */
const failures: Partial<Record<Code, Failure>> = {
  MALFORMED: "REQUEST_IS_NOT_JSON",
  INVALID_INPUT: "PARA_ERR",
  APP_UNKNOWN: "NO_APPID",
  WECHAT_AWAY: "WEIXIN_NET_ERR",
  WECHAT_MISCONFIGURED: "WEIXIN_CODE_ERR",
  LOGIN_CODE_INVALID: "WEIXIN_CODE_ERR",
  LOGIN_CODE_USED: "WEIXIN_CODE_ERR",
  LOGIN_BLOCKED: "WEIXIN_CODE_ERR",
  LOGIN_TOO_OFTEN: "WEIXIN_CODE_ERR",
  LOGIN_DATA_INVALID: "DECRYPT_FAIL",
  SESSION_INVALID: "AUTH_FAIL",
  SESSION_EXPIRED: "AUTH_FAIL",
  SESSION_ENDED: "AUTH_FAIL",
  // Of a key in the place of a session.
  API_KEY_INVALID: "AUTH_FAIL",
};

/** An error that only the session server has. */
class SessionServerError extends Error {
  override readonly name = "SessionServerError";
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure);
    this.failure = failure;
  }
}

// --- Who may ask ---------------------------------------------------------------------------------------------------

/**
 * A back end with a key, as a bearer token or as the password of Basic, which an SDK makes of `http://x:obk_…@host/`; or,
 * without any key, one in SESSION_SERVER_NETWORKS.
 * @returns the key's id @throws ApiKeyInvalid
 */
export async function authorizeBackEnd(
  app: App,
  authorization: string | undefined,
  address: string,
): Promise<string | undefined> {
  const { sessionServer } = app.config;
  if (authorization !== undefined) return (await authenticateKey(app, asBearer(authorization), "sessions")).id;
  if (sessionServer === "open" || addressMatcher(sessionServer)(address)) return undefined;
  throw new ApiKeyInvalid('a key with the scope "sessions" is needed here');
}

/** One app may serve in several forms: it is said once. */
const warned = new WeakSet<object>();

/** Says in the log at start that anybody may begin sessions with a code. */
export function warnIfOpen({ config, log }: App): void {
  if (config.sessionServer !== "open" || warned.has(config)) return;
  warned.add(config);
  log.warn("session_server.open", {
    setting: "SESSION_SERVER_NETWORKS",
    hint: "the session server answers everybody, without a key",
  });
}

function asBearer(authorization: string): string {
  const basic = /^Basic +(\S+)$/i.exec(authorization)?.[1];
  if (basic === undefined) return authorization;
  const [, password = ""] = /^[^:]*:(.*)$/s.exec(Buffer.from(basic, "base64").toString("utf8")) ?? [];
  return `Bearer ${password}`;
}

// --- What it answers -----------------------------------------------------------------------------------------------

/**
 * @param bodyOf the request, as text
 * @param appid of the mini-program, where there are several
 * @param notes takes what the log shall say
 * @throws BodyTooLarge
 */
export async function askSessionServer(
  app: App,
  bodyOf: () => string,
  appid: string | undefined,
  notes: Record<string, string | number | boolean>,
): Promise<Envelope> {
  try {
    const { name, serve, para } = read(bodyOf());
    notes.interface = name;
    const { message, data } = await serve(app, para, appid);
    return envelope(0, message, data);
  } catch (error) {
    const failure = failureOf(app, error);
    notes.code = failure;
    return envelope(returnCodes[failure], failure, "");
  }
}

const envelope = (returnCode: number, returnMessage: string, returnData: unknown): Envelope => ({
  returnCode,
  returnMessage,
  returnData,
  version: 1,
  componentName: "MA",
});

function failureOf(app: App, error: unknown): Failure {
  if (error instanceof SessionServerError) return error.failure;
  if (error instanceof BodyTooLarge) throw error;
  if (error instanceof WechatAnswerInvalid) return "WEIXIN_RETURN_ERR";
  return failures[toAppError(app, error).code] ?? "CHANGE_SESSION_ERR";
}

type Para = Readonly<Record<string, unknown>>;
type Interface = (app: App, para: Para, appid: string | undefined) => Promise<{ message: string; data: unknown }>;

/** `version` and `componentName` are not looked at: the original does not either. */
function read(text: string): { name: string; serve: Interface; para: Para } {
  const asked = objectOf(parseJson(text));
  const { interfaceName: name, para } = objectOf(asked.interface);
  if (typeof name !== "string" || name === "") throw new SessionServerError("NO_INTERFACENAME_PARA");
  if (para === undefined || para === null) throw new SessionServerError("NO_PARA");
  const serve = interfaces.get(name);
  if (serve === undefined) throw new SessionServerError("INTERFACENAME_PARA_ERR");
  return { name, serve, para: objectOf(para) };
}

const objectOf = (value: unknown): Para =>
  value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Para) : {};

// --- Interfaces ----------------------------------------------------------------------------------------------------

const shapes = {
  login: v.object({ code: shape.loginCode, encrypt_data: shape.encryptedData, iv: shape.optionalIv }),
  session: v.object({ id: v.pipe(v.string(), v.nonEmpty()), skey: v.pipe(v.string(), v.nonEmpty()) }),
  encrypted: v.object({ encrypt_data: shape.encryptedData, iv: shape.optionalIv }),
};

async function login(app: App, para: Para, appid: string | undefined) {
  const { code, encrypt_data: data, iv } = shape.parse(shapes.login, para);
  const encrypted = { data, iv: iv || undefined };
  // Wrong codes count against no network: this one is the back end's, not its users'.
  const begun = await loginWithWechat(app, { code, appid, encrypted, address: undefined, userInfoOf: keptOf });
  const { user } = begun.session;
  return {
    message: begun.isNew ? "NEW_SESSION_SUCCESS" : "UPDATE_SESSION_SUCCESS",
    data: {
      id: user,
      skey: begun.token,
      user_info: userInfoOf(app, await accountOf(app, user)),
      duration: Math.floor(app.config.sessionMs.wechat / 1_000),
    },
  };
}

/** @throws SessionInvalid, SessionEnded, SessionExpired */
async function accountOfSession(app: App, para: Para, appid: string | undefined): Promise<Row> {
  const { id, skey } = shape.parse(shapes.session, para);
  const account = await authenticateAccount(app, `Bearer ${skey}`);
  if (account.user_id !== id) throw new SessionInvalid();
  if (appid !== undefined && account.app_id !== app.secrets.hashAppId(appid)) throw new SessionInvalid();
  return account;
}

async function checkSession(app: App, para: Para, appid: string | undefined) {
  const account = await accountOfSession(app, para, appid);
  return { message: "AUTH_SUCCESS", data: { user_info: userInfoOf(app, account) } };
}

async function decrypt(app: App, para: Para, appid: string | undefined) {
  const { encrypt_data: data, iv } = shape.parse(shapes.encrypted, para);
  const account = await accountOfSession(app, para, appid);
  const sessionKey = app.secrets.open(
    String(account.session_key_sealed),
    `session_key ${account.app_id} ${account.openid}`,
  );
  const { text } = decryptText({ data, iv: iv || undefined }, { sessionKey, appid: appidOf(app, account) });
  return { message: "DECRYPT_SUCCESS", data: text };
}

/** `initdata` is not among them: it would take a database's address and a mini-program's secret from anybody. */
const interfaces: ReadonlyMap<string, Interface> = new Map<string, Interface>([
  ["qcloud.cam.id_skey", login],
  ["qcloud.cam.auth", checkSession],
  ["qcloud.cam.decrypt", decrypt],
]);
