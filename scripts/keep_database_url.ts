/**
 * A database of one's own is told to a stage once: `DATABASE_URL=… npx serverless deploy`. The address is kept encrypted in Parameter
 * Store, and neither in the template nor in an environment variable.
 */
import { type AwsCredentials, AwsRefused, awsCaller } from "../cloud/aws_call.ts";
import { type Cloud, urlParameter, variantOf } from "./lay_out.ts";

export interface Deployment {
  readonly service: string;
  readonly stage: string;
  readonly cloud: Cloud;
  readonly region: string;
  readonly credentials: AwsCredentials;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** @returns a word for the person who deploys @throws Error when the stage has no database */
export async function keepDatabaseUrl(deployment: Deployment): Promise<string | undefined> {
  const { service, stage, cloud, region, credentials, environment } = deployment;
  const { engine, network } = variantOf(cloud);
  if (network) return undefined;
  const call = awsCaller({
    region,
    credentials,
    urlSuffix: region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com",
    endpointUrl: environment.AWS_ENDPOINT_URL,
    timeoutMs: 10_000,
  });
  const ask = (target: string, body: object) =>
    call(
      "ssm",
      "/",
      { "content-type": "application/x-amz-json-1.1", "x-amz-target": `AmazonSSM.${target}` },
      JSON.stringify(body),
    );
  const name = urlParameter(service, stage);
  const url = environment.DATABASE_URL;
  if (url !== undefined && url !== "") {
    const fits = engine === "postgres" ? /^postgres(ql)?:\/\// : /^(mysql|mariadb):\/\//;
    if (!fits.test(url)) throw new Error(`DATABASE_URL is not for ${engine}; --param engine says which it is`);
    await ask("PutParameter", { Name: name, Value: url, Type: "SecureString", Overwrite: true });
    return `The database's address is kept in Parameter Store as ${name}.`;
  }
  try {
    await ask("GetParameter", { Name: name });
    return undefined;
  } catch (error) {
    if (!(error instanceof AwsRefused) || error.code !== "ParameterNotFound") throw error;
    throw new Error(
      `stage ${stage} has no database yet: DATABASE_URL=… npx serverless deploy, or --param database=aurora-postgres`,
    );
  }
}
