/**
 * The secrets port in the cloud: what the environment names, read from where it is kept. A variable `X_FROM` names the place of X:
 * `secret:<arn>`, Secrets Manager; `secret:<arn>#field`, a field of a secret that is JSON; `parameter:<name>`, Parameter Store.
 */
import type { AwsCall } from "./aws_call.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const suffix = "_FROM";

/** @returns the environment with each X of an X_FROM @throws AwsRefused, SecretUnusable */
export async function readSecrets(environment: Environment, call: AwsCall): Promise<Environment> {
  const places = Object.entries(environment).filter(
    (entry): entry is [string, string] => entry[0].endsWith(suffix) && entry[1] !== undefined,
  );
  // One secret with several fields is asked once.
  const asked = new Map<string, Promise<string>>();
  const ask = (place: string) => {
    const known = asked.get(place) ?? fetchFrom(place, call);
    asked.set(place, known);
    return known;
  };
  const found = await Promise.all(
    places.map(async ([name, from]) => {
      const [place = "", field] = from.split("#");
      return [name.slice(0, -suffix.length), fieldOf(await ask(place), field, name)] as const;
    }),
  );
  return { ...environment, ...Object.fromEntries(found) };
}

async function fetchFrom(place: string, call: AwsCall): Promise<string> {
  const id = place.slice(place.indexOf(":") + 1);
  const json = "application/x-amz-json-1.1";
  switch (place.slice(0, place.indexOf(":"))) {
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
      throw new SecretUnusable(place, "is neither secret: nor parameter:");
  }
}

function fieldOf(text: string, field: string | undefined, variable: string): string {
  if (field === undefined) return text;
  try {
    const value = (JSON.parse(text) as Record<string, unknown>)[field];
    if (typeof value === "string") return value;
  } catch {
    // Falls through: the text itself is never repeated.
  }
  throw new SecretUnusable(variable, `names a secret without a field "${field}"`);
}

/** Names the variable or the place, never what is kept there. */
export class SecretUnusable extends Error {
  override readonly name = "SecretUnusable";
  constructor(what: string, reason: string) {
    super(`${what} ${reason}`);
  }
}
