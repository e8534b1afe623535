/** Begins a session: by WeChat's code, as a guest, or as staff by pairing code. */
import * as v from "valibot";
import { type HttpRequest, http } from "../apigateway/entry.ts";
import { Malformed } from "../shared/errors.ts";
import { loginAsGuest, loginAsStaff, loginWithWechat, type WechatLogin } from "../shared/sessions/login.ts";
import * as shape from "../shared/shape.ts";
import { begun } from "./_begun.ts";

const body = v.pipe(
  v.strictObject({
    code: shape.loginCode,
    appid: v.optional(shape.appId),
    encryptedData: v.optional(shape.encryptedData),
    iv: v.optional(shape.iv),
    rawData: v.optional(v.pipe(v.string(), v.maxLength(8_000, "at most 8000 characters"))),
    signature: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-f]{40}$/, "a SHA-1 in hex"))),
  }),
  v.check(
    ({ encryptedData, iv }) => (encryptedData === undefined) === (iv === undefined),
    "encryptedData and iv go together",
  ),
  v.check(
    ({ rawData, signature }) => (rawData === undefined) === (signature === undefined),
    "rawData and signature go together",
  ),
);

function loginOf(input: unknown, address: string): WechatLogin {
  const { code, appid, encryptedData, iv, rawData, signature } = shape.parse(body, input);
  return {
    code,
    appid,
    encrypted: encryptedData === undefined || iv === undefined ? undefined : { data: encryptedData, iv },
    signed: rawData === undefined || signature === undefined ? undefined : { rawData, signature },
    address,
  };
}

/** The headers of Wafer's login; raw data in base64url, because a header is ASCII. */
function headersOf(request: HttpRequest): Record<string, string> {
  const fields = {
    code: request.header("x-wx-code"),
    appid: request.header("x-wx-appid"),
    encryptedData: request.header("x-wx-encrypted-data"),
    iv: request.header("x-wx-iv"),
    signature: request.header("x-wx-signature"),
    rawData: rawData(request.header("x-wx-raw-data")),
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Record<
    string,
    string
  >;
}

function rawData(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const text = Buffer.from(header, "base64url").toString("utf8");
  if (text.includes("\uFFFD")) throw new Malformed('the header "X-WX-Raw-Data" is not UTF-8 in base64url');
  return text;
}

const staff = v.strictObject({ pairingCode: v.pipe(v.string(), v.maxLength(40, "at most 40 characters")) });
const nothing = v.strictObject({});

export const handler = http({
  "GET /login": (app, request) => begun(request, loginWithWechat(app, loginOf(headersOf(request), request.address))),
  "POST /login": (app, request) => begun(request, loginWithWechat(app, loginOf(request.json(), request.address))),
  "POST /login/guest": (app, request) => {
    shape.parse(nothing, request.json());
    return begun(request, loginAsGuest(app, request.address));
  },
  "POST /login/staff": (app, request) =>
    begun(request, loginAsStaff(app, shape.parse(staff, request.json()).pairingCode, request.address)),
});
