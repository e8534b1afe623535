/** The client of this page; its session is shared with the kitchen's page of the same browser. */
import { ApiError, createClient } from "../../clients/browser.ts";
import { toast } from "../shared/toast.tsx";
import { words } from "./dictionary.ts";

export const client = createClient({ name: "orderbell:kitchen", guest: false });

export const codeOf = (error: unknown): string => (error instanceof ApiError ? error.code : "");

/** The text of an error. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof ApiError)) return words.failed;
  if (error.status === 0 || error.status >= 500) return words.noAnswer;
  const { errors } = error.extra;
  return words.refused(Array.isArray(errors) ? errors.join("; ") : error.message);
}

export const showError = (error: unknown): void => toast(reasonOf(error));

/** Calls a route of the shop. @throws ApiError */
export function ask<T>(
  method: "GET" | "PUT" | "POST" | "DELETE",
  shop: string,
  path: string,
  body?: unknown,
  version?: number,
): Promise<T> {
  return client.ask<T>({
    method,
    path: `/shops/${shop}${path}`,
    ...(body === undefined ? {} : { body }),
    ...(version === undefined ? {} : { headers: { "if-match": `"${version}"` } }),
  });
}
