/** One signed call to AWS: Signature Version 4 by aws4fetch, a time for the answer, and no retries of its own. */
import { AwsClient } from "aws4fetch";

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

export interface AwsPlace {
  readonly region: string;
  readonly credentials: AwsCredentials;
  /** `amazonaws.com`; `amazonaws.com.cn` in China. */
  readonly urlSuffix: string;
  /** Instead of AWS's own addresses: a test's, or an endpoint of one's own network. */
  readonly endpointUrl: string | undefined;
  readonly timeoutMs: number;
}

/** Lambda's usual host has IPv4 only; a function in a network without NAT needs the other one. Secrets Manager's has both. */
const dualStack: Readonly<Record<string, string>> = {
  "amazonaws.com": "api.aws",
  "amazonaws.com.cn": "api.amazonwebservices.com.cn",
};

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** @throws AwsRefused for any answer but 2xx */
export type AwsCall = (
  service: "lambda" | "secretsmanager" | "ssm",
  path: string,
  headers: Record<string, string>,
  body: string,
) => Promise<Answer>;

export function awsCaller({ region, credentials, urlSuffix, endpointUrl, timeoutMs }: AwsPlace): AwsCall {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const session = sessionToken === undefined ? {} : { sessionToken };
  const client = new AwsClient({ accessKeyId, secretAccessKey, ...session, region, retries: 0 });
  const hostOf = (service: string) =>
    `${service}.${region}.${service === "lambda" ? (dualStack[urlSuffix] ?? urlSuffix) : urlSuffix}`;
  return async (service, path, headers, body) => {
    const answer = await client.fetch(`${endpointUrl ?? `https://${hostOf(service)}`}${path}`, {
      method: "POST",
      headers,
      body,
      aws: { service },
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await answer.text();
    if (!answer.ok) throw new AwsRefused(service, answer.status, codeOf(answer.headers, text));
    return { status: answer.status, headers: answer.headers, text };
  };
}

/** The error's name, from wherever the service puts it. What else it says may quote what it was asked. */
function codeOf(headers: Headers, text: string): string {
  const named = headers.get("x-amzn-errortype") ?? /"__type"\s*:\s*"([^"]+)"/.exec(text)?.[1] ?? "";
  return /[A-Za-z]+$/.exec(named.split(":")[0] ?? "")?.[0] ?? "";
}

export class AwsRefused extends Error {
  override readonly name = "AwsRefused";
  readonly status: number;
  readonly code: string;
  constructor(service: string, status: number, code: string) {
    super(`${service} answered ${status} ${code}`);
    this.status = status;
    this.code = code;
  }
}
