/**
 * Stand-in for WeChat's server, to run and test everything without an account: login, access tokens, and failures. It answers
 * as WeChat documents, errors included.
 * Sources: developers.weixin.qq.com, code2Session, checkSessionKey, getStableAccessToken.
 */
import { createHash, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { AccessTokens } from "./access_tokens.ts";
import { Phones, type StandInApp } from "./phones.ts";

export type { StandInApp } from "./phones.ts";

export interface StandInOptions {
  /** At least one. */
  readonly apps: readonly StandInApp[];
  readonly now?: () => number;
}

/**
 * `busy` answers errcode -1 and does nothing. The others fail after the work is done, so a code is used up and the answer
 * lost: `hang` never answers, `reset` closes the connection, `html` is the error page of a proxy.
 */
export type Misbehaviour = "busy" | "hang" | "reset" | "html";

/** A recorded request. Ids and outcomes only: no secret, code, key or token. */
export interface RecordedRequest {
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly appid: string | null;
  /** The errcode answered; null for a success, and when the answer was lost. */
  readonly errcode: number | null;
}

export interface StandIn {
  readonly url: string;
  /** The latest thousand. */
  readonly requests: readonly RecordedRequest[];
  /**
   * What `wx.login` returns on a phone: valid for one login within five minutes. It replaces the user's session_key at once.
   * @param openid without it a new user
   * @param appid without it the first app
   */
  newCode(openid?: string, appid?: string): string;
  /**
   * `encryptedData` and `iv` as an open-data call of the phone gives them, with WeChat's watermark unless `data` has one.
   * @param who an openid: its newest session_key; a code: its own session_key, even if replaced
   */
  encrypt(who: string, data: object): { encryptedData: string; iv: string };
  /** `encryptData` as it was until November 2016: the session_key is the IV too, and there is no watermark. */
  encryptWithoutIv(who: string, data: object): string;
  /** The `signature` of open data. @param who as for `encrypt` */
  sign(rawData: string, who: string): string;
  /** Blocks this user as high risk. */
  block(openid: string): void;
  /** Makes every request fail like this; without a kind, ends it. */
  misbehave(kind?: Misbehaviour): void;
  close(): Promise<void>;
}

const errmsgs = {
  [-1]: "system error",
  40001: "invalid credential, access_token is invalid or not latest",
  40002: "invalid grant_type",
  40003: "invalid openid",
  40013: "invalid appid",
  40029: "invalid code",
  40066: "invalid url",
  40125: "invalid appsecret",
  40163: "code been used",
  40226: "code blocked",
  41001: "access_token missing",
  41002: "appid missing",
  41004: "appsecret missing",
  41008: "missing code",
  42001: "access_token expired",
  43002: "require POST method",
  45009: "reach max api daily quota limit",
  45011: "api minute-quota reach limit, retry next minute",
  47001: "data format error",
  87009: "invalid signature",
};
type Errcode = keyof typeof errmsgs;
type Answer = Readonly<Record<string, string | number>>;

/** Opens a server on a free port of the loopback interface. */
export async function startWechat({ apps, now = Date.now }: StandInOptions): Promise<StandIn> {
  const phones = new Phones(apps, now);
  const answerTo = answersOf(apps, phones, now);
  const requests: RecordedRequest[] = [];
  let misbehaviour: Misbehaviour | undefined;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const question = await questionOf(request);
    const answer = misbehaviour === "busy" ? -1 : answerTo(question);
    record(question, answer);
    switch (misbehaviour) {
      case "hang":
        return;
      case "reset":
        request.socket.resetAndDestroy();
        return;
      case "html":
        response.writeHead(502, { "content-type": "text/html" });
        response.end("<html><body><h1>502 Bad Gateway</h1></body></html>");
        return;
      default:
        // JSON, but WeChat calls it text.
        response.writeHead(200, { "content-type": "text/plain" });
        response.end(JSON.stringify(typeof answer === "number" ? errorAnswer(answer) : answer));
    }
  }

  function record({ method, path, query, body }: Question, answer: Answer | Errcode): void {
    const appid = query.get("appid") ?? body?.appid;
    const heard = misbehaviour === undefined || misbehaviour === "busy";
    const errcode = heard && typeof answer === "number" ? answer : null;
    requests.push({ at: now(), method, path, appid: isText(appid) ? appid : null, errcode });
    if (requests.length > maxRequests) requests.shift();
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    newCode: (openid = newOpenid(), appid) => phones.newCode(openid, appid),
    encrypt: (who, data) => phones.encrypt(who, data),
    encryptWithoutIv: (who, data) => phones.encryptWithoutIv(who, data),
    sign: (rawData, who) => phones.sign(rawData, who),
    block: (openid) => phones.block(openid),
    misbehave(kind) {
      misbehaviour = kind;
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

const maxRequests = 1_000;

// --- Questions and answers -----------------------------------------------------------------------------------------

interface Question {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Undefined when it is not a JSON object. */
  readonly body: Record<string, unknown> | undefined;
}

function answersOf(apps: readonly StandInApp[], phones: Phones, now: () => number) {
  const tokens = new Map(apps.map((app) => [app, new AccessTokens(now)]));
  let successes = 0;

  function appOf(appid: unknown, secret: unknown): StandInApp | Errcode {
    if (!isText(appid)) return 41002;
    if (!isText(secret)) return 41004;
    const app = apps.find((one) => one.appid === appid);
    if (app === undefined) return 40013;
    return app.secret === secret ? app : 40125;
  }

  function codeToSession({ query }: Question): Answer | Errcode {
    const app = appOf(query.get("appid"), query.get("secret"));
    if (typeof app === "number") return app;
    if (query.get("grant_type") !== "authorization_code") return 40002;
    const code = query.get("js_code");
    if (!isText(code)) return 41008;
    const login = phones.login(app, code);
    if (typeof login === "number") return login;
    successes += 1;
    return {
      session_key: login.sessionKey,
      openid: login.openid,
      ...(app.bound === true ? { unionid: unionidOf(login.openid) } : {}),
      // WeChat does both: a success has no errcode, or 0.
      ...(successes % 2 === 0 ? ok : {}),
    };
  }

  function stableToken({ method, body }: Question): Answer | Errcode {
    if (method !== "POST") return 43002;
    if (body === undefined) return 47001;
    const app = appOf(body.appid, body.secret);
    if (typeof app === "number") return app;
    if (body.grant_type !== "client_credential") return 40002;
    const own = tokens.get(app);
    const given = body.force_refresh === true ? own?.force() : own?.ask();
    return given === undefined ? 45009 : { access_token: given.token, expires_in: given.expiresInSec };
  }

  function checkSession({ query }: Question): Answer | Errcode {
    const token = query.get("access_token");
    if (!isText(token)) return 41001;
    const [app, own] = [...tokens].find(([, one]) => one.state(token) !== "unknown") ?? [];
    if (app === undefined) return 40001;
    if (own?.state(token) === "expired") return 42001;
    const fits = phones.check(app.appid, query.get("openid"), query.get("signature"));
    if (fits === undefined) return 40003;
    return fits && query.get("sig_method") === "hmac_sha256" ? ok : 87009;
  }

  return (question: Question): Answer | Errcode => {
    switch (question.path) {
      case "/sns/jscode2session":
        return codeToSession(question);
      case "/cgi-bin/stable_token":
        return stableToken(question);
      case "/wxa/checksession":
        return checkSession(question);
      default:
        return 40066;
    }
  };
}

const ok = { errcode: 0, errmsg: "ok" };

/** An error's answer, with the id of its request. */
function errorAnswer(errcode: Errcode): Answer {
  const rid = [4, 4, 4].map((bytes) => randomBytes(bytes).toString("hex")).join("-");
  return { errcode, errmsg: `${errmsgs[errcode]}, rid: ${rid}` };
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";
const newOpenid = () => `o${randomBytes(20).toString("base64url")}`;

/** A person has one unionid in all apps of an Open Platform account. Here the same openid means the same person. */
const unionidOf = (openid: string) => `o${createHash("sha256").update(openid).digest("base64url").slice(0, 27)}`;

async function questionOf(request: IncomingMessage): Promise<Question> {
  const { method = "GET", url = "/" } = request;
  const { pathname, searchParams } = new URL(url, "http://wechat");
  return { method, path: pathname, query: searchParams, body: parse(await textOf(request)) };
}

const maxBodyBytes = 64 * 1_024;

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > maxBodyBytes) throw new RangeError("the body is too large");
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === "object" ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
