/** Verifies the token of a shop's own user (JWT, RFC 7519): whose it is, and that the shop's own system has just signed it. */
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from "jose";
import type { App } from "../app.ts";
import type { UserTokens } from "../config.ts";
import { TokenInvalid } from "../errors.ts";
import { type TokenKey, tokenAlgorithms } from "../token_keys.ts";
import { issuerKeys } from "./issuer_keys.ts";

const maxLength = 4_096;
/** The clocks of the two systems may differ by so much. */
export const skewSec = 60;
/** From `iat` to `exp`, and from `iat` to now. */
const maxLifeSec = 3_600;
const maxSubject = 255;

export interface VerifiedToken {
  /** The user in the shop's own system. */
  readonly subject: string;
  readonly name: string | undefined;
  /** What was signed: the same for every way to write one token. */
  readonly signed: string;
  /** From then on it is refused for its age. */
  readonly overAt: number;
}

/** @throws TokenInvalid with the claim or header that is wrong, TokenKeysAway */
export async function verifyToken(app: App, tokens: UserTokens | undefined, token: string): Promise<VerifiedToken> {
  if (tokens === undefined) throw new TokenInvalid("no issuer is set here (USER_TOKEN_ISSUER)");
  if (token.length > maxLength) throw new TokenInvalid(`it is longer than ${maxLength} characters`);
  const { alg, kid } = headerOf(token);
  const algorithm = tokenAlgorithms.find((one) => one === alg);
  if (algorithm === undefined) throw new TokenInvalid(`"alg" is none of ${tokenAlgorithms.join(", ")}`);
  const named = await issuerKeys(app, tokens, kid);
  if (named.length === 0) throw new TokenInvalid('"kid" names no key of the issuer');
  const keys = named.filter((one) => one.algorithm === algorithm);
  if (keys.length === 0) throw new TokenInvalid(`"alg" is not that of the issuer's key`);
  const payload = await payloadOf(app, tokens, token, keys);
  const { exp = 0, iat = 0, name } = payload;
  const sub: unknown = payload.sub;
  if (typeof sub !== "string" || sub === "" || sub.length > maxSubject || !sub.isWellFormed())
    throw new TokenInvalid(`"sub" is not 1 to ${maxSubject} characters`);
  if (exp - iat > maxLifeSec) throw new TokenInvalid('"exp" is more than an hour after "iat"');
  if (name !== undefined && typeof name !== "string") throw new TokenInvalid('"name" is no text');
  return { subject: sub, name, signed: token.slice(0, token.lastIndexOf(".")), overAt: (exp + skewSec) * 1_000 };
}

function headerOf(token: string): { alg: unknown; kid: string | undefined } {
  try {
    const { alg, kid } = decodeProtectedHeader(token);
    return { alg, kid: typeof kid === "string" ? kid : undefined };
  } catch {
    throw new TokenInvalid("it is no signed JWT");
  }
}

/** An issuer has more than one key while it changes them; without a `kid` each is tried. */
async function payloadOf(
  { clock }: App,
  { issuer, audience }: UserTokens,
  token: string,
  keys: readonly TokenKey[],
): Promise<JWTPayload> {
  const currentDate = new Date(clock.now());
  const wanted = { issuer, audience, currentDate, clockTolerance: skewSec, maxTokenAge: maxLifeSec };
  for (const { key, algorithm } of keys)
    try {
      const requiredClaims = ["sub", "exp"];
      return (await jwtVerify(token, key, { ...wanted, requiredClaims, algorithms: [algorithm] })).payload;
    } catch (error) {
      if (error instanceof errors.JWSSignatureVerificationFailed) continue;
      if (error instanceof errors.JOSEError) throw new TokenInvalid(error.message);
      throw error;
    }
  throw new TokenInvalid("its signature is not by the issuer's key");
}
