/**
 * Reads secrets in the cloud that the environment only names. A variable `X_FROM` says where X is stored:
 * `secret:<arn>`, Secrets Manager; `secret:<arn>#field`, a field of a secret that is JSON; `parameter:<name>`, Parameter Store.
 */
import type { AwsCall } from "./aws_call.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const suffix = "_FROM";

/** @returns the environment with each X of an X_FROM @throws AwsRefused, SecretUnusable */
export async function readSecrets(environment: Environment, call: AwsCall): Promise<Environment> {
  const sources = Object.entries(environment).filter(
    (entry): entry is [string, string] => entry[0].endsWith(suffix) && entry[1] !== undefined,
  );
  // A secret with several fields is fetched once.
  const asked = new Map<string, Promise<string>>();
  const ask = (source: string) => {
    const known = asked.get(source) ?? fetchFrom(source, call);
    asked.set(source, known);
    return known;
  };
  const found = await Promise.all(
    sources.map(async ([name, from]) => {
      const [source = "", field] = from.split("#");
      return [name.slice(0, -suffix.length), fieldOf(await ask(source), field, name)] as const;
    }),
  );
  return { ...environment, ...Object.fromEntries(found) };
}

async function fetchFrom(source: string, call: AwsCall): Promise<string> {
  const id = source.slice(source.indexOf(":") + 1);
  const json = "application/x-amz-json-1.1";
  switch (source.slice(0, source.indexOf(":"))) {
    case "secret": {
      const headers = { "content-type": json, "x-amz-target": "secretsmanager.GetSecretValue" };
      const { text } = await call("secretsmanager", "/", headers, JSON.stringify({ SecretId: id }));
      return String((JSON.parse(text) as { SecretString: string }).SecretString);
    }
    case "parameter": {
      const headers = { "content-type": json, "x-amz-target": "AmazonSSM.GetParameter" };
      const { text } = await call("ssm", "/", headers, JSON.stringify({ Name: id, WithDecryption: true }));
      return String((JSON.parse(text) as { Parameter: { Value: string } }).Parameter.Value);
    }
    default:
      throw new SecretUnusable(source, "is neither secret: nor parameter:");
  }
}

function fieldOf(text: string, field: string | undefined, variable: string): string {
  if (field === undefined) return text;
  try {
    const value = (JSON.parse(text) as Record<string, unknown>)[field];
    if (typeof value === "string") return value;
  } catch {
    // Falls through to the error, which never contains the text.
  }
  throw new SecretUnusable(variable, `names a secret without a field "${field}"`);
}

/** Names the variable or the source, never the secret. */
export class SecretUnusable extends Error {
  override readonly name = "SecretUnusable";
  constructor(what: string, reason: string) {
    super(`${what} ${reason}`);
  }
}
