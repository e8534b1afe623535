/**
 * `init_db` as a custom resource of CloudFormation: it runs when the schema's version in the template changes, before the
 * functions of that deployment take requests, and a failure fails the deployment with its reason.
 * Source: the CloudFormation user guide, custom resource request and response objects.
 */
import { boundedFetch } from "../shared/bounded_fetch.ts";
import type { Log } from "../shared/log.ts";

export interface ResourceEvent {
  readonly RequestType: "Create" | "Update" | "Delete";
  /** Presigned address in S3, to which the answer is uploaded. */
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

/** Runs `migrate` if the event needs it and reports the result to CloudFormation, which would wait long for a missing answer: never throws. */
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
    // Always the same: the resource is never replaced.
    PhysicalResourceId: event.PhysicalResourceId ?? "schema",
    StackId: event.StackId,
    RequestId: event.RequestId,
    LogicalResourceId: event.LogicalResourceId,
  });
  // The signature in the address covers an empty content type.
  const init = { method: "PUT", headers: { "content-type": "" }, body };
  const answer = await boundedFetch(fetch, event.ResponseURL, init, { timeoutMs: 30_000, maxBytes: 65_536 });
  if (!answer.ok) log.error("migration.untold", { status: answer.status });
}

/**
 * When the stack is deleted, the database's own rules decide about the data. A lower version than before is a rollback: the
 * tables stay as they are, because the version before can work with them.
 */
function needsTables({ RequestType, ResourceProperties, OldResourceProperties }: ResourceEvent): boolean {
  if (RequestType === "Delete") return false;
  return Number(ResourceProperties.SchemaVersion ?? 0) >= Number(OldResourceProperties?.SchemaVersion ?? 0);
}

function reasonOf(error: unknown): string {
  // The database's own explanation.
  if (error instanceof Error && "reason" in error && typeof error.reason === "string")
    return `DATABASE_URL: ${error.reason}`;
  const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : "";
  const text = error instanceof Error ? `${error.name}: ${error.message}${cause}` : String(error);
  // An address in a message would contain its password.
  return text.replace(/\/\/[^@\s/]*@/g, "//…@").slice(0, maxReasonChars);
}
