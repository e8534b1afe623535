/** `POST Object` of the S3 stand-in: a form, its policy with every condition, and the policy's signature. */
import { checkCredential, hmac, Refusal, signingKey, type Verifier } from "./_sigv4.ts";

export interface Form {
  /** Names in lower case. */
  readonly fields: ReadonlyMap<string, string>;
  readonly file: Buffer | undefined;
  readonly fileName: string;
}

/** Reads `multipart/form-data` (RFC 7578). What comes after the file is not read, as S3 does. @throws Refusal */
export function readForm(type: string, body: Buffer): Form {
  const boundary = /^multipart\/form-data;.*boundary="?([^";]+)"?/i.exec(type)?.[1];
  if (boundary === undefined) throw new Refusal(412, "PreconditionFailed", "no multipart/form-data");
  const line = Buffer.from(`\r\n--${boundary}`);
  const whole = Buffer.concat([Buffer.from("\r\n"), body]);
  const fields = new Map<string, string>();
  for (let at = whole.indexOf(line); at >= 0; ) {
    const begin = at + line.length + 2;
    const next = whole.indexOf(line, begin - 2);
    if (next < 0) break;
    const head = whole.indexOf("\r\n\r\n", begin);
    const said = whole.toString("utf8", begin, head);
    const name = /;\s*name="([^"]*)"/i.exec(said)?.[1]?.toLowerCase() ?? "";
    const content = whole.subarray(head + 4, next);
    if (name === "file") return { fields, file: content, fileName: /filename="([^"]*)"/i.exec(said)?.[1] ?? "" };
    fields.set(name, content.toString("utf8"));
    at = next;
  }
  return { fields, file: undefined, fileName: "" };
}

type Condition = Record<string, string> | [string, string | number, string | number];

/** Fields that need no condition: they are the signature itself, or S3 ignores them. */
const without = new Set(["x-amz-signature", "policy", "file"]);

/** @returns the access key that signed it @throws Refusal */
export function verifyPolicy({ fields, file }: Form, bucket: string, verifier: Verifier): string {
  const field = (name: string) => fields.get(name) ?? "";
  const policy = field("policy");
  if (policy === "") throw new Refusal(403, "AccessDenied", "no policy");
  if (field("x-amz-algorithm") !== "AWS4-HMAC-SHA256") throw new Refusal(400, "InvalidArgument");
  const token = fields.get("x-amz-security-token");
  const date = field("x-amz-date");
  const { accessKeyId, scope, secretAccessKey } = checkCredential(field("x-amz-credential"), date, token, verifier);
  if (hmac(signingKey(secretAccessKey, scope), policy).toString("hex") !== field("x-amz-signature"))
    throw new Refusal(403, "SignatureDoesNotMatch");
  const { expiration, conditions } = JSON.parse(Buffer.from(policy, "base64").toString()) as {
    expiration: string;
    conditions: Condition[];
  };
  if (!(verifier.now() < Date.parse(expiration))) throw new Refusal(403, "AccessDenied", "the policy has expired");
  const held = new Map([...fields, ["bucket", bucket]]);
  for (const condition of conditions) check(condition, held, file?.length ?? 0);
  const named = new Set(conditions.flatMap(nameOf));
  const extra = [...fields.keys()].filter((name) => !named.has(name) && !without.has(name) && !/^x-ignore-/.test(name));
  if (extra.length > 0) throw new Refusal(403, "AccessDenied", `extra fields: ${extra.join()}`);
  return accessKeyId;
}

const nameOf = (condition: Condition): string[] =>
  Array.isArray(condition)
    ? [String(condition[1]).replace(/^\$/, "").toLowerCase()]
    : Object.keys(condition).map((name) => name.toLowerCase());

function check(condition: Condition, held: ReadonlyMap<string, string>, bytes: number): void {
  const refused = () => new Refusal(403, "AccessDenied", `failed: ${JSON.stringify(condition)}`);
  if (!Array.isArray(condition)) {
    for (const [name, value] of Object.entries(condition)) if (held.get(name.toLowerCase()) !== value) throw refused();
    return;
  }
  const [word, first, second] = condition;
  if (word === "content-length-range") {
    if (bytes < Number(first)) throw new Refusal(400, "EntityTooSmall");
    if (bytes > Number(second)) throw new Refusal(400, "EntityTooLarge");
    return;
  }
  const value = held.get(String(first).replace(/^\$/, "").toLowerCase());
  const fits = word === "eq" ? value === second : word === "starts-with" && value?.startsWith(String(second)) === true;
  if (!fits) throw refused();
}
