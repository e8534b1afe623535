/** Pushes at AWS by the @connections API of the WebSocket API, signed with Signature Version 4. */
import { AwsClient } from "aws4fetch";
import { boundedFetch } from "../shared/bounded_fetch.ts";
import type { Sent } from "../shared/gateway.ts";
import type { Pusher } from "./remote.ts";

export interface AwsOptions {
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  readonly timeoutMs: number;
}

/** 429: too many requests, or the client's buffer is full. A client that has gone is not an error. */
const answers: Readonly<Record<number, Sent>> = { 200: "sent", 204: "sent", 410: "gone", 429: "throttled" };

/** Gateways answer a push with a sentence at most. */
export const maxPushAnswerBytes = 16_384;

export function awsPusher({ region, accessKeyId, secretAccessKey, sessionToken, timeoutMs }: AwsOptions): Pusher {
  const client = new AwsClient({
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
    region,
    service: "execute-api",
    // The gateway adapter retries itself.
    retries: 0,
  });
  // The id is base64-like and the @ is reserved: both are encoded.
  const urlOf = (gateway: string, connection: string) => `${gateway}/%40connections/${encodeURIComponent(connection)}`;

  const ask = (url: string, init: RequestInit) =>
    boundedFetch((to, more) => client.fetch(to, more), url, init, { timeoutMs, maxBytes: maxPushAnswerBytes });

  return {
    async post(gateway, connection, frame) {
      const answer = await ask(urlOf(gateway, connection), { method: "POST", body: frame });
      const sent = answers[answer.status];
      if (sent === undefined) throw new PushRefused(answer.status);
      return sent;
    },
    async drop(gateway, connection) {
      await ask(urlOf(gateway, connection), { method: "DELETE" });
    },
  };
}

/** 403: wrong credentials, host or stage. 413: larger than a message may be. 5xx: theirs. */
export class PushRefused extends Error {
  override readonly name = "PushRefused";
  readonly code: string;
  constructor(status: number) {
    super(`the gateway answered ${status}`);
    this.code = `HTTP_${status}`;
  }
}
