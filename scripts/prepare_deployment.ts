/** Checks of the account before a deployment, and the clean-up after a stage was removed. */
import { type Account, isForeignLogRole } from "./aws_account.ts";
import { askDatabase } from "./database_address.ts";
import { DeploymentError } from "./deployment_error.ts";
import { compareParameters } from "./last_parameters.ts";
import type { Parameters } from "./parameters.ts";
import type { Template } from "./resolve_conditions.ts";
import { pinDatabaseUrl, storeDatabaseUrl } from "./store_database_url.ts";
import { reservedFunctions, urlParameter } from "./transform_template.ts";

export interface Deployment {
  readonly service: string;
  readonly stage: string;
  readonly stack: string;
  readonly region: string;
  readonly parameters: Parameters;
  /** Changed in place. */
  readonly template: Template;
  /** DATABASE_URL, if it is set. */
  readonly url: string | undefined;
}

/** @returns lines to print @throws DeploymentError when the deployment must not begin */
export async function prepareDeployment(account: Account, deployment: Deployment): Promise<string[]> {
  const { service, stage, stack, region, parameters, template, url } = deployment;
  const changed = compareParameters(await account.outputs(stack), parameters);
  await checkReserve(account, parameters);
  const kept = await storeDatabaseUrl(account, { service, stage, cloud: parameters, url });
  if (kept !== undefined) pinDatabaseUrl(template, kept);
  if (template.Resources.GatewayAccount !== undefined && isForeignLogRole(await account.gatewayLogRole(), stack))
    removeLogRole(template);
  return [
    ...changed.map((line) => `Changed since the last deployment: ${line}`),
    ...(await askDatabase(parameters, url)),
    ...(kept?.changed ? [`The database's address is stored in Parameter Store as ${kept.name}.`] : []),
    ...(region.startsWith("cn-") ? [china] : []),
  ];
}

const china =
  "AWS in China answers unauthenticated requests only for accounts with an ICP licence: without one every address of this deployment says 403. See docs/deploy.md.";

/** AWS keeps this many environments for the functions that have none reserved. */
const unreserved = 100;

async function checkReserve(account: Account, { reserve }: Parameters): Promise<void> {
  if (reserve === 0) return;
  const [limit, wanted] = [await account.concurrency(), reserve * reservedFunctions.length];
  if (wanted + unreserved > limit)
    throw new DeploymentError(
      `reserve ${reserve} takes ${wanted} environments for ${reservedFunctions.join(", ")}, and AWS keeps ${unreserved} for the others; ` +
        `this account may run ${limit} at once in this region. Raise it in Service Quotas (Lambda, concurrent executions), or deploy with reserve=0.`,
    );
}

/** Leaves out the stack's own role: the account's existing one writes the sockets' log. */
function removeLogRole({ Resources }: Template): void {
  delete Resources.GatewayAccount;
  delete Resources.GatewayLogRole;
  for (const resource of Object.values(Resources)) {
    const left = [resource.DependsOn ?? []].flat().filter((id) => id !== "GatewayAccount");
    if (left.length > 0) resource.DependsOn = left;
    else delete resource.DependsOn;
  }
}

/** Removes what a removed stage leaves. @returns lines to print */
export async function cleanUp(
  account: Pick<Account, "deleteParameter">,
  { service, stage }: Pick<Deployment, "service" | "stage">,
): Promise<string[]> {
  const name = urlParameter(service, stage);
  const gone = await account.deleteParameter(name);
  return [
    ...(gone ? [`The database's address was removed from Parameter Store (${name}).`] : []),
    "What stays is listed in docs/deploy.md, “Taking a stage away”.",
  ];
}
