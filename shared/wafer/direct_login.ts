/** Login and check for Wafer's clients without a business server: one answer that clients of both generations take. */
import * as v from "valibot";
import type { App } from "../app.ts";
import { AppError, type Code } from "../errors.ts";
import { loginWithWechat } from "../sessions/login.ts";
import * as shape from "../shape.ts";
import { authorizationOf, hasId, magicId } from "./headers.ts";
import { accountOf, authenticateAccount, keptOf, userInfoOf } from "./user_info.ts";

type Headers = Readonly<Record<string, string | undefined>>;

/** The text for the log. */
type Notes = Record<string, string | number | boolean>;

interface DirectLogin {
  /** Of the mini-program, where there are several. */
  readonly appid: string | undefined;
  readonly address: string;
  readonly notes: Notes;
}

const fields = v.pipe(
  v.object({
    code: shape.loginCode,
    appid: v.optional(shape.appId),
    encryptedData: v.optional(shape.encryptedData),
    iv: v.optional(shape.iv),
  }),
  v.check(({ encryptedData, iv }) => iv === undefined || encryptedData !== undefined, "iv goes with encrypted data"),
);

/**
 * The first generation reads the magic member and `session`, the second `code` and `data`.
 * @throws what keeps orderbell itself from answering
 */
export async function loginDirectly(
  app: App,
  headers: Headers,
  { appid, address, notes }: DirectLogin,
): Promise<object> {
  try {
    const { code, encryptedData, iv, ...asked } = shape.parse(fields, {
      code: headers["x-wx-code"],
      appid: headers["x-wx-appid"] ?? appid,
      // The shorter name is of clients of 2016, which have no iv.
      encryptedData: headers["x-wx-encrypted-data"] ?? headers["x-wx-encrypt-data"],
      iv: headers["x-wx-iv"],
    });
    const encrypted = encryptedData === undefined ? undefined : { data: encryptedData, iv };
    const begun = await loginWithWechat(app, { code, appid: asked.appid, encrypted, address, userInfoOf: keptOf });
    const [{ user }, skey] = [begun.session, begun.token];
    const userinfo = userInfoOf(app, await accountOf(app, user));
    const time = Math.floor(begun.session.createdAt / 1_000);
    notes.session = begun.session.id;
    return { [magicId]: 1, session: { id: user, skey }, code: 0, data: { userinfo, skey, time } };
  } catch (error) {
    return failure(error, "ERR_LOGIN_FAILED", notes);
  }
}

/** Answers the user of the session. @throws errors of orderbell itself, such as a lost database */
export async function checkDirectly(app: App, headers: Headers, notes: Notes): Promise<object> {
  try {
    const account = await authenticateAccount(app, authorizationOf(headers));
    return { code: 0, data: userInfoOf(app, account) };
  } catch (error) {
    return failure(error, hasId(headers) ? "ERR_INVALID_SESSION" : "ERR_SKEY_INVALID", notes);
  }
}

/** Errors that another sign-in does not help: they are thrown on. */
const ours: ReadonlySet<Code> = new Set<Code>(["DATABASE_AWAY", "OVERLOADED", "STOPPING", "INTERNAL"]);

function failure(error: unknown, word: string, notes: Notes): object {
  if (!(error instanceof AppError) || ours.has(error.code)) throw error;
  notes.code = error.code;
  return { [magicId]: 1, error: word, message: error.message, code: -1 };
}
