/** AWS's other services for functions, answered as documented: Parameter Store, Secrets Manager, Lambda. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { keepParameters } from "./_parameters.ts";

export interface AwsOptions {
  /** The values in force; earlier ones stay, each under its version. */
  readonly parameters?: Record<string, string>;
  readonly secrets?: Record<string, string>;
  /** Whether the caller, known by its session token, may take this action on this resource. */
  readonly allows?: (caller: string, action: string, on: string) => boolean;
  /** Runs a function; what it throws is a function error. */
  readonly invoke?: (name: string, event: unknown) => Promise<unknown>;
  /** A page of a log group; undefined when there is no such group. */
  readonly logs?: (group: string, asked: { filterPattern: string; nextToken?: string }) => object | undefined;
}

export interface Aws {
  readonly url: string;
  /** `caller action what`, oldest first; refusals end in `refused`. */
  readonly asked: string[];
  close(): Promise<void>;
}

export async function startAws({
  parameters = {},
  secrets = {},
  allows = () => true,
  invoke,
  logs = () => undefined,
}: AwsOptions): Promise<Aws> {
  const asked: string[] = [];
  const kept = keepParameters(parameters);

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const scope = /Credential=[^/]+\/\d{8}\/([a-z0-9-]+)\/([a-z]+)\/aws4_request/.exec(
      request.headers.authorization ?? "",
    );
    const caller = String(request.headers["x-amz-security-token"] ?? "");
    const target = String(request.headers["x-amz-target"] ?? "");
    const { action, service, on } = readCall(request, target, body);
    const say = (status: number, answer: unknown, headers: Record<string, string> = {}) => {
      response.writeHead(status, { "content-type": "application/x-amz-json-1.1", ...headers });
      response.end(answer === undefined ? "" : JSON.stringify(answer));
    };
    if (scope === null || scope[2] !== service) return say(403, { __type: "InvalidSignatureException" });
    if (!allows(caller, action, on)) {
      asked.push(`${caller} ${action} ${on} refused`);
      return say(400, { __type: "AccessDeniedException" });
    }
    asked.push(`${caller} ${action} ${on}`);
    switch (action) {
      case "ssm:GetParameter": {
        const found = kept.get(on, (JSON.parse(body) as { WithDecryption?: boolean }).WithDecryption === true);
        return typeof found === "string" ? say(400, { __type: found }) : say(200, { Parameter: found });
      }
      case "ssm:PutParameter": {
        const value = String((JSON.parse(body) as { Value: string }).Value);
        parameters[on] = value;
        return say(200, { Version: kept.put(on, value) });
      }
      case "secretsmanager:GetSecretValue":
        if (secrets[on] === undefined) return say(400, { __type: "ResourceNotFoundException" });
        return say(200, { ARN: on, SecretString: secrets[on] });
      case "logs:FilterLogEvents": {
        const page = logs(on, JSON.parse(body));
        return page === undefined ? say(400, { __type: "ResourceNotFoundException" }) : say(200, page);
      }
      default: {
        if (invoke === undefined)
          return say(404, { Type: "User" }, { "x-amzn-errortype": "ResourceNotFoundException" });
        const run = invoke(on, body === "" ? {} : JSON.parse(body));
        if (request.headers["x-amz-invocation-type"] === "Event") {
          run.catch(() => {});
          return say(202, undefined);
        }
        return run.then(
          (answer) => say(200, answer ?? null),
          (error) => say(200, { errorMessage: String(error) }, { "x-amz-function-error": "Unhandled" }),
        );
      }
    }
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function readCall({ url = "" }: IncomingMessage, target: string, body: string) {
  const name = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/.exec(url)?.[1];
  if (name !== undefined) return { action: "lambda:InvokeFunction", service: "lambda", on: decodeURIComponent(name) };
  const [word = "", verb = ""] = target.split(".");
  const service = word === "AmazonSSM" ? "ssm" : word.replace(/^Logs_.*/, "logs");
  const { Name, SecretId, logGroupName } = JSON.parse(body) as Record<string, string | undefined>;
  return { action: `${service}:${verb}`, service, on: String(Name ?? SecretId ?? logGroupName) };
}
