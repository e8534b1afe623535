export { ApiError } from "../../clients/browser.ts";

import { ApiError } from "../../clients/browser.ts";

export const isApiError = (error: unknown): error is ApiError => error instanceof ApiError;
