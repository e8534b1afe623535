/** A stage in the cloud: the command line calls its functions with the caller's own rights. There is no public way to `admin`. */
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { AwsRefused, awsCaller } from "../cloud/aws_call.ts";
import { readCaller } from "../cloud/credentials.ts";
import { askFunction } from "../cloud/start_function.ts";
import { readCallerConfig } from "../shared/config.ts";
import { Misused } from "./commands.ts";
import type { Place } from "./place.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** serverless.yml's own. */
const defaultRegion = "us-east-1";
/** A menu is imported in one call. */
const timeoutMs = 60_000;

/** @returns what the function answers @throws Misused, NoCredentials, AwsRefused, FunctionFailed */
export async function askStage(place: Place, name: string, event: unknown, environment: Environment): Promise<unknown> {
  const config = readCallerConfig(environment);
  const caller = readCaller(config, place.profile);
  const region = place.region ?? caller.region ?? defaultRegion;
  const call = awsCaller({
    region,
    credentials: caller.credentials,
    urlSuffix: region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com",
    endpointUrl: config.endpointUrl,
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
