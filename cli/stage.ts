/** A stage in the cloud: the command line calls its functions with the caller's own rights. There is no public way to `admin`. */
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { AwsRefused, awsCaller } from "../cloud/aws_call.ts";
import { readCaller } from "../cloud/credentials.ts";
import { askFunction } from "../cloud/start_function.ts";
import { Misused } from "./commands.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export interface Place {
  readonly stage: string;
  readonly region: string | undefined;
  readonly profile: string | undefined;
}

/** Takes `--stage`, `--region` and `--profile` out of the words. @throws Misused */
export function placeOf(argv: readonly string[]): { place: Place | undefined; rest: string[] } {
  const taken: Record<string, string> = {};
  const rest: string[] = [];
  const words = argv[Symbol.iterator]();
  for (const word of words) {
    const [, name, value] = /^--(stage|region|profile)(?:=(.*))?$/.exec(word) ?? [];
    if (name === undefined) {
      rest.push(word);
      continue;
    }
    const given = value ?? words.next().value;
    if (given === undefined || given === "") throw new Misused(`--${name} needs a value`);
    taken[name] = given;
  }
  const { stage, region, profile } = taken;
  if (stage === undefined && (region ?? profile) !== undefined)
    throw new Misused("--region and --profile go with --stage");
  return { place: stage === undefined ? undefined : { stage, region, profile }, rest };
}

/** serverless.yml's own. */
const defaultRegion = "us-east-1";
/** A menu is imported in one call. */
const timeoutMs = 60_000;

/** @returns what the function answers @throws Misused, NoCredentials, AwsRefused, FunctionFailed */
export async function askStage(place: Place, name: string, event: unknown, environment: Environment): Promise<unknown> {
  const caller = readCaller(environment, place.profile);
  const region = place.region ?? caller.region ?? defaultRegion;
  const call = awsCaller({
    region,
    credentials: caller.credentials,
    urlSuffix: region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com",
    endpointUrl: environment.AWS_ENDPOINT_URL,
    timeoutMs,
  });
  try {
    return await askFunction(call, `${serviceName()}-${place.stage}-${name}`, event);
  } catch (error) {
    if (!(error instanceof AwsRefused)) throw error;
    if (error.code === "ResourceNotFoundException")
      throw new Misused(`there is no stage "${place.stage}" in ${region}; --region says where else to look`);
    if (error.status === 403) throw new Misused(`these AWS credentials may not invoke ${name} (${error.code})`);
    throw error;
  }
}

function serviceName(): string {
  const yaml = readFileSync(new URL("../serverless.yml", import.meta.url), "utf8");
  return (parse(yaml) as { service: string }).service;
}
