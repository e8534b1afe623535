/** Signed calls to AWS: Signature Version 4 by aws4fetch, with a time limit and without retries. */
import { AwsClient } from "aws4fetch";
import { boundedFetch } from "../shared/bounded_fetch.ts";

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

export interface AwsCallOptions {
  readonly region: string;
  readonly credentials: AwsCredentials;
  /** `amazonaws.com`; `amazonaws.com.cn` in China. */
  readonly urlSuffix: string;
  /** Replaces AWS's own addresses: in a test, or for an endpoint of the user's network. */
  readonly endpointUrl: string | undefined;
  readonly timeoutMs: number;
}

/** Lambda's usual host has IPv4 only; a function in a network without NAT needs the other one. Secrets Manager's usual host has both. */
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
  service: "lambda" | "secretsmanager" | "ssm" | "cloudformation" | "apigateway" | "logs",
  path: string,
  headers: Record<string, string>,
  /** Undefined for a GET. */
  body?: string,
) => Promise<Answer>;

/** A secret has 64 KB; the answers of our functions are far smaller than this. */
const maxAnswerBytes = 1_048_576;

export function awsCaller({ region, credentials, urlSuffix, endpointUrl, timeoutMs }: AwsCallOptions): AwsCall {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const session = sessionToken === undefined ? {} : { sessionToken };
  const client = new AwsClient({ accessKeyId, secretAccessKey, ...session, region, retries: 0 });
  const hostOf = (service: string) =>
    `${service}.${region}.${service === "lambda" ? (dualStack[urlSuffix] ?? urlSuffix) : urlSuffix}`;
  return async (service, path, headers, body) => {
    const {
      ok,
      status,
      text,
      headers: answerHeaders,
    } = await boundedFetch(
      (url, init) => client.fetch(url, { ...init, aws: { service } }),
      `${endpointUrl ?? `https://${hostOf(service)}`}${path}`,
      body === undefined ? { method: "GET", headers } : { method: "POST", headers, body },
      { timeoutMs, maxBytes: maxAnswerBytes },
    );
    if (!ok) throw new AwsRefused(service, status, codeOf(answerHeaders, text));
    return { status, headers: answerHeaders, text };
  };
}

/** Only the error's name, from the header or the body: the message may quote the request. */
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
