/**
 * `init_db` as a custom resource of CloudFormation: it runs when the schema's version in the template changes, before the
 * functions of that deployment take requests, and a failure fails the deployment with its reason.
 * Source: the CloudFormation user guide, custom resource request and response objects.
 */
import type { Log } from "../shared/log.ts";

export interface ResourceEvent {
  readonly RequestType: "Create" | "Update" | "Delete";
  /** Presigned, in S3; the answer is put there. */
  readonly ResponseURL: string;
  readonly StackId: string;
  readonly RequestId: string;
  readonly LogicalResourceId: string;
  readonly PhysicalResourceId?: string;
  readonly ResourceProperties: { readonly SchemaVersion?: string };
  readonly OldResourceProperties?: { readonly SchemaVersion?: string };
}

export const isResourceEvent = (event: unknown): event is ResourceEvent =>
  typeof event === "object" && event !== null && "ResponseURL" in event && "RequestType" in event;

/** CloudFormation takes 4 KB in all. */
const maxReasonChars = 1_000;

/** Runs `migrate` if the event asks for it and tells CloudFormation how it went. Never throws: who does not answer is waited for. */
export async function answerResource(
  event: ResourceEvent,
  migrate: () => Promise<{ applied: number[] }>,
  log: Pick<Log, "info" | "error">,
): Promise<void> {
  let failed: string | undefined;
  try {
    if (needsTables(event)) log.info("migrated", { applied: (await migrate()).applied.join(",") });
  } catch (error) {
    log.error("migration", { request: event.RequestType }, error);
    failed = reasonOf(error);
  }
  const body = JSON.stringify({
    Status: failed === undefined ? "SUCCESS" : "FAILED",
    Reason: failed ?? "the tables are up to date",
    // The same for ever: the resource is never replaced.
    PhysicalResourceId: event.PhysicalResourceId ?? "schema",
    StackId: event.StackId,
    RequestId: event.RequestId,
    LogicalResourceId: event.LogicalResourceId,
  });
  // The signature of the address covers an empty content type.
  const answer = await fetch(event.ResponseURL, { method: "PUT", headers: { "content-type": "" }, body });
  await answer.arrayBuffer();
  if (!answer.ok) log.error("migration.untold", { status: answer.status });
}

/**
 * Deleting the stack leaves the data to the database's own rules. A lower version than before is a rollback: the tables stay as
 * they are, because each migration leaves tables that the version before it can work with.
 */
function needsTables({ RequestType, ResourceProperties, OldResourceProperties }: ResourceEvent): boolean {
  if (RequestType === "Delete") return false;
  return Number(ResourceProperties.SchemaVersion ?? 0) >= Number(OldResourceProperties?.SchemaVersion ?? 0);
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : "";
  const said = error instanceof Error ? `${error.name}: ${error.message}${cause}` : String(error);
  // An address in a message would carry its password.
  return said.replace(/\/\/[^@\s/]*@/g, "//…@").slice(0, maxReasonChars);
}
