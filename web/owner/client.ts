/** The one client of this page; its session is shared with the kitchen's page of the same browser. */
import { ApiError, createClient } from "../../clients/browser.ts";
import { toast } from "../shared/toast.tsx";
import { words } from "./speak.ts";

const socketUrl = document.querySelector<HTMLMetaElement>('meta[name="orderbell:socket"]')?.content;

export const client = createClient({ name: "orderbell:kitchen", guest: false, ...(socketUrl && { socketUrl }) });

export const codeOf = (error: unknown): string => (error instanceof ApiError ? error.code : "");

/** What went wrong, in a sentence. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof ApiError)) return words.failed;
  if (error.status === 0 || error.status >= 500) return words.noAnswer;
  const { errors } = error.extra;
  return words.refused(Array.isArray(errors) ? errors.join("; ") : error.message);
}

export const complain = (error: unknown): void => toast(reasonOf(error));

/** A route of the shop. @throws ApiError */
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
