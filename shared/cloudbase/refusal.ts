/** Errors in the words of CloudBase's clients. */
import type { AppError, Code } from "../errors.ts";

/** Codes that the clients, or apps that were written for CloudBase, compare with. All others are orderbell's own. */
const theirs: Readonly<Partial<Record<Code, string>>> = {
  FORBIDDEN: "DATABASE_PERMISSION_DENIED",
  INVALID_INPUT: "INVALID_PARAM",
  COLLECTION_UNKNOWN: "DATABASE_COLLECTION_NOT_EXIST",
  // The client exchanges its refresh token, is refused there, and forgets the session: then it says that nobody is signed in.
  SESSION_EXPIRED: "ACCESS_TOKEN_EXPIRED",
  SESSION_ENDED: "ACCESS_TOKEN_EXPIRED",
  SESSION_INVALID: "INVALID_ACCESS_TOKEN",
  API_KEY_INVALID: "INVALID_ACCESS_TOKEN",
};

/** The code as these clients know it. */
export const codeFor = (code: Code): string => theirs[code] ?? code;

export interface Refusal {
  readonly code: string;
  readonly message: string;
}

export const refusalOf = ({ code, message }: AppError): Refusal => ({ code: codeFor(code), message });

/** Of files, likewise. */
const theirsOfStorage: Readonly<Partial<Record<Code, string>>> = {
  FORBIDDEN: "STORAGE_EXCEED_AUTHORITY",
  FILE_UNKNOWN: "STORAGE_FILE_NONEXIST",
};

export const storageCodeFor = (code: Code): string => theirsOfStorage[code] ?? codeFor(code);
export const storageRefusalOf = ({ code, message }: AppError): Refusal => ({ code: storageCodeFor(code), message });

/** Status → the error of the sign-in routes by its name in OAuth 2 and gRPC, and by gRPC's number. */
const oauthErrors: Readonly<Record<number, readonly [name: string, number: number]>> = {
  400: ["invalid_argument", 3],
  401: ["unauthenticated", 16],
  403: ["permission_denied", 7],
  404: ["not_found", 5],
  422: ["unimplemented", 12],
  429: ["resource_exhausted", 8],
  503: ["unavailable", 14],
};

export interface OAuthRefusal extends Refusal {
  readonly error: string;
  readonly error_code: number;
  readonly error_description: string;
}

/** An error of the sign-in routes: the clients read it by `error` in a browser and by `error_code` elsewhere. */
export function oauthRefusalOf(error: AppError): OAuthRefusal {
  const [name, number] = oauthErrors[error.status] ?? ["internal", 13];
  return { ...refusalOf(error), error: name, error_code: number, error_description: error.message };
}

/** A refresh token that is not exchanged any more: the client then forgets its session. */
export const invalidGrant = (error: AppError): OAuthRefusal => ({ ...oauthRefusalOf(error), error: "invalid_grant" });
