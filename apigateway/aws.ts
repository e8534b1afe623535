/** The adapter to AWS: pushes by the @connections API of the WebSocket API, signed with Signature Version 4. */
import { AwsClient } from "aws4fetch";
import type { Sent } from "./gateway.ts";
import type { Pusher } from "./remote.ts";

export interface AwsOptions {
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  readonly timeoutMs: number;
}

/** 410 is gone; 429 too many requests or the client's buffer is full; a client that is not there is no error. */
const answers: Readonly<Record<number, Sent>> = { 200: "sent", 204: "sent", 410: "gone", 429: "throttled" };

export function awsPusher({ region, accessKeyId, secretAccessKey, sessionToken, timeoutMs }: AwsOptions): Pusher {
  const client = new AwsClient({
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
    region,
    service: "execute-api",
    // The gateway port has its own patience.
    retries: 0,
  });
  // The id is base64-like and the @ is reserved: both are encoded.
  const urlOf = (gateway: string, connection: string) => `${gateway}/%40connections/${encodeURIComponent(connection)}`;

  return {
    async post(gateway, connection, frame) {
      const request = { method: "POST", body: frame, signal: AbortSignal.timeout(timeoutMs) };
      const answer = await client.fetch(urlOf(gateway, connection), request);
      await answer.arrayBuffer();
      const sent = answers[answer.status];
      if (sent === undefined) throw new PushRefused(answer.status);
      return sent;
    },
    async drop(gateway, connection) {
      const answer = await client.fetch(urlOf(gateway, connection), {
        method: "DELETE",
        signal: AbortSignal.timeout(timeoutMs),
      });
      await answer.arrayBuffer();
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
