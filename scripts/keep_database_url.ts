/**
 * A database of one's own is told to a stage once: `DATABASE_URL=… npx serverless deploy`. The address is kept encrypted in Parameter
 * Store, and neither in the template nor in an environment variable. The template names its version there: with another address
 * every function is made anew behind `init_db`, none works on with the old one, and a deployment that fails leaves the old one in use.
 */
import { type AwsCredentials, AwsRefused, awsCaller } from "../cloud/aws_call.ts";
import { type Cloud, urlParameter, urlPlace, variantOf } from "./lay_out.ts";
import type { Template } from "./settle.ts";

export interface Deployment {
  readonly service: string;
  readonly stage: string;
  readonly cloud: Cloud;
  readonly region: string;
  readonly credentials: AwsCredentials;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface Kept {
  /** The parameter's name. */
  readonly name: string;
  readonly version: number;
  /** It was another address before, or none. */
  readonly changed: boolean;
}

/** @returns where the address is; nothing with a database of the stage's own @throws Error when the stage has no database */
export async function keepDatabaseUrl(deployment: Deployment): Promise<Kept | undefined> {
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
  const ask = async (target: string, body: object) => {
    const headers = { "content-type": "application/x-amz-json-1.1", "x-amz-target": `AmazonSSM.${target}` };
    return JSON.parse((await call("ssm", "/", headers, JSON.stringify(body))).text);
  };
  const name = urlParameter(service, stage);
  const url = environment.DATABASE_URL ?? "";
  const fits = engine === "postgres" ? /^postgres(ql)?:\/\// : /^(mysql|mariadb):\/\//;
  if (url !== "" && !fits.test(url))
    throw new Error(`DATABASE_URL is not for ${engine}; --param engine says which it is`);
  const before = await ask("GetParameter", { Name: name, WithDecryption: url !== "" }).catch((error) => {
    if (error instanceof AwsRefused && error.code === "ParameterNotFound") return undefined;
    throw error;
  });
  if (url !== "" && before?.Parameter.Value !== url) {
    const { Version } = await ask("PutParameter", { Name: name, Value: url, Type: "SecureString", Overwrite: true });
    return { name, version: Version, changed: true };
  }
  if (before !== undefined) return { name, version: before.Parameter.Version, changed: false };
  throw new Error(
    `stage ${stage} has no database yet: DATABASE_URL=… npx serverless deploy, or --param database=aurora-postgres`,
  );
}

/** Wherever the template says where the address is kept, it says of which version. Changes it in place. */
export function pinDatabaseUrl(template: Template, { name, version }: Kept): void {
  const place = urlPlace(name);
  const text = JSON.stringify(template.Resources);
  template.Resources = JSON.parse(text.replaceAll(JSON.stringify(place), JSON.stringify(`${place}:${version}`)));
}
