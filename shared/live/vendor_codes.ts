/** Codes of errors that the vendor's clients, or apps written for them, look at. All others are ours. */
import type { AppError } from "../errors.ts";

const codes: Readonly<Partial<Record<AppError["code"], string>>> = {
  FORBIDDEN: "DATABASE_PERMISSION_DENIED",
  INVALID_INPUT: "INVALID_PARAM",
  MALFORMED: "INVALID_PARAM",
  COLLECTION_UNKNOWN: "DATABASE_COLLECTION_NOT_EXIST",
  SESSION_MISSING: "CHECK_LOGIN_FAILED",
  SESSION_INVALID: "CHECK_LOGIN_FAILED",
  SESSION_EXPIRED: "CHECK_LOGIN_FAILED",
  SESSION_ENDED: "CHECK_LOGIN_FAILED",
  CONNECTION_UNKNOWN: "CHECK_LOGIN_FAILED",
};

/** An error as the watch protocol says it. `retry`, which the vendor's client does not read: our own tries again. */
export interface VendorError {
  readonly code: string;
  readonly message: string;
  readonly retry?: boolean;
}

export const vendorError = ({ code, message, retry }: AppError): VendorError => ({
  code: codes[code] ?? code,
  message,
  ...(retry ? { retry } : {}),
});
