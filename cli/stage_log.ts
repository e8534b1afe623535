/** The log of a stage in the cloud, for `why`: the functions' log groups in CloudWatch, read with the user's own rights. */
import { type AwsCall, AwsRefused } from "../cloud/aws_call.ts";
import type { OrderFacts } from "../shared/ordering/order_facts.ts";
import { type Logged, marksOf } from "./order_story.ts";
import { type LogLine, logLineOf } from "./read_log.ts";
import { awsFor, serviceName } from "./stage.ts";
import type { StageOptions } from "./stage_options.ts";

/** Functions that an order, its pushes and its readers pass through. */
const functions = ["bill", "order", "events", "ws_transmit", "ws_unregister", "fan_out", "sweep"];
/** API Gateway closes a socket after two hours: who reads now has come since then. */
const beforeMs = 2 * 3_600_000;
const afterMs = 10 * 60_000;
const timeoutMs = 15_000;
/** Of one log group: CloudWatch looks through a part of it for each page. */
const maxPages = 50;

interface Page {
  readonly events?: readonly { readonly message: string }[];
  readonly nextToken?: string;
}

/** The lines around the order, of every function that has any. A group that may not be read is named. */
export async function readStageLog(
  facts: OrderFacts,
  stage: StageOptions,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Logged> {
  const { call, region } = awsFor(stage, environment, timeoutMs);
  const last = [facts.order.placedAt, ...facts.steps.map(({ at }) => at)].toSorted().at(-1) as string;
  const asked = {
    startTime: Date.parse(facts.order.placedAt) - beforeMs,
    endTime: Date.parse(last) + afterMs,
    // Any of these texts.
    filterPattern: marksOf(facts)
      .map((mark) => `?"${mark.replaceAll('"', '\\"')}"`)
      .join(" "),
  };
  const refused: string[] = [];
  const groups = await Promise.all(
    functions.map((name) =>
      readGroup(call, { ...asked, logGroupName: `/aws/lambda/${serviceName()}-${stage.stage}-${name}` }).catch(
        (error) => {
          if (!(error instanceof AwsRefused)) throw error;
          // A function that was never called has no group.
          if (error.code !== "ResourceNotFoundException") refused.push(`${name}: ${error.code}`);
          return [];
        },
      ),
    ),
  );
  const lines = groups.flat().sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  const but = refused.length === 0 ? "" : `, without ${refused.join(", ")}`;
  return {
    lines,
    // Nothing is known of the time before the first line: the groups forget after `logDays`.
    reachesBackTo: lines[0]?.at,
    where: `CloudWatch in ${region}, stage "${stage.stage}"${but}`,
  };
}

async function readGroup(call: AwsCall, asked: { readonly logGroupName: string }): Promise<LogLine[]> {
  const headers = {
    "content-type": "application/x-amz-json-1.1",
    "x-amz-target": "Logs_20140328.FilterLogEvents",
  };
  const lines: LogLine[] = [];
  let nextToken: string | undefined;
  for (let page = 0; page < maxPages; page++) {
    const body = JSON.stringify({ ...asked, limit: 1_000, ...(nextToken === undefined ? {} : { nextToken }) });
    const answer: Page = JSON.parse((await call("logs", "/", headers, body)).text);
    for (const { message } of answer.events ?? []) {
      const line = logLineOf(message);
      if (line !== undefined) lines.push(line);
    }
    nextToken = answer.nextToken;
    if (nextToken === undefined) break;
  }
  return lines;
}
