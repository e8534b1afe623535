/**
 * An empty AWS account, as far as `serverless deploy` needs one: STS, S3, Parameter Store, Lambda, CloudFormation. A stack is only
 * recorded, its resources are not made; requests are refused where AWS would refuse them.
 * Source: the API references of these services.
 */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { Template } from "../../scripts/resolve_conditions.ts";
import { keepParameters } from "./_parameters.ts";

export interface Account {
  readonly url: string;
  /** `bucket/key` → what lies there. */
  readonly objects: ReadonlyMap<string, Buffer>;
  /** Function → the zip that replaced its code outside of a deployment. */
  readonly replaced: ReadonlyMap<string, Buffer>;
  /** The template that the stack has now. */
  template(): Template | undefined;
  /** Calls, oldest first: `CreateChangeSet`, `PUT object`, … */
  readonly asked: string[];
  /** Takes the termination protection from the stack, as the console does. */
  unprotect(): void;
  /** The next change of a stack ends here, for this reason. */
  failAt(logicalId: string, reason: string): void;
  close(): Promise<void>;
}

class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message = code) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

interface Stack {
  readonly id: string;
  readonly name: string;
  template: Template;
  status: string;
  isProtected: boolean;
  events: StackEvent[];
  next?: { readonly type: string; readonly template: Template };
}

interface StackEvent {
  readonly id: string;
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
}

const accountId = "123456789012";
/** The largest template that may be sent by its address, and the largest number of resources. */
const maxTemplateBytes = 1_000_000;
const maxResources = 500;

export interface AccountOptions {
  /** How many functions may run at once. */
  readonly concurrency?: number;
  /** The role with which API Gateway writes logs. */
  readonly logRole?: string;
  /** An existing stack, by its name and its outputs. */
  readonly stack?: { readonly name: string; readonly outputs: Readonly<Record<string, string>> };
  /** Runs a function of it. */
  readonly invoke?: (name: string, event: unknown) => Promise<unknown>;
}

export async function startAccount(region: string, options: AccountOptions = {}): Promise<Account> {
  const { concurrency = 10, logRole, stack: there, invoke } = options;
  const objects = new Map<string, Buffer>();
  const metadata = new Map<string, string>();
  const replaced = new Map<string, Buffer>();
  const parameters = keepParameters();
  const stacks = new Map<string, Stack>();
  const asked: string[] = [];
  if (there !== undefined) {
    const Outputs = Object.fromEntries(Object.entries(there.outputs).map(([key, Value]) => [key, { Value }]));
    const id = `arn:aws:cloudformation:${region}:${accountId}:stack/${there.name}/1`;
    const made = { status: "CREATE_COMPLETE", isProtected: false, events: [] };
    stacks.set(there.name, { id, name: there.name, template: { Resources: {}, Outputs }, ...made });
  }
  let fails: { readonly id: string; readonly reason: string } | undefined;

  const invalid = (message: string) => new Refusal(400, "ValidationError", message);
  const stackOf = (name: string): Stack => {
    const found = [...stacks.values()].find((stack) => stack.name === name || stack.id === name);
    if (found === undefined) throw invalid(`Stack with id ${name} does not exist`);
    return found;
  };
  const existing = (name: string): Stack => {
    const stack = stackOf(name);
    if (stack.status === "REVIEW_IN_PROGRESS") throw invalid(`Stack with id ${name} does not exist`);
    return stack;
  };

  function templateOf(ask: URLSearchParams): Template {
    const body = ask.get("TemplateBody");
    if (body !== null) return JSON.parse(body);
    const key = new URL(ask.get("TemplateURL") ?? "").pathname.slice(1);
    const bytes = objects.get(decodeURIComponent(key));
    if (bytes === undefined) throw invalid(`S3 error: The specified key does not exist: ${key}`);
    if (bytes.length > maxTemplateBytes) throw invalid("Template may not exceed 1000000 bytes in size.");
    return JSON.parse(bytes.toString());
  }

  /** What CloudFormation finds before it begins, and what Lambda finds when it begins. */
  function examine({ Resources }: Template): void {
    if (Object.keys(Resources).length > maxResources) throw invalid("Template format error: too many resources");
    for (const [id, { Type, Properties }] of Object.entries(Resources)) {
      if (Type !== "AWS::Lambda::Function") continue;
      const { S3Key } = (Properties as { Code: { S3Key: string } }).Code;
      if (!objects.has(`${bucketOf()}/${S3Key}`)) throw invalid(`${id}: S3 Error Code: NoSuchKey: ${S3Key}`);
    }
  }

  const bucketOf = () => `orderbell-deployment-${region}`;

  function execute(stack: Stack): void {
    const { type, template } = stack.next as NonNullable<Stack["next"]>;
    const kind = type === "CREATE" ? "CREATE" : "UPDATE";
    const event = (one: string, eventType: string, status: string, reason?: string) =>
      stack.events.push({ id: one, type: eventType, status, ...(reason === undefined ? {} : { reason }) });
    event(stack.name, "AWS::CloudFormation::Stack", `${kind}_IN_PROGRESS`);
    const failed = fails !== undefined && fails.id in template.Resources ? fails : undefined;
    if (failed === undefined) {
      for (const [id, { Type }] of Object.entries(template.Resources)) event(id, Type, `${kind}_COMPLETE`);
      stack.template = template;
    } else {
      event(failed.id, String(template.Resources[failed.id]?.Type), `${kind}_FAILED`, failed.reason);
      event(stack.name, "AWS::CloudFormation::Stack", "UPDATE_ROLLBACK_IN_PROGRESS", `[${failed.id}] failed`);
      fails = undefined;
    }
    stack.status = failed === undefined ? `${kind}_COMPLETE` : "UPDATE_ROLLBACK_COMPLETE";
    event(stack.name, "AWS::CloudFormation::Stack", stack.status);
    delete stack.next;
  }

  const members = (name: string, list: readonly string[]) =>
    `<${name}>${list.map((one) => `<member>${one}</member>`).join("")}</${name}>`;

  const query: Record<string, (ask: URLSearchParams) => string> = {
    GetCallerIdentity: () =>
      `<Arn>arn:aws:iam::${accountId}:user/owner</Arn><UserId>owner</UserId><Account>${accountId}</Account>`,
    DescribeStacks(ask) {
      const { id, name, status, template, isProtected } = existing(ask.get("StackName") ?? "");
      const outputs = Object.entries(template.Outputs ?? {}).map(([key, { Value }]) => {
        const text = typeof Value === "string" ? Value.replaceAll('"', "&quot;") : `value-of-${key}`;
        return `<OutputKey>${key}</OutputKey><OutputValue>${text}</OutputValue>`;
      });
      return members("Stacks", [
        `<StackId>${id}</StackId><StackName>${name}</StackName><StackStatus>${status}</StackStatus>` +
          `<EnableTerminationProtection>${isProtected}</EnableTerminationProtection>` +
          `<CreationTime>2026-11-21T00:00:00Z</CreationTime>${members("Outputs", outputs)}`,
      ]);
    },
    UpdateTerminationProtection(ask) {
      const stack = existing(ask.get("StackName") ?? "");
      stack.isProtected = ask.get("EnableTerminationProtection") === "true";
      return `<StackId>${stack.id}</StackId>`;
    },
    DeleteStack(ask) {
      const stack = stackOf(ask.get("StackName") ?? "");
      if (stack.isProtected)
        throw invalid(`Stack [${stack.name}] cannot be deleted while TerminationProtection is enabled`);
      stack.template = { Resources: {} };
      stack.status = "DELETE_COMPLETE";
      const deleted = { id: stack.name, type: "AWS::CloudFormation::Stack", status: stack.status };
      stack.events.push({ ...deleted, status: "DELETE_IN_PROGRESS" }, deleted);
      return "";
    },
    CreateChangeSet(ask) {
      const name = ask.get("StackName") ?? "";
      const type = ask.get("ChangeSetType") ?? "UPDATE";
      const template = templateOf(ask);
      if (type === "CREATE") {
        if (stacks.has(name)) throw new Refusal(400, "AlreadyExistsException");
        const id = `arn:aws:cloudformation:${region}:${accountId}:stack/${name}/1`;
        stacks.set(name, {
          id,
          name,
          template: { Resources: {} },
          status: "REVIEW_IN_PROGRESS",
          isProtected: false,
          events: [],
        });
      }
      examine(template);
      const named = JSON.stringify(template).includes("AWS::IAM::Role");
      if (named && !ask.toString().includes("CAPABILITY_"))
        throw new Refusal(400, "InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_IAM]");
      const stack = stackOf(name);
      stack.next = { type, template };
      return `<Id>arn:aws:cloudformation:${region}:${accountId}:changeSet/x/1</Id><StackId>${stack.id}</StackId>`;
    },
    DescribeChangeSet(ask) {
      const stack = stackOf(ask.get("StackName") ?? "");
      return `<ChangeSetName>x</ChangeSetName><StackId>${stack.id}</StackId><StackName>${stack.name}</StackName><Status>CREATE_COMPLETE</Status>${members("Changes", [])}`;
    },
    ExecuteChangeSet(ask) {
      execute(stackOf(ask.get("StackName") ?? ""));
      return "";
    },
    DeleteChangeSet(ask) {
      delete stackOf(ask.get("StackName") ?? "").next;
      return "";
    },
    DescribeStackEvents(ask) {
      const { id, name, events } = stackOf(ask.get("StackName") ?? "");
      return members(
        "StackEvents",
        events
          .map(
            (one, at) =>
              `<StackId>${id}</StackId><StackName>${name}</StackName><EventId>${at}</EventId><LogicalResourceId>${one.id}</LogicalResourceId>` +
              `<ResourceType>${one.type}</ResourceType><ResourceStatus>${one.status}</ResourceStatus><Timestamp>2026-11-21T00:00:00Z</Timestamp>` +
              (one.reason === undefined ? "" : `<ResourceStatusReason>${one.reason}</ResourceStatusReason>`),
          )
          .reverse(),
      );
    },
    DescribeStackResource(ask) {
      const { name, template } = existing(ask.get("StackName") ?? "");
      const id = ask.get("LogicalResourceId") ?? "";
      // Nothing but the bucket of the deployments is asked for.
      if (!(id in template.Resources)) throw invalid(`Resource ${id} does not exist for stack ${name}`);
      return `<StackResourceDetail><LogicalResourceId>${id}</LogicalResourceId><PhysicalResourceId>${bucketOf()}</PhysicalResourceId></StackResourceDetail>`;
    },
    ListStackResources(ask) {
      const { template } = existing(ask.get("StackName") ?? "");
      const made = Object.entries(template.Resources).map(
        ([id, { Type }]) =>
          `<LogicalResourceId>${id}</LogicalResourceId><PhysicalResourceId>id-of-${id}</PhysicalResourceId><ResourceType>${Type}</ResourceType><ResourceStatus>CREATE_COMPLETE</ResourceStatus><LastUpdatedTimestamp>2026-11-21T00:00:00Z</LastUpdatedTimestamp>`,
      );
      return members("StackResourceSummaries", made);
    },
    ValidateTemplate(ask) {
      examine(templateOf(ask));
      return "";
    },
  };

  const json: Record<string, (ask: { Name: string; Value?: string; WithDecryption?: boolean }) => object> = {
    // ECR: no image was ever deployed.
    DescribeRepositories() {
      throw new Refusal(400, "RepositoryNotFoundException");
    },
    DeleteParameter({ Name }) {
      if (!parameters.remove(Name)) throw new Refusal(400, "ParameterNotFound");
      return {};
    },
    GetParameter({ Name, WithDecryption }) {
      const found = parameters.get(Name, WithDecryption === true);
      if (typeof found === "string") throw new Refusal(400, found);
      return { Parameter: found };
    },
    PutParameter: ({ Name, Value = "" }) => ({ Version: parameters.put(Name, Value) }),
  };

  function files(method: string, url: URL, body: Buffer, hash: string): [number, string | Buffer, object?] {
    const [bucket = "", ...rest] = decodeURIComponent(url.pathname.slice(1)).split("/");
    const key = rest.join("/");
    const path = `${bucket}/${key}`;
    asked.push(`${method} ${key === "" ? "bucket" : "object"}`);
    if (method === "POST" && url.searchParams.has("delete")) {
      for (const [, name = ""] of body.toString().matchAll(/<Key>([^<]+)<\/Key>/g)) objects.delete(`${bucket}/${name}`);
      return [200, "<DeleteResult></DeleteResult>"];
    }
    if (bucket !== bucketOf()) throw new Refusal(404, "NoSuchBucket");
    if (method === "PUT") {
      objects.set(path, body);
      metadata.set(path, hash);
      return [200, "", { etag: '"x"' }];
    }
    if (method === "HEAD" && key === "") return [200, "", { "x-amz-bucket-region": region }];
    if (method === "GET" && key === "") {
      const prefix = `${bucket}/${url.searchParams.get("prefix") ?? ""}`;
      const found = [...objects.keys()].filter((one) => one.startsWith(prefix));
      const list = found.map((one) => `<Contents><Key>${one.slice(bucket.length + 1)}</Key></Contents>`);
      return [200, `<ListBucketResult><IsTruncated>false</IsTruncated>${list.join("")}</ListBucketResult>`];
    }
    const bytes = objects.get(path);
    if (bytes === undefined) throw new Refusal(404, "NoSuchKey");
    return [200, method === "HEAD" ? "" : bytes, { "x-amz-meta-filesha256": metadata.get(path) }];
  }

  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = unchunked(request, Buffer.concat(chunks));
    const url = new URL(request.url ?? "/", "http://aws");
    const target = String(request.headers["x-amz-target"] ?? "").split(".")[1];
    const service = /Credential=[^/]+\/\d{8}\/[^/]+\/([^/]+)\//.exec(request.headers.authorization ?? "")?.[1];
    try {
      if (service === undefined) throw new Refusal(403, "MissingAuthenticationToken");
      if (service === "s3") {
        const hash = String(request.headers["x-amz-meta-filesha256"] ?? "");
        const [status, answer, headers = {}] = files(request.method ?? "", url, body, hash);
        response.writeHead(status, headers as Record<string, string>).end(answer);
      } else if (service === "apigateway") {
        asked.push("GetAccount");
        response.end(
          JSON.stringify({ throttleSettings: {}, ...(logRole === undefined ? {} : { cloudwatchRoleArn: logRole }) }),
        );
      } else if (service === "lambda" && url.pathname === "/2016-08-19/account-settings/") {
        asked.push("GetAccountSettings");
        response.end(JSON.stringify({ AccountLimit: { ConcurrentExecutions: concurrency } }));
      } else if (service === "lambda" && url.pathname.endsWith("/invocations")) {
        const name = decodeURIComponent(url.pathname.split("/").at(-2) ?? "");
        asked.push(`invoke ${name}`);
        if (invoke === undefined) throw new Refusal(404, "ResourceNotFoundException");
        response.end(JSON.stringify(await invoke(name, JSON.parse(body.toString()))));
      } else if (service === "lambda") {
        const [name = "", what = ""] = url.pathname.replace("/2015-03-31/functions/", "").split("/");
        asked.push(`${request.method} function ${what}`);
        const made = [...stacks.values()].some(({ template }) => JSON.stringify(template).includes(`"${name}"`));
        if (!made) throw new Refusal(404, "ResourceNotFoundException");
        if (what === "code") replaced.set(name, Buffer.from(JSON.parse(body.toString()).ZipFile, "base64"));
        const LastModified = new Date(Date.now() + 60_000).toISOString();
        const states = { State: "Active", LastUpdateStatus: "Successful", Runtime: "nodejs24.x", PackageType: "Zip" };
        response.end(JSON.stringify({ Configuration: { FunctionName: name, LastModified, ...states } }));
      } else if (target !== undefined) {
        asked.push(target);
        if (json[target] === undefined) throw new Refusal(400, "UnknownOperationException");
        response.end(JSON.stringify(json[target](JSON.parse(body.toString()))));
      } else {
        const ask = new URLSearchParams(body.toString());
        const action = ask.get("Action") ?? "";
        asked.push(action);
        if (query[action] === undefined) throw new Refusal(400, "InvalidAction", action);
        response.setHeader("content-type", "text/xml");
        response.end(`<${action}Response><${action}Result>${query[action](ask)}</${action}Result></${action}Response>`);
      }
    } catch (error) {
      const { status, code, message } = error instanceof Refusal ? error : new Refusal(500, "Internal", String(error));
      const isXml = service !== "lambda" && target === undefined;
      response.writeHead(status, { "x-amzn-errortype": code, "content-type": isXml ? "text/xml" : "application/json" });
      const inner = `<Code>${code}</Code><Message>${message}</Message>`;
      const xml =
        service === "s3" ? `<Error>${inner}</Error>` : `<ErrorResponse><Error>${inner}</Error></ErrorResponse>`;
      response.end(isXml ? xml : JSON.stringify({ __type: code, message }));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    objects,
    replaced,
    asked,
    unprotect() {
      for (const stack of stacks.values()) stack.isProtected = false;
    },
    template: () => [...stacks.values()][0]?.template,
    failAt(id, reason) {
      fails = { id, reason };
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A stream is sent in signed chunks: `<size in hex>;chunk-signature=…`, bytes, and a last one of size 0. */
function unchunked({ headers }: IncomingMessage, body: Buffer): Buffer {
  if (!String(headers["content-encoding"] ?? "").includes("aws-chunked")) return body;
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const end = body.indexOf("\r\n", at);
    const size = Number.parseInt(body.toString("latin1", at, end), 16);
    if (!(size > 0)) return Buffer.concat(parts);
    parts.push(body.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
}
