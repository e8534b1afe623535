/** Parameters of serverless.yml and their allowed values. All are checked before anything is packaged. */
import * as v from "valibot";
import { parts } from "../apigateway/local/routes.ts";
import { ConfigError, readConfig } from "../shared/config.ts";
import { DeploymentError } from "./deployment_error.ts";

/** Values of the command line are text; values of the file may be numbers. */
const text = v.pipe(
  v.union([v.string(), v.number()], "is no text"),
  v.transform((value) => String(value).trim()),
);
const oneOf = <const T extends readonly string[]>(words: T) =>
  v.pipe(text, v.picklist(words, `is one of ${words.join(", ")}`));
const yesNo = oneOf(["yes", "no"]);
const number = (min: number, max: number) =>
  v.pipe(
    text,
    v.regex(/^\d+(\.\d+)?$/, "is no number"),
    v.transform(Number),
    v.minValue(min, `is from ${min} to ${max}`),
    v.maxValue(max, `is from ${min} to ${max}`),
  );
const whole = (min: number, max: number) => v.pipe(number(min, max), v.integer("is a whole number"));
const units = (min: number) =>
  v.pipe(
    number(min, 256),
    v.check((value) => Number.isInteger(value * 2), "comes in halves, such as 0.5 or 4"),
  );
const list = <S extends v.GenericSchema<string, string>>(entry: S) =>
  v.pipe(
    text,
    v.transform((value) =>
      value
        .split(",")
        .map((one) => one.trim())
        .filter((one) => one !== ""),
    ),
    v.array(entry),
  );
const optional = <S extends v.GenericSchema<string, string>>(shape: S) => v.union([v.pipe(text, v.literal("")), shape]);

const host = v.pipe(
  v.string(),
  v.regex(
    /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/,
    "is a host's name in small letters, without https://",
  ),
);
const origin = v.pipe(
  v.string(),
  v.regex(/^(\*|https?:\/\/[^\s/,*?#]+)$/, 'holds origins such as https://shop.example.com, without a path, or is "*"'),
);
/** The values that CloudWatch Logs allows. */
const logDays = [
  "1",
  "3",
  "5",
  "7",
  "14",
  "30",
  "60",
  "90",
  "120",
  "150",
  "180",
  "365",
  "400",
  "545",
  "731",
  "1827",
  "3653",
] as const;

const shapes = {
  database: oneOf(["url", "aurora-postgres", "aurora-mysql"]),
  engine: oneOf(["postgres", "mysql"]),
  databaseTls: oneOf(["", "verify", "off"]),
  databaseCa: text,
  databasePooler: oneOf(["", "off", "session", "transaction"]),
  minAcu: units(0),
  maxAcu: units(1),
  secondZone: yesNo,
  backupDays: whole(1, 35),
  protect: yesNo,
  keepData: oneOf(["Snapshot", "Retain", "Delete"]),
  keepKeys: oneOf(["RetainExceptOnCreate", "Retain", "Delete"]),
  replaceDatabase: yesNo,
  only: oneOf(["", ...parts]),
  schedules: yesNo,
  reserve: whole(0, 10_000),
  rate: whole(1, 100_000),
  burst: whole(1, 100_000),
  logDays: oneOf(logDays),
  socketLog: yesNo,
  alarmMail: optional(v.pipe(v.string(), v.email("is one address of a mailbox"))),
  concurrencyAlarm: whole(1, 100_000),
  settings: list(
    v.pipe(v.string(), v.regex(/^[A-Z][A-Z_]*=[^=\s]+$/, "holds NAME=value, as in ROOMS=off,SESSION_DAYS=60")),
  ),
  origins: v.pipe(
    list(origin),
    v.minLength(1, 'is "*" or at least one origin'),
    v.check((all) => all.length === 1 || !all.includes("*"), 'is "*" alone, or origins without it'),
  ),
  domain: optional(host),
  socketDomain: optional(host),
  zone: optional(
    v.pipe(v.string(), v.regex(/^Z[A-Z0-9]{5,31}$/, "is the id of a Route 53 zone, such as Z0123456789ABC")),
  ),
  vpcSubnets: list(v.pipe(v.string(), v.regex(/^subnet-[0-9a-f]+$/, "holds ids of subnets, such as subnet-0abc"))),
  vpcSecurityGroups: list(
    v.pipe(v.string(), v.regex(/^sg-[0-9a-f]+$/, "holds ids of security groups, such as sg-0abc")),
  ),
};

export type Parameters = { readonly [Name in keyof typeof shapes]: v.InferOutput<(typeof shapes)[Name]> };
export const parameterNames = Object.keys(shapes);

export interface Given {
  /** As serverless.yml has resolved them. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Every name on the command line and in a section of `params`. */
  readonly named: readonly string[];
  readonly stage: string;
  /** The functions' full names. */
  readonly functions: readonly string[];
}

/** @throws DeploymentError with a sentence for each fault */
export function readParameters({ values, named, stage, functions }: Given): Parameters {
  const faults = named.filter((name) => !parameterNames.includes(name)).map(unknown);
  const parsed = v.safeParse(v.object(shapes), values);
  if (!parsed.success)
    for (const [{ key, value } = { key: "", value: "" }, message] of parsed.issues.map(
      ({ path, message }) => [path?.[0] as { key: string; value: unknown } | undefined, message] as const,
    ))
      faults.push(`${key} ${message}, and not "${value}"`);
  if (parsed.success) faults.push(...contradictions(parsed.output), ...wrongSettings(parsed.output));
  const longest = functions.toSorted((a, b) => b.length - a.length)[0] ?? "";
  if (longest.length > maxFunctionName)
    faults.push(
      `the stage "${stage}" is ${longest.length - maxFunctionName} letters too long: Lambda's names end at ${maxFunctionName}, and one is ${longest}`,
    );
  if (!parsed.success || faults.length > 0)
    throw new DeploymentError(
      ["These parameters cannot be deployed (docs/deploy.md has them all):", ...new Set(faults)].join("\n- "),
    );
  return parsed.output;
}

const maxFunctionName = 64;

/** Environment of the functions: `{ ROOMS: "off" }`. */
export const settingsOf = ({ settings }: Pick<Parameters, "settings">): Record<string, string> =>
  Object.fromEntries(settings.map((one) => [one.slice(0, one.indexOf("=")), one.slice(one.indexOf("=") + 1)]));

/** Variables that the deployment itself sets, for the functions that need them. */
const isOwn = (name: string) => /^(DATABASE_|WECHAT_)|^(SIGNING_KEY|CALLBACK_URL|SOCKET_URL|POLL_WAIT_SEC)$/.test(name);

function wrongSettings(given: Parameters): string[] {
  const taken = settingsOf(given);
  const known = new Set<string>();
  const environment: Record<string, string> = {
    ...taken,
    DATABASE_URL: "postgres://localhost/",
    SIGNING_KEY: "A".repeat(43),
  };
  const asked = new Proxy(environment, {
    get(target, name) {
      known.add(String(name));
      return target[String(name)];
    },
  });
  try {
    readConfig(asked);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [`settings: ${error.message}`];
  }
  return Object.keys(taken)
    .filter((name) => !known.has(name) || isOwn(name))
    .map((name) => `settings: ${isOwn(name) ? `${name} is the deployment's own` : `the functions know no ${name}`}`);
}

function contradictions(given: Parameters): string[] {
  const faults: [boolean, string][] = [
    [given.minAcu > given.maxAcu, `minAcu ${given.minAcu} is above maxAcu ${given.maxAcu}`],
    [
      given.only === "" && (given.domain === "") !== (given.socketDomain === ""),
      "domain and socketDomain go together: one for pages and HTTP, one for the socket",
    ],
    [given.only !== "" && given.socketDomain !== "", `only: ${given.only} has no socket, and so no socketDomain`],
    [
      given.domain !== "" && given.domain === given.socketDomain,
      "domain and socketDomain are the same, and API Gateway cannot share one",
    ],
    [given.zone !== "" && given.domain === "", "zone is for domain and socketDomain, which are missing"],
    [
      (given.vpcSubnets.length === 0) !== (given.vpcSecurityGroups.length === 0),
      "vpcSubnets and vpcSecurityGroups go together",
    ],
    [
      given.vpcSubnets.length > 0 && given.database !== "url",
      "vpcSubnets are for a database of one's own; an Aurora gets a network with it",
    ],
    [
      given.database !== "url" && given.databaseTls + given.databaseCa + given.databasePooler !== "",
      "databaseTls, databaseCa and databasePooler are for a database of one's own",
    ],
    [
      given.rate > given.burst * 10,
      `rate ${given.rate} needs a burst of at least a tenth of it, and not ${given.burst}`,
    ],
  ];
  return faults.flatMap(([wrong, sentence]) => (wrong ? [sentence] : []));
}

function unknown(name: string): string {
  const nearest = parameterNames
    .map((known) => ({ known, far: distance(name.toLowerCase(), known.toLowerCase()) }))
    .toSorted((a, b) => a.far - b.far)[0];
  const meant = nearest !== undefined && nearest.far <= 3 ? `; did you mean ${nearest.known}?` : "";
  return `there is no parameter ${name}${meant}`;
}

/** Edit distance: letters to insert, remove or change. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries())
      next.push(Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, (row[j] ?? 0) + (letter === other ? 0 : 1)));
    row = next;
  }
  return row[b.length] ?? 0;
}
