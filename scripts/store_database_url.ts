/**
 * Stores the address of the user's own database, which is given once per stage: `DATABASE_URL=… npx serverless deploy`. It is
 * encrypted in Parameter Store, and neither in the template nor in an environment variable. The template names its version: with
 * a new address every function is deployed again after `init_db`, and a deployment that fails leaves the old address in use.
 */
import type { Account } from "./aws_account.ts";
import { checkAddress, type DatabaseParameters } from "./database_address.ts";
import { DeploymentError } from "./deployment_error.ts";
import type { Template } from "./resolve_conditions.ts";
import { urlParameter, urlSource, variantOf } from "./transform_template.ts";

export interface Deployment {
  readonly service: string;
  readonly stage: string;
  readonly cloud: DatabaseParameters;
  /** DATABASE_URL, if it is set. */
  readonly url: string | undefined;
}

export interface StoredUrl {
  /** The parameter's name. */
  readonly name: string;
  readonly version: number;
  /** Whether there was another address before, or none. */
  readonly changed: boolean;
}

/** @returns where the address is stored; undefined if the stage makes its own database @throws DeploymentError when the stage has no database */
export async function storeDatabaseUrl(
  account: Pick<Account, "parameter" | "putParameter">,
  { service, stage, cloud, url = "" }: Deployment,
): Promise<StoredUrl | undefined> {
  const { network } = variantOf(cloud);
  if (network) return undefined;
  const name = urlParameter(service, stage);
  checkAddress(cloud, url);
  const before = await account.parameter(name, url !== "");
  if (url !== "" && before?.Value !== url)
    return { name, version: await account.putParameter(name, url), changed: true };
  if (before !== undefined) return { name, version: before.Version, changed: false };
  throw new DeploymentError(
    `stage ${stage} has no database yet: DATABASE_URL=… npx serverless deploy, or --param database=aurora-postgres`,
  );
}

/** Adds the version wherever the template names the stored address. Changes the template in place. */
export function pinDatabaseUrl(template: Template, { name, version }: StoredUrl): void {
  const source = urlSource(name);
  const text = JSON.stringify(template.Resources);
  template.Resources = JSON.parse(text.replaceAll(JSON.stringify(source), JSON.stringify(`${source}:${version}`)));
}
