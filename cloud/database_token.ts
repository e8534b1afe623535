/** Password of IAM database authentication: a signed request that is never sent, valid for 15 minutes. Made without a network call. */
import { AwsV4Signer } from "aws4fetch";
import type { AwsCredentials } from "./aws_call.ts";

/** @param url of the database, with user, host and port */
export async function databaseToken(url: URL, region: string, credentials: AwsCredentials, at: Date): Promise<string> {
  const asked = new URL(`https://${url.hostname}:${url.port}/`);
  asked.searchParams.set("Action", "connect");
  asked.searchParams.set("DBUser", decodeURIComponent(url.username));
  asked.searchParams.set("X-Amz-Expires", "900");
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const signer = new AwsV4Signer({
    url: asked.href,
    method: "GET",
    service: "rds-db",
    region,
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
    signQuery: true,
    datetime: at.toISOString().replace(/[:-]|\.\d{3}/g, ""),
  });
  const signed = await signer.sign();
  return signed.url.href.slice("https://".length);
}
