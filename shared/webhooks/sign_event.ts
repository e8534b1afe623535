/** Signatures of webhooks as Standard Webhooks defines them: HMAC-SHA-256 over id, time and body. */
import { createHmac } from "node:crypto";

const prefix = "whsec_";

/** @param random text of random bytes in base64url */
export const newSecret = (random: string): string => `${prefix}${Buffer.from(random, "base64url").toString("base64")}`;

/** The headers of one try. @param at milliseconds; a receiver refuses what is minutes old */
export function signedHeaders(id: string, body: string, secret: string, at: number): Record<string, string> {
  const timestamp = String(Math.floor(at / 1_000));
  const key = Buffer.from(secret.slice(prefix.length), "base64");
  const signature = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${signature}` };
}
