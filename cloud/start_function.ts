/** Calls another function of the same stage. */
import type { AwsCall } from "./aws_call.ts";

/** Waits until Lambda has accepted the event, not for the function. @throws AwsRefused */
export async function startFunction(call: AwsCall, name: string, event: unknown): Promise<void> {
  await call("lambda", pathOf(name), { "x-amz-invocation-type": "Event" }, JSON.stringify(event));
}

/** Waits for the function's answer. @throws AwsRefused, FunctionFailed */
export async function askFunction(call: AwsCall, name: string, event: unknown): Promise<unknown> {
  const headers = { "x-amz-invocation-type": "RequestResponse" };
  const answer = await call("lambda", pathOf(name), headers, JSON.stringify(event));
  if (answer.headers.get("x-amz-function-error") !== null) throw new FunctionFailed(name);
  return answer.text === "" ? undefined : JSON.parse(answer.text);
}

const pathOf = (name: string) => `/2015-03-31/functions/${encodeURIComponent(name)}/invocations`;

/** The function threw or ran out of time; its own log has the reason. */
export class FunctionFailed extends Error {
  override readonly name = "FunctionFailed";
  constructor(name: string) {
    super(`the function ${name} failed; its log says why`);
  }
}
