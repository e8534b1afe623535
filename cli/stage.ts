/** A stage in the cloud: the command line calls its functions with the user's own rights. There is no public way to `admin`. */
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { AwsRefused, awsCaller } from "../cloud/aws_call.ts";
import { readAwsIdentity } from "../cloud/credentials.ts";
import { askFunction } from "../cloud/start_function.ts";
import { readCallerConfig } from "../shared/config.ts";
import type { StageOptions } from "./stage_options.ts";
import { UsageError } from "./usage_error.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The default of serverless.yml. */
const defaultRegion = "us-east-1";
/** Enough to import a menu in one call. */
const timeoutMs = 60_000;

/** @returns what the function answers @throws UsageError, NoCredentials, AwsRefused, FunctionFailed */
export async function askStage(
  stageOptions: StageOptions,
  name: string,
  event: unknown,
  environment: Environment,
): Promise<unknown> {
  const { call, region } = awsFor(stageOptions, environment, timeoutMs);
  try {
    return await askFunction(call, `${serviceName()}-${stageOptions.stage}-${name}`, event);
  } catch (error) {
    if (!(error instanceof AwsRefused)) throw error;
    if (error.code === "ResourceNotFoundException")
      throw new UsageError(`there is no stage "${stageOptions.stage}" in ${region}; --region says where else to look`);
    if (error.status === 403) throw new UsageError(`these AWS credentials may not invoke ${name} (${error.code})`);
    throw error;
  }
}

/** Makes calls to AWS with the user's own credentials, in the stage's region. @throws NoCredentials */
export function awsFor(stageOptions: StageOptions, environment: Environment, timeoutMs: number) {
  const config = readCallerConfig(environment);
  const identity = readAwsIdentity(config, stageOptions.profile);
  const region = stageOptions.region ?? identity.region ?? defaultRegion;
  const call = awsCaller({
    region,
    credentials: identity.credentials,
    urlSuffix: region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com",
    endpointUrl: config.endpointUrl,
    timeoutMs,
  });
  return { call, region };
}

export function serviceName(): string {
  const yaml = readFileSync(new URL("../serverless.yml", import.meta.url), "utf8");
  return (parse(yaml) as { service: string }).service;
}
