/** One try to deliver one event. */
import type { WebhookRow } from "../../db/webhooks.ts";
import type { App } from "../app.ts";
import { tryPost } from "../outbound.ts";
import { type CloudEvent, mediaType } from "./cloud_event.ts";
import { signedHeaders } from "./sign_event.ts";

export interface Posted {
  readonly ok: boolean;
  /** An HTTP status, or a short code where there is none. */
  readonly status: string;
  readonly ms: number;
  /** The receiver wants no more events, ever. */
  readonly isGone: boolean;
}

export const aboutWebhook = (id: string) => `webhook ${id}`;

/** @returns nothing when the signal ended it */
export async function post(
  app: App,
  { id, url, secret_sealed }: Pick<WebhookRow, "id" | "url" | "secret_sealed">,
  event: CloudEvent,
  signal?: AbortSignal,
): Promise<Posted | undefined> {
  const body = JSON.stringify(event);
  const secret = app.secrets.open(secret_sealed, aboutWebhook(id));
  const { ok, status, text, ms } = await tryPost(
    app.outbound,
    url,
    {
      headers: { "content-type": mediaType, ...signedHeaders(event.id, body, secret, app.clock.now()) },
      body,
      // The operator has named this host.
      hosts: [new URL(url).host],
      timeoutMs: app.config.channels.callbackTimeoutMs,
    },
    signal,
  );
  if (text === undefined && signal?.aborted === true) return undefined;
  return { ok, status, ms, isGone: status === "410" };
}
